"""A pass over the rows that can be fitted: those without a missing or infinite value."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gmmcli.data.missing_rows import MissingRows
from gmmcli.data.table import Block, Chunk, MapOrdered, Selection, Table
from gmmcli.errors import DataError
from gmmcli.mixture.arrays import BoolArray, FloatArray
from gmmcli.mixture.batches import BATCH_ROWS


class Piece(NamedTuple):
    """Complete rows (D, B), or (D + 1, B) with the row weights last.

    share : how much of the input is behind them, 0 to 1; None when that is not known.
    """

    rows: FloatArray
    share: float | None


class Counts(NamedTuple):
    """Rows of a table.

    n_rows : all of them.
    n_dropped : left out because of a missing or infinite value.
    n_weightless : left out because their weight is 0.
    """

    n_rows: int = 0
    n_dropped: int = 0
    n_weightless: int = 0


class CompleteRows:
    """The complete rows of a table, in one pass; `counts` and `labels` are full at its end.

    Parameters
    ----------
    drop : whether rows with a missing or infinite value are left out; otherwise they are an error.
    beside : columns that are read as well, for who looks at the chunks as they go by.

    Raises
    ------
    DataError : missing or infinite values, naming the first; no rows; weights that are all 0.
    """

    def __init__(
        self, table: Table, selection: Selection, *, drop: bool, beside: tuple[str, ...] = ()
    ) -> None:
        self.table = table
        self._beside = beside
        self.selection = selection
        self.labels: list[str] = []
        self._drop = drop
        self._missing = MissingRows()
        self._n_weightless = 0

    @property
    def counts(self) -> Counts:
        """Of the rows that have gone by."""
        return Counts(self._missing.n_seen, self._missing.n_rows, self._n_weightless)

    @property
    def width(self) -> int:
        """Rows of a piece: the features, and the weights if there are any."""
        return len(self.selection.features) + (self.selection.weights is not None)

    def again(self) -> "CompleteRows":
        """The same rows in another pass, without their labels."""
        return CompleteRows(self.table, replace(self.selection, labels=None), drop=self._drop)

    def pieces(self, map_ordered: MapOrdered = map, *, again: bool = True) -> Iterator[Piece]:
        """The pass; `again` is whether another may follow."""

        def read(chunk: Chunk) -> tuple[float | None, Block]:
            return chunk.share, self.table.parse(chunk, self.selection)

        names: dict[str, str] = {}
        wanted = replace(self.selection, features=(*self.selection.features, *self._beside))
        for share, block in map_ordered(read, self.table.chunks(wanted, again=again)):
            keep = self._pass_through(block)
            if self._missing.n_rows and not self._drop:
                continue  # it ends in an error, which only needs the count
            if block.labels is not None:
                kept = (text for text, good in zip(block.labels, keep, strict=True) if good)
                # one text for all rows that have it, so that a label takes 8 bytes
                self.labels.extend(names.setdefault(text, text) for text in kept)
            rows = block.values
            if block.weights is not None:
                rows = np.vstack((rows, block.weights))
            yield Piece(rows if keep.all() else rows[:, keep], share)
        self._check_end()

    def _pass_through(self, block: Block) -> BoolArray:
        keep = np.ones(block.n_rows, bool) if block.weights is None else block.weights > 0
        bad = keep & ~block.complete
        self._missing.look_at(block, bad)
        self._n_weightless += int(np.count_nonzero(~keep))
        return keep & ~bad

    def _check_end(self) -> None:
        if not self._drop:
            self._missing.refuse(self.table, "leave such rows out with --missing drop")
        n_rows, n_dropped, n_weightless = self.counts
        name = self.table.name
        if n_rows > n_dropped + n_weightless:
            return
        if not n_dropped:
            raise DataError(f"{name}: every weight is 0", "give some row a weight")
        raise DataError(
            f"{name}: every row has a missing value", "leave out columns with -C '!NAME'"
        )


def in_batches(pieces: Iterable[FloatArray]) -> Iterator[FloatArray]:
    """The same rows cut anew: (D, BATCH_ROWS) each, the last one shorter."""
    batch = np.empty(0)
    filled = 0
    for piece in pieces:
        place = 0
        while place < piece.shape[1]:
            if not filled:
                batch = np.empty((len(piece), BATCH_ROWS))
            n_rows = min(BATCH_ROWS - filled, piece.shape[1] - place)
            batch[:, filled : filled + n_rows] = piece[:, place : place + n_rows]
            filled += n_rows
            place += n_rows
            if filled == BATCH_ROWS:
                yield batch
                filled = 0
    if filled:
        yield np.ascontiguousarray(batch[:, :filled])
