"""The table of select-k as a person reads it."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gmmcli.mixture.selection import CRITERIA, Cell
from gmmcli.report.layout import Grid, Line, text
from gmmcli.report.numerals import total
from gmmcli.report.sparklines import sparklines

_STUB = 3
_SHOWN = ("bic", "aic", "icl")
"""The criteria in every table; the one that decides joins them. A file has them all."""


class _Style(NamedTuple):
    """How a criterion is headed and written, and when it is not defined."""

    heading: str
    written: Callable[[float], str] = total
    undefined: str = ""


_STYLES = {
    "bic": _Style("BIC"),
    "aic": _Style("AIC"),
    "aicc": _Style("AICc", undefined="no AICc without two more rows than parameters"),
    "icl": _Style("ICL"),
    "sabic": _Style("SABIC"),
    "entropy": _Style("entropy", "{:.4f}".format, "no likelier than one cluster"),
}


def shown_with(criterion: str) -> tuple[str, ...]:
    """The criteria that are shown where this one decides."""
    return tuple(dict.fromkeys((*_SHOWN, criterion)))


def heading(criterion: str) -> str:
    """The name of a criterion as it is printed."""
    return _STYLES[criterion].heading


def criteria_table(
    cells: Sequence[Cell], best: Cell | None, criterion: str, width: int
) -> list[Line]:
    """One row a cell, in their order; the lowest of each criterion marked, and the best.

    Then the criterion over K as sparklines, and which is the best.

    Parameters
    ----------
    best : the cell chosen by `criterion`; None when none could be fitted.
    width : cells of a line.
    """
    names = shown_with(criterion)
    results = [cell.result for cell in cells if cell.result is not None]
    lowest = {name: min(map(CRITERIA[name], results), default=math.inf) for name in names}
    headings = [_STYLES[name].heading for name in names]
    grid = Grid(
        heading=("", "covariance", "k", "log-lik.", "params", *headings, "delta"),
        rows=[(">" if cell is best else "", *_row(cell, lowest, criterion)) for cell in cells],
        left=frozenset({0, 1}),
        styles={i: "good" for i, cell in enumerate(cells) if cell is best},
        remarks={i: remark for i, cell in enumerate(cells) if (remark := _remark(cell))},
    )
    lines = [*grid.lines(width, stub=_STUB), []]
    if best is None:
        return [*lines, text("none could be fitted", "bad")]
    style = _STYLES[criterion]
    if drawn := sparklines(cells, best, criterion, width, heading=style.heading):
        lines += [*drawn, []]
    lines += [
        text(f"> best by {style.heading}: {best.covariance_type}, k = {best.n_components}", "good"),
        text("  lower is better; * marks the lowest of each criterion"),
        text(f"  delta: {style.heading} above the best"),
    ]
    if any(math.isinf(CRITERIA[criterion](result)) for result in results):
        lines.append(text(f"  -: {style.undefined}"))
    return lines


def _row(cell: Cell, lowest: dict[str, float], criterion: str) -> list[str]:
    row = [cell.covariance_type, str(cell.n_components)]
    result = cell.result
    if result is not None:
        row += [total(result.log_likelihood), str(result.n_parameters)]
        for name, least in lowest.items():
            value = CRITERIA[name](result)
            row.append(written(name, value) + ("*" if value == least < math.inf else " "))
        row.append(written(criterion, CRITERIA[criterion](result) - lowest[criterion]))
    return row


def _remark(cell: Cell) -> str:
    """What there is to say behind the numbers, or instead of them."""
    if cell.result is None:
        return cell.reason
    return "" if cell.result.converged else "not converged"


def written(name: str, value: float) -> str:
    """A criterion, or a dash where it is not defined."""
    return _STYLES[name].written(value) if math.isfinite(value) else "-"
