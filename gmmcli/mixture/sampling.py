"""Samples of the rows: where the starts are tried, before all rows are gone over.

Row weights count as repetitions: rows are drawn by their place in the cumulated weights, so a
row of weight 2 and a row that stands there twice lead to the same draws.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import BoolArray, FloatArray, IntArray
from gmmcli.mixture.batches import ArrayBatches, Batch, Batches, in_one
from gmmcli.mixture.e_step import EStep
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.moments import FullMoments
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.standardise import Description, Standardisation
from gmmcli.mixture.statistics import RARE_ROWS, SufficientStatistics
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
EXPECTED_ROWS = 2_000
"""Rows drawn from a fit, that tell how unlikely a row may be under it."""
RARE_GAP, RARE_AMONG = 7.0, 1e6
"""Nats by which a rare row is less likely than the least likely of those, among so many rows or
fewer. Of more some are farther out by chance, by the logarithm of how many more."""
GROWTH = 3
"""Times that there are more rows than in a sample, at least: else to go over it saves nothing."""


def is_large(description: Description) -> bool:
    """Whether the rows are more than the starts go over; many of little weight are many, too."""
    return max(description.n_rows, description.n_lines) > SAMPLE_ROWS


class Samples:
    """Growing samples in the user's units, the smallest first; none if SAMPLE_ROWS hold everything.

    Of rows in memory each is drawn when it is asked for: not every fit needs the largest. From a
    file all are drawn in the pass that the first one needs, the same rows.

    sizes : rows of each.
    """

    def __init__(
        self, batches: Batches, description: Description, *, rng: np.random.Generator
    ) -> None:
        n_rows = description.n_rows
        self.sizes: list[int] = []
        if is_large(description):
            n_parameters = FullMoments.width(batches.n_features)
            first = int(np.clip(ROWS_PER_PARAMETER * n_parameters, RACE_ROWS, SAMPLE_ROWS))
            saving = n_rows / GROWTH
            later = [size for size in LATER_ROWS if first < size <= max(saving, SAMPLE_ROWS)]
            self.sizes = [first, *later]
        self._batches = batches
        self._places = [strata(n_rows, size, rng) for size in self.sizes]
        self._drawn: dict[int, ArrayBatches] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self.sizes)

    def __getitem__(self, number: int) -> ArrayBatches:
        """One of them."""
        if number not in self._drawn:
            wanted = [number] if isinstance(self._batches, ArrayBatches) else range(len(self))
            drawn = draw_rows(self._batches, [self._places[i] for i in wanted])
            self._drawn.update(zip(wanted, drawn, strict=True))
        return self._drawn[number]


@dataclass(frozen=True, eq=False)
class StandardisedSamples:
    """The same rows in EM's coordinates."""

    source: Samples
    standardisation: Standardisation
    _made: dict[int, ArrayBatches] = field(default_factory=dict)

    @property
    def sizes(self) -> list[int]:
        """Rows of each."""
        return self.source.sizes

    def __len__(self) -> int:
        """How many there are."""
        return len(self.source)

    def __getitem__(self, number: int) -> ArrayBatches:
        """One of them."""
        if number not in self._made:
            self._made[number] = self.standardisation.copied(self.source[number])
        return self._made[number]


def in_memory(batches: Iterable[Batch]) -> ArrayBatches:
    """All rows."""
    if isinstance(batches, ArrayBatches):
        return batches
    return ArrayBatches(*in_one(list(batches)))


def strata(n_rows: float, size: int, rng: np.random.Generator) -> FloatArray:
    """A place in [0, n_rows) from each of `size` strata, so that they spread over the whole."""
    places: FloatArray = (np.arange(size) + rng.random(size)) * (n_rows / size)
    return places


def draw_rows(batches: Batches, samples: Sequence[FloatArray]) -> list[ArrayBatches]:
    """The rows at these places of the cumulated weights, sample by sample, in one pass."""
    drawn: list[list[FloatArray]] = [[] for _ in samples]
    before = 0.0
    for X, weights in batches:
        upper = None if weights is None else before + np.cumsum(weights)
        after = before + X.shape[1] if upper is None else float(upper[-1])
        for rows, places in zip(drawn, samples, strict=True):
            here = places[slice(*np.searchsorted(places, [before, after]))]
            if upper is None:
                rows.append(X[:, (here - before).astype(np.int64)])
            else:
                rows.append(X[:, np.searchsorted(upper, here, side="right")])
        before = after
    return [ArrayBatches(np.concatenate(rows, axis=1)) for rows in drawn]


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
    expected = np.ascontiguousarray(known.sample(EXPECTED_ROWS, rng)[0].T)
    e_step = EStep(known, problem.radius)
    gap = RARE_GAP + max(float(np.log(n_rows / RARE_AMONG)), 0.0)
    threshold = float(e_step.log_density(expected).min()) - gap
    left = e_step.log_density(sample.X) >= threshold
    statistics = problem.e_step(known, threshold=threshold)
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
