"""The starts: where they are drawn, and that they are what their names say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixture.problems import fitted, mistakes, overlapping, rows, two_clusters
from scipy.cluster.vq import kmeans2
from scipy.special import chdtrc

from gmmcli.mixture.initialise import INITS, Starts, lloyd, nearest, plus_plus
from gmmcli.mixture.sampling import draw


def starts_of(X, weights=None, seed=0):
    return Starts(rows(X, weights), whitening=np.eye(X.shape[1]), seed=seed)


def chi_square_p_value(counts, expected):
    """Probability of a worse fit by chance."""
    total = counts.sum()
    statistic = np.sum((counts - total * expected) ** 2 / (total * expected))
    return chdtrc(len(counts) - 1, statistic)


def second_seeds(n_draws):
    """How often each row was the second seed, when the first was row 0."""
    X = np.array([[0.0, 1.0, 2.0, 4.0, -1.0]])
    weights = np.array([1.0, 2.0, 1.0, 0.5, 1.0])
    counts, rng = np.zeros(5), np.random.default_rng(0)
    for _ in range(n_draws):
        seeds = plus_plus(X, weights, 2, rng)[0]
        if seeds[0] == 0.0:
            counts[np.flatnonzero(X[0] == seeds[1])[0]] += 1
    return X[0], weights, counts


def test_k_means_plus_plus_draws_by_squared_distance_and_weight():
    x, weights, counts = second_seeds(20_000)
    # the first seed is drawn by weight alone
    assert counts.sum() / 20_000 == pytest.approx(weights[0] / weights.sum(), abs=0.012)
    assert counts[0] == 0
    expected = (weights * x**2)[1:]
    assert chi_square_p_value(counts[1:], expected / expected.sum()) > 1e-3
    # the negative controls: distance unsquared, and weights forgotten
    for wrong in (weights * np.abs(x), x**2):
        assert chi_square_p_value(counts[1:], wrong[1:] / wrong[1:].sum()) < 1e-6


def test_seeds_are_distinct_while_rows_are():
    X = np.repeat(np.arange(6.0), 50)[None]
    rng = np.random.default_rng(1)
    for _ in range(50):
        assert len(set(plus_plus(X, np.ones(300), 6, rng)[0])) == 6
    # and when there are not enough, no harm is done
    assert plus_plus(np.zeros((2, 4)), np.ones(4), 3, rng).shape == (2, 3)


def test_draws_go_by_weight():
    rng = np.random.default_rng(2)
    weights = np.array([0.0, 1.0, 3.0, 0.0, 6.0])
    counts = np.bincount(draw(weights, rng.random(30_000)), minlength=5)
    assert counts[[0, 3]].tolist() == [0, 0]
    share = np.array([0.1, 0.3, 0.6])
    assert chi_square_p_value(counts[[1, 2, 4]], share) > 1e-3
    assert chi_square_p_value(counts[[1, 2, 4]], np.full(3, 1 / 3)) < 1e-9


@given(seed=st.integers(0, 10**6))
def test_draws_of_weighted_rows_are_draws_of_repeated_rows(seed):
    rng = np.random.default_rng(seed)
    counts, uniform = rng.integers(0, 5, 30), rng.random(200)
    counts[0] = 1
    original = np.repeat(np.arange(30), counts)
    weighted = draw(counts.astype(float), uniform)
    repeated = draw(np.ones(counts.sum()), uniform)
    assert np.array_equal(weighted, original[repeated])


def test_the_ends_of_the_interval_are_rows_with_weight():
    weights = np.array([0.0, 0.1, 0.2, 0.0])
    ends = draw(weights, np.array([0.0, np.nextafter(1, 0)]))
    assert ends[0] == 1
    assert weights[ends[1]] > 0 or ends[1] == 3


def test_nearest_is_the_nearest():
    rng = np.random.default_rng(3)
    X, centres = rng.standard_normal((3, 200)), rng.standard_normal((3, 7))
    distances = np.linalg.norm(X[:, :, None] - centres[:, None, :], axis=0)
    assert np.array_equal(nearest(X, centres), distances.argmin(axis=1))


def test_lloyd_is_k_means():
    rng = np.random.default_rng(4)
    X = overlapping(rng, 200)
    centres = X[:3].copy()
    ours = lloyd(X.T, np.ones(200), centres.T)
    _, theirs = kmeans2(X, centres, iter=20, minit="matrix")
    assert np.array_equal(ours, theirs)
    counts = rng.integers(1, 4, 200)
    weighted = lloyd(X.T, counts.astype(float), centres.T)
    repeated = lloyd(np.repeat(X, counts, axis=0).T, np.ones(counts.sum()), centres.T)
    assert np.array_equal(np.repeat(weighted, counts), repeated)


def test_an_emptied_centre_stays():
    X = np.array([[0.0, 0.1, 5.0, 5.1]])
    labels = lloyd(X, np.ones(4), np.array([[0.0, 5.0, 100.0]]))
    assert labels.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("init", INITS)
def test_partitions_have_a_label_for_each_row(init):
    rng = np.random.default_rng(5)
    X = overlapping(rng, 300)
    starts = list(starts_of(X).portfolio(init, 4, n_init=3))
    assert len(starts) == (3 if init != "auto" else 45)
    for start in starts:
        assert start.labels.shape == (300,)
        assert start.labels.dtype == np.int64
        assert start.labels.min() >= 0
        assert start.labels.max() <= 3
    kinds = {start.kind for start in starts}
    if init == "hierarchical":
        assert kinds == {"hierarchical", "model-based"}
    elif init != "auto":
        assert kinds == {init}


def test_a_tree_of_all_rows_is_cut_once():
    X = overlapping(np.random.default_rng(5), 300)
    for n_init, n_starts in ((1, 1), (2, 2), (3, 3), (9, 3)):
        assert len(list(starts_of(X).portfolio("hierarchical", 4, n_init=n_init))) == n_starts
    # beyond its rows new samples are drawn, and with them new trees grow
    many = starts_of(overlapping(np.random.default_rng(5), 1500))
    starts = [start.labels for start in many.portfolio("hierarchical", 4, n_init=6)]
    assert len(np.unique(starts, axis=0)) == 6


def test_the_portfolio_has_every_kind():
    X = overlapping(np.random.default_rng(6), 100)
    kinds = [start.kind for start in starts_of(X).portfolio("auto", 3, n_init=1)]
    assert set(kinds) == {"model-based", "hierarchical", "kmeans", "farthest", "random"}


def test_one_component_has_one_start():
    X = overlapping(np.random.default_rng(7), 50)
    for init in INITS:
        (start,) = starts_of(X).portfolio(init, 1, n_init=5)
        assert not start.labels.any()


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("init", INITS)
def test_the_seed_decides(init):
    X = overlapping(np.random.default_rng(8), 2500)

    def labels(seed):
        found = starts_of(X, seed=seed).portfolio(init, 5, n_init=2)
        return np.stack([start.labels for start in found])

    assert np.array_equal(labels(1), labels(1))
    assert not np.array_equal(labels(1), labels(2))


def test_what_k_means_draws_does_not_depend_on_what_was_fitted_before():
    # so that select-k gives a cell what fit gives it alone
    X = overlapping(np.random.default_rng(9), 200)
    shared = starts_of(X)
    list(shared.portfolio("auto", 2, n_init=1))
    later, first = (list(s.portfolio("auto", 4, n_init=1)) for s in (shared, starts_of(X)))
    assert len(first) > 10
    for a, b in zip(later, first, strict=True):
        assert np.array_equal(a.labels, b.labels)


@pytest.mark.parametrize("init", ["kmeans", "hierarchical", "auto"])
def test_far_clusters_are_the_partition(init):
    X, truth = two_clusters(np.random.default_rng(10), (200, 100), distance=30)
    starts = list(starts_of(X).portfolio(init, 2, n_init=2))
    found = [s.labels for s in starts if s.kind in {"kmeans", "hierarchical", "farthest"}]
    assert found
    for labels in found:
        assert mistakes(labels, truth) == 0


@pytest.mark.parametrize("n_rows", [900, 1500])
def test_a_tree_on_a_sample_labels_all_rows(n_rows):
    X, truth = two_clusters(np.random.default_rng(11), (n_rows, 300), distance=12)
    (start,) = starts_of(X).portfolio("hierarchical", 2, n_init=1)
    assert mistakes(start.labels, truth) == 0


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), K=st.integers(2, 5))
def test_every_start_of_weighted_rows_is_that_of_repeated_rows(seed, K):
    rng = np.random.default_rng(seed)
    X, counts = overlapping(rng, 60, 2), rng.integers(1, 4, 60)
    weighted = starts_of(X, counts.astype(float)).portfolio("auto", K, n_init=1)
    repeated = starts_of(np.repeat(X, counts, axis=0)).portfolio("auto", K, n_init=1)
    pairs = list(zip(weighted, repeated, strict=True))
    assert len(pairs) > 10
    for a, b in pairs:
        assert mistakes(np.repeat(a.labels, counts), b.labels) == 0


@pytest.mark.parametrize("init", INITS)
def test_each_kind_of_start_leads_to_the_clusters(init):
    X, truth = two_clusters(np.random.default_rng(12))
    result = fitted(X, 2, init=init, n_init=3)
    assert result.init == init
    assert mistakes(result.model.posterior(X).labels, truth) == 0
