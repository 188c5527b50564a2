"""A partition's moments, and which of its groups are best made one."""

from itertools import combinations, product

import numpy as np
import pytest
from mixture.problems import NAMES, overlapping, problem_of

from gmmcli.mixture import partition
from gmmcli.mixture.partition import joined, model_of, moments_of

every_structure = pytest.mark.parametrize("name", NAMES)


def joined_labels(labels, i, j):
    return np.where(labels == j, i, labels)


def classification_log_likelihood(problem, labels):
    """Of softened clusters, from the labels alone: Fraley (1998), but for a constant."""
    n_groups = len(np.unique(labels))
    moments = moments_of(problem.batches, labels, problem.structure.form)
    model = model_of(problem, moments, n_groups, softened=True)
    log_determinants = np.linalg.slogdet(model.covariance.full())[1]
    masses = np.unique(labels, return_counts=True)[1]
    return float(masses @ (np.log(masses / masses.sum()) - 0.5 * log_determinants))


def grouped(name, seed, n_groups):
    """A problem, labels of groups of its rows, and their moments."""
    rng = np.random.default_rng(seed)
    X = overlapping(rng)
    problem = problem_of(X, name)
    labels = rng.integers(n_groups - 1, size=len(X))
    labels[X[:, 0] > 1] = n_groups - 1
    return problem, labels, moments_of(problem.batches, labels, problem.structure.form)


@every_structure
def test_the_two_groups_are_joined_that_cost_least(name, monkeypatch):
    problem, labels, moments = grouped(name, 4, 6)
    monkeypatch.setattr(partition, "LIKELY_PAIRS", 15)
    ours_joined = joined(problem, moments, 5)[0]
    values = {
        pair: classification_log_likelihood(problem, joined_labels(labels, *pair))
        for pair in combinations(range(6), 2)
    }
    best = max(values, key=values.get)
    expected = moments_of(problem.batches, joined_labels(labels, *best), problem.structure.form)
    for ours, theirs in zip(ours_joined, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_which_groups_are_joined_depends_on_the_shapes_that_clusters_may_have():
    # two spheres that nearly touch, and two far pieces of one long line
    rng = np.random.default_rng(0)
    sizes, centres = (200, 200, 200, 200), [(0, 0), (0, 5), (20, 0), (32, 0)]
    spreads = [(1, 1), (1, 1), (3, 0.02), (3, 0.02)]
    X = np.concatenate(
        [
            c + s * rng.standard_normal((n, 2))
            for n, c, s in zip(sizes, centres, spreads, strict=True)
        ]
    )
    labels = np.repeat(range(4), sizes)
    chosen = {}
    for name in ("EII", "VVV"):
        problem = problem_of(X, name)
        moments = moments_of(problem.batches, labels, problem.structure.form)
        chosen[name] = int(np.argmax(joined(problem, moments, 3)[0].weights))
    assert chosen == {"EII": 0, "VVV": 2}


@pytest.mark.heavy(cases=7)
@every_structure
def test_several_are_joined_as_suits_the_structure_best(name, monkeypatch):
    problem, labels, moments = grouped(name, 6, 5)
    monkeypatch.setattr(partition, "LIKELY_PAIRS", 10)
    monkeypatch.setattr(partition, "KEPT", 10)
    found = joined(problem, moments, 3)
    values = {}
    for groups in product(range(3), repeat=5):
        if set(groups) == {0, 1, 2}:
            # one partition by each of its names
            joined_to = np.array(groups)[labels]
            value = classification_log_likelihood(problem, joined_to)
            values[round(value, 4)] = joined_to
    best = values[max(values)]
    expected = moments_of(problem.batches, best, problem.structure.form)
    np.testing.assert_allclose(np.sort(found[0].weights), np.sort(expected.weights), rtol=1e-9)
    order, theirs = np.argsort(found[0].weights), np.argsort(expected.weights)
    np.testing.assert_allclose(found[0].means[order], expected.means[theirs], atol=1e-9)


def test_the_pair_that_is_best_by_itself_does_not_always_lead_to_the_best(monkeypatch):
    better = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        centres, labels = 4 * rng.standard_normal((5, 2)), np.arange(500) % 5
        X = centres[labels] + rng.standard_normal((500, 2))
        problem = problem_of(X, "spherical")
        moments = moments_of(problem.batches, labels, problem.structure.form)

        def value(kept, problem=problem, moments=moments):
            monkeypatch.setattr(partition, "KEPT", kept)
            weights = (best := joined(problem, moments, 2)[0]).weights
            scatter = model_of(problem, best, 2, softened=True).covariance.log_determinants
            return float(weights @ (np.log(weights) - 0.5 * scatter))

        assert value(4) >= value(1) - 1e-9
        better += value(4) > value(1) + 1e-3
    assert better > 0
