"""Re-iterable sources of row blocks: what a pass of EM walks over.

A `Batches` gives the same blocks, in the same order, each time it is iterated. Data in memory
are one kind (`ArrayBatches`); anything else that yields `Batch`es of BATCH_ROWS rows serves as
well and gives the same result to the last bit.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from operator import add
from typing import NamedTuple, Protocol, Self

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.mixture.moments import Moments
from gmmcli.mixture.workers import Serial, Sum, Workers

BATCH_ROWS = 8192
"""Rows of a batch. Sums are taken batch by batch, so the number is part of the result's bits."""

MOST_BLOCK = 4_096
"""Rows of a block at most: as many of them as suit the caches."""
MOST_FEATURES = 1_000_000
"""Numbers that are kept instead of being computed in each pass, at most."""
LONG_NUMBERS = 5_000_000
"""Numbers that are so many that whoever goes over them once will do so again, and needs help."""


class Batch(NamedTuple):
    """A block of rows: X (D, B), and their weights (B,) or None for 1 each."""

    X: FloatArray
    weights: FloatArray | None

    def taken(self, rows: IntArray) -> Self:
        """Some of the rows."""
        weights = None if self.weights is None else self.weights[rows]
        return type(self)(self.X.take(rows, axis=1), weights)


def in_one(batches: Sequence[Batch]) -> Batch:
    """The rows of several batches, either all with weights or none."""
    weights = [batch.weights for batch in batches if batch.weights is not None]
    return Batch(
        np.concatenate([batch.X for batch in batches], axis=1),
        np.concatenate(weights) if weights else None,
    )


class Block(NamedTuple):
    """Rows that suit the caches: X (D, B), weights (B,) or None, T(x) (P, B) where it is kept."""

    X: FloatArray
    weights: FloatArray | None
    features: FloatArray | None = None

    @classmethod
    def of(cls, batch: Batch, features: FloatArray | None, rows: slice) -> Self:
        """Some rows of a batch."""
        weights = None if batch.weights is None else batch.weights[rows]
        return cls(batch.X[:, rows], weights, None if features is None else features[:, rows])


def in_blocks(n_rows: int, block_rows: int) -> list[slice]:
    """Rows in blocks of one size, about so many in each."""
    n_blocks = max(round(n_rows / block_rows), -(-n_rows // MOST_BLOCK), 1)
    size = max(-(-n_rows // n_blocks), 1)
    return [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


class Batches(Protocol):
    """A re-iterable source of batches."""

    @property
    def n_features(self) -> int:
        """D."""

    def __iter__(self) -> Iterator[Batch]:
        """Start a new pass."""


class ArrayBatches:
    """Rows held in memory.

    Parameters
    ----------
    X : (D, N), features as rows: each column of the table is contiguous. Copied if not float64.
    weights : (N,), how many times each row counts, or None for once each. Rows of weight 0
        are left out.

    Raises
    ------
    FitError : a value or a weight is not finite, or a weight is negative.
    """

    def __init__(self, X: FloatArray, weights: FloatArray | None = None) -> None:
        X = np.asarray(X, dtype=np.float64)
        if weights is not None:
            weights = np.asarray(weights, dtype=np.float64)
            if not np.all(np.isfinite(weights)) or np.any(weights < 0):
                raise FitError("row weights must be finite and not negative")
            if not np.all(weights > 0):
                X, weights = np.ascontiguousarray(X[:, weights > 0]), weights[weights > 0]
        self.X = X
        self.weights = weights
        self._features: dict[tuple[type[Moments], int], FloatArray] = {}

    @property
    def n_features(self) -> int:
        """D."""
        return len(self.X)

    @property
    def n_rows(self) -> int:
        """Rows, those of weight 0 not counted."""
        return int(self.X.shape[1])

    @property
    def total_weight(self) -> float:
        """Sum of the row weights."""
        return float(self.n_rows if self.weights is None else self.weights.sum())

    @property
    def n_batches(self) -> int:
        """How many batches a pass has."""
        return -(-self.n_rows // BATCH_ROWS)

    def batch(self, number: int) -> Batch:
        """One of the batches."""
        rows = slice(number * BATCH_ROWS, (number + 1) * BATCH_ROWS)
        return Batch(self.X[:, rows], None if self.weights is None else self.weights[rows])

    def n_rows_of(self, number: int) -> int:
        """Rows of a batch."""
        return min(BATCH_ROWS, self.n_rows - number * BATCH_ROWS)

    def features(self, form: type[Moments], number: int) -> FloatArray | None:
        """T(x) of a batch's rows (P, B), which every pass over them needs; None if all are much."""
        if form.width(self.n_features) * self.n_rows > MOST_FEATURES:
            return None
        key = form, number
        if key not in self._features:
            self._features[key] = form.features(self.batch(number).X)
        return self._features[key]

    def __iter__(self) -> Iterator[Batch]:
        """Start a new pass."""
        return map(self.batch, range(self.n_batches))


def summed(function: Callable[[Batch], Sum], batches: Batches, workers: Workers | None) -> Sum:
    """The sum of what a function gives for each batch, added in their order.

    Parameters
    ----------
    workers : who goes over the batches; None for one thread.
    """
    workers = workers or Serial()
    if not isinstance(batches, ArrayBatches):
        return workers.map_reduce(function, batches)
    of_batch = partial(_of_batch, function)
    is_long = batches.X.size >= LONG_NUMBERS
    sums = workers.map_over(batches, of_batch, range(batches.n_batches), is_long=is_long)
    return reduce(add, sums)


def _of_batch(function: Callable[[Batch], Sum], batches: ArrayBatches, number: int) -> Sum:
    return function(batches.batch(number))
