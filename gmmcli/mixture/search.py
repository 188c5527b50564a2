"""Which optimum: short runs from many starts on a sample, the best of them to the end.

The scheme is em-EM of Biernacki, Celeux & Govaert (2003), in three rounds: every start runs a
little, the better half a little more, the best few to convergence.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.abreast import e_steps, look_ahead
from gmmcli.mixture.arrays import IntArray
from gmmcli.mixture.e_step import EStep
from gmmcli.mixture.em import Rule, Run, State, Step, iterate
from gmmcli.mixture.initialise import Start
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.partition import model_of, moments_of
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.sampling import in_memory
from gmmcli.mixture.standardise import Standardisation

Rounds = Sequence[tuple[int, int | None]]
"""Iterations that the runs of a round have had at its end, and how many runs take part."""
ROUNDS: Rounds = ((10, None), (40, 7), (120, 4))
QUICK_ROUNDS: Rounds = ((4, None), (20, 2))
FIRST_WORK = 24
"""Iterations of the first rough round, times the number of components; 2 at least."""
SAME_OPTIMUM = 1e-5
"""Nats a row within which two optima count as one."""
ABOUT_AS_HIGH, ABOUT_AS_HEAVY = 1e-4, 0.03
"""Nats a row, and weights of components, within which optima of a sample, that are known only
roughly, count as one."""

TIE = 7
"""Decimals, in nats a row, beyond which two runs are not told apart."""

Observer = Callable[[str, Step], None]


class Known(NamedTuple):
    """What another mixture reaches, whose density the one that is sought may have, too.

    log_likelihood : its own, in user units, in nats.
    start : made of it.
    """

    log_likelihood: float
    start: GaussianMixture


class Relatives(NamedTuple):
    """What is known before a search, all of it with as many components as are sought.

    mixtures : to start from as well.
    known : what a rough fit is not to end below, if it can.
    """

    mixtures: Sequence[GaussianMixture] = ()
    known: Known | None = None


ALONE = Relatives()


def rough_rounds(n_components: int) -> Rounds:
    """Rounds to see what is worth more; those of few components cost little, and are longer."""
    return (max(2, FIRST_WORK // n_components), None), (8, 4)


@dataclass(eq=False)
class Climber:
    """A run on the sample that can be taken up again."""

    name: str
    steps: Iterator[Step]
    rule: Rule
    step: Step
    converged: bool = False

    def advance(self) -> None:
        """Go on by one M-step."""
        before, self.step = self.step, next(self.steps)
        self.converged = self.rule(before, self.step)


def runs_from(
    problem: Problem,
    starts: Sequence[tuple[str, GaussianMixture]],
    rule: Callable[[], Rule],
) -> list[Climber]:
    """A run from each of several mixtures, by name, that is at its start."""
    climbers = []
    known_there = e_steps(problem, [model for _, model in starts])
    for (name, _), (model, known) in zip(starts, known_there, strict=True):
        steps = iterate(model, problem, State.new(model, begun=known))
        climbers.append(Climber(name, steps, rule(), next(steps)))
    return climbers


def advance(climbers: Sequence[Climber], n_iter: int, observe: Observer) -> None:
    """Let runs go on until `n_iter` M-steps since their start, or convergence."""
    while left := [c for c in climbers if c.step.n_iter < n_iter and not c.converged]:
        look_ahead([climber.step.coming for climber in left])
        for climber in left:
            climber.advance()
            observe(climber.name, climber.step)


def race(
    problem: Problem,
    starts: Sequence[Start | GaussianMixture],
    n_components: int,
    *,
    rule: Callable[[], Rule],
    rounds: Rounds,
    observe: Observer,
) -> list[Climber]:
    """Every start's run, the best first; those that fell behind were not followed to the end.

    Parameters
    ----------
    problem : over the rows that the starts partition.
    starts : partitions of the rows, or mixtures in the problem's coordinates.
    n_components : of every run from a partition at its start, at least.
    rule : a new stopping rule for each run.
    """

    def named(i: int, start: Start | GaussianMixture) -> tuple[str, GaussianMixture]:
        if isinstance(start, GaussianMixture):
            kind, model = "a mixture", start
        else:
            kind, model = start.kind, start.mixture(n_components, problem)
        return f"start {i + 1} of {len(starts)} ({kind})", model

    climbers = runs_from(problem, [named(*numbered) for numbered in enumerate(starts)], rule)
    for n_iter, n_runners in rounds:
        advance(climbers[:n_runners], n_iter, observe)
        climbers = sorted(climbers, key=lambda climber: -merit(climber.step, problem))
    return climbers


def merit(step: Step, problem: Problem) -> float:
    """What runs are ranked by: the objective a row, less a handicap for spurious components.

    Rounded, so that of runs that reached one optimum the first is taken, whatever their last
    bits say.

    A component on fewer rows than its covariance needs owes its density to the penalty alone,
    and many such optima are a little higher than the one that was meant (McLachlan & Peel 2000,
    section 3.10). It must earn ln n for each parameter of its covariance that others do not have.
    And one that is narrower than the data's rounding gets nothing for that.
    """
    model, n_rows = step.model, step.statistics.n_rows
    if not problem.charges_spurious:
        return float(np.round(step.objective / n_rows, TIE))
    structure = type(model.covariance)
    masses = model.weights * n_rows
    spurious = masses < structure.rows_needed(model.n_features) - 0.5
    n_own = structure.n_own_parameters(model.n_features)
    handicap = float(np.sum(spurious) * n_own * np.log(max(n_rows, 2)))
    handicap += problem.penalty.unresolved(np.where(spurious, 0, masses), model.covariance)
    return float(np.round((step.objective - handicap) / n_rows, TIE))


def near(steps: Iterable[Step], best: Step, problem: Problem, n_errors: float) -> Iterator[bool]:
    """Which runs on a sample may be the best over all rows, though they are behind on these.

    The mean of the differences of two log-densities, row by row, has a standard error of their
    standard deviation over sqrt(M) (Vuong 1989).

    Parameters
    ----------
    problem : over a sample that is in memory.
    n_errors : by how many standard errors they may be behind.
    """
    sample = in_memory(problem.batches)
    weights, highest = sample.weights, merit(best, problem)
    at_best = None
    for step in steps:
        behind = highest - merit(step, problem)
        if behind <= 0:
            yield True
            continue
        if at_best is None:
            at_best = EStep(best.model, problem.radius).log_density(sample.X)
        gaps = EStep(step.model, problem.radius).log_density(sample.X) - at_best
        variance = np.average((gaps - np.average(gaps, weights=weights)) ** 2, weights=weights)
        yield bool(behind <= n_errors * np.sqrt(variance / sample.total_weight))


def agreeing(climbers: Sequence[Climber], best: Climber) -> int:
    """How many runs are known to have ended at the optimum of the best."""
    return sum(same_optimum(climber, best) for climber in climbers)


def agreeing_each(climbers: Iterable[Climber], bests: Sequence[Climber]) -> list[int]:
    """As `agreeing`, of each of several optima; no run counts twice, however near two of them are.

    Parameters
    ----------
    bests : a run at each, those first that a run in question counts for.
    """
    counts = [0] * len(bests)
    for climber in climbers:
        at = (i for i, best in enumerate(bests) if same_optimum(climber, best))
        if (first := next(at, None)) is not None:
            counts[first] += 1
    return counts


def set_aside(climbers: Sequence[Climber], best: Climber) -> float:
    """How many nats higher than the best a run came that was handicapped; 0 if none."""
    gap = max(climber.step.objective for climber in climbers) - best.step.objective
    return float(gap) if gap > SAME_OPTIMUM * best.step.statistics.n_rows else 0.0


def same_optimum(one: Climber | Run, other: Climber | Run, as_high: float = SAME_OPTIMUM) -> bool:
    """Whether two runs are as high, but for so many nats a row."""
    gap = abs(one.step.objective - other.step.objective)
    return bool(gap <= as_high * one.step.statistics.n_rows)


def alike(one: Climber | Run, other: Climber | Run) -> bool:
    """Whether two runs on a sample seem to have come to one optimum: about as high and as heavy."""
    if not same_optimum(one, other, ABOUT_AS_HIGH):
        return False
    weights, others = (np.sort(run.step.model.weights) for run in (one, other))
    same_count = len(weights) == len(others)
    return same_count and bool(np.abs(weights - others).max() <= ABOUT_AS_HEAVY)


def optima(
    climbers: Sequence[Climber], same: Callable[[Climber, Climber], bool] = same_optimum
) -> list[Climber]:
    """Of the runs, best first, those that are not known to lead where one before them does."""
    chosen: list[Climber] = []
    for climber in climbers:
        if not any(same(climber, other) for other in chosen):
            chosen.append(climber)
    return chosen


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
        moments = moments_of(problem.batches, start, problem.structure.form)
        return model_of(problem, moments, n_components)
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
            for weight, matrix in zip(model.weights, model.covariance.full(), strict=True)
        ]
    )
    covariance = problem.structure.from_scatter(model.weights, scatters)
    return GaussianMixture(model.weights, model.means, covariance)
