"""NumPy and text <-> Arrow, by their buffers.

pyarrow's own conversions (pa.array, pa.scalar, to_numpy) import pandas, wherever it is installed:
0.25 s, which is more than all else that a small file takes.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def limit_threads(n_threads: int) -> None:
    """Holds pyarrow to this many threads of its own (it decodes Parquet columns on them)."""
    pa.set_cpu_count(n_threads)


def floats(column: pa.Array) -> NDArray[np.float64]:
    """A float64 column -> (n,), perhaps read-only; null becomes NaN."""
    if not len(column):
        return np.empty(0)
    validity, data = column.buffers()
    rows = slice(column.offset, column.offset + len(column))
    values = np.frombuffer(data, np.float64)[rows]
    if not column.null_count:
        return values
    valid = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")[rows]
    return np.where(valid, values, np.nan)


def numbers(values: NDArray[np.int64] | NDArray[np.float64], absent: NDArray[np.bool_]) -> pa.Array:
    """(n,) int64 or float64 -> a column, null where absent."""
    kind = pa.int64() if values.dtype == np.int64 else pa.float64()
    data = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [_validity(absent), data])


def texts(cells: Sequence[str | None], kind: pa.DataType | None = None) -> pa.Array:
    """Texts -> a column of strings (or of binary), null for None."""
    encoded = [b"" if cell is None else cell.encode() for cell in cells]
    borders = np.zeros(len(cells) + 1, np.int32)
    np.cumsum([len(cell) for cell in encoded], out=borders[1:])
    absent = np.array([cell is None for cell in cells], bool)
    buffers = [_validity(absent), pa.py_buffer(borders), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(kind or pa.string(), len(cells), buffers)


def constant(cell: str | None, kind: pa.DataType | None = None) -> pa.Scalar:
    """One text for all rows."""
    return texts([cell], kind)[0]


def _validity(absent: NDArray[np.bool_]) -> pa.Buffer | None:
    return pa.py_buffer(np.packbits(~absent, bitorder="little")) if absent.any() else None
