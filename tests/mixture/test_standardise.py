"""Descriptions of the columns, and the way to standardised coordinates and back."""

from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixture.problems import NAMES, ONE_SCALE, fitted, overlapping, random_model, rows

from gmmcli.errors import FitError
from gmmcli.mixture.batches import BATCH_ROWS
from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.standardise import Standardisation, _describe_batch, describe

every_structure = pytest.mark.parametrize("name", NAMES)


def test_a_description_is_that_of_numpy():
    rng = np.random.default_rng(0)
    # more than one batch, and the last one short
    X = overlapping(rng, 2 * BATCH_ROWS + 77) + 5
    weights = rng.uniform(0, 3, len(X))
    for w in (None, weights):
        found = describe(rows(X, w))
        plain = np.ones(len(X)) if w is None else w
        assert found.n_rows == pytest.approx(plain.sum(), rel=1e-13)
        mean = np.average(X, axis=0, weights=plain)
        covariance = np.cov(X.T, aweights=plain, bias=True)
        np.testing.assert_allclose(found.location, mean, rtol=1e-13)
        np.testing.assert_allclose(found.deviation, np.sqrt(np.diag(covariance)), rtol=1e-12)
        scale = np.outer(found.deviation, found.deviation)
        np.testing.assert_allclose(found.correlation, covariance / scale, atol=1e-12)
        assert np.array_equal(found.minimum, X.min(axis=0))
        assert np.array_equal(found.maximum, X.max(axis=0))


