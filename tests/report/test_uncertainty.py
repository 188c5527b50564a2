"""Standard errors beside their numbers."""

import numpy as np
import pytest

from gmmcli.report.uncertainty import percent_with_errors, with_errors


@pytest.mark.parametrize(
    ("values", "errors", "expected"),
    [
        ([38.861, 47.5], [0.264, 0.31], ["38.86 +- 0.26", "47.50 +- 0.31"]),
        ([1600003600.0, 1600000000.0], [120.0, 9.0], ["1600003600 +- 120", "1600000000 +-   9"]),
        ([-0.001], [0.5], ["0.00 +- 0.50"]),
        ([3.0], [0.0], ["3.00 +- 0.00"]),
        ([0.0], [0.0], ["0.00 +- 0.00"]),
    ],
)
def test_two_digits_of_the_error_are_seen(values, errors, expected):
    assert with_errors(np.array(values), np.array(errors)) == expected


def test_shares_are_percentages():
    assert percent_with_errors([0.451, 0.549], np.array([0.027, 0.027])) == [
        "45.1 +- 2.7 %",
        "54.9 +- 2.7 %",
    ]
