"""When further starts need not be tried."""

import numpy as np
import pytest
from mixture.problems import fitted, mistakes, problem_of, two_clusters

from gmmcli.mixture.evident import evident
from gmmcli.mixture.heats import Heats
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.synthesis import Recipe, generate


def of_groups(X, labels):
    """The mixture that has the moments of the groups."""
    groups = [X[labels == k] for k in range(int(labels.max()) + 1)]
    return GaussianMixture.from_arrays(
        [len(group) / len(X) for group in groups],
        [group.mean(axis=0) for group in groups],
        [np.cov(group.T, bias=True) for group in groups],
        covariance_type="full",
    )


def is_evident(X, labels):
    return evident(of_groups(X, labels), problem_of(X, "full").batches)


def standardised(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


def clusters_apart(seed, n_features=4, n_components=6):
    recipe = Recipe(n_features=n_features, n_components=n_components, separation=6, seed=seed)
    X, labels = generate("random", 2_000, recipe)
    return standardised(X), labels


@pytest.mark.parametrize("seed", range(5))
def test_the_truth_is_evident_and_what_joins_splits_or_moves_clusters_is_not(seed):
    X, labels = clusters_apart(seed)
    assert is_evident(X, labels)
    joined = np.unique(np.where(labels == 5, 4, labels), return_inverse=True)[1]
    assert not is_evident(X, joined)
    half = X[:, 0] > np.median(X[labels == 0, 0])
    assert not is_evident(X, np.where((labels == 0) & half, 6, labels))


def test_clusters_that_overlap_or_are_no_gaussians_are_not_evident():
    rng = np.random.default_rng(0)
    X, labels = two_clusters(rng, (1_000, 1_000), distance=2.0)
    assert not is_evident(standardised(X), labels)
    X, labels = two_clusters(rng, (1_000, 1_000), distance=30.0)
    assert is_evident(standardised(X), labels)
    for noise in (
        rng.standard_t(3, X.shape),
        rng.uniform(-3, 3, X.shape),
        rng.exponential(size=X.shape),
    ):
        assert not is_evident(standardised(noise + 30 * labels[:, None]), labels)


def test_a_covariance_that_is_not_that_of_the_rows_is_not_evident():
    X, labels = clusters_apart(1)
    model = of_groups(X, labels)
    rounder = model.covariance.full() * (0.5 + 0.5 * np.eye(4))
    other = GaussianMixture.from_arrays(model.weights, model.means, rounder, covariance_type="full")
    assert not evident(other, problem_of(X, "full").batches)


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("name", ["full", "diag", "tied"])
def test_a_large_table_of_clusters_apart_needs_few_starts_and_ends_as_high(name, monkeypatch):
    X, truth = generate(
        "random", 12_000, Recipe(n_features=3, n_components=4, separation=7, seed=2)
    )
    quick = fitted(X, 4, covariance_type="full")
    assert quick.n_starts <= 2
    assert mistakes(quick.model.posterior(X).labels, truth) <= 2
    result = fitted(X, 4, covariance_type=name)
    monkeypatch.setattr(Heats, "quick", lambda *_: [])
    long = fitted(X, 4, covariance_type=name)
    assert long.n_starts > 10
    assert result.log_likelihood >= long.log_likelihood - 1e-3
