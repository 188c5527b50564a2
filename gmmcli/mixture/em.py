"""EM for Gaussian mixtures: the textbook's loop.

Source: Dempster, Laird & Rubin (1977); Bishop (2006), section 9.2.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, NamedTuple, Protocol, Self

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.acceleration import Leaps
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import BATCH_ROWS, ArrayBatches, Batches
from gmmcli.mixture.covariance import Covariance
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.moments import LOG_2PI
from gmmcli.mixture.penalty import Penalty
from gmmcli.mixture.repair import Repairs, pivots
from gmmcli.mixture.statistics import WIDEST, EStep, Estimates, SufficientStatistics
from gmmcli.mixture.variational import VariationalPosterior
from gmmcli.mixture.workers import Workers

DECREASE = 1e-9
"""Nats a row by which rounding alone may lower the objective."""
MOST_FEATURES = 8_000_000
"""Numbers that are kept instead of being computed in each pass, at most."""
FLOORED = 5e-2
"""Nats a row that what spread the data have beside a floor may take part in."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What EM maximises: rows in standardised coordinates, a structure and a penalty.

    radius : (D,), a bound on abs(x) in each column.
    log_volume : nats that a row's log-density loses on the way back to user units.
    is_sample : the rows are some of many, and a component without any may hold some of the others.
    """

    batches: Batches
    structure: type[Covariance]
    penalty: Penalty
    radius: FloatArray
    workers: Workers
    log_volume: float = 0.0
    is_sample: bool = False

    charges_spurious: ClassVar[bool] = True
    """Whether components on too few rows are held against a run, since the objective does not."""

    def e_step(self, model: GaussianMixture) -> SufficientStatistics:
        """Responsibilities of all rows under the model, summed to what the M-step needs."""
        e_step = EStep(model, self.radius)
        if isinstance(self.batches, ArrayBatches) and self.batches.n_rows <= BATCH_ROWS:
            # one batch: its blocks are shared out instead, and added in the same order
            batch = next(iter(self.batches))
            return self.workers.map_reduce(e_step.of_block, e_step.blocks(batch, self._features))
        return self.workers.map_reduce(e_step, self.batches)

    @cached_property
    def _features(self) -> FloatArray | None:
        """T(x) of the rows of the only batch (P, N), which is the same in each pass."""
        batch, form = next(iter(self.batches)), self.structure.form
        n_features, n_rows = batch.X.shape
        much = n_features > WIDEST or form.width(n_features) * n_rows > MOST_FEATURES
        return None if much else form.features(batch.X)

    def m_step(
        self, estimates: Estimates, previous: GaussianMixture | None = None
    ) -> GaussianMixture:
        """The mixture that maximises the expected penalised log-likelihood.

        Where the maximum is not unique, it is one uphill of `previous` (generalised EM).
        """
        masses = estimates.weights * estimates.n_rows
        covariance = self.penalty.covariance(
            self.structure,
            masses=masses,
            spreads=estimates.spreads,
            previous=None if previous is None else previous.covariance,
        )
        return GaussianMixture(estimates.weights, estimates.means, covariance)

    def log_likelihood_of_one(self, n_rows: float) -> float:
        """Log-likelihood of the rows under the best single Gaussian, in user units, in nats."""
        covariance = self.penalty.covariance(
            self.structure, masses=np.array([n_rows]), spreads=self.penalty.target[None]
        )
        # -a [tr(S Sigma^-1) + ln det Sigma] is what 2a rows of covariance S make of it
        quadratic = replace(self.penalty, strength=n_rows / 2).value(covariance)
        return quadratic - n_rows * (0.5 * self.batches.n_features * LOG_2PI + self.log_volume)

    def over(self, sample: ArrayBatches) -> Self:
        """The same over a sample, under the sample's own penalty, so that no run hits a spike."""
        strength = max(self.penalty.strength, 1 / sample.total_weight)
        return replace(self, batches=sample, penalty=replace(self.penalty, strength=strength))

    def objective(self, model: GaussianMixture, statistics: SufficientStatistics) -> float:
        """The penalised log-likelihood, in nats."""
        return statistics.log_likelihood + self.penalty.value(model.covariance)

    def reported(self, step: "Step") -> "Reported":
        """What a run that has come to this step is to report."""
        return Reported(step.model, step.statistics)


