"""The criterion over K as sparklines."""

from dataclasses import dataclass

import pytest

from gmmcli.mixture.selection import Cell
from gmmcli.report.sparklines import sparklines


@dataclass(frozen=True)
class Result:
    bic: float
    aic: float = 0.0


CELLS = [
    Cell(1, "full", Result(149.0, 7.0)),
    Cell(2, "full", Result(101.0, 8.0)),
    Cell(3, "full", None, "no rows"),
    Cell(1, "tied", Result(125.0, 9.0)),
    Cell(2, "tied", Result(100.0, 8.0)),
    Cell(3, "tied", Result(104.0, 3.0)),
]


def shown(cells, best, criterion="bic", width=80):
    lines = sparklines(cells, best, criterion, width, heading=criterion.upper())
    return ["".join(span for span, _ in line) for line in lines]


def test_a_line_a_structure_and_the_best_marked():
    assert shown(CELLS, CELLS[4]) == [
        "   covariance  BIC over k = 1-3  lowest",
        "   full        █▂·               k = 2",
        ">  tied        ▆▁▃               k = 2",
        "  heights: the square root of the distance from the best",
    ]


def test_the_criterion_that_decides_is_drawn():
    lines = shown(CELLS, CELLS[5], "aic")
    assert "AIC over k = 1-3" in lines[0]
    assert lines[2].split() == [">", "tied", "██▁", "k", "=", "3"]


@pytest.mark.parametrize(
    ("counts", "heading"),
    [((2, 4, 6), "k = 2,4,6"), ((3, 2, 4), "k = 2-4"), (range(1, 100, 2), "50 values of k")],
)
def test_which_k_they_are_over(counts, heading):
    cells = [Cell(k, "full", Result(float(k))) for k in counts]
    best = min(cells, key=lambda cell: cell.n_components)
    assert f"BIC over {heading}" in shown(cells, best)[0]


def test_nothing_is_drawn_without_a_valley_or_without_room():
    assert shown(CELLS, None) == []
    assert shown([CELLS[0], CELLS[3]], CELLS[3]) == []
    assert shown(CELLS, CELLS[4], width=30) == []