@given(st.data())
def test_chans_merge_is_associative_up_to_rounding(data):
    rng = np.random.default_rng(1)
    X = overlapping(rng, 300)
    whole = describe(rows(X))
    cuts = sorted(data.draw(st.sets(st.integers(1, 299), min_size=1, max_size=6)))
    parts = [
        _describe_batch(batch, whole.pilot, whole.exponent, whole.resolution)
        for start, stop in zip([0, *cuts], [*cuts, 300], strict=True)
        for batch in rows(X[start:stop])
    ]
    order = data.draw(st.permutations(range(len(parts))))
    left = reduce(add, [parts[i] for i in order])
    right = parts[0]
    for part in parts[1:]:
        right = part + right
    for total in (left, right):
        assert total.n_rows == whole.n_rows
        np.testing.assert_allclose(total.mean, whole.mean, rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(total.scatter, whole.scatter, rtol=1e-11, atol=1e-12)
        assert np.array_equal(total.minimum, whole.minimum)
        assert np.array_equal(total.maximum, whole.maximum)


def nist(first, low, high):
    """NumAcc2 to 4: one number, then two in turn, 1,001 in all."""
    values = np.full(1001, high)
    values[0] = first
    values[1::2] = low
    return values[:, None]


@every_structure
@pytest.mark.parametrize(
    ("first", "low", "high"),
    [
        (1.2, 1.1, 1.3),
        (1000000.2, 1000000.1, 1000000.3),
        (10000000.2, 10000000.1, 10000000.3),
    ],
    ids=["NumAcc2", "NumAcc3", "NumAcc4"],
)
def test_nist_univariate_summaries(name, first, low, high):
    # certified: mean as the first value, standard deviation 0.1 with divisor n - 1
    X = nist(first, low, high)
    result = fitted(X, 1, covariance_type=name, reg_covar=0)
    assert result.model.means[0, 0] == pytest.approx(first, rel=1e-15)
    variance = float(result.model.covariance.full()[0, 0, 0])
    deviation = np.sqrt(variance * 1001 / 1000)
    # the input itself is rounded to 1e-16 of its size
    rounding = np.finfo(np.float64).eps * first / 0.1
    assert deviation == pytest.approx(0.1, rel=1e-13 + rounding)


def test_nist_num_acc_1():
    X = np.array([[10000001.0], [10000003.0], [10000002.0]])
    model = fitted(X, 1, reg_covar=0).model
    assert model.means[0, 0] == 10000002
    assert model.covariance.full()[0, 0, 0] == pytest.approx(2 / 3, rel=1e-14)


def test_the_sum_of_squares_minus_the_square_would_be_wrong():
    # the negative control: E[x²] - µ² on NumAcc4
    X = nist(10000000.2, 10000000.1, 10000000.3)[:, 0]
    naive = np.mean(X**2) - np.mean(X) ** 2
    assert abs(naive - 0.01) > 1e-4


@every_structure
def test_there_and_back(name):
    rng = np.random.default_rng(2)
    X = overlapping(rng) * [1e-3, 1.0, 1e5] + [1e4, -3, 1e6]
    description = describe(rows(X))
    standardisation = Standardisation.of(description, STRUCTURES[name])
    Z = standardisation.apply(X.T)
    np.testing.assert_allclose(Z.mean(axis=1), 0, atol=1e-8)
    if name in ONE_SCALE:
        assert len(set(standardisation.scale)) == 1
        assert np.mean(Z.var(axis=1)) == pytest.approx(1, rel=1e-10)
    else:
        np.testing.assert_allclose(Z.std(axis=1), 1, rtol=1e-10)
    model = random_model(rng, name)
    user = standardisation.to_user(model)
    back = standardisation.from_user(user)
    np.testing.assert_allclose(back.means, model.means, atol=1e-9)
    np.testing.assert_allclose(back.covariance.full(), model.covariance.full(), rtol=1e-12)
    # the density transforms with the volume
    np.testing.assert_allclose(
        user.posterior(X).log_density,
        model.posterior(np.ascontiguousarray(Z.T)).log_density - standardisation.log_volume,
        rtol=1e-8,
    )
    assert np.all(np.abs(Z) <= standardisation.radius(description)[:, None] * (1 + 1e-14))


def test_a_constant_column_is_known_for_one():
    rng = np.random.default_rng(3)
    X = np.c_[rng.standard_normal((50, 2)), np.full(50, 0.1)]
    description = describe(rows(X))
    assert description.constant.tolist() == [False, False, True]
    assert description.deviation[2] == 0
    assert Standardisation.of(description, STRUCTURES["full"]).scale[2] == 1
    assert np.all(description.correlation[2] == 0)


def test_collinear_columns_are_named_with_those_that_determine_them():
    rng = np.random.default_rng(4)
    A = rng.standard_normal((100, 3))
    X = np.c_[A[:, 0], A[:, 1], 1e6 * A[:, 0] - 3e3 * A[:, 1] + 7, A[:, 2], 5 * A[:, 2] - 1]
    assert describe(rows(X)).collinear() == [(2, (0, 1)), (4, (3,))]
    assert describe(rows(A)).collinear() == []
    # near is not enough
    nearly = np.c_[A, A[:, 0] + 1e-4 * rng.standard_normal(100)]
    assert describe(rows(nearly)).collinear() == []
    # a constant is determined by nothing
    assert describe(rows(np.c_[A, np.ones(100)])).collinear() == []
    # and with fewer rows than columns some column always is
    assert describe(rows(rng.standard_normal((3, 5)))).collinear() == []


@pytest.mark.parametrize("unit", [1e-140, 1e-3, 1e9, 1e140])
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_collinear_columns_are_found_in_any_unit(unit, shift):
    rng = np.random.default_rng(5)
    A = rng.standard_normal((100, 2))
    X = np.c_[A, A.sum(axis=1)] * [1, unit, unit] if shift == 0 else np.c_[A, A.sum(axis=1)] + shift
    if shift == 0:
        X[:, 2] = A[:, 0] * 1e-3 + X[:, 1] / unit
    assert describe(rows(X)).collinear() == [(2, (0, 1))]


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_is_refused(value):
    X = np.ones((5, 2))
    X[1] = 2
    X[3, 1] = value
    with pytest.raises(FitError, match=r"column 2|finite"):
        describe(rows(X))


@pytest.mark.parametrize("size", [1e300, 1.7e308, 1e160])
def test_a_variance_beyond_floating_point_is_refused_by_column(size):
    X = np.random.default_rng(6).standard_normal((20, 3))
    X[0, 1], X[1, 1] = size, -size
    with pytest.raises(FitError, match="column 2") as caught:
        describe(rows(X))
    assert caught.value.advice


def test_the_right_column_is_named_when_it_grows_late():
    X = np.random.default_rng(7).standard_normal((BATCH_ROWS + 500, 2))
    X[:, 1] *= 1e-200
    X[BATCH_ROWS:, 1] = 1e200
    with pytest.raises(FitError, match="column 2"):
        describe(rows(X))


@pytest.mark.parametrize("unit", [1e-160, 1e-200, 1e-300, 5e-324])
def test_a_variance_below_floating_point_is_refused_by_column(unit):
    X = np.random.default_rng(8).standard_normal((20, 3))
    X[:, 2] = unit * np.arange(20)
    with pytest.raises(FitError, match="column 3"):
        describe(rows(X))


def test_no_rows_are_an_error():
    with pytest.raises(FitError, match="no rows"):
        describe(rows(np.ones((0, 2))))
    with pytest.raises(FitError, match="no rows"):
        describe(rows(np.ones((3, 2)), np.zeros(3)))