class Reported(NamedTuple):
    """A mixture of standardised rows, and the E-step under it.

    posterior : of the parameters, where the fit was Bayesian.
    """

    model: GaussianMixture
    statistics: SufficientStatistics
    posterior: VariationalPosterior | None = None


@dataclass(frozen=True, eq=False)
class Step:
    """A mixture on EM's way, with the E-step under it.

    n_iter : M-steps since the start.
    log_likelihood : of the rows in user units, in nats.
    objective : penalised log-likelihood of the standardised rows, in nats.
    change : what it gained on the step before; NaN at the start, and where a component was
        repaired or went.
    leapt : it was reached by extrapolation, not by one M-step.
    """

    n_iter: int
    model: GaussianMixture
    statistics: SufficientStatistics
    log_likelihood: float
    objective: float
    change: float
    notes: tuple[str, ...] = ()
    leapt: bool = False


@dataclass
class State:
    """What EM carries from step to step, beside the mixture.

    n_iter : M-steps that were kept.
    n_passes : E-steps, those of leaps that were taken back included.
    """

    repairs: Repairs
    leaps: Leaps = field(default_factory=Leaps)
    n_iter: int = 0
    change: float = np.nan
    leapt: bool = False
    converged: bool = False
    n_passes: int = 1

    @classmethod
    def new(cls, model: GaussianMixture, n_iter: int = 0) -> Self:
        """At the start of a run, with n_iter M-steps behind it."""
        return cls(Repairs(budget=2 * model.n_components), n_iter=n_iter)


def iterate(model: GaussianMixture, problem: Problem, state: State | None = None) -> Iterator[Step]:
    """EM without end: each step holds a mixture and the E-step under it.

    Where EM crawls, every third step is a leap; one that gains nothing is taken back.

    Parameters
    ----------
    state : of a run that is taken up at `model`; it is changed as the run goes on.
    """
    state = state or State.new(model)
    repairs, leaps = state.repairs, state.leaps

    def evaluated(model: GaussianMixture, before: Step | None, *, leapt: bool = False) -> Step:
        n_notes = len(repairs.notes)
        counted = np.inf if before is None or problem.is_sample else before.statistics.n_rows
        model = repairs.apply(model, counted)
        statistics = problem.e_step(model)
        objective = problem.objective(model, statistics)
        if before is None:
            n_iter, change, leapt = state.n_iter, state.change, state.leapt
        else:
            state.n_passes += 1
            n_iter, change = before.n_iter + 1, objective - before.objective
            same = before.model.n_components == model.n_components
            change = change if same and len(repairs.notes) == n_notes else np.nan
        offset = statistics.n_rows * problem.log_volume
        likelihood = statistics.log_likelihood - offset
        return Step(n_iter, model, statistics, likelihood, objective, change, repairs.notes, leapt)

    step = evaluated(model, None)
    yield step
    while True:
        here = step.statistics.estimates()
        far = leaps.estimates(here, step.change)
        leap = None
        if far is not None:
            model = problem.m_step(far, step.model)
            if not repairs.needed(model, np.inf if problem.is_sample else here.n_rows):
                leap = evaluated(model, step, leapt=True)
                leaps.judge(leap.change)
        if leap is not None and leap.change >= 0:
            step = leap
        else:
            step = evaluated(problem.m_step(here, step.model), step)
        state.n_iter, state.change, state.leapt = step.n_iter, step.change, step.leapt
        yield step


class Rule(Protocol):
    """Says when EM has converged."""

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
