"""Ward's trees beside scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixture.problems import mistakes
from scipy.cluster.hierarchy import cut_tree, linkage

from gmmcli.mixture.ward import cut, ward


def same_partition(a, b):
    """Whether two labellings are the same up to names."""
    pairs = set(zip(a.tolist(), b.tolist(), strict=True))
    return len(pairs) == len(set(a.tolist())) == len(set(b.tolist()))


@given(seed=st.integers(0, 10**6), n_rows=st.integers(2, 60), n_features=st.integers(1, 4))
def test_trees_and_cuts_are_those_of_scipy(seed, n_rows, n_features):
    X = np.random.default_rng(seed).standard_normal((n_rows, n_features))
    tree = ward(X.T, np.ones(n_rows))
    theirs = linkage(X, "ward")
    assert len(tree.heights) == n_rows - 1
    # scipy's height is sqrt(2 x the growth of the within sum of squares)
    np.testing.assert_allclose(np.sqrt(2 * tree.heights), theirs[:, 2], rtol=1e-9)
    for n_groups in {1, 2, min(5, n_rows), n_rows}:
        expected = cut_tree(theirs, n_clusters=n_groups)[:, 0]
        assert same_partition(cut(tree, n_groups), expected)


@given(seed=st.integers(0, 10**6))
def test_a_mass_is_a_repetition(seed):
    rng = np.random.default_rng(seed)
    X, counts = rng.standard_normal((25, 2)), rng.integers(1, 5, 25)
    weighted = ward(X.T, counts.astype(float))
    repeated = ward(np.repeat(X, counts, axis=0).T, np.ones(counts.sum()))
    zeros = counts.sum() - 25
    assert len(repeated.heights) == zeros + len(weighted.heights) == zeros + 24
    np.testing.assert_allclose(repeated.heights[:zeros], 0, atol=1e-12)
    np.testing.assert_allclose(repeated.heights[zeros:], weighted.heights, rtol=1e-8)
    for n_groups in (2, 4):
        expected = np.repeat(cut(weighted, n_groups), counts)
        assert same_partition(cut(repeated, n_groups), expected)


def test_heights_add_up_to_the_whole_sum_of_squares():
    X = np.random.default_rng(1).standard_normal((3, 100))
    total = np.sum((X - X.mean(axis=1, keepdims=True)) ** 2)
    assert ward(X, np.ones(100)).heights.sum() == pytest.approx(total, rel=1e-12)


def test_clusters_far_apart_are_found():
    rng = np.random.default_rng(2)
    truth = np.repeat([0, 1, 2], 40)
    X = rng.standard_normal((120, 2)) + 30 * np.array([[0, 0], [1, 0], [0, 1]])[truth]
    labels = cut(ward(X.T, np.ones(120)), 3)
    assert mistakes(labels, truth) == 0


def test_equal_rows_and_one_row():
    tree = ward(np.zeros((2, 6)), np.ones(6))
    assert np.array_equal(tree.heights, np.zeros(5))
    assert len(set(cut(tree, 3))) == 3
    one = ward(np.ones((2, 1)), np.ones(1))
    assert one.pairs.shape == (0, 2)
    assert cut(one, 1).tolist() == [0]
