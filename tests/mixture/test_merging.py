"""Components joined by entropy: Baudry et al.'s rule, against the definition and mclust."""

from itertools import combinations

import numpy as np
import pytest
from mixture.problems import fitted, random_model, reference, rows, table, two_clusters

from gmmcli.execution import executor
from gmmcli.mixture.merging import SLIGHT, Merging, by_cluster, elbow, merge
from gmmcli.mixture.model import GaussianMixture


def entropy(shares):
    """-sum t ln t by the definition."""
    t = shares[shares > 0]
    return float(-(t * np.log(t)).sum())


def by_definition(model, X, weights=None):
    """Every pair tried at every step, on the whole table of responsibilities."""
    times = np.ones(len(X), dtype=int) if weights is None else weights
    parts = [[k] for k in range(model.n_components)]
    r = np.repeat(model.posterior(X).responsibilities, times, axis=0)

    def total(parts):
        return entropy(np.stack([r[:, part].sum(axis=1) for part in parts], axis=1))

    entropies, merges = [total(parts)], []
    while len(parts) > 1:
        options = [
            [parts[a] + parts[b], *(p for c, p in enumerate(parts) if c not in (a, b))]
            for a, b in combinations(range(len(parts)), 2)
        ]
        best = min(options, key=total)
        merges.append(set(best[0]))
        parts = sorted(sorted(part) for part in best)
        entropies.append(total(parts))
    return entropies[::-1], merges


@pytest.fixture(scope="module")
def faithful():
    """Old Faithful, three tied components at the best known optimum, components by weight."""
    (entry,) = (
        fit
        for fit in reference("best_known_fits")
        if (fit["dataset"], fit["model"], fit["K"]) == ("faithful", "EEE", 3)
    )
    return GaussianMixture.from_arrays(
        entry["weights"], entry["means"], entry["covariances"][0], covariance_type="tied"
    ).canonical()


def test_old_faithful_as_mclust_has_it(faithful):
    X = table("faithful")
    np.testing.assert_allclose(sorted(faithful.weights), [0.168606, 0.356378, 0.475016], atol=3e-6)
    merging = merge(faithful, rows(X))
    np.testing.assert_allclose(merging.entropies, [0, 0.483, 42.743], atol=6e-4)
    assert merging.merges[0] == ((0,), (2,))
    # two lines go through three points wherever they are, but two clusters stand apart
    assert merging.elbow is None
    assert merging.suggested == 2
    labels = by_cluster(faithful.posterior(X), merging.clusters(2)).labels
    assert np.bincount(labels).tolist() == [175, 97]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["full", "tied", "diag", "spherical"])
def test_every_step_is_that_of_the_definition(name, weighted):
    rng = np.random.default_rng(3)
    model = random_model(rng, name, n_components=6, n_features=2)
    X = 2 * rng.standard_normal((500, 2))
    weights = rng.integers(1, 4, len(X)) if weighted else None
    merging = merge(model, rows(X, None if weights is None else weights.astype(float)))
    entropies, merges = by_definition(model, X, weights)
    np.testing.assert_allclose(merging.entropies, entropies, atol=1e-9)
    assert [{*first, *second} for first, second in merging.merges] == merges
    assert merging.n_rows == (len(X) if weights is None else weights.sum())


def test_clusters_are_numbered_by_weight_and_keep_the_mass():
    rng = np.random.default_rng(3)
    model = random_model(rng, "full", n_components=6, n_features=2)
    merging = merge(model, rows(2 * rng.standard_normal((500, 2))))
    for n_clusters in range(1, 7):
        clusters = merging.clusters(n_clusters)
        masses = np.bincount(clusters, weights=model.weights)
        assert len(masses) == n_clusters
        assert np.all(np.diff(masses) <= 0)
    assert merging.clusters(6).tolist() == np.argsort(np.argsort(-model.weights)).tolist()


def test_threads_and_batches_do_not_change_a_bit():
    rng = np.random.default_rng(5)
    model = random_model(rng, "full", n_components=5, n_features=3)
    batches = rows(2 * rng.standard_normal((30_000, 3)))
    serial = merge(model, batches)
    with executor(3) as pool:
        threaded = merge(model, batches, workers=pool)
    assert threaded.entropies.tolist() == serial.entropies.tolist()
    assert threaded.merges == serial.merges


