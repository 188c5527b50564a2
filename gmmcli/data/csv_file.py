"""A CSV or TSV file as a table: parsed by pyarrow, in chunks of whole records."""

import codecs
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from gmmcli.data.arrow import floats
from gmmcli.data.cells import (
    MissingRules,
    checked_labels,
    checked_weights,
    not_a_number,
    parse_cells,
)
from gmmcli.data.csv_parsing import CsvRows, head, judge_column, line_stop, read_columns
from gmmcli.data.records import RecordReader, Records
from gmmcli.data.source import Source, Stream, changed
from gmmcli.data.table import Block, Chunk, ColumnKind, ReadOptions, Selection, Table, TextRules
from gmmcli.errors import DataError, UsageError

# A column is judged by this many rows, and by more where all of them are missing.
_JUDGED_ROWS = 1000
_JUDGED_CHUNKS = 8
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class CsvTable(Table):
    """See Table.

    Raises
    ------
    DataError : not a table of text with one header and as many fields in each row.
    UsageError : a delimiter or an encoding that cannot be.
    """

    def __init__(self, source: Source, options: ReadOptions, *, tab: bool) -> None:
        self.name = source.name
        self.path = source.path
        self._source = source
        self.scratch = source.scratch
        self._end: tuple[int, int] | None = None
        self._rules = MissingRules(options.na_values)
        self._delimiter = _checked_delimiter(options.delimiter, tab=tab)
        self._encoding = _checked_encoding(options.encoding)
        self._skip = 0
        self.columns = ()
        self._read_header(options)
        self.kinds = self._judge()

    def _read_header(self, options: ReadOptions) -> None:
        first = self._first_records()
        line = first.buffer[first.start : first.ends[0]].lstrip(b"\r\n")
        rules = pa_csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True)
        try:
            fields = pa_csv.read_csv(pa.BufferReader(line + b"\n"), parse_options=rules)
        except pa.ArrowInvalid as error:
            raise DataError(
                f"the first line of {self.name} is not CSV", "look for a quote that is not closed"
            ) from error
        names = tuple(fields.column_names)
        self._check_single(names, options)
        if options.header:
            self._skip = line_stop(first.buffer, int(first.ends[0]))
            self.columns = _checked_names(names, self.name)
        else:
            self._skip = first.start
            self.columns = tuple(str(place + 1) for place in range(len(names)))
        after = first.buffer[first.ends[0] : first.ends[0] + 2]
        self.text_rules = TextRules(
            header=line if options.header else None,
            delimiter=self._delimiter,
            line_end=b"\r\n" if after == b"\r\n" else after[:1] or b"\n",
            encoding=self._encoding,
            byte_order_mark=first.start > 0,
        )

    def _first_records(self) -> Records:
        stream = self._source.open()
        try:
            skip = 0
            if self._encoding == "utf-8" and self._source.starts_with(_BYTE_ORDER_MARK):
                skip = len(_BYTE_ORDER_MARK)
            for records in self._reader(stream).read(skip=skip, first=0):
                return records
        finally:
            stream.close()
        raise DataError(f"{self.name} is empty", "give a file with a header line and rows")

    def _reader(self, stream: Stream) -> RecordReader:
        return RecordReader(
            stream,
            self.name,
            delimiter=self._delimiter,
            encoding=self._encoding,
            n_columns=len(self.columns),
        )

    def _check_single(self, names: Sequence[str], options: ReadOptions) -> None:
        if len(names) > 1 or options.delimiter is not None:
            return
        for mark, flag in ((";", "-d ';'"), ("\t", "-d '\\t'"), ("|", "-d '|'"), (",", "-d ','")):
            if mark in names[0] and mark != self._delimiter:
                shown = "a tab" if mark == "\t" else f"'{mark}'"
                raise DataError(
                    f"{self.name} has one column only, and its first line holds {shown}",
                    f"name the delimiter: {flag}",
                )

    def _judge(self) -> dict[str, ColumnKind]:
        """Numeric, text or empty, by the first rows; by more where those are all missing."""
        kinds: dict[str, ColumnKind] = {}
        undecided = self.columns
        nothing = Selection(())
        for number, chunk in enumerate(islice(self.chunks(nothing), _JUDGED_CHUNKS)):
            records = chunk.content
            if number == 0:
                records = head(records, _JUDGED_ROWS)
            cells = self._text(records, self._places(undecided), chunk.first_row)
            for name, column in zip(undecided, cells.columns, strict=True):
                kind = judge_column(column.to_pylist(), self._rules, chunk.first_row)
                if kind is not None:
                    kinds[name] = kind
            undecided = tuple(name for name in undecided if name not in kinds)
            if not undecided:
                break
        kinds.update((name, ColumnKind(why_not="empty")) for name in undecided)
        unnamed = self.columns[0]
        if unnamed == "" and not kinds[unnamed].why_not:
            kinds[unnamed] = ColumnKind(why_not="row names")
        return kinds

    def chunks(self, selection: Selection, *, again: bool = True) -> Iterator[Chunk]:
        """See Table.chunks."""
        del selection  # all columns stand in the same bytes
        self._source.check_unchanged()
        stream = self._source.open(again=again)
        n_rows = n_blank = 0
        try:
            single = len(self.columns) == 1
            for records in self._reader(stream).read(skip=self._skip, keep_blank=single):
                yield Chunk(records, n_rows, len(records.ends), stream.share())
                n_rows += len(records.ends)
                n_blank += records.n_blank
        finally:
            stream.close()
        self._source.check_unchanged()
        end = (n_rows, stream.checksum)
        if self._end not in (None, end):
            raise changed(self.name)
        self._end = end
        self.n_rows, self.n_blank_lines = n_rows, n_blank

    def parse(self, chunk: Chunk, selection: Selection) -> Block:
        """See Table.parse."""
        wanted = selection.features
        if selection.weights is not None:
            wanted = (*wanted, selection.weights)
        values = self._numbers(chunk, wanted)
        weights = labels = None
        if selection.weights is not None:
            weights = checked_weights(values[-1], selection.weights, chunk.first_row, self.name)
            values = values[:-1]
        if selection.labels is not None:
            place = self._places((selection.labels,))
            cells = self._text(chunk.content, place, chunk.first_row).column(0).to_pylist()
            found = [None if self._rules.is_missing(cell) else cell for cell in cells]
            labels = checked_labels(found, selection.labels, chunk.first_row, self.name)
        rows = None
        if selection.rows:
            rows = CsvRows(chunk.content, self.columns, self._delimiter)
        return Block(chunk.first_row, values, weights, labels, rows, selection.features)

    def _numbers(self, chunk: Chunk, names: Sequence[str]) -> NDArray[np.float64]:
        places = self._places(names)
        values = np.empty((len(names), chunk.n_rows))
        try:
            table = read_columns(
                chunk.content, self._delimiter, places, len(self.columns), self._rules.tokens
            )
        except pa.ArrowInvalid:
            table = self._text(chunk.content, places, chunk.first_row)
            for row, name in enumerate(names):
                values[row], bad = parse_cells(table.column(row).combine_chunks(), self._rules)
                if bad is not None:
                    cell = table.column(row)[bad].as_py()
                    raise not_a_number(self.name, name, chunk.first_row + bad + 1, cell) from None
            return values
        for row, column in enumerate(table.columns):
            values[row] = floats(column.combine_chunks())
        self._rules.blank_out(values)
        return values

    def _places(self, names: Iterable[str]) -> list[int]:
        place_of = {name: place for place, name in enumerate(self.columns)}
        return [place_of[name] for name in names]

    def _text(self, records: Records, places: Sequence[int], first_row: int) -> pa.Table:
        ragged: list[tuple[int, int]] = []
        try:
            return read_columns(records, self._delimiter, places, len(self.columns), ragged=ragged)
        except pa.ArrowInvalid as error:
            if not ragged:
                raise DataError(f"{self.name} is not CSV: {error}", "look at the file") from error
            number, n_fields = ragged[0]
            raise self._ragged(first_row + number, n_fields) from error

    def _ragged(self, row: int, n_fields: int) -> DataError:
        fields = "1 field" if n_fields == 1 else f"{n_fields} fields"
        return DataError(
            f"{self.name}: row {row} has {fields}, and the first line has {len(self.columns)}",
            'look at that row: a delimiter in a cell needs quotes around it ("a, b")',
        )

    def close(self) -> None:
        """See Table.close."""
        self._source.close()


