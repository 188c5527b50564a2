"""Samples of the rows: where the starts are tried, before all rows are gone over.

Row weights count as repetitions: rows are drawn by their place in the cumulated weights, so a
row of weight 2 and a row that stands there twice lead to the same draws.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import BoolArray, FloatArray, IntArray
from gmmcli.mixture.batches import ArrayBatches, Batch, Batches
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.moments import FullMoments
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.standardise import Description
from gmmcli.mixture.statistics import RARE_ROWS, EStep, SufficientStatistics
from gmmcli.mixture.streams import Purpose, stream

SAMPLE_ROWS = 10_000
"""Rows that the starts go over all of."""
RACE_ROWS = 2_000
"""Rows of the sample that they go over where there are more, at least."""
ROWS_PER_PARAMETER = 30
"""Rows of that sample for each parameter that a component may have, up to SAMPLE_ROWS."""
LATER_ROWS = (10_000, 100_000)
"""Rows of the samples that the best runs go over next."""
FEW_ROWS = 50
"""Rows of a sample that are too few to tell one rare cluster from two, or from chance."""
GROWTH = 3
"""Times that there are more rows than in a sample, at least: else it saves nothing."""


def is_large(description: Description) -> bool:
    """Whether the rows are more than the starts go over; many of little weight are many, too."""
    return max(description.n_rows, description.n_lines) > SAMPLE_ROWS


def samples(
    batches: Batches, description: Description, *, rng: np.random.Generator
) -> list[ArrayBatches]:
    """Growing samples, the smallest first; empty if SAMPLE_ROWS hold everything."""
    n_rows = description.n_rows
    if not is_large(description):
        return []
    n_parameters = FullMoments.width(batches.n_features)
    sizes = [int(np.clip(ROWS_PER_PARAMETER * n_parameters, RACE_ROWS, SAMPLE_ROWS))]
    sizes += [size for size in LATER_ROWS if size > sizes[0] and n_rows >= GROWTH * size]
    drawn: list[ArrayBatches] = []
    source, mass = batches, n_rows
    for size in reversed(sizes):
        source, mass = draw_rows(source, mass, size, rng), float(size)
        drawn.append(source)
    return drawn[::-1]


def in_memory(batches: Iterable[Batch]) -> ArrayBatches:
    """All rows."""
    if isinstance(batches, ArrayBatches):
        return batches
    everything = list(batches)
    row_weights = [batch.weights for batch in everything if batch.weights is not None]
    return ArrayBatches(
        np.concatenate([batch.X for batch in everything], axis=1),
        np.concatenate(row_weights) if row_weights else None,
    )


def draw_rows(batches: Batches, n_rows: float, size: int, rng: np.random.Generator) -> ArrayBatches:
    """`size` rows drawn with probability proportional to their weights, in one pass.

    Drawn in strata, so that the sample is spread over the whole file.
    """
    positions = (np.arange(size) + rng.random(size)) * (n_rows / size)
    drawn: list[FloatArray] = []
    before = 0.0
    for X, weights in batches:
        upper = before + (np.arange(1.0, X.shape[1] + 1) if weights is None else np.cumsum(weights))
        here = positions[(positions >= before) & (positions < upper[-1])]
        drawn.append(X[:, np.searchsorted(upper, here, side="right")])
        before = float(upper[-1])
    return ArrayBatches(np.concatenate(drawn, axis=1))


def draw(weights: FloatArray, uniform: FloatArray) -> IntArray:
    """Rows at the places `uniform` (in [0, 1)) of the cumulated weights."""
    cumulated = np.cumsum(weights)
    rows = np.searchsorted(cumulated, uniform * cumulated[-1], side="right")
    clipped: IntArray = np.minimum(rows, len(weights) - 1)
    return clipped


class Rare(NamedTuple):
    """What a sample has too few rows of.

    rows : of all rows those that its fit does not explain; None if they are too few for a
        component, or too many to be rare.
    left : (M,), which rows of the sample are not among them.
    statistics : of the E-step under the fit, if all of its components explain something.
    """

    rows: ArrayBatches | None
    left: BoolArray
    statistics: SufficientStatistics | None


def rare_rows(
    problem: Problem, pilot: GaussianMixture, sample: ArrayBatches, n_rows: float
) -> Rare:
    """The rows that a fit of a sample cannot explain.

    A cluster of 100 rows in a million has one row in the sample, and no start will find it. But
    its rows are too unlikely under any mixture that does not know it. A component on a few rows
    of the sample explains nothing: it may be chance, or stand for several rare clusters.
    """
    few = (pilot.weights * sample.n_rows < FEW_ROWS) & (pilot.weights * n_rows <= RARE_ROWS)
    known = pilot if few.all() else pilot.taken(np.flatnonzero(~few).tolist())
    rng = stream(0, Purpose.RARE_ROWS)
    expected = np.ascontiguousarray(known.sample(SAMPLE_ROWS, rng)[0].T)
    e_step = EStep(known, problem.radius, expected=expected)
    left = e_step.log_density(sample.X) >= e_step.threshold
    statistics = problem.e_step(known, expected=expected)
    rare = in_memory(statistics.unlikely) if statistics.unlikely else None
    fewest = problem.structure.rows_needed(pilot.n_features)
    if rare is None or not fewest <= rare.total_weight <= RARE_ROWS:
        rare = None
    statistics = replace(statistics, unlikely=())
    return Rare(rare, left, statistics if known.n_components == pilot.n_components else None)


def enriched(
    sample: ArrayBatches, left: BoolArray, rare: ArrayBatches, n_rows: float
) -> ArrayBatches:
    """Rows of a sample that stand for all n_rows but the rare ones, and the rare ones whole."""
    X = sample.X[:, left]
    each = (n_rows - rare.total_weight) / X.shape[1]
    weights = np.ones(rare.n_rows) if rare.weights is None else rare.weights
    return ArrayBatches(
        np.concatenate([X, rare.X], axis=1),
        np.concatenate([np.full(X.shape[1], each), weights]),
    )


def check_distinct(batches: Batches, n_components: int) -> None:
    """Refuse more components than there are distinct rows."""
    distinct: set[bytes] = set()
    for X, _ in batches:
        distinct.update(row.tobytes() for row in np.unique(X, axis=1).T)
        if len(distinct) >= n_components:
            return
    raise FitError(
        f"{n_components} components were asked for, but there are only "
        f"{len(distinct)} distinct rows",
        f"choose -k {len(distinct)} or fewer",
    )
