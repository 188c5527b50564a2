"""What users of other programs suffer: each fault shown there, and absent here."""

import warnings

import numpy as np
import pytest
from effort import in_turn, some
from mixture.problems import WORDS, fitted, mistakes, table, two_clusters
from sklearn.mixture import GaussianMixture as ScikitMixture

every_structure = pytest.mark.parametrize("name", WORDS)
seeds = pytest.mark.parametrize("seed", range(some(1, 3)))


def ours(X, name, **options):
    """The fit of two clusters, and its labels."""
    result = fitted(X, 2, covariance_type=name, **options)
    assert result.converged
    assert not result.notes
    return result, result.model.posterior(X).labels


def theirs(X, name):
    """scikit-learn's, with whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ScikitMixture(2, covariance_type=name, random_state=0).fit(X)
        return model, model.predict(X)


@every_structure
@seeds
def test_untouched_both_separate_the_clusters(name, seed):
    X, truth = two_clusters(np.random.default_rng(seed))
    assert mistakes(ours(X, name)[1], truth) == 0
    assert mistakes(theirs(X, name)[1], truth) == 0


@pytest.mark.heavy(cases=2)
@every_structure
@seeds
@pytest.mark.parametrize("columns", [(1, 0), (1, 1)])
def test_unix_time_is_no_reason_to_fail(name, seed, columns):
    X, truth = two_clusters(np.random.default_rng(seed))
    plain, _ = ours(X, name)
    moved = X + 1.6e9 * np.array(columns)
    result, labels = ours(moved, name)
    assert mistakes(labels, truth) == 0
    # the data themselves are rounded to 2e-7
    assert result.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-4)
    np.testing.assert_allclose(
        result.model.covariance.full(), plain.model.covariance.full(), atol=1e-6
    )
    if name != "full":
        with pytest.raises(ValueError, match="ill-defined"):
            theirs(moved, name)


@pytest.mark.heavy(cases=1)
@every_structure
@seeds
def test_small_units_keep_the_labels(name, seed):
    X, truth = two_clusters(np.random.default_rng(seed))
    plain, _ = ours(X, name)
    result, labels = ours(X * 1e-8, name)
    assert mistakes(labels, truth) == 0
    expected = plain.log_likelihood - X.size * np.log(1e-8)
    assert result.log_likelihood == pytest.approx(expected, rel=1e-10)
    model, wrong = theirs(X * 1e-8, name)
    assert mistakes(wrong, truth) > 200
    assert model.converged_


@pytest.mark.heavy(cases=1)
@every_structure
@seeds
def test_small_units_keep_the_covariances(name, seed):
    X, _ = two_clusters(np.random.default_rng(seed))
    plain, _ = ours(X, name)
    result, _ = ours(X * 1e-3, name)
    np.testing.assert_allclose(
        result.model.covariance.full() / 1e-6,
        plain.model.covariance.full(),
        atol=1e-6,
    )
    small, large = theirs(X * 1e-3, name)[0], theirs(X, name)[0]
    assert np.max(small.covariances_ / 1e-6 / large.covariances_) > 1.8


@pytest.mark.parametrize("name", ["full", "tied", "diag"])
@seeds
def test_one_column_in_a_smaller_unit_does_not_hide_the_clusters(name, seed):
    X, truth = two_clusters(np.random.default_rng(seed))
    X[:, 1] *= 100
    assert mistakes(ours(X, name)[1], truth) == 0
    assert mistakes(theirs(X, name)[1], truth) > 200


@seeds
def test_round_clusters_are_what_spherical_means(seed):
    # noise 100 times wider than the clusters is no round cluster: the split along it has the
    # higher likelihood, so to find it is no fault of the search
    X, truth = two_clusters(np.random.default_rng(seed))
    wide = X * [1, 100]
    found = fitted(wide, 2, covariance_type="spherical")
    from_truth = fitted(wide, 2, covariance_type="spherical", start=truth)
    assert found.log_likelihood >= from_truth.log_likelihood
    # where the clusters lie along the column, its unit does no harm
    assert mistakes(ours(X * [100, 1], "spherical")[1], truth) == 0


@pytest.mark.heavy(cases=1)
@every_structure
@seeds
def test_five_rows_beside_five_thousand_are_found(name, seed):
    X, truth = two_clusters(np.random.default_rng(seed), (5000, 5))
    result, labels = ours(X, name)
    assert mistakes(labels, truth) == 0
    assert result.model.weights[1] == pytest.approx(5 / 5005, rel=0.02)
    assert mistakes(theirs(X, name)[1], truth) > 1000


@pytest.mark.heavy(cases=3)
@in_turn(WORDS, each=3, far=[1e10, 1e100, 1e160, 1e200, 1e300, 1.7e308])
def test_a_far_row_has_a_cluster_and_no_nan(name, far):
    X, _ = two_clusters(np.random.default_rng(0))
    model = ours(X, name)[0].model
    rows = far * np.array([[1, 0], [-1, 0], [0, 1], [1, -1]])
    posterior = model.posterior(rows)
    for values in posterior:
        assert np.isfinite(values).all()
    np.testing.assert_allclose(posterior.responsibilities.sum(axis=1), 1, rtol=1e-15)
    assert np.all(posterior.log_density < -1e15)
    other, _ = theirs(X, name)
    if far >= 1e160:
        with np.errstate(all="ignore"):
            assert np.isnan(other.predict_proba(rows)).any()


def test_the_default_tolerance_is_not_fooled_by_a_plateau():
    X = table("faithful")
    best = -1126.315927824
    for seed in range(some(2, 3)):
        result = fitted(X, 3, covariance_type="tied", seed=seed, reg_covar=0)
        assert result.converged
        assert result.log_likelihood == pytest.approx(best, abs=1e-3)
    short = [
        best - len(X) * ScikitMixture(3, covariance_type="tied", random_state=s).fit(X).score(X)
        for s in range(3)
    ]
    assert np.median(short) > 13
