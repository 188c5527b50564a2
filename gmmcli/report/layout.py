"""Aligned tables as lines, and lines onto a stream, plain or in colour.

A line is a list of spans, each a text and the name of a style. Text is never parsed for markup:
what a column is called cannot change how it looks. Only spans of the style "glyphs" hold bars
and sparklines, which have other characters where the stream lacks theirs.
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from gmmcli.report.glyphs import has_blocks, in_ascii
from gmmcli.report.printable import printable
from gmmcli.report.printable import width as cells_of

Span = tuple[str, str]
Line = list[Span]

PIPE_WIDTH = 100
"""Where there is no terminal: lines as wide as one that is wide, longer where they must be."""

_GAP = 2
_TIGHT = 1
_STYLES = {
    "title": "bold",
    "heading": "dim",
    "good": "bold green",
    "bad": "bold yellow",
    "glyphs": "cyan",
}


class Endless(int):
    """A width that a line may go beyond, since nothing cuts or folds it there: that of a pipe."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table of texts.

    heading : one text a column.
    rows : one text a column each; a row may be shorter.
    left : the columns that are aligned to the left.
    styles : row number -> style.
    remarks : row number -> what to say after the last cell of a row that is shorter.
    glyphs : the columns that hold bars or sparklines.
    """

    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: frozenset[int] = frozenset()
    styles: dict[int, str] = field(default_factory=dict)
    remarks: dict[int, str] = field(default_factory=dict)
    glyphs: frozenset[int] = frozenset()

    @property
    def breadth(self) -> int:
        """Cells of a line in one piece."""
        return _breadth(self._widths(self._table()), _GAP)

    def lines(self, width: int, *, stub: int = 1) -> list[Line]:
        """In one piece where that can be, the columns moved together if they must.

        Else in bands that fit the width, each beginning with the first `stub` columns; a column
        that is wider than the width is not cut.
        """
        table = self._table()
        widths = self._widths(table)
        lines: list[Line] = []
        bands, gap = _bands(widths, width, stub), _GAP
        if isinstance(width, Endless):
            bands = [list(range(len(widths)))]
        elif _breadth(widths, _TIGHT) <= width < _breadth(widths, _GAP):
            bands, gap = [list(range(len(widths)))], _TIGHT
        for band in bands:
            if lines:
                lines.append([])
            for i, row in enumerate(table):
                if i and band is not bands[0] and len(row) <= band[stub]:
                    continue  # a row that ended before this band
                style = self.styles.get(i - 1, "") if i else "heading"
                spans = [
                    (self._align(row[j], widths[j], j), self._style(j, style))
                    for j in band
                    if j < len(row)
                ]
                if i - 1 in self.remarks and band is bands[0]:
                    spans.append((printable(self.remarks[i - 1]), style))
                lines.append(_joined(spans, gap))
        return lines

    def _table(self) -> list[list[str]]:
        return [[printable(cell) for cell in row] for row in (self.heading, *self.rows)]

    def _widths(self, table: Sequence[Sequence[str]]) -> list[int]:
        return [
            max(cells_of(row[j]) for row in table if j < len(row)) for j in range(len(self.heading))
        ]

    def _style(self, column: int, style: str) -> str:
        return "glyphs" if column in self.glyphs and style != "heading" else style

    def _align(self, cell: str, width: int, column: int) -> str:
        space = " " * (width - cells_of(cell))
        return cell + space if column in self.left else space + cell


def _joined(spans: Sequence[Span], gap: int) -> Line:
    """Cells as a line: a gap between them, no blanks at the end, neighbours of a style as one."""
    line: Line = []
    for cell, style in spans:
        if not line:
            line.append((cell, style))
            continue
        before, last = line[-1]
        before += " " * gap
        if style == last:
            line[-1] = (before + cell, style)
        else:
            line[-1] = (before, last)
            line.append((cell, style))
    while len(line) > 1 and not line[-1][0].strip():
        line.pop()
    return [*line[:-1], (line[-1][0].rstrip(), line[-1][1])]


def _breadth(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)


def _bands(widths: Sequence[int], width: int, stub: int) -> list[list[int]]:
    first = list(range(stub))
    margin = sum(widths[:stub]) + _GAP * (stub - 1)
    bands: list[list[int]] = []
    used = width + 1
    for j in range(stub, len(widths)):
        needed = _GAP + widths[j]
        if used + needed > width:
            bands.append(list(first))
            used = margin
        bands[-1].append(j)
        used += needed
    return bands or [first]


def title(text: str) -> Line:
    """The line above a section."""
    return [(printable(text), "title")]


def phrases(parts: Sequence[str], width: int, *, separator: str, style: str = "") -> list[Line]:
    """Phrases on one line, or a line each where that is too wide."""
    together = printable(separator.join(parts))
    if cells_of(together) <= width:
        return [[(together, style)]]
    return [[(printable(part), style)] for part in parts]


def text(content: str, style: str = "") -> Line:
    """A line of one style."""
    return [(printable(content), style)]


def available_width(stream: TextIO) -> int:
    """Cells of a line on this stream; COLUMNS decides where it is set."""
    if stream.isatty():
        return shutil.get_terminal_size((PIPE_WIDTH, 24)).columns
    if os.environ.get("COLUMNS"):
        return Endless(shutil.get_terminal_size((PIPE_WIDTH, 24)).columns)
    return Endless(PIPE_WIDTH)


def write(lines: Iterable[Line], stream: TextIO, *, color: bool) -> None:
    """Write lines to a stream; characters that its encoding lacks are escaped."""
    encoding = stream.encoding or "utf-8"
    blocks = has_blocks(stream)

    def known(span: str, style: str) -> str:
        shown = in_ascii(span) if style == "glyphs" and not blocks else span
        return shown.encode(encoding, "backslashreplace").decode(encoding)

    if not color:
        stream.writelines("".join(known(*span) for span in line) + "\n" for line in lines)
        return
    # a tenth of a second to import, and nothing but colour needs it
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=stream, force_terminal=True, color_system="standard", no_color=False)
    for line in lines:
        styled = Text()
        for span, style in line:
            styled.append(known(span, style), _STYLES.get(style))
        console.print(styled, soft_wrap=True)
