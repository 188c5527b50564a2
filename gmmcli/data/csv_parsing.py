"""Records -> columns of text or numbers, by pyarrow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.csv as pa_csv

from gmmcli.data.cells import MissingRules, to_float
from gmmcli.data.records import Records
from gmmcli.data.table import ColumnKind


@dataclass(frozen=True, slots=True)
class CsvRows:
    """The rows of a block, byte for byte in UTF-8."""

    records: Records
    columns: tuple[str, ...]
    delimiter: str

    def table(self) -> pa.Table:
        """All cells as text, without their quotes."""
        places = range(len(self.columns))
        return read_columns(self.records, self.delimiter, places, len(places)).rename_columns(
            list(self.columns)
        )


def read_columns(
    records: Records,
    delimiter: str,
    places: Sequence[int],
    n_columns: int,
    missing: Sequence[str] | None = None,
    *,
    ragged: list[tuple[int, int]] | None = None,
) -> pa.Table:
    """Some columns of the records: float64 when the missing tokens are given, otherwise text.

    Raises pa.ArrowInvalid; for a row with too few or too many fields, after appending
    (its number from 1, its number of fields) to `ragged`.
    """

    def remember(row: pa_csv.InvalidRow) -> str:
        if ragged is not None:
            ragged.append((row.number, row.actual_columns))
        return "error"

    if not places:
        return pa.table({})
    content = pa.py_buffer(records.buffer)[records.start :]
    names = [str(place) for place in range(n_columns)]
    wanted = [names[place] for place in dict.fromkeys(places)]
    kind = pa.string() if missing is None else pa.float64()
    table = pa_csv.read_csv(
        pa.BufferReader(content),
        read_options=pa_csv.ReadOptions(
            column_names=names, block_size=max(len(content), 2) + 1, use_threads=False
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=records.quoted,
            ignore_empty_lines=n_columns > 1,
            invalid_row_handler=remember,
        ),
        convert_options=pa_csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, kind),
            null_values=missing,
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    columns = [table.column(names[place]) for place in places]
    return pa.Table.from_arrays(columns, names=[str(place) for place in range(len(places))])


def head(records: Records, n_rows: int) -> Records:
    """The first n_rows records at most."""
    if len(records.ends) <= n_rows:
        return records
    stop = int(records.ends[n_rows - 1])
    return replace(
        records, buffer=records.buffer[:stop] + b"\n", ends=records.ends[:n_rows], n_blank=0
    )


def judge_column(cells: Sequence[str], rules: MissingRules, first_row: int) -> ColumnKind | None:
    """What a column of text holds; None when every cell is missing."""
    n_present = n_numbers = 0
    first_text: tuple[int, str] | None = None
    for place, cell in enumerate(cells):
        if rules.is_missing(cell):
            continue
        n_present += 1
        if to_float(cell) is not None:
            n_numbers += 1
        elif first_text is None:
            first_text = (first_row + place + 1, cell)
    if not n_present:
        return None
    if first_text is None or 2 * n_numbers > n_present:
        return ColumnKind()
    return ColumnKind("text", numeric=False, row=first_text[0], cell=first_text[1])


def line_stop(buffer: bytes, end: int) -> int:
    """Where the line end after `end` stops."""
    return end + (2 if buffer[end : end + 2] == b"\r\n" else min(1, len(buffer) - end))
