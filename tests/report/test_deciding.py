"""The tables of cross-validation and of likelihood ratio tests."""

from dataclasses import replace

import numpy as np
import pytest

from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.bootstrap import RatioTest
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.grid import grid
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.selection import Cell
from gmmcli.mixture.validation import Score, Validated
from gmmcli.report.ratio_tests import ratio_table
from gmmcli.report.validation import validation_table


@pytest.fixture(scope="module")
def cells():
    X = np.random.default_rng(0).standard_normal((1, 60))
    X[:, :20] += 9
    options = FitOptions(init="kmeans")
    return list(grid(Fitting(ArrayBatches(X)), (1, 2), covariance_types=("diag",), options=options))


def plain(lines):
    return ["".join(span for span, _ in line) for line in lines]


def test_scores_have_the_digits_that_their_errors_allow(cells):
    candidates = [
        Validated(cells[0], Score(-2.5, 0.25, 0.01234, 0.03)),
        Validated(cells[1], Score(-2.48766, 0.125, 0.0, 0.0)),
        Validated(Cell(3, "diag", cells[1].result), None, "without fold 2: no rows"),
    ]
    lines = plain(validation_table(candidates, candidates[0], 7, 100))
    assert lines[0].split()[-4:] == ["held-out", "error", "behind", "error"]
    assert lines[1].split()[-4:] == ["-2.5000", "0.2500", "0.0123", "0.0300"]
    assert lines[1].startswith("> ")
    assert lines[2].split()[-4:] == ["-2.4877*", "0.1250", "0.0000", "0.0000"]
    assert lines[3].split(maxsplit=2) == ["diag", "3", "without fold 2: no rows"]
    assert "> best by 7-fold cross-validation: diag, k = 1" in lines


@pytest.mark.parametrize(
    ("draws", "p", "told"),
    [
        (np.zeros(999), "0.001", "> k = 2: significantly better than 1, and no more were tried"),
        (np.full(99, 1e9), "1.00", "> k = 1: 2 are not significantly better (p > 0.05)"),
    ],
)
def test_a_test_has_its_statistic_its_p_value_and_its_verdict(cells, draws, p, told):
    one, two = (cell.result for cell in cells)
    two = replace(two, log_likelihood=one.log_likelihood + 12.5)
    lines = plain(ratio_table([RatioTest(one, two, draws)], 80))
    assert lines[0].split() == ["k", "log-lik.", "against", "log-lik.", "LRTS", "p"]
    expected = ["1", f"{one.log_likelihood:.2f}", "2", f"{two.log_likelihood:.2f}", "25.00", p]
    assert lines[1].split() == expected
    assert told in lines
    assert f"{len(draws)} samples" in lines[-1]
