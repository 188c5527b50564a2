"""The files: the only room that imports pyarrow.

    paths.py           what a path alone tells
    source.py          the bytes of an input: a file or a pipe, decompressed, as often as needed
    spool.py           temporary copies, and a pipe that can be read again
    records.py         bytes -> chunks of whole CSV records
    arrow.py           NumPy and text <-> Arrow
    cells.py           text of cells -> float64, and what counts as missing
    csv_header.py      how a CSV is written: options and first lines checked
    csv_parsing.py     records -> columns of text or numbers
    table.py           Table, Block, Selection: what CSV and Parquet have in common
    csv_file.py        a CSV or TSV file as a Table
    parquet_file.py    a Parquet file as a Table
    parquet_folder.py  several Parquet files as one Table
    opening.py         a path and its options -> a Table
    columns.py         which columns are features
    missing_rows.py    how many rows have a missing value, and where the first is
    complete_rows.py   a pass over the rows that can be fitted
    matrix.py          rows in memory
    passes.py          rows that do not fit there: a temporary copy, or the table anew
    loading.py         a table -> the batches of a fit, by one of these ways
    destination.py     atomic files, standard output, special files
    rendering.py       rows -> the bytes of CSV
    writer.py          Writer: what outputs of rows have in common
    csv_writer.py      rows with appended columns -> CSV
    parquet_writer.py  rows with appended columns -> Parquet
    writing.py         a path -> a Writer

Nothing is imported before it is used: `import gmmcli.data` alone costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gmmcli.data.arrow import limit_threads
    from gmmcli.data.cells import leave_out
    from gmmcli.data.columns import (
        Features,
        choose_among,
        choose_features,
        find_column,
        match_columns,
        numbers_in_header,
    )
    from gmmcli.data.complete_rows import CompleteRows, Counts, Piece
    from gmmcli.data.destination import check_output, write_bytes, write_text
    from gmmcli.data.loading import Loaded, load
    from gmmcli.data.missing_rows import MissingRows
    from gmmcli.data.opening import open_table
    from gmmcli.data.paths import check_table_format, standard_stream
    from gmmcli.data.source import changed
    from gmmcli.data.spool import readable_size
    from gmmcli.data.table import (
        Block,
        Chunk,
        ColumnKind,
        MapOrdered,
        ReadOptions,
        Selection,
        Table,
    )
    from gmmcli.data.writer import AppendedColumn, Writer
    from gmmcli.data.writing import open_writer

_HOME = {
    "Features": "columns",
    "choose_among": "columns",
    "choose_features": "columns",
    "find_column": "columns",
    "match_columns": "columns",
    "numbers_in_header": "columns",
    "leave_out": "cells",
    "limit_threads": "arrow",
    "CompleteRows": "complete_rows",
    "Counts": "complete_rows",
    "Piece": "complete_rows",
    "check_output": "destination",
    "write_bytes": "destination",
    "write_text": "destination",
    "Loaded": "loading",
    "load": "loading",
    "MissingRows": "missing_rows",
    "Block": "table",
    "Chunk": "table",
    "ColumnKind": "table",
    "MapOrdered": "table",
    "ReadOptions": "table",
    "Selection": "table",
    "Table": "table",
    "open_table": "opening",
    "check_table_format": "paths",
    "standard_stream": "paths",
    "changed": "source",
    "readable_size": "spool",
    "AppendedColumn": "writer",
    "Writer": "writer",
    "open_writer": "writing",
}

__all__ = [
    "AppendedColumn",
    "Block",
    "Chunk",
    "ColumnKind",
    "CompleteRows",
    "Counts",
    "Features",
    "Loaded",
    "MapOrdered",
    "MissingRows",
    "Piece",
    "ReadOptions",
    "Selection",
    "Table",
    "Writer",
    "changed",
    "check_output",
    "check_table_format",
    "choose_among",
    "choose_features",
    "find_column",
    "leave_out",
    "limit_threads",
    "load",
    "match_columns",
    "numbers_in_header",
    "open_table",
    "open_writer",
    "readable_size",
    "standard_stream",
    "write_bytes",
    "write_text",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
