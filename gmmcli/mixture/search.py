"""Which optimum: short runs from many starts on a sample, the best of them to the end.

The scheme is em-EM of Biernacki, Celeux & Govaert (2003), in three rounds: every start runs a
little, the better half a little more, the best few to convergence.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add, methodcaller
from typing import Self

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import IntArray
from gmmcli.mixture.batches import Batches
from gmmcli.mixture.em import Problem, Rule, Step, iterate
from gmmcli.mixture.initialise import Start
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.moments import Moments
from gmmcli.mixture.repair import split
from gmmcli.mixture.standardise import Standardisation
from gmmcli.mixture.statistics import SufficientStatistics
from gmmcli.mixture.workers import Serial

ROUNDS = ((10, None), (40, 6), (120, 4))
"""Iterations that the runs of a round have had at its end, and how many runs take part."""
SAME_OPTIMUM = 1e-5
"""Nats a row within which two optima count as one."""

TIE = 7
"""Decimals, in nats a row, beyond which two runs are not told apart."""

Observer = Callable[[str, Step], None]


@dataclass(eq=False)
class Climber:
    """A run on the sample that can be taken up again."""

    name: str
    steps: Iterator[Step]
    rule: Rule
    step: Step
    converged: bool = False

    def advance(self, n_iter: int) -> Self:
        """Go on until `n_iter` M-steps since the start, or convergence."""
        while self.step.n_iter < n_iter and not self.converged:
            before, self.step = self.step, next(self.steps)
            self.converged = self.rule(before, self.step)
        return self


def race(
    problem: Problem,
    starts: Sequence[Start],
    n_components: int,
    *,
    rule: Callable[[], Rule],
    max_iter: int,
    observe: Observer,
) -> list[Climber]:
    """Every start's run, the best first; those that fell behind were not followed to the end.

    Parameters
    ----------
    problem : over the rows that the starts partition. Its workers share whole runs.
    """
    alone = replace(problem, workers=Serial())

    def begin(numbered: tuple[int, Start]) -> Climber:
        i, start = numbered
        name = f"start {i + 1} of {len(starts)} ({start.kind})"
        steps = iterate(model_of_partition(alone, start.labels, n_components, softened=True), alone)
        return Climber(name, steps, rule(), next(steps))

    share = problem.workers.map_ordered
    climbers = list(share(begin, enumerate(starts)))
    for n_iter, n_runners in ROUNDS:
        for climber in share(methodcaller("advance", min(n_iter, max_iter)), climbers[:n_runners]):
            observe(climber.name, climber.step)
        climbers = sorted(climbers, key=lambda climber: -merit(climber.step))
    return climbers


def merit(step: Step) -> float:
    """What runs are ranked by: the objective a row, less a handicap for spurious components.

    Rounded, so that of runs that reached one optimum the first is taken, whatever their last
    bits say.

    A component on fewer rows than its covariance needs owes its density to the penalty alone,
    and many such optima are a little higher than the one that was meant (McLachlan & Peel 2000,
    section 3.10). It must earn ln n for each parameter of its covariance.
    """
    model, n_rows = step.model, step.statistics.n_rows
    structure = type(model.covariance)
    n_spurious = np.sum(model.weights * n_rows < structure.rows_needed(model.n_features) - 0.5)
    n_free = structure.n_parameters(1, model.n_features)
    value = step.objective - float(n_spurious * n_free * np.log(max(n_rows, 2)))
    return float(np.round(value / n_rows, TIE))


def agreeing(climbers: Sequence[Climber], best: Climber) -> int:
    """How many runs are known to have ended at the optimum of the best."""
    reach = best.step.objective - SAME_OPTIMUM * best.step.statistics.n_rows
    return sum(climber.step.objective >= reach for climber in climbers)


def model_of_partition(
    problem: Problem, labels: IntArray, n_components: int, *, softened: bool = False
) -> GaussianMixture:
    """The M-step from a hard partition of the problem's rows.

    Parameters
    ----------
    labels : (N,), from 0; if groups are empty, the largest components are split instead.
    softened : add D + 1 rows of the data's own spread to each component, so that a cluster of
        one row is a start and not a spike.
    """
    labels = np.unique(labels, return_inverse=True)[1]
    n_groups = int(labels.max()) + 1
    form = problem.structure.form
    n_features = problem.batches.n_features
    origins = np.zeros((n_groups, n_features))
    # a first pass for the means, so that the second can take scatters about them
    means = _partition(problem.batches, labels, origins, form).estimates().means
    statistics = _partition(problem.batches, labels, means, form)
    if softened:
        shrink = n_groups ** (-2 / n_features)
        penalty = replace(
            problem.penalty,
            strength=(n_features + 1) / 2,
            target=problem.penalty.target * shrink,
        )
        problem = replace(problem, penalty=penalty)
    model = problem.m_step(statistics.estimates())
    while model.n_components < n_components:
        model = split(model, int(np.argmax(model.weights)), into=model.n_components)
    return model


def _partition(
    batches: Batches, labels: IntArray, origins: np.ndarray, form: type[Moments]
) -> SufficientStatistics:
    def of_batches() -> Iterator[SufficientStatistics]:
        start = 0
        for X, weights in batches:
            here = labels[start : start + X.shape[1]]
            start += X.shape[1]
            row_weights = np.ones(X.shape[1]) if weights is None else weights
            totals = np.stack(
                [
                    form.about(X[:, here == k], row_weights[here == k], origin)
                    for k, origin in enumerate(origins)
                ]
            )
            yield SufficientStatistics(float(row_weights.sum()), 0, 0, totals, origins, form)

    return reduce(add, of_batches())


def given_start(
    start: GaussianMixture | IntArray,
    n_components: int,
    standardisation: Standardisation,
    problem: Problem,
) -> GaussianMixture:
    """The user's start in standardised coordinates, in the problem's structure."""
    if not isinstance(start, GaussianMixture):
        present = np.unique(start)
        if not np.array_equal(present, np.arange(n_components)):
            raise FitError(
                f"the start has the labels {', '.join(map(str, present[:10]))}, "
                f"not 0 to {n_components - 1}"
            )
        n_rows = sum(batch.X.shape[1] for batch in problem.batches)
        if len(start) != n_rows:
            raise FitError(f"the start has {len(start)} labels for {n_rows} rows")
        return model_of_partition(problem, start, n_components)
    if start.n_features != problem.batches.n_features:
        raise FitError(
            f"the start has {start.n_features} columns, the rows {problem.batches.n_features}"
        )
    if start.n_components != n_components:
        raise FitError(f"the start has {start.n_components} components, not {n_components}")
    model = standardisation.from_user(start)
    if isinstance(model.covariance, problem.structure):
        return model
    form = problem.structure.form
    scatters = np.stack(
        [
            weight * form.of_matrix(matrix)
            for weight, matrix in zip(model.weights, model.full_covariances(), strict=True)
        ]
    )
    covariance = problem.structure.from_scatter(model.weights, scatters)
    return GaussianMixture(model.weights, model.means, covariance)
