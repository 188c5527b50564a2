"""Rows -> Parquet; rows of a Parquet input keep its schema."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gmmcli.data.arrow import numbers
from gmmcli.data.destination import Destination
from gmmcli.data.rendering import Values, to_arrow
from gmmcli.data.table import Block, Table
from gmmcli.data.writer import AppendedColumn, Writer, columns_of

_ARROW_TYPES = {"int": pa.int64(), "float": pa.float64(), "text": pa.string()}
_ROW_GROUP = 1 << 17


class ParquetWriter(Writer):
    """See Writer. features: the columns of a CSV that become numbers."""

    def __init__(
        self,
        destination: Destination,
        compression: str | None,
        like: Table | None,
        columns: Sequence[AppendedColumn],
        features: Sequence[str],
    ) -> None:
        super().__init__(destination, compression, like, columns)
        self._waiting: list[pa.Table] = []
        self._n_waiting = 0
        self._schema = _schema(like, columns, features)
        self._writer = pq.ParquetWriter(self._out, self._schema)
        # before what it writes into is closed, after a fault too
        self._closing.callback(self._close_file)

    def render(self, block: Block | None, values: Sequence[Values]) -> pa.Table:
        """See Writer.render."""
        arrays = []
        if block is not None:
            arrays = columns_of(block)
            if self._like is not None and self._like.schema is None:
                for name, row in zip(block.features, block.values, strict=True):
                    place = self._schema.get_field_index(name)
                    if self._schema.field(place).type == pa.float64():
                        arrays[place] = numbers(row, np.isnan(row))
        for column, appended in zip(values, self._columns, strict=True):
            arrays.append(to_arrow(column, appended.kind))
        return pa.Table.from_arrays(arrays, schema=self._schema)

    def emit(self, rendered: pa.Table) -> None:
        """See Writer.emit."""
        self._waiting.append(rendered)
        self._n_waiting += rendered.num_rows
        if self._n_waiting >= _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting, self._n_waiting = [], 0

    def _end(self) -> None:
        self._flush()

    def _close_file(self) -> None:
        try:
            self._writer.close()
        finally:
            # or it would try again when it is collected
            self._writer.is_open = False


def _schema(
    like: Table | None, columns: Sequence[AppendedColumn], features: Sequence[str]
) -> pa.Schema:
    own = [pa.field(column.name, _ARROW_TYPES[column.kind]) for column in columns]
    if like is None:
        return pa.schema(own)
    if like.schema is not None:
        return pa.schema([*like.schema, *own], metadata=like.schema.metadata)
    numeric = frozenset(features)
    kinds = [pa.float64() if name in numeric else pa.string() for name in like.columns]
    named = [pa.field(name, kind) for name, kind in zip(like.columns, kinds, strict=True)]
    return pa.schema([*named, *own])
