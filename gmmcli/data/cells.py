"""The text of cells -> float64, and which text means that a value is missing."""

import re
import shlex
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gmmcli.data.arrow import constant, floats, texts
from gmmcli.errors import DataError

# pandas' default list (pandas.read_csv, na_values), so that the same files mean the same.
MISSING = (
    "",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "NaN",
    "None",
    "n/a",
    "nan",
    "null",
)


def to_float(cell: str) -> float | None:
    """The number a cell holds, as Python's float() reads it; None when it holds none.

    Digits with underscores, which Python alone accepts, are not numbers here.
    """
    if "_" in cell or not cell.isascii():
        return None
    try:
        return float(cell)
    except ValueError:
        return None


class MissingRules:
    """Which cells are missing: pandas' list and the caller's own tokens.

    A token that is a number is also missing when it is written another way (-999 and -999.0),
    in CSV as in Parquet.
    """

    def __init__(self, na_values: Iterable[str]) -> None:
        own = tuple(na_values)
        self.tokens: Sequence[str] = tuple(dict.fromkeys((*MISSING, *own)))
        self._set = frozenset(self.tokens)
        self._numbers = [number for cell in own if (number := to_float(cell)) is not None]

    def is_missing(self, cell: str) -> bool:
        """Whether a cell is one of the tokens, with or without blanks around it."""
        return cell in self._set or cell.strip() in self._set

    def blank_out(self, values: NDArray[np.float64]) -> None:
        """Makes every value that is one of the numbers among the tokens NaN, in place."""
        for number in self._numbers:
            values[values == number] = np.nan


def parse_cells(cells: pa.Array, rules: MissingRules) -> tuple[NDArray[np.float64], int | None]:
    """A column of text -> (numbers with NaN for missing, the first place that is no number).

    For the columns that pyarrow's reader refused: cell by cell only where its cast refuses too.
    """
    # it takes as long to import as NumPy, and most tables have no such column
    import pyarrow.compute as pc  # noqa: PLC0415

    missing = pc.is_in(cells, value_set=texts(rules.tokens))
    cells = pc.if_else(missing, constant(None), cells)
    try:
        values = floats(cells.cast(pa.float64())).copy()
    except pa.ArrowInvalid:
        values = np.empty(len(cells))
        for place, cell in enumerate(cells.to_pylist()):
            number = np.nan if cell is None or rules.is_missing(cell) else to_float(cell)
            if number is None:
                return values, place
            values[place] = number
    rules.blank_out(values)
    return values, None


def not_a_number(source: str, column: str, row: int, cell: str) -> DataError:
    """The error for a cell that is no number in a column read as numbers; rows from 1."""
    shown = cell if len(cell) <= 40 else cell[:39] + "…"
    return DataError(
        f"{source}: row {row}, column '{column}' holds '{shown}', which is not a number",
        decimal_comma(cell)
        or f"if it means missing, add --na-values {shlex.quote(shown)}; fit and select-k can leave "
        f"the column out: {leave_out(column)}",
    )


def leave_out(column: str) -> str:
    """The option that leaves a column out, as a shell takes it."""
    return f"-C {shlex.quote('!' + column)}"


def decimal_comma(cell: str) -> str:
    """The way out, where a cell is a number with a decimal comma; otherwise nothing."""
    if re.fullmatch(r"\s*[+-]?\d*,\d+(e[+-]?\d+)?\s*", cell, re.IGNORECASE) is None:
        return ""
    return "that is a decimal comma: make it a point first; or, if it parts thousands, take it out"


def checked_weights(
    weights: NDArray[np.float64], column: str, first_row: int, source: str
) -> NDArray[np.float64]:
    """The row weights, when all of them are finite and none is negative."""
    bad = np.flatnonzero(~((weights >= 0) & (weights < np.inf)))
    if len(bad):
        weight = weights[bad[0]]
        what = "is missing" if np.isnan(weight) else f"is {weight:g}"
        raise DataError(
            f"{source}: row {first_row + bad[0] + 1}: its weight, in column '{column}', {what}",
            "a weight is a finite number, 0 or more",
        )
    return weights


def checked_labels(
    labels: Sequence[str | None], column: str, first_row: int, source: str
) -> list[str]:
    """The labels, when none is missing."""
    present = [label for label in labels if label is not None]
    if len(present) < len(labels):
        row = first_row + labels.index(None) + 1
        raise DataError(
            f"{source}: row {row}: its label, in column '{column}', is missing",
            "fill it in, or leave the row out",
        )
    return present
