"""Rows that do not fit in memory, as batches: from a temporary copy, or from the table anew.

Both give the batches that the rows in memory would give, to the last bit.
"""

import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gmmcli.data.complete_rows import CompleteRows, Piece, in_batches
from gmmcli.data.source import changed
from gmmcli.data.spool import Scratch
from gmmcli.errors import DataError
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import BATCH_ROWS, Batch


class Kept(Protocol):
    """Complete rows that can be gone over again."""

    def passed(self) -> Iterator[FloatArray]:
        """One pass: (D, B), or (D + 1, B) with the row weights last."""


@dataclass(frozen=True, eq=False)
class PassedBatches:
    """The batches of a fit, read anew in each pass.

    features : their places among the rows that are kept.
    weights : the place of the row weights, or None.
    """

    kept: Kept
    features: list[int]
    weights: int | None

    @property
    def n_features(self) -> int:
        """D."""
        return len(self.features)

    def __iter__(self) -> Iterator[Batch]:
        """Start a new pass."""
        for rows in self.kept.passed():
            # a selection by list is a copy, which is not needed where nothing is left out
            whole = self.features == list(range(self.n_features))
            X = rows[: self.n_features] if whole else rows[self.features]
            yield Batch(X, None if self.weights is None else rows[self.weights])


class SpooledRows:
    """Rows in a temporary file, batch after batch, each feature of a batch in one stretch."""

    def __init__(self, pieces: Iterable[Piece], width: int, scratch: Scratch) -> None:
        self._width = width
        self._scratch = scratch
        self._file = scratch.new_file()
        self._n_rows = 0
        self._write(pieces)

    def _write(self, pieces: Iterable[Piece]) -> None:
        n_bytes = 0
        expected: float | None = None

        def rows() -> Iterator[FloatArray]:
            nonlocal n_bytes, expected
            for piece in pieces:
                n_bytes += piece.rows.nbytes
                expected = n_bytes / piece.share if piece.share else None
                yield piece.rows

        for batch in in_batches(rows()):
            self._scratch.take(batch.nbytes, expected)
            content = batch.data.cast("B")
            with self._scratch.explained():
                while content:
                    content = content[self._file.write(content) :]
            self._n_rows += batch.shape[1]

    @property
    def n_bytes(self) -> int:
        """The size of the file."""
        return 8 * self._width * self._n_rows

    def passed(self) -> Iterator[FloatArray]:
        """See Kept.passed."""
        for start in range(0, self._n_rows, BATCH_ROWS):
            batch = np.empty((self._width, min(BATCH_ROWS, self._n_rows - start)))
            content = batch.data.cast("B")
            position = 8 * self._width * start
            with self._scratch.explained():
                while content:
                    n_read = os.preadv(self._file.fileno(), [content], position)
                    if not n_read:
                        raise DataError("a temporary copy is cut short", "run again")
                    content, position = content[n_read:], position + n_read
            yield batch


class TableRows:
    """Rows that are read from their table in each pass, and are the same in each.

    Parameters
    ----------
    rows : whose pass has begun.
    pieces : all that it gives.
    """

    def __init__(self, rows: CompleteRows, pieces: Iterable[Piece]) -> None:
        self._rows = rows
        checksum = 0
        for batch in in_batches(piece.rows for piece in pieces):
            checksum = zlib.crc32(batch.data, checksum)
        self._end = (rows.counts, checksum)

    def passed(self) -> Iterator[FloatArray]:
        """See Kept.passed. DataError at the end, if the rows are not what they were."""
        rows = self._rows.again()
        checksum = 0
        for batch in in_batches(piece.rows for piece in rows.pieces()):
            checksum = zlib.crc32(batch.data, checksum)
            yield batch
        if (rows.counts, checksum) != self._end:
            raise changed(rows.table.name)
