"""Colours and markers: one pair for each of 56 clusters.

Colours: Okabe & Ito (2008), Color universal design, which the colour-blind tell apart, without
their yellow, which nobody sees on white. Seven colours and eight markers have no common divisor,
so counting both on gives 56 pairs, and neighbours differ in both.
"""

_COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#222222")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_LINES = ("-", "--", ":", "-.")

DATA = "0.35"
"""Of rows that no cluster has."""


def color(number: int) -> str:
    """The colour of a cluster, or of a line."""
    return _COLORS[number % len(_COLORS)]


def marker(number: int) -> str:
    """The marker of a cluster, or of a line."""
    return _MARKERS[number % len(_MARKERS)]


def line(number: int) -> str:
    """The dashes of a line: the same for a round of colours."""
    return _LINES[number // len(_COLORS) % len(_LINES)]


def pale(number: int) -> tuple[float, float, float]:
    """The colour of a cluster as a ground for what is drawn on it."""
    code = color(number)[1:]
    red, green, blue = (1 - 0.3 * (1 - int(code[i : i + 2], 16) / 255) for i in (0, 2, 4))
    return red, green, blue
