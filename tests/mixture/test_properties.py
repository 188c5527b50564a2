"""What must hold for any data: units, origins, orders, weights."""

import numpy as np
import pytest
from effort import in_turn, some, starts_of
from mixture.problems import (
    NAMES,
    ONE_SCALE,
    fitted,
    overlapping,
    rows,
    same_model,
    table,
    two_clusters,
)

from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.fitting import FitOptions, fit

every_structure = pytest.mark.parametrize("name", NAMES)
# what is the same but for rounding is so after few steps from few starts, too
FEW_STARTS = some({"init": "hierarchical"}, {})
SHORT = {"max_iter": some(20, 1000), **FEW_STARTS}
every_seed = pytest.mark.parametrize("seed", range(some(1, 5)))


def draws(name, seed):
    """Random numbers that differ from structure to structure."""
    return np.random.default_rng([seed, NAMES.index(name)])


def clusters(rng, n_features=2):
    """Two clusters on a grid, so that a shift by an integer is exact."""
    X, _ = two_clusters(rng, (70, 50), n_features=n_features, distance=6.0)
    return np.round(X * 1024) / 1024


@every_structure
@every_seed
def test_a_shift_changes_the_means_alone(name, seed):
    rng = draws(name, seed)
    X, power = clusters(rng), int(rng.integers(31))
    shift = 2.0**power * np.array([[0, 1], [1, 0], [1, 1]])[rng.integers(3)]
    plain = fitted(X, 2, covariance_type=name, **starts_of(name))
    moved = fitted(X + shift, 2, covariance_type=name, **starts_of(name))
    assert np.array_equal(X + shift - shift, X)
    same_model(
        plain.model,
        moved.model.transformed(-shift, np.ones(2)),
        rtol=1e-7,
        atol=1e-7 + 4e-16 * 2.0**power,
    )
    assert moved.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-9)
    labels = moved.model.posterior(X + shift).labels
    assert np.array_equal(labels, plain.model.posterior(X).labels)


@pytest.mark.heavy(cases=6)
@every_structure
@every_seed
def test_a_scale_changes_the_units_alone(name, seed):
    rng = draws(name, seed)
    X, power = clusters(rng), rng.uniform(-150, 150, 2)
    scale = 10.0 ** (power[[0, 0]] if name in ONE_SCALE else power)
    plain = fitted(X, 2, covariance_type=name, **starts_of(name))
    scaled = fitted(X * scale, 2, covariance_type=name, **starts_of(name))
    expected = plain.log_likelihood - len(X) * np.log(scale).sum()
    assert scaled.log_likelihood == pytest.approx(expected, rel=1e-9)
    same_model(
        plain.model,
        scaled.model.transformed(np.zeros(2), 1 / scale),
        rtol=1e-7,
        atol=1e-7,
    )
    posterior = scaled.model.posterior(X * scale)
    assert np.array_equal(posterior.labels, plain.model.posterior(X).labels)
    assert posterior.log_density.sum() == pytest.approx(scaled.log_likelihood, rel=1e-9)


@pytest.mark.heavy(cases=5)
@every_structure
@every_seed
def test_the_order_of_the_rows_does_not_matter(name, seed):
    rng = draws(name, seed)
    X = clusters(rng)
    order = rng.permutation(len(X))
    options = {"covariance_type": name, **starts_of(name)}
    plain, shuffled = (fitted(Y, 2, **options) for Y in (X, X[order]))
    # another start may win, and stop elsewhere on the same flat top
    same_model(plain.model, shuffled.model, rtol=1e-3, atol=1e-3)
    assert shuffled.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-7)
    start = (X[:, 0] > 2).astype(np.int64)
    a = fitted(X, 2, covariance_type=name, start=start, max_iter=5)
    b = fitted(X[order], 2, covariance_type=name, start=start[order], max_iter=5)
    same_model(a.model, b.model)


@pytest.mark.heavy(cases=5)
@every_structure
@every_seed
def test_the_order_of_the_columns_does_not_matter(name, seed):
    rng = draws(name, seed)
    X = clusters(rng, n_features=3)
    order = np.array([[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])[rng.integers(5)]
    plain = fitted(X, 2, covariance_type=name, **starts_of(name))
    moved = fitted(X[:, order], 2, covariance_type=name, **starts_of(name))
    np.testing.assert_allclose(moved.model.weights, plain.model.weights, atol=1e-4)
    np.testing.assert_allclose(moved.model.means, plain.model.means[:, order], atol=1e-3)
    expected = plain.model.covariance.full()[:, order][:, :, order]
    np.testing.assert_allclose(moved.model.covariance.full(), expected, atol=1e-3)
    assert moved.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-7)


@pytest.mark.heavy(cases=14)
@in_turn(NAMES, each=2, reg_covar=[None, 0.0], K=[1, 2, 3])
@every_seed
def test_a_weight_is_a_repetition(name, reg_covar, K, seed):
    rng = draws(name, seed)
    X = overlapping(rng, 90, 2)
    counts = rng.integers(0, 4, len(X))
    options = {"covariance_type": name, "reg_covar": reg_covar, "max_iter": 40, **FEW_STARTS}
    weighted = fitted(X, K, weights=counts.astype(float), **options)
    repeated = fitted(np.repeat(X, counts, axis=0), K, **options)
    same_model(weighted.model, repeated.model, rtol=1e-10, atol=1e-10)
    assert weighted.n_rows == repeated.n_rows == counts.sum()
    for criterion in ("log_likelihood", "bic", "aic", "icl"):
        assert getattr(weighted, criterion) == pytest.approx(
            getattr(repeated, criterion), rel=1e-10
        )
    start = rng.integers(K, size=len(X))
    start[np.flatnonzero(counts)[:K]] = np.arange(K)
    kept = counts > 0
    # where EM leaves a saddle, a difference in the last digit grows from step to step
    options["max_iter"] = 15
    a = fitted(X[kept], K, weights=counts[kept].astype(float), start=start[kept], **options)
    b = fitted(np.repeat(X, counts, axis=0), K, start=np.repeat(start, counts), **options)
    same_model(a.model, b.model)


