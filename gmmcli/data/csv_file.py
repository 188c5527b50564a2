"""A CSV or TSV file as a table: parsed by pyarrow, in chunks of whole records."""

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
from gmmcli.data.csv_header import (
    check_single_cell,
    check_single_name,
    checked_delimiter,
    checked_encoding,
    checked_names,
)
from gmmcli.data.csv_parsing import CsvRows, head, judge_column, line_stop, read_columns
from gmmcli.data.records import RecordReader, Records
from gmmcli.data.source import Source, Stream, changed
from gmmcli.data.table import Block, Chunk, ColumnKind, ReadOptions, Selection, Table, TextRules
from gmmcli.errors import DataError

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
        self._delimiter = checked_delimiter(options.delimiter, tab=tab)
        self._encoding = checked_encoding(options.encoding)
        self._skip = self._n_blank = 0
        self.columns = ()
        self._read_header(options)
        self.kinds = self._judge()
        if len(self.columns) == 1 and options.delimiter is None:
            kind = self.kinds[self.columns[0]]
            check_single_cell(kind.cell, self.columns[0], self.where(kind.row))

    def _read_header(self, options: ReadOptions) -> None:
        first = self._first_records()
        header = first.buffer[first.start : first.ends[0]]
        line = header.lstrip(b"\r\n")
        rules = pa_csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True)
        try:
            fields = pa_csv.read_csv(pa.BufferReader(line + b"\n"), parse_options=rules)
        except pa.ArrowInvalid as error:
            raise DataError(
                f"the first line of {self.name} is not CSV", "look for a quote that is not closed"
            ) from error
        names = tuple(fields.column_names)
        if len(names) == 1 and options.delimiter is None:
            check_single_name(names[0], self._delimiter, self.name)
        if options.header:
            self._skip = line_stop(first.buffer, int(first.ends[0]))
            self._n_blank = len(header[: len(header) - len(line)].splitlines())
            self.columns = checked_names(names, self.name)
        else:
            self._skip = first.start
            self.columns = tuple(str(place + 1) for place in range(len(names)))
        after = first.buffer[first.ends[0] : first.ends[0] + 2]
        self.text_rules = TextRules(
            header=header if options.header else None,
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
        n_rows, n_blank = 0, self._n_blank
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
            found = self._texts(chunk, selection.labels)
            labels = checked_labels(found, selection.labels, chunk.first_row, self.name)
        categories = tuple(self._texts(chunk, name) for name in selection.categories)
        rows = None
        if selection.rows:
            rows = CsvRows(chunk.content, self.columns, self._delimiter)
        return Block(chunk.first_row, values, weights, labels, rows, selection.features, categories)

    def _texts(self, chunk: Chunk, name: str) -> list[str | None]:
        cells = self._text(chunk.content, self._places((name,)), chunk.first_row)
        texts = cells.column(0).to_pylist()
        return [None if self._rules.is_missing(text) else text for text in texts]

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
        if n_fields < len(self.columns):
            where = f"has nothing in column '{self.columns[n_fields]}'"
            advice = "complete that row: an empty cell needs its delimiter too"
        else:
            where = f"goes on after the last column, '{self.columns[-1]}'"
            advice = 'look at that row: a delimiter in a cell needs quotes around it ("a, b")'
            if self._delimiter == ",":
                advice += ", a decimal comma must be a point"
        message = f"row {row} {where}: it has {fields}, and the first line has {len(self.columns)}"
        return DataError(f"{self.name}: {message}", advice)

    def close(self) -> None:
        """See Table.close."""
        self._source.close()
