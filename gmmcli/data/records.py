r"""Bytes -> chunks of whole CSV records, in constant memory.

Records are split as RFC 4180, Python's csv module and pyarrow do: a quote opens a quoted field
only at the start of a field, and a line end is "\n", "\r\n" or "\r".
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmcli.data.source import Stream
from gmmcli.errors import DataError

CHUNK_BYTES = 4 << 20
# One record longer than this is a quote that was never closed.
LONGEST_RECORD = 64 << 20

_QUOTE, _LF, _CR = 0x22, 0x0A, 0x0D

Offsets = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Records:
    """Whole records, in UTF-8.

    Record i is buffer[begin_i : ends[i]], where begin_i is after the line end of the one before
    (for the first: start); blank lines lie between records.

    n_blank : blank lines among them.
    quoted : some field may be quoted.
    unclosed : a quote before the end of the file is never closed.
    """

    buffer: bytes
    start: int
    ends: Offsets
    n_blank: int
    quoted: bool
    unclosed: bool


def split_records(
    buffer: bytes, start: int, delimiter: str, *, final: bool, keep_blank: bool
) -> tuple[Records, int]:
    """The whole records of buffer[start:], and where the rest begins.

    final: the buffer holds the end of the file, so the last record needs no line end.
    keep_blank: an empty line is a record (it is one in a table of one column).
    """
    data = np.frombuffer(buffer, np.uint8)[start:]
    quotes = np.flatnonzero(data == _QUOTE) if b'"' in buffer else np.empty(0, np.int64)
    stops = _line_ends(data, final=final) if b"\r" in buffer else np.flatnonzero(data == _LF)
    unclosed = False
    if len(quotes):
        opening, closing = _quoted_fields(buffer[start:], quotes, delimiter)
        field = np.searchsorted(opening, stops, side="right") - 1
        stops = stops[(field < 0) | (stops > np.append(closing, 0)[field])]
        unclosed = final and len(closing) > 0 and bool(closing[-1] == len(data))
    begins = np.concatenate(([0], stops + 1)).astype(np.int64)
    rest = int(begins[-1])
    ends = stops
    if b"\r" in buffer and len(stops):
        two = (data[stops] == _LF) & (stops > 0) & (data[stops - 1] == _CR)
        ends = stops - two
    if final and rest < len(data):
        ends = np.append(ends, len(data))
        rest = len(data)
    n_lines = len(ends)
    if not keep_blank:
        ends = ends[ends > begins[:n_lines]]
    whole = buffer[: start + rest]
    n_blank = n_lines - len(ends)
    records = Records(whole, start, ends + start, n_blank, bool(len(quotes)), unclosed)
    return records, start + rest


def _line_ends(data: NDArray[np.uint8], *, final: bool) -> Offsets:
    """Where lines end, in text with carriage returns."""
    stops = np.flatnonzero(data == _LF)
    returns = np.flatnonzero(data == _CR)
    if not final:
        # a "\r" in the last place may be the first half of "\r\n"
        returns = returns[returns < len(data) - 1]
    following = data[np.minimum(returns + 1, len(data) - 1)]
    alone = returns[(following != _LF) | (returns == len(data) - 1)]
    return np.sort(np.concatenate((stops, alone))) if len(alone) else stops


def _quoted_fields(text: bytes, quotes: Offsets, delimiter: str) -> tuple[Offsets, Offsets]:
    """Where quoted fields open and close; an open one closes at the end of the text."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.frombuffer(text, np.uint8)[opening - 1]
    at_start = np.isin(before, (ord(delimiter), _LF, _CR, _QUOTE)) | (opening == 0)
    if at_start.all():
        return opening, closing if len(closing) == len(opening) else np.append(closing, len(text))
    # quotes stand inside unquoted fields, so they do not come in pairs
    mark = re.escape(delimiter.encode())
    pattern = re.compile(rb"(?:\A|[\r\n]|" + mark + rb')("[^"]*(?:""[^"]*)*)(?:"|\Z)')
    spans = np.array([m.span(1) for m in pattern.finditer(text)], np.int64).reshape(-1, 2)
    return spans[:, 0], spans[:, 1]


class RecordReader:
    """Chunks of whole records from a stream, in order; their borders depend on the bytes alone.

    Raises
    ------
    DataError : bytes that are not text in this encoding, NUL bytes, a quote never closed.
    """

    def __init__(
        self, stream: Stream, name: str, *, delimiter: str, encoding: str, n_columns: int = 1
    ) -> None:
        self._stream = stream
        self._name = name
        self._delimiter = delimiter
        self._encoding = encoding
        self._decoder = None
        if encoding != "utf-8":
            self._decoder = codecs.getincrementaldecoder(encoding)()
        self._n_bytes = 0
        # every chunk costs something for each column, so those of wide tables are larger
        self._chunk_bytes = CHUNK_BYTES * min(8, 1 + n_columns // 256)

    def read(self, *, skip: int = 0, keep_blank: bool = False, first: int = 1) -> Iterator[Records]:
        """All chunks from `skip` bytes (of UTF-8) on; `first` is the first record's number."""
        buffer, start, number, final = b"", skip, first, False
        while not final:
            piece = self._stream.read(self._chunk_bytes)
            final = not piece
            buffer += self._as_utf8(piece, final=final)
            if len(buffer) < start:
                continue
            records, rest = split_records(
                buffer, start, self._delimiter, final=final, keep_blank=keep_blank
            )
            if records.unclosed:
                raise self._endless(_place(number + len(records.ends) - 1), quoted=True)
            if len(records.ends):
                self._check(records, number)
                yield records
                number += len(records.ends)
            elif len(buffer) - rest > LONGEST_RECORD:
                raise self._endless(_place(number), quoted=records.quoted)
            buffer, start = buffer[rest:], 0

    def _endless(self, place: str, *, quoted: bool) -> DataError:
        if not quoted:
            size = f"{LONGEST_RECORD >> 20} MB"
            return DataError(
                f"{self._name}: {place} has no line end within {size}", "look whether it is text"
            )
        return DataError(
            f"{self._name}: {place} opens a quote that is never closed",
            'close it, or write a quote in a quoted cell twice ("")',
        )

    def _as_utf8(self, piece: bytes, *, final: bool) -> bytes:
        before = self._n_bytes
        self._n_bytes += len(piece)
        if self._decoder is None:
            return piece
        try:
            return self._decoder.decode(piece, final).encode()
        except UnicodeError as error:
            place = before + getattr(error, "start", 0)
            raise DataError(
                f"{self._name} is not in the encoding {self._encoding}: near byte {place + 1}",
                "name the encoding it has: --encoding utf-8, latin-1, cp1252, utf-16 …",
            ) from error

    def _check(self, records: Records, number: int) -> None:
        nul = records.buffer.find(b"\0")
        if nul >= 0:
            place = _place(number + int(np.searchsorted(records.ends, nul)))
            raise DataError(
                f"{self._name}: {place} holds a NUL byte, so this is not plain text",
                "if it is UTF-16, add --encoding utf-16; if it is Parquet, --input-format parquet",
            )
        if self._decoder is not None or records.buffer.isascii():
            return
        try:
            records.buffer.decode("utf-8")
        except UnicodeDecodeError as error:
            place = _place(number + int(np.searchsorted(records.ends, error.start)))
            byte = records.buffer[error.start]
            raise DataError(
                f"{self._name}: {place} is not UTF-8 (byte 0x{byte:02x})",
                "name the encoding it has: --encoding latin-1, cp1252, utf-16 …",
            ) from error


def _place(number: int) -> str:
    return f"row {number}" if number else "the header"
