"""Folds: each row in one of them, the same however the rows come."""

import numpy as np
import pytest
from mixture.problems import rows

from gmmcli.errors import FitError
from gmmcli.mixture.batches import BATCH_ROWS
from gmmcli.mixture.folds import folds
from gmmcli.mixture.sampling import in_memory


class Passes:
    """Rows that are not in memory."""

    def __init__(self, batches):
        self.batches = batches

    @property
    def n_features(self):
        return self.batches.n_features

    def __iter__(self):
        return iter(self.batches)


def numbered(n_rows, weights=None):
    """Rows that are their own numbers."""
    return rows(np.arange(n_rows)[:, None], weights)


def numbers(batches):
    return in_memory(batches).X[0].astype(int)


@pytest.mark.parametrize(("n_rows", "n_folds"), [(10, 3), (7, 7), (BATCH_ROWS * 2 + 5, 10)])
def test_each_row_is_in_one_fold_and_in_the_rest_of_the_others(n_rows, n_folds):
    pairs = list(folds(numbered(n_rows), n_folds, seed=0))
    own = [numbers(inside) for _, inside in pairs]
    assert np.array_equal(np.sort(np.concatenate(own)), np.arange(n_rows))
    assert max(map(len, own)) - min(map(len, own)) <= 1
    for (others, _), inside in zip(pairs, own, strict=True):
        assert np.array_equal(numbers(others), np.setdiff1d(np.arange(n_rows), inside))


def test_folds_are_spread_over_the_file_and_drawn_by_the_seed():
    first = [numbers(own) for _, own in folds(numbered(1000), 5, seed=0)]
    assert all(np.array_equal(np.unique(own // 5), np.arange(200)) for own in first)
    again = [numbers(own) for _, own in folds(numbered(1000), 5, seed=0)]
    other = [numbers(own) for _, own in folds(numbered(1000), 5, seed=1)]
    assert all(map(np.array_equal, first, again))
    assert not any(map(np.array_equal, first, other))


def test_rows_gone_over_in_passes_give_the_same_batches():
    n_rows = BATCH_ROWS * 3 + 100
    weights = np.random.default_rng(0).uniform(1, 2, n_rows)
    loaded = numbered(n_rows, weights)
    pairs = zip(folds(loaded, 4, seed=3), folds(Passes(loaded), 4, seed=3), strict=True)
    for memory, passes in pairs:
        for ours, theirs in zip(memory, passes, strict=True):
            for one, two in zip(ours, theirs, strict=True):
                assert np.array_equal(one.X, two.X)
                assert np.array_equal(one.weights, two.weights)


def test_a_row_stays_whole_whatever_its_weight():
    weights = np.arange(1.0, 21)
    for others, own in folds(numbered(20, weights), 4, seed=0):
        for part in (others, own):
            everything = in_memory(part)
            assert np.array_equal(everything.weights, everything.X[0] + 1)


def test_more_folds_than_rows_are_refused():
    with pytest.raises(FitError, match="8 folds were asked for, but there are only 7 rows"):
        next(folds(numbered(7), 8, seed=0))
