"""Several Parquet files as one table: a folder, or a pattern of names."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple

import pyarrow as pa

from gmmcli.data.parquet_file import ParquetTable
from gmmcli.data.source import Source, changed
from gmmcli.data.spool import Scratch
from gmmcli.data.table import Block, Chunk, ReadOptions, Selection, Table
from gmmcli.errors import DataError


class _Part(NamedTuple):
    source: Source
    n_rows: int


class _PartOfChunk(NamedTuple):
    table: ParquetTable
    chunk: Chunk


class ParquetFolder(Table):
    """See Table. The files are opened one after the other, however many they are.

    Parameters
    ----------
    path : as given.
    files : at least one, in the order of their rows.

    Raises
    ------
    DataError : one of them is not a Parquet file, or its columns differ from those of the first.
    """

    repeatable = True

    def __init__(self, path: str, files: Sequence[str], options: ReadOptions) -> None:
        self.name = self.path = path
        self.scratch = Scratch(path, options.max_spool)
        self._options = options
        self._parts: list[_Part] = []
        for file in files:
            source = Source(file, options.max_spool)
            with closing(ParquetTable(source, options)) as part:
                self._join(part)
                self._parts.append(_Part(source, part.n_rows or 0))
        self._stops = list(accumulate(part.n_rows for part in self._parts))
        self.n_rows = self._stops[-1]

    def _join(self, part: ParquetTable) -> None:
        if not self._parts:
            self.columns, self.schema, self.kinds = part.columns, part.schema, dict(part.kinds)
            return
        _check_same(self.schema, part.schema, self._parts[0].source.name, part.name)
        # a column may be empty in one file and not in another
        filled = {name: kind for name, kind in part.kinds.items() if kind.why_not != "empty"}
        self.kinds = {
            name: filled.get(name, kind) if kind.why_not == "empty" else kind
            for name, kind in self.kinds.items()
        }

    def where(self, row: int) -> str:
        """See Table.where: the file, and the row of its own."""
        place = min(bisect_right(self._stops, row - 1), len(self._parts) - 1)
        part = self._parts[place]
        return f"{part.source.name}: row {row - self._stops[place] + part.n_rows}"

    def chunks(self, selection: Selection, *, again: bool = True) -> Iterator[Chunk]:
        """See Table.chunks."""
        del again
        for part, stop in zip(self._parts, self._stops, strict=True):
            part.source.check_unchanged()
            first = stop - part.n_rows
            with closing(ParquetTable(part.source, self._options)) as table:
                if table.n_rows != part.n_rows:
                    raise changed(table.name)
                for chunk in table.chunks(selection):
                    n_rows, begin = chunk.n_rows, first + chunk.first_row
                    share = (begin + n_rows) / self._stops[-1]
                    yield Chunk(_PartOfChunk(table, chunk), begin, n_rows, share)

    def parse(self, chunk: Chunk, selection: Selection) -> Block:
        """See Table.parse."""
        part: _PartOfChunk = chunk.content
        table, content = part
        if table.columns != self.columns and selection.rows:
            content = replace(content, content=content.content.select(list(self.columns)))
        return replace(table.parse(content, selection), first_row=chunk.first_row)

    def close(self) -> None:
        """See Table.close."""
        self.scratch.close()


def _check_same(first: pa.Schema, other: pa.Schema, name: str, other_name: str) -> None:
    advice = f"give it the columns of {name}, or leave the file out"
    for column in dict.fromkeys((*first.names, *other.names)):
        kinds = [
            schema.field(column).type if column in schema.names else None
            for schema in (first, other)
        ]
        if kinds[1] is None:
            raise DataError(f"{other_name} has no column '{column}', which {name} has", advice)
        if kinds[0] is None:
            raise DataError(f"{other_name} has a column '{column}', which {name} has not", advice)
        if kinds[0] != kinds[1]:
            raise DataError(
                f"{other_name}: column '{column}' is {kinds[1]}, and in {name} it is {kinds[0]}",
                advice,
            )
