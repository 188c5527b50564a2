"""A partition's moments, and which of its groups are best made one."""

from itertools import combinations

import numpy as np
import pytest
from mixture.problems import NAMES, overlapping, problem_of

from gmmcli.mixture import partition
from gmmcli.mixture.partition import best_joined, model_of, moments_of

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


@every_structure
def test_the_two_groups_are_joined_that_cost_least(name, monkeypatch):
    rng = np.random.default_rng(4)
    X = overlapping(rng)
    problem = problem_of(X, name)
    labels = rng.integers(5, size=len(X))
    labels[X[:, 0] > 1] = 5
    monkeypatch.setattr(partition, "LIKELY_PAIRS", 15)
    moments = moments_of(problem.batches, labels, problem.structure.form)
    joined = best_joined(problem, moments)
    values = {
        pair: classification_log_likelihood(problem, joined_labels(labels, *pair))
        for pair in combinations(range(6), 2)
    }
    best = max(values, key=values.get)
    expected = moments_of(problem.batches, joined_labels(labels, *best), problem.structure.form)
    for ours, theirs in zip(joined, expected, strict=True):
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
    joined = {}
    for name in ("EII", "VVV"):
        problem = problem_of(X, name)
        moments = moments_of(problem.batches, labels, problem.structure.form)
        joined[name] = int(np.argmax(best_joined(problem, moments).weights))
    assert joined == {"EII": 0, "VVV": 2}
