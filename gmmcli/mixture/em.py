"""EM for Gaussian mixtures: the textbook's loop.

Source: Dempster, Laird & Rubin (1977); Bishop (2006), section 9.2.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.acceleration import Leaps
from gmmcli.mixture.decided import Decided
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.repair import Repairs, pivots
from gmmcli.mixture.statistics import NOT_KEPT, Estimates, SufficientStatistics

DECREASE = 1e-9
"""Nats a row by which rounding alone may lower the objective."""
FLOORED = 5e-2
"""Nats a row that what spread the data have beside a floor may take part in."""


@dataclass(frozen=True, eq=False)
class Step:
    """A mixture on EM's way, with the E-step under it.

    n_iter : M-steps since the start.
    log_likelihood : of the rows in user units, in nats.
    objective : penalised log-likelihood of the standardised rows, in nats.
    change : what it gained on the step before; NaN at the start, and where a component was
        repaired or went.
    leapt : it was reached by extrapolation, not by one M-step.
    coming : what the next M-step leads to.
    """

    n_iter: int
    model: GaussianMixture
    statistics: SufficientStatistics
    log_likelihood: float
    objective: float
    change: float
    coming: "Coming"
    notes: tuple[str, ...] = ()
    leapt: bool = False

    def __getstate__(self) -> dict[str, Any]:
        """What another process is told: all but the way ahead, which holds the rows."""
        return vars(self) | {"coming": None}


@dataclass(eq=False)
class Coming:
    """The M-step that follows a step, taken when somebody asks.

    known : the E-step under what it leads to, where that was taken already.
    """

    problem: Problem
    model: GaussianMixture
    statistics: SufficientStatistics
    known: SufficientStatistics | None = None

    @cached_property
    def estimates(self) -> Estimates:
        """The E-step's moments."""
        return self.statistics.estimates()

    @cached_property
    def mixture(self) -> GaussianMixture:
        """What the M-step leads to."""
        return self.problem.m_step(self.estimates, self.model)

    @cached_property
    def gain(self) -> float:
        """Nats that the objective will gain, at most, as far as it is quadratic.

        Known without a pass: the expected log-likelihood of rows and components together gains q,
        and with the rate R of EM the objective gains q (1 + R), where R is below 1 (Dempster,
        Laird & Rubin 1977, section 3).
        """
        return 2 * self.problem.expected_gain(self.statistics, self.model, self.mixture)


@dataclass
class State:
    """What EM carries from step to step, beside the mixture.

    n_iter : M-steps that were kept.
    n_passes : E-steps over all rows, those of leaps that were taken back included.
    begun : the E-step under the mixture that the run begins with, if it is known already.
    decided : the rows that later E-steps may leave out.
    under : the mixture of the E-step that told so, where the run is taken up.
    """

    repairs: Repairs
    leaps: Leaps = field(default_factory=Leaps)
    n_iter: int = 0
    change: float = np.nan
    leapt: bool = False
    converged: bool = False
    n_passes: int = 1
    begun: SufficientStatistics | None = None
    decided: Decided | None = None
    under: GaussianMixture | None = None

    @classmethod
    def new(
        cls,
        model: GaussianMixture,
        n_iter: int = 0,
        *,
        late: float | None = None,
        begun: SufficientStatistics | None = None,
    ) -> Self:
        """At the start of a run, with n_iter M-steps behind it; `late` as for `Leaps`."""
        repairs = Repairs(budget=2 * model.n_components)
        return cls(repairs, Leaps(late=late), n_iter, begun=begun)

    def e_step(
        self, problem: Problem, model: GaussianMixture, known: SufficientStatistics | None
    ) -> tuple[SufficientStatistics, bool]:
        """The E-step under a mixture, and whether it went over all rows."""
        if self.under is not None:
            self.decided = Decided.of(problem, self.under, problem.e_step(self.under))
            self.under = None
        if self.decided is not None and known is None:
            statistics = self.decided.e_step(problem, model)
            if statistics is not None:
                return statistics, False
        statistics = known or problem.e_step(model)
        if problem.is_lazy:
            self.decided = Decided.of(problem, model, statistics)
            statistics = replace(statistics, doubt=NOT_KEPT)
        return statistics, known is None


