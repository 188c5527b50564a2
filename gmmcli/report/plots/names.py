"""Text from data, made fit for a picture: short, and of characters that the font has."""

from collections.abc import Sequence
from functools import cache

from matplotlib import font_manager

from gmmcli.mixture.arrays import FloatArray
from gmmcli.report.printable import printable

LONGEST = 48
_LONGEST_TERM = 18
_MOST_TERMS = 3


def shown(name: str, longest: int = LONGEST) -> str:
    """The name of a column, its middle left out where it is longer than that.

    Characters that the font lacks are escaped, as control characters are: a row of equal boxes
    would name nothing.
    """
    parts = [_drawable(character) for character in printable(name)]
    if sum(map(len, parts)) <= longest:
        return "".join(parts)
    head, tail = "", ""
    while parts and len(head) + len(tail) + 1 + len(parts[0]) <= longest:
        head += parts.pop(0)
        if parts and len(head) + len(tail) + 1 + len(parts[-1]) <= longest:
            tail = parts.pop() + tail
    return f"{head}…{tail}"


def direction(number: int, coefficients: FloatArray, names: Sequence[str]) -> str:
    """A linear combination of standardised columns, the largest terms first."""
    order = sorted(range(len(names)), key=lambda j: -abs(coefficients[j]))
    terms = ""
    for j in order[:_MOST_TERMS]:
        sign = "−" if coefficients[j] < 0 else "+" if terms else ""
        # the mark keeps a name that is written from right to left from reordering what follows
        size = f"{abs(coefficients[j]):.2f} {shown(names[j], _LONGEST_TERM)}\u200e"
        terms += f" {sign} {size}" if terms else f"{sign}{size}"
    more = " + …" if len(order) > _MOST_TERMS else ""
    return f"direction {number}: {terms}{more}"


def _drawable(character: str) -> str:
    if ord(character) in _glyphs():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@cache
def _glyphs() -> frozenset[int]:
    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    return frozenset(font.get_charmap())