@pytest.mark.heavy
@pytest.mark.parametrize("n_rows", [3000, 8000])
def test_a_weight_is_a_repetition_beyond_one_sample(n_rows):
    # the sum of the weights is beyond what the starts are tried on
    rng = np.random.default_rng(1)
    X, _ = two_clusters(rng, (n_rows - 40, 40), distance=7.0)
    X = X[rng.permutation(n_rows)]
    counts = rng.integers(0, 8, n_rows)
    weighted = fitted(X, 2, weights=counts.astype(float))
    repeated = fitted(np.repeat(X, counts, axis=0), 2)
    same_model(weighted.model, repeated.model, rtol=1e-9, atol=1e-9)
    assert weighted.bic == pytest.approx(repeated.bic, rel=1e-10)


@every_structure
def test_a_weight_of_zero_is_an_absent_row(name):
    rng = np.random.default_rng(2)
    n_rows, n_features = some((100, 2), (200, 3))
    X, weights = overlapping(rng, n_rows, n_features), rng.uniform(0.5, 2, n_rows)
    weights[::3] = 0
    present = weights > 0
    X[~present] = 1e6
    zero = fitted(X, 3, weights=weights, covariance_type=name, **SHORT)
    absent = fitted(X[present], 3, weights=weights[present], covariance_type=name, **SHORT)
    same_model(zero.model, absent.model)
    assert zero.log_likelihood == pytest.approx(absent.log_likelihood, rel=1e-10)
    assert zero.bic == pytest.approx(absent.bic, rel=1e-10)


@in_turn(NAMES, each=2, weighted=[False, True], reg_covar=[None, 0.0, 2.0], K=[1, 2, 3, 4])
@every_seed
def test_what_is_reported_is_of_the_reported_parameters(name, weighted, reg_covar, K, seed):
    rng = draws(name, seed)
    X = overlapping(rng, 100, 2) * [1, 1 if name in ONE_SCALE else 30] + [0, 500]
    weights = rng.uniform(0.5, 2, 100) if weighted else np.ones(100)
    options = {"covariance_type": name, "reg_covar": reg_covar, "max_iter": 15, **FEW_STARTS}
    result = fitted(X, K, weights=weights, **options)
    posterior = result.model.posterior(X)
    top = np.log(posterior.responsibilities.max(axis=1))
    n = weights.sum()
    likelihood = weights @ posterior.log_density
    p = result.model.n_parameters
    assert result.log_likelihood == pytest.approx(likelihood, rel=1e-10)
    assert result.mean_log_likelihood == pytest.approx(likelihood / n, rel=1e-10)
    assert result.bic == pytest.approx(-2 * likelihood + p * np.log(n), rel=1e-10)
    assert result.aic == pytest.approx(-2 * likelihood + 2 * p, rel=1e-10)
    assert result.icl == pytest.approx(result.bic - 2 * weights @ top, rel=1e-9)
    keys = [(-w, *m) for w, m in zip(result.model.weights, result.model.means, strict=True)]
    assert keys == sorted(keys)


@every_structure
def test_single_precision_is_the_same_numbers(name):
    n_rows, n_features = some((100, 2), (400, 3))
    X = overlapping(np.random.default_rng(3), n_rows, n_features).astype(np.float32)
    options = FitOptions(covariance_type=name, **SHORT)
    single = fit(ArrayBatches(np.ascontiguousarray(X.T)), 3, options=options)
    double = fitted(X.astype(np.float64), 3, covariance_type=name, **SHORT)
    assert np.array_equal(single.model.means, double.model.means)
    assert single.log_likelihood == double.log_likelihood


class Slices:
    """Rows that come in the same blocks as those in memory, but are not held there."""

    def __init__(self, X, weights=None):
        self.held = rows(X, weights)

    @property
    def n_features(self):
        return self.held.n_features

    def __iter__(self):
        return iter(self.held)


@pytest.mark.heavy(cases=3)
@in_turn(NAMES, n_rows=[300, 11_000])
def test_rows_that_come_pass_by_pass_give_the_same_bits(name, n_rows):
    rng = np.random.default_rng(4)
    X, weights = overlapping(rng, n_rows, 2), rng.uniform(0.5, 1.5, n_rows)
    options = FitOptions(covariance_type=name, **SHORT)
    held = fit(rows(X, weights), 2, options=options)
    streamed = fit(Slices(X, weights), 2, options=options)
    assert np.array_equal(held.model.means, streamed.model.means)
    assert np.array_equal(held.model.covariance.values, streamed.model.covariance.values)
    assert held.log_likelihood == streamed.log_likelihood


def test_the_callers_rows_are_not_changed():
    X = np.ascontiguousarray(table("iris").T)
    kept = X.copy()
    for name in NAMES:
        fit(ArrayBatches(X), 2, options=FitOptions(covariance_type=name, **SHORT))
    assert np.array_equal(X, kept)
