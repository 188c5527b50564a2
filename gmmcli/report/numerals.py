"""Numbers as a person wants them: as many digits as mean something, aligned."""

import math
from collections.abc import Sequence

_MOST_DECIMALS = 7
_MOST_DIGITS = 15


def fixed(values: Sequence[float], *, resolution: float) -> list[str]:
    """Numbers of one kind with the same decimals: a hundredth of `resolution` can be seen.

    Means are read against a standard deviation: 1600003600 with one of 3600, 0.01234 with one
    of 0.01. Where that would take a row of zeros, all are in exponent form.
    """
    step = math.floor(math.log10(resolution)) - 2
    largest = max(abs(value) for value in values)
    top = math.floor(math.log10(largest)) if largest > 0 else step
    if -step <= _MOST_DECIMALS and top < _MOST_DIGITS:
        return [_unsigned_zero(f"{value:.{max(-step, 0)}f}") for value in values]
    digits = min(max(top - step, 2), _MOST_DIGITS)
    return [f"{value:.{digits}e}" for value in values]


def significant(value: float, digits: int = 4) -> str:
    """A number with so many digits that mean something, in exponent form if far from 1."""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if -4 <= exponent < _MOST_DECIMALS:
        return f"{value:.{max(digits - 1 - exponent, 0)}f}"
    return f"{value:.{digits - 1}e}"


def total(value: float) -> str:
    """A log-likelihood or a criterion: differences of a hundredth matter, at any size."""
    return f"{value:.2f}" if abs(value) < 10**12 else f"{value:.9e}"


def percent(shares: Sequence[float]) -> list[str]:
    """Shares in percent, the smallest with two digits that mean something."""
    smallest = min((share for share in shares if share > 0), default=1.0)
    decimals = min(max(1 - math.floor(math.log10(100 * smallest)), 1), _MOST_DECIMALS)
    return [f"{100 * share:.{decimals}f} %" for share in shares]


def sizes(values: Sequence[float]) -> list[str]:
    """Numbers of rows, which may be fractions."""
    return [f"{value:.1f}" for value in values]


def count(value: float, noun: str, plural: str = "") -> str:
    """`1 row`, `2 rows`, `12.5 rows`, `2 passes`."""
    number = f"{value:.0f}" if float(value).is_integer() else f"{value:.6g}"
    return f"{number} {noun}" if value == 1 else f"{number} {plural or noun + 's'}"


def _unsigned_zero(text: str) -> str:
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text
