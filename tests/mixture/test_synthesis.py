"""Test problems: labels are true, separation is honoured, the seed decides."""

import numpy as np
import pytest
from mixture.problems import fitted, mistakes
from scipy.spatial.distance import pdist

from gmmcli.errors import FitError
from gmmcli.mixture.synthesis import KINDS, Recipe, centres, generate

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_shapes_labels_and_seeds(kind):
    recipe = Recipe(n_features=4, n_components=3, seed=1)
    X, labels = generate(kind, 500, recipe)
    assert X.shape == (500, 4)
    assert np.isfinite(X).all()
    assert labels.shape == (500,)
    assert labels.dtype == np.int64
    assert set(labels) == {0, 1, 2}
    again, same = generate(kind, 500, recipe)
    assert np.array_equal(X, again)
    assert np.array_equal(labels, same)
    other, _ = generate(kind, 500, Recipe(n_features=4, n_components=3, seed=2))
    assert not np.array_equal(X, other)


@every_kind
def test_every_kind_says_what_it_is(kind):
    assert KINDS[kind][1]
    assert "\n" not in KINDS[kind][1]


@pytest.mark.parametrize("separation", [0.0, 1.0, 7.5])
@pytest.mark.parametrize(("K", "D"), [(2, 1), (3, 2), (8, 5), (1, 3)])
def test_the_nearest_centres_are_the_separation_apart(separation, K, D):
    recipe = Recipe(n_features=D, n_components=K, separation=separation)
    drawn = centres(recipe, np.random.default_rng(0))
    assert drawn.shape == (K, D)
    if K > 1:
        assert pdist(drawn).min() == pytest.approx(separation, rel=1e-12)


@pytest.mark.parametrize("kind", ["blobs", "random", "unbalanced"])
def test_the_rows_lie_around_their_labels_centres(kind):
    recipe = Recipe(n_features=3, n_components=3, separation=12, seed=3)
    X, labels = generate(kind, 20_000, recipe)
    means = np.stack([X[labels == k].mean(axis=0) for k in range(3)])
    deviations = np.stack([X[labels == k].std(axis=0) for k in range(3)])
    # a mean is known to a standard error, of the smallest cluster at worst
    error = 4 / np.sqrt(np.bincount(labels).min())
    assert pdist(means).min() == pytest.approx(12, abs=2 * error)
    assert np.all(deviations <= 1 + error)
    if kind != "random":
        assert np.all(deviations >= 1 - error)
    else:
        assert np.all(deviations >= 1 / 3 - error)


def test_unbalanced_clusters_are_each_a_tenth():
    _, labels = generate("unbalanced", 100_000, Recipe(n_components=3))
    shares = np.bincount(labels) / 100_000
    np.testing.assert_allclose(shares, np.array([100, 10, 1]) / 111, atol=0.005)


def test_stretched_rows_are_round_ones_times_one_matrix():
    X, labels = generate("stretched", 40_000, Recipe(n_components=4, seed=5))
    covariances = [np.cov(X[labels == k].T) for k in range(4)]
    for sigma in covariances[1:]:
        np.testing.assert_allclose(sigma, covariances[0], rtol=0.1, atol=0.05)
    values = np.linalg.eigvalsh(covariances[0])
    assert values[1] / values[0] > 1.5


def test_classification_has_informative_columns_and_noise():
    recipe = Recipe(n_features=10, n_components=5, n_informative=4, separation=3, seed=6)
    X, labels = generate("classification", 20_000, recipe)
    means = np.stack([X[labels == k].mean(axis=0) for k in range(5)])
    # class means at +-separation / 2 in the informative columns, 0 in the others
    np.testing.assert_allclose(np.abs(means[:, :4]), 1.5, atol=0.1)
    np.testing.assert_allclose(means[:, 4:], 0, atol=0.08)
    assert len({tuple(np.sign(m[:4])) for m in means}) == 5
    np.testing.assert_allclose(X[:, 4:].std(axis=0), 1, atol=0.03)
    # each class has a shape of its own
    spreads = [np.cov(X[labels == k, :4].T) for k in range(5)]
    assert np.max(np.abs(spreads[0] - spreads[1])) > 0.1


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("kind", ["blobs", "stretched", "random", "unbalanced"])
def test_the_engine_finds_the_labels(kind):
    X, labels = generate(kind, 1500, Recipe(n_components=3, separation=10, seed=7))
    found = fitted(X, 3).model.posterior(X).labels
    assert mistakes(found, labels) <= 3


def test_impossible_recipes_are_refused():
    for bad in ({"n_features": 0}, {"n_components": 0}, {"separation": -1}, {"separation": np.inf}):
        with pytest.raises(ValueError, match="start"):
            Recipe(**bad)
    with pytest.raises(FitError, match="informative"):
        Recipe(n_features=3, n_informative=4)
    with pytest.raises(FitError, match="need 3"):
        generate("classification", 10, Recipe(n_features=5, n_components=5, n_informative=2))
