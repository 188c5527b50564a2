"""EM for Gaussian mixtures: the textbook's loop.

Source: Dempster, Laird & Rubin (1977); Bishop (2006), section 9.2.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.acceleration import Leaps
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import Batches
from gmmcli.mixture.covariance import Covariance
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.penalty import Penalty
from gmmcli.mixture.repair import Repairs, pivots
from gmmcli.mixture.statistics import EStep, Estimates, SufficientStatistics
from gmmcli.mixture.workers import Workers

DECREASE = 1e-9
"""Nats a row by which rounding alone may lower the objective."""
FLOORED = 1e-2
"""Nats a row that what spread the data have beside a floor may take part in."""

Observer = Callable[["Step"], None]


@dataclass(frozen=True, eq=False)
class Problem:
    """What EM maximises: rows in standardised coordinates, a structure and a penalty.

    radius : (D,), a bound on abs(x) in each column.
    """

    batches: Batches
    structure: type[Covariance]
    penalty: Penalty
    radius: FloatArray
    workers: Workers

    def e_step(self, model: GaussianMixture) -> SufficientStatistics:
        """Responsibilities of all rows under the model, summed to what the M-step needs."""
        return self.workers.map_reduce(EStep(model, self.radius), self.batches)

    def m_step(self, estimates: Estimates) -> GaussianMixture:
        """The mixture that maximises the expected penalised log-likelihood."""
        masses = estimates.weights * estimates.n_rows
        covariance = self.penalty.covariance(
            self.structure, masses=masses, spreads=estimates.spreads
        )
        return GaussianMixture(estimates.weights, estimates.means, covariance)

    def objective(self, model: GaussianMixture, statistics: SufficientStatistics) -> float:
        """The penalised log-likelihood, in nats."""
        return statistics.log_likelihood + self.penalty.value(model.covariance)


@dataclass(frozen=True, eq=False)
class Step:
    """A mixture on EM's way, with the E-step under it.

    n_iter : M-steps since the start.
    objective : penalised log-likelihood of the data under `model`, in nats.
    change : what it gained on the step before; NaN at the start and after a repair.
    leapt : it was reached by extrapolation, not by one M-step.
    """

    n_iter: int
    model: GaussianMixture
    statistics: SufficientStatistics
    objective: float
    change: float
    notes: tuple[str, ...] = ()
    leapt: bool = False

    @property
    def log_likelihood(self) -> float:
        """Of the standardised data, in nats."""
        return self.statistics.log_likelihood


def iterate(model: GaussianMixture, problem: Problem, *, n_iter: int = 0) -> Iterator[Step]:
    """EM without end: each step holds a mixture and the E-step under it.

    Where EM crawls, every third step is a leap; one that gains nothing is taken back.

    Parameters
    ----------
    n_iter : M-steps that led to `model`.
    """
    repairs = Repairs(budget=2 * model.n_components)
    leaps = Leaps()

    def step_to(model: GaussianMixture, *, leapt: bool = False) -> Step:
        n_notes = len(repairs.notes)
        model = repairs.apply(model)
        statistics = problem.e_step(model)
        objective = problem.objective(model, statistics)
        repaired = len(repairs.notes) > n_notes
        change = np.nan if repaired else objective - last
        return Step(n_iter, model, statistics, objective, change, repairs.notes, leapt)

    last = np.nan
    step = step_to(model)
    yield step
    while True:
        last = step.objective
        far = leaps.estimates(step.statistics.estimates(), step.change)
        n_iter += 1
        if far is not None and not repairs.needed(model := problem.m_step(far)):
            leap = step_to(model, leapt=True)
            leaps.judge(leap.change)
            if leap.change >= 0:
                step = leap
                yield step
                continue
            n_iter += 1
        step = step_to(problem.m_step(step.statistics.estimates()))
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
    variance that the others leave of it. Where a floor stands in for variance, the M-step
    counts it and the objective does not.
    """
    smallest = pivots(step.model)[1].min()
    error = 4 * step.model.n_features * np.finfo(np.float64).eps / smallest
    floor = FLOORED if problem.penalty.floor.any() else 0.0
    return float((DECREASE + error + floor) * step.statistics.n_rows)


def climb(
    begin: GaussianMixture,
    problem: Problem,
    rule: Rule,
    *,
    n_iter: int = 0,
    max_iter: int,
    observe: Observer,
) -> Run:
    """Follow EM until the rule is satisfied or `max_iter` M-steps were taken.

    Parameters
    ----------
    n_iter : M-steps that led to `begin`.

    Raises
    ------
    FitError : the objective fell by more than rounding, so the code is wrong.
    """
    steps = iterate(begin, problem, n_iter=n_iter)
    step = next(steps)
    observe(step)
    while step.n_iter < max_iter:
        before, step = step, next(steps)
        observe(step)
        if step.change < 0 and -step.change > tolerance(step, problem):
            raise FitError(
                f"EM lowered its objective by {-step.change:.3g} nats, which it cannot do",
                "this is a defect of gmmcli: please report it with the data, if you can",
            )
        if rule(before, step):
            return Run(step, converged=True)
    return Run(step, converged=False)
