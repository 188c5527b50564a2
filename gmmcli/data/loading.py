"""A table -> the rows to be fitted: one matrix in memory, or batches where that is too large."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from gmmcli.data.cells import leave_out
from gmmcli.data.complete_rows import CompleteRows, Counts, Piece
from gmmcli.data.matrix import GrowingMatrix
from gmmcli.data.passes import PassedBatches, SpooledRows, TableRows
from gmmcli.data.table import MapOrdered, Selection, Table
from gmmcli.errors import DataError
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import Batches

PROGRAM_BYTES = 200_000_000
"""What a fit takes beside the rows: libraries, blocks on their way, samples."""
COPIES = 2
"""A fit in memory holds the rows as they are and standardised."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The complete rows of a table.

    batches : ArrayBatches, unless the rows would take too much memory.
    columns : D names, without the constant ones.
    constant_columns : name -> its one value.
    labels : N texts or None.
    counts : of the rows of the table.
    n_blank_lines : empty lines in the file, which are no rows.
    n_bytes : memory that a fit of these rows takes in memory.
    n_spooled : size of the temporary copy; 0 if the table itself is read anew in each pass; None
        in memory.
    """

    batches: Batches
    columns: tuple[str, ...]
    constant_columns: dict[str, float]
    labels: list[str] | None
    counts: Counts
    n_blank_lines: int
    n_bytes: int
    n_spooled: int | None


def load(
    table: Table,
    selection: Selection,
    *,
    missing: str = "error",
    map_ordered: MapOrdered = map,
    memory: int | None = None,
) -> Loaded:
    """Reads the complete rows, in one pass.

    Parameters
    ----------
    selection : features, weights and labels.
    missing : "error", or "drop" to leave out rows with a missing or infinite value.
    map_ordered : as `map`, perhaps on threads, with the results in order.
    memory : bytes that a fit may take; None for as much as it likes.

    Raises
    ------
    DataError : missing or infinite values, naming the first; no rows, or all columns constant;
        weights that are all 0; a column whose variance float64 cannot hold; no room for a
        temporary copy.
    """
    rows = CompleteRows(table, selection, drop=missing == "drop")
    extremes = _Extremes(rows.width)
    pieces = extremes.watched(rows.pieces(map_ordered))
    matrix = GrowingMatrix(rows.width)
    kept: SpooledRows | TableRows | None = None
    for piece in pieces:
        if memory is None or _needed(matrix.n_bytes_with(piece)) <= memory:
            matrix.append(piece)
            continue
        before = (Piece(part, None) for part in matrix.drain())
        everything = chain(before, (piece,), pieces)
        if table.repeatable:
            kept = TableRows(rows, everything)
        else:
            kept = SpooledRows(everything, rows.width, table.scratch)
    n_features = len(selection.features)
    low, high = extremes.low[:n_features], extremes.high[:n_features]
    _check_spread(table, selection.features, low, high, extremes.n_rows)
    constant = _constant_columns(table, selection.features, low, high, extremes.n_rows)
    varying = [d for d, name in enumerate(selection.features) if name not in constant]
    weights = None if selection.weights is None else n_features
    return Loaded(
        batches=PassedBatches(kept, varying, weights) if kept else matrix.batches(varying, weights),
        columns=tuple(selection.features[d] for d in varying),
        constant_columns=constant,
        labels=rows.labels if selection.labels is not None else None,
        counts=rows.counts,
        n_blank_lines=table.n_blank_lines,
        n_bytes=_needed(8 * rows.width * extremes.n_rows),
        n_spooled=kept.n_bytes if isinstance(kept, SpooledRows) else 0 if kept else None,
    )


def _needed(n_bytes: int) -> int:
    return COPIES * n_bytes + PROGRAM_BYTES


def _constant_columns(
    table: Table, names: Sequence[str], low: FloatArray, high: FloatArray, n_rows: int
) -> dict[str, float]:
    constant = {name: float(low[d]) for d, name in enumerate(names) if low[d] == high[d]}
    if len(constant) == len(names):
        raise DataError(
            f"{table.name}: {_all_constant(constant, n_rows)}",
            "a mixture needs a column whose values differ",
        )
    return constant


def _all_constant(constant: dict[str, float], n_rows: int) -> str:
    if n_rows == 1:
        return "there is only one row"
    if len(constant) == 1:
        ((name, value),) = constant.items()
        return f"column '{name}' has the value {value!r} in every row"
    return f"each of the {len(constant)} columns has the same value in every row"


def _check_spread(
    table: Table, names: Sequence[str], low: FloatArray, high: FloatArray, n_rows: int
) -> None:
    """Sums of squares must stay inside float64, above and below."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        total = n_rows * np.maximum(np.abs(low), np.abs(high))
        squares = (high - low) ** 2
        too_wide = ~np.isfinite(4 * n_rows * squares) | ~np.isfinite(total)
        too_narrow = (low < high) & (squares < np.finfo(np.float64).tiny)
    for d in map(int, np.flatnonzero(too_wide | too_narrow)):
        what = "large" if too_wide[d] else "close together"
        raise DataError(
            f"{table.name}: the values of column '{names[d]}' ({low[d]:g} to {high[d]:g}) are too "
            f"{what} for float64 to hold their variance",
            f"rescale the column, or leave it out: {leave_out(names[d])}",
        )


class _Extremes:
    """The least and the greatest value of each of D rows, and the number of columns."""

    def __init__(self, width: int) -> None:
        self.low = np.full(width, np.inf)
        self.high = np.full(width, -np.inf)
        self.n_rows = 0

    def watched(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """The same pieces, looked at as they go by."""
        for piece in pieces:
            if piece.rows.shape[1]:
                np.minimum(self.low, piece.rows.min(axis=1), out=self.low)
                np.maximum(self.high, piece.rows.max(axis=1), out=self.high)
                self.n_rows += piece.rows.shape[1]
            yield piece