def _checked_delimiter(delimiter: str | None, *, tab: bool) -> str:
    if delimiter is None:
        return "\t" if tab else ","
    if delimiter == "\\t":
        return "\t"
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise UsageError(
            f"the delimiter '{delimiter}' cannot be used",
            "give one ASCII character, such as ';' or '\\t'",
        )
    return delimiter


def _checked_encoding(encoding: str) -> str:
    try:
        codec = codecs.lookup(encoding)
    except (LookupError, ValueError):
        codec = None
    if codec is None or not getattr(codec, "_is_text_encoding", True):
        raise UsageError(
            f"unknown encoding '{encoding}'", "name one that Python knows: utf-8, latin-1, cp1252 …"
        )
    # the byte order mark of UTF-8 is seen without being told
    return "utf-8" if codec.name == "utf-8-sig" else codec.name


def _checked_names(names: tuple[str, ...], source: str) -> tuple[str, ...]:
    # an unnamed first column is what pandas and R write for row names
    unnamed = [str(place + 1) for place, name in enumerate(names) if place and not name]
    if unnamed:
        raise DataError(
            f"{source}: the header gives no name to column {', '.join(unnamed)}",
            "name it in the header, or add --no-header if the first line is data",
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"{source}: the header names {', '.join(repr(name) for name in twice)} more than once",
            "rename the columns, or add --no-header if the first line is data",
        )
    return names
