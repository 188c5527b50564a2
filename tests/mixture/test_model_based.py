"""Model-based trees: the greedy algorithm from its definition, and what it is for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixture.problems import mistakes, reference, table

from gmmcli.mixture.model_based import model_based
from gmmcli.mixture.ward import cut, ward


def greedy(X, masses, n_left):
    """Merge by definition: every pair of clusters is judged from its rows."""
    clusters = [[i] for i in range(len(X))]
    # one row more for each cluster, with variance G^(-2 / D)
    extra = len(X) ** (-2 / X.shape[1]) * np.eye(X.shape[1])

    def cost(rows):
        w = masses[rows]
        Y, n = X[rows] - np.average(X[rows], axis=0, weights=w), w.sum() + 1
        return n * np.log(np.linalg.det((Y.T @ (Y * w[:, None]) + extra) / n))

    while len(clusters) > n_left:
        pairs = [(i, j) for i in range(len(clusters)) for j in range(i + 1, len(clusters))]
        losses = [
            cost(clusters[i] + clusters[j]) - cost(clusters[i]) - cost(clusters[j])
            for i, j in pairs
        ]
        i, j = pairs[int(np.argmin(losses))]
        clusters[i] += clusters.pop(j)
    return {frozenset(cluster) for cluster in clusters}


@pytest.mark.heavy
@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), n_features=st.integers(1, 3), weighted=st.booleans())
def test_the_merges_are_those_of_the_definition(seed, n_features, weighted):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((14, n_features))
    masses = rng.integers(1, 4, 14).astype(float) if weighted else np.ones(14)
    tree = model_based(X.T, masses, np.arange(14))
    for n_left in (8, 4, 2):
        labels = cut(tree, n_left)
        found = {frozenset(np.flatnonzero(labels == k).tolist()) for k in range(n_left)}
        assert found == greedy(X, masses, n_left)


def test_groups_stand_for_their_rows():
    rng = np.random.default_rng(1)
    X, groups = rng.standard_normal((30, 2)), np.repeat(np.arange(10), 3)
    tree = model_based(X.T, np.ones(30), groups)
    assert len(tree.pairs) == 9
    merged = np.r_[X[groups == tree.pairs[0][0]], X[groups == tree.pairs[0][1]]]
    extra = 10 ** (-1.0) * np.eye(2)

    def cost(rows):
        Y = rows - rows.mean(axis=0)
        n = len(rows) + 1
        return n * np.log(np.linalg.det((Y.T @ Y + extra) / n))

    parts = sum(cost(X[groups == g]) for g in tree.pairs[0])
    assert tree.heights[0] == pytest.approx(cost(merged) - parts, rel=1e-9)


def test_long_clusters_side_by_side_are_found():
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], 75)
    X = rng.standard_normal((150, 2)) * [6.0, 0.3]
    X[:, 1] += 3 * labels
    groups = np.arange(150)
    found = cut(model_based(X.T, np.ones(150), groups), 2)
    assert mistakes(labels, found) <= 3
    # what it is for: Ward's tree cuts them across
    assert mistakes(labels, cut(ward(X.T, np.ones(150)), 2)) > 20


def test_two_clusters_of_iris_are_those_of_mclust():
    X = table("iris")
    X = (X - X.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(X.T))).T
    theirs = np.array(reference("iris")["components"]["2"]["start_labels"])
    found = cut(model_based(X.T, np.ones(150), np.arange(150)), 2)
    assert mistakes(theirs - theirs.min(), found) == 0
