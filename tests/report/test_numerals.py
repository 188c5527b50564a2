"""Numbers as a person wants them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmmcli.report.numerals import count, fixed, percent, significant, sizes, total


@pytest.mark.parametrize(
    ("values", "resolution", "expected"),
    [
        ([38.8114, 5.4], 2.66, ["38.81", "5.40"]),
        ([3706.4, 5076.0], 460, ["3706", "5076"]),
        ([1600003600.25], 3600, ["1600003600"]),
        ([0.01234, -0.5], 0.011, ["0.0123", "-0.5000"]),
        ([3.2e-8, 1e-8], 1e-8, ["3.20e-08", "1.00e-08"]),
        ([1e300, -2e299], 1e299, ["1.000e+300", "-2.000e+299"]),
        ([-0.001, 0.0], 1, ["0.00", "0.00"]),
    ],
)
def test_fixed_shows_a_hundredth_of_the_resolution(values, resolution, expected):
    assert fixed(values, resolution=resolution) == expected


@given(st.floats(-1e200, 1e200), st.floats(1e-200, 1e200).filter(lambda resolution: resolution > 0))
def test_fixed_is_never_off_by_more_than_the_resolution(value, resolution):
    (text,) = fixed([value], resolution=resolution)
    assert float(text) == pytest.approx(value, abs=resolution / 100, rel=1e-14)
    assert len(text) < 26


def test_significant_digits():
    numbers = [0, 0.38742, 1559.3, 191074.2, 1.5e-9, -2.5e12]
    assert list(map(significant, numbers)) == [
        "0",
        "0.3874",
        "1559",
        "191074",
        "1.500e-09",
        "-2.500e+12",
    ]


def test_shares_keep_two_digits_of_the_smallest():
    assert percent([0.75, 0.25]) == ["75.0 %", "25.0 %"]
    assert percent([0.9999, 0.0001]) == ["99.990 %", "0.010 %"]


def test_totals_sizes_and_counts():
    assert total(-180.2051) == "-180.21"
    assert total(-1.5e15) == "-1.500000000e+15"
    assert sizes([55.06, 1e6]) == ["55.1", "1000000.0"]
    assert [count(n, "row") for n in (1, 2, 12.5, 1e6)] == [
        "1 row",
        "2 rows",
        "12.5 rows",
        "1000000 rows",
    ]
