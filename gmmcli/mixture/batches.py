"""Re-iterable sources of row blocks: what a pass of EM walks over.

A `Batches` gives the same blocks, in the same order, each time it is iterated. Data in memory
are one kind (`ArrayBatches`); anything else that yields `Batch`es of BATCH_ROWS rows serves as
well and gives the same result to the last bit.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.moments import Moments

BATCH_ROWS = 8192
"""Rows of a batch. Sums are taken batch by batch, so the number is part of the result's bits."""

MOST_FEATURES = 4_000_000
"""Numbers that are kept instead of being computed in each pass, at most."""


class Batch(NamedTuple):
    """A block of rows: X (D, B), and their weights (B,) or None for 1 each."""

    X: FloatArray
    weights: FloatArray | None


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
        self._features: dict[type[Moments], list[FloatArray | None]] = {}

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

    def features(self, form: type[Moments]) -> list[FloatArray | None]:
        """T(x) of the rows of each batch (P, B), which every pass over them needs; None if much."""
        if form not in self._features:
            much = form.width(self.n_features) * self.n_rows > MOST_FEATURES
            self._features[form] = [None if much else form.features(batch.X) for batch in self]
        return self._features[form]

    def __iter__(self) -> Iterator[Batch]:
        """Start a new pass."""
        for start in range(0, self.n_rows, BATCH_ROWS):
            rows = slice(start, start + BATCH_ROWS)
            yield Batch(self.X[:, rows], None if self.weights is None else self.weights[rows])
