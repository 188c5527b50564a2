"""Two partitions: the adjusted Rand index against scikit-learn, the match against scipy."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix

from gmmcli.mixture.agreement import Agreement


def partitions(seed):
    """Two partitions that agree somewhat."""
    rng = np.random.default_rng(seed)
    n_rows = int(rng.integers(2, 200))
    first = rng.integers(int(rng.integers(1, 7)), size=n_rows)
    noise = rng.integers(int(rng.integers(1, 9)), size=n_rows)
    return first, np.where(rng.random(n_rows) < rng.random(), first, noise)


@pytest.mark.parametrize("seed", range(40))
def test_index_and_match_are_those_of_others(seed):
    first, second = partitions(seed)
    counts = contingency_matrix(first, second)
    agreement = Agreement(counts)
    expected = adjusted_rand_score(first, second)
    assert agreement.adjusted_rand_index == pytest.approx(expected, abs=1e-12)
    assert agreement.n_matched == counts[linear_sum_assignment(-counts)].sum()
    order = agreement.order
    assert sorted(order.tolist()) == list(range(counts.shape[1]))
    if counts.shape[0] <= counts.shape[1]:
        assert np.trace(counts[:, order]) == agreement.n_matched


def test_what_has_no_pairs_to_differ_in_agrees():
    for counts in ([[7]], [[1, 0], [0, 1]], [[1]]):
        assert Agreement(np.array(counts)).adjusted_rand_index == 1


def test_names_do_not_matter_and_chance_is_0():
    counts = np.array([[50, 3, 0], [2, 40, 5], [0, 1, 60]])
    index = Agreement(counts).adjusted_rand_index
    assert Agreement(counts[::-1, [1, 2, 0]]).adjusted_rand_index == pytest.approx(index, abs=1e-15)
    assert Agreement(counts.T).adjusted_rand_index == pytest.approx(index, abs=1e-15)
    assert abs(Agreement(np.full((4, 4), 1000)).adjusted_rand_index) < 1e-3


def test_millions_of_rows_lose_no_digits():
    counts = np.array([[10**9, 10], [20, 10**9]])
    assert 1 - Agreement(counts).adjusted_rand_index == pytest.approx(6e-8, rel=1e-3)
