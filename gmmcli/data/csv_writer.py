"""Rows -> CSV or TSV; rows of a CSV with the same delimiter stay as they are, byte for byte."""

import codecs
from collections.abc import Sequence

from gmmcli.data.csv_parsing import CsvRows
from gmmcli.data.destination import Destination
from gmmcli.data.rendering import (
    Values,
    append_to_lines,
    check_as_text,
    header_line,
    table_lines,
    to_arrow,
)
from gmmcli.data.table import Block, Table, TextRules
from gmmcli.data.writer import AppendedColumn, Writer, columns_of
from gmmcli.errors import OutputError


class CsvWriter(Writer):
    """See Writer. style: how the input was written, and the delimiter of the output."""

    def __init__(
        self,
        destination: Destination,
        compression: str | None,
        like: Table | None,
        columns: Sequence[AppendedColumn],
        style: tuple[TextRules, str],
    ) -> None:
        super().__init__(destination, compression, like, columns)
        self._rules, self._delimiter = style
        self._same_text = like is not None and self._rules.delimiter == self._delimiter
        if like is not None and like.schema is not None:
            for field in like.schema:
                check_as_text(field.type, field.name)
        self._encoder = None
        if self._rules.encoding != "utf-8":
            self._encoder = codecs.getincrementalencoder(self._rules.encoding)()
        self.emit(self._header())

    def _header(self) -> bytes:
        own = [column.name for column in self._columns]
        mark = b"\xef\xbb\xbf" if self._rules.byte_order_mark else b""
        if self._like is None:
            return self._line(header_line(own, self._delimiter))
        if self._like.text_rules is None:
            return self._line(header_line([*self._like.columns, *own], self._delimiter))
        if self._rules.header is None:
            return mark
        if self._same_text:
            line = header_line(own, self._delimiter)
            return mark + self._rules.header + self._line(self._delimiter + line if own else "")
        return mark + self._line(header_line([*self._like.columns, *own], self._delimiter))

    def _line(self, text: str) -> bytes:
        return text.encode() + self._rules.line_end

    def render(self, block: Block | None, values: Sequence[Values]) -> bytes:
        """See Writer.render."""
        extra = [
            to_arrow(column, appended.kind)
            for column, appended in zip(values, self._columns, strict=True)
        ]
        if block is None:
            return table_lines(extra, self._delimiter, self._rules.line_end)
        if self._same_text and isinstance(block.rows, CsvRows):
            return append_to_lines(block.rows, extra, self._rules.line_end)
        return table_lines([*columns_of(block), *extra], self._delimiter, self._rules.line_end)

    def emit(self, rendered: bytes) -> None:
        """See Writer.emit."""
        if self._encoder is not None:
            try:
                rendered = self._encoder.encode(rendered.decode())
            except UnicodeEncodeError as error:
                raise OutputError(
                    f"'{error.object[error.start]}' cannot be written in {self._rules.encoding}",
                    "convert the input to UTF-8 first",
                ) from error
        if rendered:
            self._out.write(rendered)

    def _end(self) -> None:
        self.emit(b"")
