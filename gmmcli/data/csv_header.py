"""How a CSV is written, as its options and its first lines tell: checked on opening."""

import codecs
from collections import Counter

from gmmcli.data.cells import to_float
from gmmcli.errors import DataError, UsageError


def checked_delimiter(delimiter: str | None, *, tab: bool) -> str:
    """The delimiter, when it is one ASCII character; by default a comma, or a tab."""
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


def checked_encoding(encoding: str) -> str:
    """The name of the codec, when it is one of text."""
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


def checked_names(names: tuple[str, ...], source: str) -> tuple[str, ...]:
    """The names, when each column has one of its own."""
    if not any(name.strip() for name in names):
        raise DataError(
            f"{source}: the first line names no column: its cells are empty",
            "take that line out, or write the names of the columns there",
        )
    # an unnamed first column is what pandas and R write for row names
    unnamed = [str(place + 1) for place, name in enumerate(names) if place and not name.strip()]
    if unnamed:
        columns = "column" if len(unnamed) == 1 else "columns"
        raise DataError(
            f"{source}: the header gives no name to {columns} {', '.join(unnamed)}",
            "write a name there, or add --no-header if the first line is data",
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"{source}: the header names {', '.join(repr(name) for name in twice)} more than once",
            "rename the columns, or add --no-header if the first line is data",
        )
    return names


def check_single_name(name: str, delimiter: str, source: str) -> None:
    """Raises DataError when the name of the only column holds what looks like a delimiter."""
    for mark, flag in ((";", "-d ';'"), ("\t", "-d '\\t'"), ("|", "-d '|'"), (",", "-d ','")):
        if mark in name and mark != delimiter:
            shown = "a tab" if mark == "\t" else f"'{mark}'"
            raise DataError(
                f"{source} has one column only, and its first line holds {shown}",
                f"name the delimiter: {flag}",
            )


def check_single_cell(cell: str, column: str, place: str) -> None:
    """Raises DataError when a cell of the only column holds several numbers.

    place : words for the file and the row.
    """
    numbers = [to_float(part) for part in cell.split()]
    if len(numbers) > 1 and None not in numbers:
        raise DataError(
            f"{place}, column '{column}' holds '{cell[:40]}': several numbers",
            "name the delimiter: -d ' '; of several blanks in a row, `tr -s ' '` makes one",
        )
