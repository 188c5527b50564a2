"""The table of select-k."""

import re
from dataclasses import replace

import numpy as np
import pytest

from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.grid import grid
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.selection import Cell, best
from gmmcli.report.criteria import criteria_table


@pytest.fixture(scope="module")
def cells():
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((1, 60)), 1)
    X[:, :20] += 9
    options = FitOptions(init="kmeans")
    return list(
        grid(Fitting(ArrayBatches(X)), (1, 2, 55), covariance_types=("diag",), options=options)
    )


def shown(cells, chosen, width=120, criterion="bic"):
    lines = criteria_table(cells, chosen, criterion, width)
    return ["".join(span for span, _ in line) for line in lines]


def test_rows_marks_and_reasons(cells):
    chosen = best(cells, "bic")
    lines = shown(cells, chosen)
    assert lines[0].split() == [
        "covariance", "k", "log-lik.", "params", "BIC", "AIC", "ICL", "delta",
    ]  # fmt: skip
    assert lines[2].startswith("> ")
    assert re.search(rf"{chosen.result.bic:.2f}\*", lines[2])
    assert lines[1].startswith("  ")
    assert f"{cells[0].result.log_likelihood:.2f}" in lines[1]
    assert lines[3].split(maxsplit=2) == ["diag", "55", cells[2].reason]
    assert lines[-3:] == [
        "> best by BIC: diag, k = 2",
        "  lower is better; * marks the lowest of each criterion",
        "  delta: BIC above the best",
    ]
    assert lines[2].split()[-1] == "0.00"
    assert lines[1].split()[-1] == f"{cells[0].result.bic - chosen.result.bic:.2f}"


@pytest.mark.parametrize(
    ("criterion", "heading"), [("aicc", "AICc"), ("sabic", "SABIC"), ("entropy", "entropy")]
)
def test_the_criterion_that_decides_has_a_column_of_its_own(cells, criterion, heading):
    chosen = best(cells, criterion)
    lines = shown(cells, chosen, criterion=criterion)
    assert lines[0].split()[-2:] == [heading, "delta"]
    value = getattr(chosen.result, criterion)
    assert re.search(rf"{value:.2f}\d*\*", lines[2])
    assert f"best by {heading}: diag, k = 2" in lines[-3]


def test_a_criterion_that_is_not_defined_is_a_dash_with_its_reason(cells):
    crowded = Cell(30, "diag", replace(cells[1].result, n_rows=6.0))
    lines = shown([cells[1], crowded], cells[1], criterion="aicc")
    assert lines[2].split()[-2:] == ["-", "-"]
    assert lines[-1] == "  -: no AICc without two more rows than parameters"
    assert not any(line.startswith("  -:") for line in shown(cells, cells[1], criterion="aicc"))


def test_narrow_tables_keep_everything(cells):
    narrow = shown(cells, best(cells, "bic"), width=40)
    text = "\n".join(narrow)
    for cell in cells[:2]:
        for value in (cell.result.bic, cell.result.aic, cell.result.icl):
            assert f"{value:.2f}" in text
    assert text.count(cells[2].reason) == 1


def test_only_a_fit_that_has_not_converged_is_remarked_on(cells):
    cut = Cell(3, "diag", replace(cells[1].result, converged=False, log_likelihood=-1e6))
    lines = shown([*cells, cut], best(cells, "bic"))
    assert [line.endswith("  not converged") for line in lines[1:5]] == [False, False, False, True]


def test_a_row_of_large_numbers_is_one_line_of_80_cells(cells):
    large = [
        Cell(k, "full", replace(cells[1].result, log_likelihood=-1234567.89 - k)) for k in range(9)
    ]
    lines = shown(large, large[0], width=80)
    assert max(map(len, lines)) <= 80
    assert [line.split()[:1] for line in lines[1:10]] == [[">"], *[["full"]] * 8]
    assert lines[10] == ""


def test_nothing_fitted():
    lines = shown([Cell(9, "full", None, "no rows")], None)
    assert lines[1].endswith("no rows")
    assert lines[-1] == "none could be fitted"
