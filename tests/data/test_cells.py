"""Cells mean what they mean to Python and pandas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas._libs.parsers import STR_NA_VALUES

from gmmcli.data.arrow import texts
from gmmcli.data.cells import MISSING, MissingRules, parse_cells, to_float
from gmmcli.data.csv_parsing import read_columns
from gmmcli.data.records import split_records

N_RANDOM = 50_000
"""1,000,000 passed on 2026-11-21."""


def random_reprs(n):
    """Doubles of all exponents, as their shortest text and as numbers."""
    bits = np.random.default_rng(20).integers(-(2**63), 2**63, size=n, dtype=np.int64)
    numbers = bits.view(np.float64)
    numbers = numbers[np.isfinite(numbers)]
    return list(map(repr, numbers.tolist())), numbers


def through_pyarrow(cells):
    content = "".join(cell + "\n" for cell in cells).encode()
    found, _ = split_records(content, 0, ",", final=True, keep_blank=True)
    return np.array(read_columns(found, ",", [0], 1, MISSING).column(0).to_pylist())


def bits(numbers):
    return np.asarray(numbers, np.float64).view(np.int64)


def test_the_reader_rounds_as_python_does_bit_for_bit():
    cells, numbers = random_reprs(N_RANDOM)
    assert (bits(through_pyarrow(cells)) == bits(numbers)).all()


def test_the_reader_rounds_digits_beyond_double_precision_as_python_does():
    digits = np.random.default_rng(21).integers(10**17, 10**18, size=(N_RANDOM // 5, 3))
    cells = [f"{a}{b}.{c}e{c % 600 - 350}" for a, b, c in digits.tolist()]
    halfway = ["9007199254740993", "1.7976931348623158e308", "2.4703282292062328e-324", "1e23"]
    cells += halfway
    assert (bits(through_pyarrow(cells)) == bits([float(cell) for cell in cells])).all()


def test_the_slow_way_rounds_as_python_does_bit_for_bit():
    cells, numbers = random_reprs(2000)
    values, bad = parse_cells(texts([f" +{cell} ".replace("+-", "-") for cell in cells]), rules())
    assert bad is None
    assert (bits(values) == bits(numbers)).all()


def rules(*own):
    return MissingRules(own)


@given(st.text(alphabet="0123456789+-.eE_ infaxINFAX\t", max_size=8))
def test_a_number_is_what_python_reads_as_one_but_for_underscores(cell):
    try:
        expected = None if "_" in cell else float(cell)
    except ValueError:
        expected = None
    ours = to_float(cell)
    assert ours == expected or (math.isnan(ours) and math.isnan(expected))


def test_digits_of_other_scripts_are_no_numbers():
    assert to_float("\u0661\u0662") is None


def test_what_is_missing_is_pandas_list():
    assert set(MISSING) == set(STR_NA_VALUES)


def test_own_tokens_join_the_list():
    values, bad = parse_cells(texts(["1", "abc", " abc ", "NA", "2"]), rules("abc"))
    assert bad is None
    np.testing.assert_array_equal(values, [1, np.nan, np.nan, np.nan, 2])


def test_a_number_among_the_tokens_is_missing_however_it_is_written():
    values, bad = parse_cells(texts(["-999", "-999.0", " -9.99e2", "999"]), rules("-999"))
    assert bad is None
    np.testing.assert_array_equal(values, [np.nan, np.nan, np.nan, 999])


@pytest.mark.parametrize("cell", ["abc", "1_000", "0x10", "1,5", "12:30", "1 2", "--1", "1e"])
def test_the_place_of_what_is_no_number(cell):
    _, bad = parse_cells(texts(["1", " 2 ", cell, "x"]), rules())
    assert bad == 2
