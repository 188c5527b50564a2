"""Rows in memory, and whatever else yields the same blocks."""

import numpy as np
import pytest
from mixture.problems import rows

from gmmcli.errors import FitError
from gmmcli.mixture.batches import BATCH_ROWS, ArrayBatches
from gmmcli.mixture.moments import DiagonalMoments, FullMoments


def test_each_iteration_is_a_new_pass_over_all_rows():
    X = np.random.default_rng(0).standard_normal((2, 2 * BATCH_ROWS + 5))
    batches = ArrayBatches(X, np.arange(X.shape[1]) + 1.0)
    for _ in range(2):
        blocks = list(batches)
        assert [b.X.shape[1] for b in blocks] == [BATCH_ROWS, BATCH_ROWS, 5]
        assert np.array_equal(np.concatenate([b.X for b in blocks], axis=1), X)
        together = np.concatenate([b.weights for b in blocks])
        assert np.array_equal(together, batches.weights)


def test_rows_of_weight_zero_are_left_out():
    X = np.arange(8.0).reshape(4, 2)
    batches = rows(X, np.array([1.0, 0.0, 2.0, 0.0]))
    assert batches.n_rows == 2
    assert np.array_equal(batches.X.T, X[[0, 2]])
    assert np.array_equal(batches.weights, [1, 2])


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_bad_weights_are_refused(weight):
    with pytest.raises(FitError, match="weights"):
        rows(np.ones((2, 2)), np.array([1.0, weight]))


def test_the_callers_array_is_never_changed():
    X = np.ascontiguousarray(np.random.default_rng(1).standard_normal((2, 50)))
    kept, batches = X.copy(), ArrayBatches(X)
    for batch in batches:
        assert np.shares_memory(batch.X, X)
    assert np.array_equal(X, kept)


def test_what_every_pass_needs_is_computed_once(monkeypatch):
    X = np.random.default_rng(0).standard_normal((BATCH_ROWS + 5, 3))
    held = rows(X)
    numbers = range(held.n_batches)
    features = [held.features(FullMoments, number) for number in numbers]
    assert all(held.features(FullMoments, number) is features[number] for number in numbers)
    assert [f.shape for f in features] == [(10, BATCH_ROWS), (10, 5)]
    for batch, kept in zip(held, features, strict=True):
        assert np.array_equal(kept, FullMoments.features(batch.X))
    monkeypatch.setattr("gmmcli.mixture.batches.MOST_FEATURES", 10 * BATCH_ROWS)
    assert [rows(X).features(FullMoments, number) for number in numbers] == [None, None]
    assert rows(X).features(DiagonalMoments, 1).shape == (7, 5)
