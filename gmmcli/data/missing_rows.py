"""Rows with a missing or infinite value, counted as they go by."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gmmcli.data.table import Block, Table
from gmmcli.errors import DataError
from gmmcli.mixture.arrays import BoolArray


class _Place(NamedTuple):
    row: int
    column: str
    what: str


@dataclass
class MissingRows:
    """How many of how many rows, and where the first of them is.

    n_rows : rows with a missing or infinite value; n_seen : all rows.
    """

    n_rows: int = 0
    n_seen: int = 0
    _first: _Place | None = None

    def look_at(self, block: Block, missing: BoolArray) -> None:
        """Count the rows of a block, of which those in the mask (B,) are not complete."""
        self.n_seen += block.n_rows
        if not missing.any():
            return
        self.n_rows += int(np.count_nonzero(missing))
        if self._first is None:
            place = int(np.argmax(missing))
            cells = block.values[:, place]
            d = int(np.argmin(np.isfinite(cells)))
            what = "infinite" if np.isinf(cells[d]) else "missing"
            self._first = _Place(block.first_row + place + 1, block.features[d], what)

    def refuse(self, table: Table, advice: str) -> None:
        """Raise DataError, naming the first of them, if there are any."""
        if self._first is None:
            return
        row, column, what = self._first
        have = "has" if self.n_rows == 1 else "have"
        raise DataError(
            f"{table.where(row)}, column '{column}' is {what}; {self.n_rows} of {self.n_seen} rows "
            f"{have} a missing or infinite value",
            advice,
        )
