"""Columns that had one value when the model was fitted: whether they still have it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gmmcli.data import Chunk, MapOrdered, Selection, Table
from gmmcli.errors import DataError
from gmmcli.report.numerals import count


@dataclass
class Constants:
    """The constant columns of a model, and where the first other value of each was seen.

    values : column -> its one value.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)

    def others(self, table: Table, chunk: Chunk) -> dict[str, str]:
        """Column -> words for the first other value in these rows; missing values are none.

        Columns that the table lacks, or that `remember` knows, are left out.
        """
        names = [name for name in self.values if name in table.columns and name not in self._seen]
        found = {name: self._other(table, chunk, name) for name in names}
        return {name: other for name, other in found.items() if other}

    def _other(self, table: Table, chunk: Chunk, name: str) -> str:
        if not table.kinds[name].numeric:
            return "its cells are no numbers"
        try:
            (column,) = table.parse(chunk, Selection((name,), rows=False)).values
        except DataError:
            return "its cells are no numbers"
        other = np.flatnonzero((column != self.values[name]) & ~np.isnan(column))
        if not len(other):
            return ""
        return f"row {chunk.first_row + other[0] + 1} holds {column[other[0]]:.15g}"

    def remember(self, others: Mapping[str, str]) -> None:
        """Keep what `others` gave; in the order of the rows."""
        self._seen = {**others, **self._seen}

    def watching(self, table: Table, map_ordered: MapOrdered) -> MapOrdered:
        """A map over the chunks of a table that looks at these columns on the way."""

        def mapped(function: Callable[[Any], Any], chunks: Iterable[Any]) -> Iterator[Any]:
            def both(chunk: Chunk) -> tuple[Any, dict[str, str]]:
                return function(chunk), self.others(table, chunk)

            for result, others in map_ordered(both, chunks):
                self.remember(others)
                yield result

        return mapped

    @property
    def warning(self) -> str:
        """What a reader of the labels has to know; "" if every column is as it was."""
        if not self._seen:
            return ""
        names = [name for name in self.values if name in self._seen]
        first = names[0]
        text = (
            f"column '{first}' was {self.values[first]:.15g} in every row of the fit, so it is no "
            f"feature and changes no label; here {self._seen[first]}"
        )
        more = len(names) - 1
        return text if not more else f"{text}; likewise {count(more, 'other column')}"
