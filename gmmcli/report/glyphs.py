"""Bars and sparklines of block characters, and what stands for them where there are none."""

import math
import os
from collections.abc import Sequence
from typing import TextIO

BAR_CELLS = 20

_PARTS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
_HEIGHTS = "▁▂▃▄▅▆▇█"
_GAP = "·"
# a bar has full cells and at most one part of a cell; a sparkline has no full cell but the highest
_IN_ASCII = str.maketrans(
    dict(zip(_HEIGHTS, "_.:-=+*#", strict=True)) | dict.fromkeys(_PARTS[1:], "-") | {_GAP: " "}
)


def bar(share: float, cells: int = BAR_CELLS) -> str:
    """A bar of 0 to 1 of so many cells, to an eighth of a cell; what is not 0 can be seen."""
    eighths = max(round(8 * cells * share), 1) if share > 0 else 0
    full, part = divmod(eighths, 8)
    return _HEIGHTS[-1] * full + _PARTS[part]


def sparkline(excesses: Sequence[float], highest: float) -> str:
    """A column for each number from 0 to the highest; the lowest height is for 0 alone.

    Heights are as the square root, so that a valley has a shape beside a mountain. A number that
    is not finite leaves a gap.
    """
    return "".join(_column(x, highest) for x in excesses)


def _column(excess: float, highest: float) -> str:
    if not math.isfinite(excess):
        return _GAP
    steps = len(_HEIGHTS) - 1
    return _HEIGHTS[math.ceil(steps * math.sqrt(excess / highest))] if excess > 0 else _HEIGHTS[0]


def in_ascii(glyphs: str) -> str:
    """The same bar or sparkline, cell by cell, for a terminal without block characters."""
    return glyphs.translate(_IN_ASCII)


def has_blocks(stream: TextIO) -> bool:
    """Whether block characters can be written: the encoding holds them, and so does the locale.

    In the C locale Python writes UTF-8, but nobody has said that what reads it can show it.
    """
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    locale = next((value for name in names if (value := os.environ.get(name))), "C")
    try:
        _HEIGHTS.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return locale not in ("C", "POSIX")
