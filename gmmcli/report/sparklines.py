"""The criterion over K: a sparkline a structure, so that the valley is seen."""

import math
from collections.abc import Sequence

from gmmcli.mixture.selection import CRITERIA, Cell
from gmmcli.report.glyphs import sparkline
from gmmcli.report.layout import Grid, Line, text

_LONGEST = 16
_KEY = "  heights: the square root of the distance from the best"


def sparklines(
    cells: Sequence[Cell], best: Cell | None, criterion: str, width: int, *, heading: str
) -> list[Line]:
    """A line a structure, over all K that were tried, all to one scale; the best marked.

    `heading` is the name of the criterion as it is printed. Nothing where there is only one K, or
    no room: the table has the numbers.
    """
    counts = sorted({cell.n_components for cell in cells})
    if best is None or best.result is None or len(counts) < 2:
        return []
    least = CRITERIA[criterion](best.result)
    above: dict[str, dict[int, float]] = {}
    for cell in cells:
        excess = math.inf if cell.result is None else CRITERIA[criterion](cell.result) - least
        above.setdefault(cell.covariance_type, {})[cell.n_components] = excess
    every = (excess for excesses in above.values() for excess in excesses.values())
    highest = max(filter(math.isfinite, every))
    rows = [
        (
            ">" if structure == best.covariance_type else "",
            structure,
            sparkline([excesses.get(k, math.inf) for k in counts], highest),
            _lowest(excesses),
        )
        for structure, excesses in above.items()
    ]
    grid = Grid(
        heading=("", "covariance", f"{heading} over {_range(counts)}", "lowest"),
        rows=rows,
        left=frozenset({0, 1, 2, 3}),
        styles={i: "good" for i, row in enumerate(rows) if row[0]},
        glyphs=frozenset({2}),
    )
    if grid.breadth > width:
        return []
    return [*grid.lines(width, stub=2), text(_KEY)]


def _range(counts: Sequence[int]) -> str:
    if counts[-1] - counts[0] == len(counts) - 1:
        return f"k = {counts[0]}-{counts[-1]}"
    listed = ",".join(map(str, counts))
    return f"k = {listed}" if len(listed) <= _LONGEST else f"{len(counts)} values of k"


def _lowest(excesses: dict[int, float]) -> str:
    k = min(excesses, key=excesses.__getitem__)
    return f"k = {k}" if math.isfinite(excesses[k]) else ""