@pytest.mark.heavy
def test_a_ring_of_gaussians_and_a_blob_are_two_clusters():
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 600)
    ring = 10 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    X = np.concatenate([ring, np.zeros((300, 2))]) + 0.5 * rng.standard_normal((900, 2))
    model = fitted(X, 9, n_init=2).model
    merging = merge(model, rows(X))
    labels = by_cluster(model.posterior(X), merging.clusters(2)).labels
    assert labels.tolist() == [0] * 600 + [1] * 300


@pytest.mark.heavy
def test_components_that_stand_apart_stay():
    X, _ = two_clusters(np.random.default_rng(1), (200, 200), distance=12)
    X = np.concatenate([X, X[:200] + np.array([0, 15])])
    apart = merge(fitted(X, 3).model, rows(X))
    assert apart.entropies[-1] < SLIGHT * len(X)
    assert apart.suggested == 3
    together = merge(fitted(X, 5, n_init=2).model, rows(X))
    assert together.entropies[-1] > SLIGHT * len(X)
    assert 3 <= together.suggested < 5


def with_entropies(*entropies):
    K = len(entropies)
    merges = tuple(((0,), (k,)) for k in range(1, K))
    weights, values = np.full(K, 1 / K), np.array(entropies)
    return Merging(weights=weights, n_rows=100, entropies=values, merges=merges)


@pytest.mark.parametrize(
    ("entropies", "suggested"),
    [((0.0, 40.0), 2), ((0.0, 0.5, 40.0), 2), ((0.0, 1.5, 40.0), 3), ((0.0, 39.0, 40.0), 3)],
)
def test_of_two_or_three_components_those_are_clusters_that_stand_apart(entropies, suggested):
    # 1 nat of 100 rows is slight
    merging = with_entropies(*entropies)
    assert merging.apart < len(entropies)
    assert merging.elbow is None
    assert merging.suggested == suggested


def test_an_elbow_is_where_the_entropy_becomes_steeper():
    assert with_entropies(0, 3, 6, 34, 64).suggested == 3
    # falls all the way to one cluster, and faster at last: no number between is special
    bent = with_entropies(0, 30, 60, 61, 62)
    assert bent.apart == 1
    assert bent.elbow is None
    assert bent.suggested == 5
    # two lines follow the first large drop, and leave clusters that hardly anything divides
    faithful = with_entropies(0, 0.4, 11.1, 35.6)
    assert (faithful.elbow, faithful.suggested) == (3, 2)
    # a bend that is there, of components that hardly overlap
    slight = with_entropies(0, 0.01, 0.02, 0.5)
    assert slight.apart == 4
    assert slight.elbow == 3
    assert slight.suggested == 4


def test_the_elbow_is_that_of_two_least_squares_lines():
    rng = np.random.default_rng(0)

    def misfit(values):
        x = np.arange(len(values))
        return float(((values - np.polyval(np.polyfit(x, values, 1), x)) ** 2).sum())

    for n_points in (3, 4, 7, 20):
        for values in np.cumsum(rng.exponential(size=(20, n_points)), axis=1):
            two = [misfit(values[: c + 1]) + misfit(values[c:]) for c in range(1, n_points - 1)]
            assert two[elbow(values) - 1] == pytest.approx(min(two), abs=1e-12)
    assert elbow(np.array([0.0, 1, 2, 3, 13, 23, 33])) == 3


def test_probabilities_of_clusters_are_sums_and_small_ones_stay_small():
    rng = np.random.default_rng(0)
    model = random_model(rng, "full", n_components=4, n_features=2)
    X = np.concatenate([2 * rng.standard_normal((50, 2)), [[400.0, 0]]])
    components = model.posterior(X)
    clusters = by_cluster(components, [1, 0, 1, 2])
    r = components.responsibilities
    np.testing.assert_allclose(clusters.responsibilities[:, 1], r[:, 0] + r[:, 2], rtol=1e-15)
    np.testing.assert_allclose(clusters.responsibilities.sum(axis=1), 1, rtol=1e-15)
    least = np.sort(clusters.responsibilities, axis=1)[:, :2].sum(axis=1)
    np.testing.assert_allclose(clusters.uncertainty, least, rtol=1e-12)
    assert clusters.log_density.tolist() == components.log_density.tolist()
