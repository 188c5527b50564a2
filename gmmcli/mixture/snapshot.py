"""A fit that can be stopped and taken up: its state as plain numbers, and back.

What is kept is all that EM carries from step to step, so the rest of the fit is the same to
the last bit. The rows are not kept: `Fitting` reads them again and checks that they are the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.acceleration import Leaps
from gmmcli.mixture.covariance import structure_of
from gmmcli.mixture.em import Rule, Run, State, Step, climb
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.repair import Repairs
from gmmcli.mixture.statistics import Estimates
from gmmcli.mixture.stopping import RULES


@dataclass(eq=False)
class Ascent:
    """A run towards an optimum, and where it is.

    name : of the start.
    n_agreeing : how many starts are known to lead to its optimum.
    """

    name: str
    model: GaussianMixture
    state: State
    rule: Rule
    n_agreeing: int = 1

    def climb(self, problem: Problem, *, max_iter: int, observe: Callable[[Step], None]) -> Run:
        """Go on, as `em.climb` does; the state is changed as the run goes on."""
        return climb(
            self.model, problem, self.rule, state=self.state, max_iter=max_iter, observe=observe
        )

    def plain(self) -> dict[str, Any]:
        """As numbers, lists and names."""
        leaps, decided = self.state.leaps, self.state.decided
        return {
            "name": self.name,
            "n_agreeing": self.n_agreeing,
            "n_passes": self.state.n_passes,
            "converged": self.state.converged,
            "mixture": _plain_mixture(self.model),
            "decided_under": None if decided is None else _plain_mixture(decided.model),
            "n_iter": self.state.n_iter,
            "change": _nullable(self.state.change),
            "leapt": self.state.leapt,
            "repairs": asdict(self.state.repairs),
            "longest": leaps.longest,
            "late": leaps.late,
            "last_change": _nullable(leaps.last_change),
            "path": [
                [part.tolist() if isinstance(part, np.ndarray) else part for part in estimates]
                for estimates in leaps.path
            ],
            "origin": None if leaps.origin is None else leaps.origin.tolist(),
            "moves": [[part.tolist() for part in pair] for pair in leaps.moves],
            "turns": [leaps.turns, leaps.left],
            "rule": {name: _nullable(value) for name, value in vars(self.rule).items()},
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any], options: FitOptions) -> Self:
        """The inverse of `plain`; KeyError, TypeError or ValueError if it is not one."""
        under = plain["decided_under"]
        path = [
            Estimates(float(n_rows), np.array(weights), np.array(means), np.array(spreads))
            for n_rows, weights, means, spreads in plain["path"]
        ]
        repairs = Repairs(int(plain["repairs"]["budget"]), tuple(plain["repairs"]["notes"]))
        origin, (turns, left) = plain["origin"], plain["turns"]
        leaps = Leaps(
            float(plain["longest"]),
            _number(plain["last_change"]),
            path,
            None if plain["late"] is None else float(plain["late"]),
            origin=None if origin is None else np.array(origin),
            moves=[(np.array(x), np.array(f)) for x, f in plain["moves"]],
            turns=int(turns),
            left=int(left),
        )
        make_rule: Callable[..., Rule] = RULES[options.converge_on][0]
        rule = make_rule(**{name: _number(value) for name, value in plain["rule"].items()})
        state = State(
            repairs,
            leaps,
            int(plain["n_iter"]),
            _number(plain["change"]),
            bool(plain["leapt"]),
            bool(plain["converged"]),
            int(plain["n_passes"]),
            under=None if under is None else _mixture(under, options),
        )
        return cls(
            str(plain["name"]),
            _mixture(plain["mixture"], options),
            state,
            rule,
            int(plain["n_agreeing"]),
        )


@dataclass(eq=False)
class Snapshot:
    """The runs over all rows: those that have ended, the one that goes on, those to come.

    key : what the rows and the options were, name by name.
    n_passes : over all rows, before these runs; 0 if the starts were run on all of them.
    set_aside : nats by which a run came higher whose clusters may be chance.
    """

    key: dict[str, Any]
    n_starts: int
    n_passes: int
    ascents: list[Ascent]
    set_aside: float = 0.0

    def check(self, key: dict[str, Any]) -> None:
        """Refuse to go on with other rows or options, by the name of what is not the same."""
        for name, value in key.items():
            if self.key.get(name) != value:
                raise FitError(
                    f"the checkpoint is of another fit ({name}: {self.key.get(name)}, not {value})",
                    "give the same input and options as then, or remove the checkpoint",
                )

    def plain(self) -> dict[str, Any]:
        """As numbers, lists and names."""
        ascents = [ascent.plain() for ascent in self.ascents]
        counts = {"n_starts": self.n_starts, "n_passes": self.n_passes}
        return {"key": self.key, **counts, "ascents": ascents, "set_aside": self.set_aside}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any], options: FitOptions) -> Self:
        """The inverse of `plain`; KeyError, TypeError or ValueError if it is not one."""
        ascents = [Ascent.of_plain(ascent, options) for ascent in plain["ascents"]]
        if not ascents:
            raise ValueError("there is no run in it")
        counts = int(plain["n_starts"]), int(plain["n_passes"])
        return cls(dict(plain["key"]), *counts, ascents, float(plain["set_aside"]))


Keep = Callable[[Snapshot], None]


def _plain_mixture(model: GaussianMixture) -> dict[str, Any]:
    return {
        "weights": model.weights.tolist(),
        "means": model.means.tolist(),
        "matrices": model.covariance.matrices.tolist(),
    }


def _mixture(plain: Mapping[str, Any], options: FitOptions) -> GaussianMixture:
    means = np.array(plain["means"])
    structure = structure_of(options.covariance_type, means.shape[1])
    covariance = structure(np.array(plain["matrices"], dtype=np.float64))
    model = GaussianMixture(np.array(plain["weights"]), means, covariance)
    shape = (model.n_components, *(model.n_features,) * (covariance.matrices.ndim - 1))
    if covariance.matrices.shape != shape or len(model.means) != model.n_components:
        raise ValueError("the parts of the mixture do not match")
    return model


def _nullable(value: Any) -> Any:
    # JSON knows no NaN
    return None if isinstance(value, float) and np.isnan(value) else value


def _number(value: Any) -> Any:
    return np.nan if value is None else value
