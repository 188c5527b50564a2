"""Split and merge: ways out of an optimum where one cluster has two components and two have one.

EM cannot move a component from where there are too many to where there are too few. So one is
taken away, another is split in its place, and EM follows from there; the best of all such moves
is kept while it gains.

Source: Ueda, Nakano, Ghahramani & Hinton (2000), SMEM algorithm for mixture models, Neural
Computation 12. Here the component that is taken away leaves its rows to EM, instead of to one
other component, and a split may also be one in place: a peak on wide tails.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, permutations

from gmmcli.mixture.em import Rule
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.repair import split
from gmmcli.mixture.search import (
    Climber,
    Observer,
    advance,
    merit,
    optima,
    runs_from,
    same_optimum,
)

FEW_ROWS = 2_000
"""Rows up to which it costs little to look at many moves, and at each for long."""
MOST_MOVES = 48
"""Moves that are looked at from one optimum; a quarter of them where rows are many."""
NARROWER = 9.0
"""By how much the covariance of a component is divided that becomes a peak."""
ROUNDS = ((8, None), (15, 8), (300, 3))
"""Iterations that the runs of a round have had at its end, and how many runs take part."""
SHORT_ROUNDS = ((8, None), (15, 4), (60, 1))
"""The same where rows are many."""
MOST_TIMES = 6


def rearranged(
    problem: Problem,
    climber: Climber,
    *,
    known: Sequence[Climber] = (),
    rule: Callable[[], Rule],
    max_iter: int,
    observe: Observer,
) -> Climber | None:
    """The best run that moves of components lead to, from the end of another; None if no better.

    Parameters
    ----------
    problem : of the run.
    known : other runs, from whose optima moves need not start once more.
    """
    few = climber.step.statistics.n_rows <= FEW_ROWS
    n_moves, rounds = (MOST_MOVES, ROUNDS) if few else (MOST_MOVES // 4, SHORT_ROUNDS)
    best = climber
    for _ in range(MOST_TIMES):
        moved = islice(moves(best.step.model), n_moves)
        tried = runs_from(problem, [("split and merge", model) for model in moved], rule)
        # one that climbs may be as high as a lower one by chance
        ends = [best, *(run for run in known if run.step.objective >= best.step.objective)]
        for n_iter, n_runners in rounds:
            runners = tried[:n_runners]
            advance(runners, min(n_iter, max_iter), observe)
            runners.sort(key=lambda runner: -merit(runner.step, problem))
            # those that have come back, or go where another goes, need not be followed
            tried = [
                runner
                for runner in optima(runners)
                if not _has_empty(runner) and not any(same_optimum(runner, other) for other in ends)
            ]
        if not tried or merit(tried[0].step, problem) <= merit(best.step, problem):
            break
        best = tried[0]
    return None if best is climber else best


def _has_empty(climber: Climber) -> bool:
    """Whether a component has less than half a row: it was moved to where nothing is."""
    return bool(climber.step.statistics.masses.min() < 0.5)


def moves(model: GaussianMixture) -> Iterator[GaussianMixture]:
    """Mixtures with one component taken away and another split: along its axis, or in place.

    Those that take away the lightest and split the heaviest come first.
    """
    pairs = sorted(
        permutations(range(model.n_components), 2),
        key=lambda pair: model.weights[pair[0]] - model.weights[pair[1]],
    )
    for removed, source in pairs:
        yield split(model, source, into=removed)
        yield _peaked(model, source, into=removed)


def _peaked(model: GaussianMixture, source: int, *, into: int) -> GaussianMixture:
    """Component `into` made a narrow one with the centre and half the weight of `source`."""
    components = list(range(model.n_components))
    components[into] = source
    weights = model.weights[components]
    weights[[into, source]] /= 2
    matrices = model.covariance.matrices[components]
    matrices[into] /= NARROWER
    covariance = type(model.covariance)(matrices)
    return GaussianMixture(weights / weights.sum(), model.means[components], covariance)
