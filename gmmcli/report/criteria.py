"""The table of select-k as a person reads it."""

from collections.abc import Sequence

from gmmcli.mixture.selection import CRITERIA, Cell
from gmmcli.report.layout import Grid, Line, text
from gmmcli.report.numerals import total

_HEADING = ("", "covariance", "k", "log-lik.", "params", "BIC", "AIC", "ICL", "converged")
_STUB = 3


def criteria_table(
    cells: Sequence[Cell], best: Cell | None, criterion: str, width: int
) -> list[Line]:
    """One row a cell, in their order; the lowest of each criterion marked, and the best.

    Parameters
    ----------
    best : the cell chosen by `criterion`; None when none could be fitted.
    width : cells of a line.
    """
    results = [cell.result for cell in cells if cell.result is not None]
    lowest = {name: min((getattr(r, name) for r in results), default=0.0) for name in CRITERIA}
    grid = Grid(
        heading=_HEADING,
        rows=[(">" if cell is best else "", *_row(cell, lowest)) for cell in cells],
        left=frozenset({0, 1, 8}),
        styles={i: "good" for i, cell in enumerate(cells) if cell is best},
        remarks={i: cell.reason for i, cell in enumerate(cells) if cell.result is None},
    )
    lines = [*grid.lines(width, stub=_STUB), []]
    if best is None:
        return [*lines, text("none could be fitted", "bad")]
    chosen = f"> best by {criterion.upper()}: {best.covariance_type}, k = {best.n_components}"
    return [
        *lines,
        text(chosen, "good"),
        text("  lower is better; * marks the lowest of each criterion"),
    ]


def _row(cell: Cell, lowest: dict[str, float]) -> list[str]:
    row = [cell.covariance_type, str(cell.n_components)]
    result = cell.result
    if result is not None:
        row += [total(result.log_likelihood), str(result.n_parameters)]
        for name, least in lowest.items():
            value = getattr(result, name)
            row.append(f"{total(value)}{'*' if value == least else ' '}")
        row.append("yes" if result.converged else "no")
    return row
