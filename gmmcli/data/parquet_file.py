"""A Parquet file as a table, read in batches."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gmmcli.data.arrow import floats
from gmmcli.data.cells import MissingRules, checked_labels, checked_weights
from gmmcli.data.source import Source
from gmmcli.data.table import Block, Chunk, ColumnKind, ReadOptions, Selection, Table
from gmmcli.errors import DataError

# A batch holds about this many values, in at most this many rows.
_BATCH_VALUES = 1 << 18
_BATCH_ROWS = 1 << 16
# Without this a whole row group is held, however large.
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ParquetRows:
    """The rows of a block with their stored types."""

    batch: pa.RecordBatch

    def table(self) -> pa.Table:
        """All columns."""
        return pa.Table.from_batches([self.batch])


class ParquetTable(Table):
    """See Table.

    Raises
    ------
    DataError : not a Parquet file, a damaged one, or one with two columns of one name.
    """

    repeatable = True

    def __init__(self, source: Source, options: ReadOptions) -> None:
        self.name = source.name
        self.path = source.path
        self._source = source
        self.scratch = source.scratch
        self._rules = MissingRules(options.na_values)
        self._handle = source.seekable_file()
        try:
            self._read_schema()
        except (pa.ArrowException, OSError) as error:
            self._handle.close()
            raise DataError(
                f"{self.name} is not a Parquet file, or is damaged",
                "if it is text, add --input-format csv",
            ) from error
        except DataError:
            self._handle.close()
            raise

    def _read_schema(self) -> None:
        self._file = pq.ParquetFile(self._handle, buffer_size=_READ_BYTES, pre_buffer=False)
        schema = self._file.schema_arrow
        self.schema = schema
        self.columns = tuple(schema.names)
        self.n_rows = self._file.metadata.num_rows
        self._check_names()
        index = _pandas_index(schema)
        empty = _empty_columns(self._file.metadata)
        self.kinds = {field.name: _kind(field, index, empty) for field in schema}

    def _check_names(self) -> None:
        if not self.columns:
            raise DataError(f"{self.name} has no columns", "give a file with columns")
        twice = [name for name, count in Counter(self.columns).items() if count > 1]
        if twice:
            raise DataError(
                f"{self.name} has more than one column named {', '.join(map(repr, twice))}",
                "rename the columns",
            )

    def chunks(self, selection: Selection, *, again: bool = True) -> Iterator[Chunk]:
        """See Table.chunks."""
        del again  # a pipe was copied when it was opened
        self._source.check_unchanged()
        names = list(self.columns)
        if not selection.rows:
            wanted = {
                *selection.features,
                *selection.categories,
                selection.weights,
                selection.labels,
            }
            names = [name for name in self.columns if name in wanted]
        n_rows = 0
        # by the width of the whole table, so that every pass has the same batches
        batch_rows = min(_BATCH_ROWS, max(1024, _BATCH_VALUES // len(self.columns)))
        try:
            for batch in self._file.iter_batches(batch_size=batch_rows, columns=names):
                if not batch.num_rows:
                    continue
                share = (n_rows + batch.num_rows) / self._file.metadata.num_rows
                yield Chunk(batch, n_rows, batch.num_rows, share)
                n_rows += batch.num_rows
            self._source.check_unchanged()
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{self.name} is damaged after row {n_rows}: {_one_line(error)}",
                "make or fetch the file again",
            ) from error

    def parse(self, chunk: Chunk, selection: Selection) -> Block:
        """See Table.parse."""
        batch: pa.RecordBatch = chunk.content
        values = np.empty((len(selection.features), batch.num_rows))
        for row, name in enumerate(selection.features):
            values[row] = _numbers(batch.column(name))
        self._rules.blank_out(values)
        weights = labels = None
        if selection.weights is not None:
            weights = _numbers(batch.column(selection.weights))
            weights = checked_weights(weights, selection.weights, chunk.first_row, self.name)
        if selection.labels is not None:
            found = self._texts(batch.column(selection.labels))
            labels = checked_labels(found, selection.labels, chunk.first_row, self.name)
        categories = tuple(self._texts(batch.column(name)) for name in selection.categories)
        rows = ParquetRows(batch) if selection.rows else None
        return Block(chunk.first_row, values, weights, labels, rows, selection.features, categories)

    def _texts(self, column: pa.Array) -> list[str | None]:
        cells = _plain(column).cast(pa.string()).to_pylist()
        return [None if cell is None or self._rules.is_missing(cell) else cell for cell in cells]

    def close(self) -> None:
        """See Table.close."""
        self._file.close()
        self._handle.close()
        self._source.close()


def _pandas_index(schema: pa.Schema) -> frozenset[str]:
    """The columns in which pandas keeps a frame's index."""
    metadata = schema.pandas_metadata or {}
    return frozenset(name for name in metadata.get("index_columns", ()) if isinstance(name, str))


def _empty_columns(metadata: pq.FileMetaData) -> frozenset[str]:
    """The columns without any value, as far as the statistics of the file tell."""

    def n_nulls(group: int, place: int) -> int:
        statistics = metadata.row_group(group).column(place).statistics
        return statistics.null_count if statistics and statistics.has_null_count else 0

    groups = range(metadata.num_row_groups)
    return frozenset(
        metadata.schema.column(place).path
        for place in range(metadata.num_columns)
        if all(n_nulls(group, place) == metadata.row_group(group).num_rows for group in groups)
    )


def _kind(field: pa.Field, index: frozenset[str], empty: frozenset[str]) -> ColumnKind:
    kind = field.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if field.name in empty:
        return ColumnKind(why_not="empty")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return ColumnKind(why_not="row names") if field.name in index else ColumnKind()
    if pa.types.is_null(kind):
        return ColumnKind(why_not="empty")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return ColumnKind(why_not="text", numeric=False)
    return ColumnKind(why_not=str(kind), numeric=False)


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _numbers(column: pa.Array) -> NDArray[np.float64]:
    column = _plain(column)
    if pa.types.is_decimal(column.type):
        # through text, since the direct cast need not round to the nearest double
        column = column.cast(pa.string())
    return floats(pc.cast(column, pa.float64(), safe=False))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