def iterate(model: GaussianMixture, problem: Problem, state: State | None = None) -> Iterator[Step]:
    """EM without end: each step holds a mixture and the E-step under it.

    Where EM crawls, every third step is a leap; one that gains nothing is taken back.

    Parameters
    ----------
    state : of a run that is taken up at `model`; it is changed as the run goes on.
    """
    state = state or State.new(model)
    repairs, leaps = state.repairs, state.leaps

    def evaluated(
        model: GaussianMixture,
        before: Step | None,
        known: SufficientStatistics | None,
        *,
        leapt: bool = False,
    ) -> Step:
        n_notes = len(repairs.notes)
        counted = np.inf if before is None or problem.is_sample else before.statistics.n_rows
        sound = repairs.apply(model, counted)
        known = known if sound is model else None
        statistics, is_pass = state.e_step(problem, sound, known)
        model = sound
        objective = problem.objective(model, statistics)
        if before is None:
            n_iter, change, leapt = state.n_iter, state.change, state.leapt
        else:
            state.n_passes += is_pass
            n_iter, change = before.n_iter + 1, objective - before.objective
            same = before.model.n_components == model.n_components
            change = change if same and len(repairs.notes) == n_notes else np.nan
        offset = statistics.n_rows * problem.log_volume
        likelihood = statistics.log_likelihood - offset
        coming = Coming(problem, model, statistics)
        notes = repairs.notes
        return Step(n_iter, model, statistics, likelihood, objective, change, coming, notes, leapt)

    # it is of this mixture alone: a run that is taken up later begins with another
    begun, state.begun = state.begun, None
    step = evaluated(model, None, begun)
    yield step
    while True:
        coming = step.coming
        far = leaps.estimates(coming.estimates, step.change)
        leap = None
        if far is not None:
            model = problem.m_step(far, step.model)
            n_rows = np.inf if problem.is_sample else coming.estimates.n_rows
            if not repairs.needed(model, n_rows):
                leap = evaluated(model, step, None, leapt=True)
            leaps.judge(-np.inf if leap is None else leap.change)
        step = (
            leap
            if leap is not None and leap.change >= 0
            else evaluated(coming.mixture, step, coming.known)
        )
        state.n_iter, state.change, state.leapt = step.n_iter, step.change, step.leapt
        yield step


class Rule(Protocol):
    """Says when EM has converged.

    to_beat : the objective that another run has reached, NaN for none.
    """

    to_beat: float

    def __call__(self, before: Step, step: Step) -> bool:
        """Whether to stop at `step`, which follows `before`."""


@dataclass(frozen=True, eq=False)
class Run:
    """How a climb ended.

    step : the last one; its statistics are those of its own model.
    converged : the rule said so, before `max_iter` was spent.
    """

    step: Step
    converged: bool


def tolerance(step: Step, problem: Problem) -> float:
    """Nats by which the objective of a step may fall though the code is right.

    A log-determinant is known to eps / pivot, where the pivot is the share of a column's
    variance that the others leave of it; where a structure has axes of its own, the share of the
    largest variance along them. Where a floor stands in for variance, the M-step
    counts it and the objective does not.
    """
    covariance = step.model.covariance
    smallest = pivots(step.model)[1].min()
    if covariance.matrices.ndim == 3 and not covariance.scales_by_column:
        along = np.linalg.eigvalsh(covariance.matrices)
        smallest = (along[:, 0] / along[:, -1]).min()
    error = 16 * step.model.n_features * np.finfo(np.float64).eps / smallest
    floor = FLOORED if problem.penalty.floor.any() else 0.0
    # the penalty is so many rows more in each component
    n_rows = step.statistics.n_rows + 2 * problem.penalty.strength * step.model.n_components
    return float((DECREASE + error + floor) * n_rows)


def climb(
    begin: GaussianMixture,
    problem: Problem,
    rule: Rule,
    *,
    state: State | None = None,
    max_iter: int,
    observe: Callable[[Step], None],
) -> Run:
    """Follow EM until the rule is satisfied or `max_iter` M-steps were taken.

    Parameters
    ----------
    state : as for `iterate`.
    observe : called with each step, when the rule has seen it.

    Raises
    ------
    FitError : the objective fell by more than rounding, so the code is wrong.
    """
    state = state or State.new(begin)
    steps = iterate(begin, problem, state)
    step = next(steps)
    while True:
        observe(step)
        if state.converged or step.n_iter >= max_iter:
            return Run(step, state.converged)
        before, step = step, next(steps)
        if step.change < 0 and -step.change > tolerance(step, problem):
            raise FitError(
                f"EM lowered its objective by {-step.change:.3g} nats, which it cannot do",
                "this is a defect of gmmcli: please report it with the data, if you can",
            )
        state.converged = rule(before, step)
