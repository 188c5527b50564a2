"""Rows -> the bytes of CSV.

Every float is written in one style, pyarrow's: the fewest digits that read back as the same
float64, without ".0" (1.5, 0.00001, 1e+300, 3). It is six times faster than repr.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gmmcli.data.arrow import constant, numbers, texts
from gmmcli.data.csv_parsing import CsvRows
from gmmcli.errors import OutputError

Values = np.ndarray | Sequence[Any]


def to_arrow(values: Values, kind: str) -> pa.Array:
    """An appended column of a kind (see AppendedColumn); masked values, None and NaN are null."""
    if kind == "text":
        return texts(list(values))
    if isinstance(values, np.ndarray):
        absent = np.ma.getmaskarray(values)
        data = np.ma.getdata(values)
    else:
        absent = np.array([value is None for value in values], bool)
        data = np.array([0 if value is None else value for value in values])
    if kind == "int":
        return numbers(data.astype(np.int64, copy=False), absent)
    data = data.astype(np.float64, copy=False)
    return numbers(data, absent | np.isnan(data))


def quoted(cell: str, delimiter: str) -> str:
    """One cell by the rules of CSV."""
    if any(mark in cell for mark in (delimiter, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def header_line(names: Sequence[str], delimiter: str) -> str:
    """The names as one line, without its line end."""
    line = delimiter.join(quoted(name, delimiter) for name in names)
    return line or '""'


def append_to_lines(rows: CsvRows, extra: Sequence[pa.Array], line_end: bytes) -> bytes:
    """The rows byte for byte, each with its extra cells."""
    records = rows.records
    content = pa.py_buffer(records.buffer)
    # A row begins where the one before ended: line ends and blank lines travel in front of it.
    borders = np.concatenate(([records.start], records.ends)).astype(np.int32)
    lines = pa.Array.from_buffers(
        pa.binary(), len(records.ends), [None, pa.py_buffer(borders), content]
    )
    joined = _join([lines, *(_cells(column, rows.delimiter) for column in extra)], rows.delimiter)
    tail = records.buffer[records.ends[-1] :] or line_end
    return b"".join((_content(joined), tail))


def table_lines(columns: Sequence[pa.Array], delimiter: str, line_end: bytes) -> bytes:
    """Whole rows of cells, quoted where they need it."""
    cells = [_cells(column, delimiter) for column in columns]
    if len(cells) == 1:
        # an empty line would be no row
        empty = pc.equal(cells[0], constant("", pa.binary()))
        cells = [pc.if_else(empty, constant('""', pa.binary()), cells[0])]
    joined = _join(cells, delimiter)
    lines = _join([joined, texts([""] * len(joined), pa.binary())], line_end.decode())
    return bytes(_content(lines))


def check_as_text(kind: pa.DataType, name: str) -> None:
    """Raises OutputError when values of this type cannot be cells."""
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise OutputError(
            f"column '{name}' holds {kind}, which cannot be written as CSV",
            "write Parquet instead: name the output .parquet",
        )


def _join(columns: Sequence[pa.Array], separator: str) -> pa.Array:
    return pc.binary_join_element_wise(*columns, constant(separator, pa.binary()))


def _content(joined: pa.Array) -> memoryview:
    """The bytes of all elements, one after the other."""
    if isinstance(joined, pa.ChunkedArray):
        joined = joined.combine_chunks()
    if not len(joined):
        return memoryview(b"")
    offsets = np.frombuffer(joined.buffers()[1], np.int32)
    first, last = offsets[joined.offset], offsets[joined.offset + len(joined)]
    return memoryview(joined.buffers()[2])[first:last]


def _cells(column: pa.Array, delimiter: str) -> pa.Array:
    """A column as the bytes of its cells; null is an empty one."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    text = pc.coalesce(column.cast(pa.string()), constant(""))
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return text.cast(pa.binary())
    marks = "[" + "".join(f"\\x{{{ord(mark):x}}}" for mark in (delimiter, '"', "\r", "\n")) + "]"
    needs = pc.match_substring_regex(text, marks)
    if pc.any(needs).as_py():
        quote = constant('"')
        doubled = pc.replace_substring(text, '"', '""')
        wrapped = pc.binary_join_element_wise(quote, doubled, quote, constant(""))
        text = pc.if_else(needs, wrapped, text)
    return text.cast(pa.binary())
