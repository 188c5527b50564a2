"""The table of select-k."""

import re

import numpy as np
import pytest

from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.selection import Cell, best, grid
from gmmcli.report.criteria import criteria_table


@pytest.fixture(scope="module")
def cells():
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((1, 60)), 1)
    X[:, :20] += 9
    options = FitOptions(init="kmeans")
    return list(grid(ArrayBatches(X), (1, 2, 55), covariance_types=("diag",), options=options))


def shown(cells, chosen, width=120):
    lines = criteria_table(cells, chosen, "bic", width)
    return ["".join(span for span, _ in line) for line in lines]


def test_rows_marks_and_reasons(cells):
    chosen = best(cells, "bic")
    lines = shown(cells, chosen)
    assert lines[0].split() == [
        "covariance", "k", "log-lik.", "params", "BIC", "AIC", "ICL", "converged",
    ]  # fmt: skip
    assert lines[2].startswith("> ")
    assert re.search(rf"{chosen.result.bic:.2f}\*", lines[2])
    assert lines[1].startswith("  ")
    assert f"{cells[0].result.log_likelihood:.2f}" in lines[1]
    assert lines[3].split(maxsplit=2) == ["diag", "55", cells[2].reason]
    assert lines[-2:] == [
        "> best by BIC: diag, k = 2",
        "  lower is better; * marks the lowest of each criterion",
    ]


def test_narrow_tables_keep_everything(cells):
    narrow = shown(cells, best(cells, "bic"), width=40)
    text = "\n".join(narrow)
    for cell in cells[:2]:
        for value in (cell.result.bic, cell.result.aic, cell.result.icl):
            assert f"{value:.2f}" in text
    assert text.count(cells[2].reason) == 1


def test_nothing_fitted():
    lines = shown([Cell(9, "full", None, "no rows")], None)
    assert lines[1].endswith("no rows")
    assert lines[-1] == "none could be fitted"
