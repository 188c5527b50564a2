"""A matrix in memory that grows with what is read."""

from collections.abc import Iterator, Sequence

import numpy as np

from gmmcli.data.complete_rows import Piece
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import ArrayBatches

_SLACK = 1.01
_GROWTH = 1.25


class GrowingMatrix:
    """(D, n) that grows along its rows in place: D stretches of one piece of memory.

    Memory that was never written takes no room, so what counts is the matrix itself. NumPy's
    `resize` hands over pages instead of copying them.
    """

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows
        self._capacity = 0
        self._flat = np.empty(0)
        self.n_columns = 0

    def n_bytes_with(self, piece: Piece) -> int:
        """The memory for all columns, as far as it is known, with those of (D, B)."""
        return 8 * self._n_rows * max(self._capacity_with(piece), self._capacity)

    def _capacity_with(self, piece: Piece) -> int:
        stop: int = self.n_columns + piece.rows.shape[1]
        needed = stop / piece.share * _SLACK if piece.share else stop * _GROWTH
        return max(stop, int(needed))

    def append(self, piece: Piece) -> None:
        """Adds the columns of (D, B); `share` of all columns are there afterwards."""
        rows = piece.rows
        if not rows.shape[1]:
            return
        stop = self.n_columns + rows.shape[1]
        if stop > self._capacity:
            self._set_capacity(self._capacity_with(piece))
        for d in range(self._n_rows):
            begin = d * self._capacity
            self._flat[begin + self.n_columns : begin + stop] = rows[d]
        self.n_columns = stop

    def _set_capacity(self, capacity: int) -> None:
        if not self.n_columns:
            self._flat = np.empty(self._n_rows * capacity)
        else:
            self._flat.resize(self._n_rows * capacity, refcheck=False)
            for d in reversed(range(1, self._n_rows)):
                self._move(d * self._capacity, d * capacity)
        self._capacity = capacity

    def _move(self, begin: int, to: int) -> None:
        self._flat[to : to + self.n_columns] = self._flat[begin : begin + self.n_columns]

    def row(self, d: int) -> FloatArray:
        """A copy of row d."""
        begin = d * self._capacity
        return self._flat[begin : begin + self.n_columns].copy()

    def take(self, rows: Sequence[int]) -> FloatArray:
        """The chosen rows as one C-contiguous matrix; the end of this object."""
        for place, d in enumerate(rows):
            if place * self.n_columns != d * self._capacity:
                self._move(d * self._capacity, place * self.n_columns)
        self._flat.resize(len(rows) * self.n_columns, refcheck=False)
        return self._flat.reshape(len(rows), self.n_columns)

    def drain(self) -> Iterator[FloatArray]:
        """All columns once, as (D, n); the end of this object, which gives back its memory."""
        if self.n_columns:
            yield self._flat.reshape(self._n_rows, self._capacity)[:, : self.n_columns]
        self._flat = np.empty(0)

    def batches(self, features: Sequence[int], weights: int | None) -> ArrayBatches:
        """The chosen rows as features, and one as row weights; the end of this object."""
        row_weights = None if weights is None else self.row(weights)
        return ArrayBatches(self.take(features), row_weights)
