"""The rows that a picture shows of many: the same ones each time, and a fair share."""

import numpy as np
import pytest

from gmmcli.mixture.batches import Batch
from gmmcli.report.plots.sampling import sample


def cut(X, size, weights=None):
    for start in range(0, X.shape[1], size):
        part = slice(start, start + size)
        yield Batch(X[:, part], None if weights is None else weights[part])


X = np.vstack((np.arange(50_000.0), np.arange(50_000.0) ** 2))


def test_few_rows_are_all_kept_in_order():
    some = sample(cut(X[:, :700], 64), 700)
    assert some.n_rows == 700
    assert np.array_equal(some.rows, X[:, :700].T)


@pytest.mark.heavy(cases=2)
@pytest.mark.parametrize("size", [1, 17, 1000, 4096, 50_000])
def test_the_batches_do_not_matter(size):
    whole = sample(cut(X, 3000), 1000)
    some = sample(cut(X, size), 1000)
    assert (len(some.rows), some.n_rows) == (1000, 50_000)
    assert np.array_equal(some.rows, whole.rows)
    assert (np.diff(some.rows[:, 0]) > 0).all()


def test_weights_stay_with_their_rows():
    some = sample(cut(X, 900, weights=X[0] + 1), 500)
    assert np.array_equal(some.weights, some.rows[:, 0] + 1)
    assert sample(cut(X, 900), 500).weights is None


def test_every_part_of_the_stream_is_as_likely():
    numbers = sample(cut(X, 4096), 5000).rows[:, 0]
    counts = np.histogram(numbers, bins=50, range=(0, 50_000))[0]
    # hypergeometric: mean 100, standard deviation 9.4
    assert ((counts - 100) ** 2).sum() / 9.4**2 < 50 + 4 * 10
    odd = np.count_nonzero(numbers % 2)
    assert abs(odd - 2500) < 4 * 34


def test_a_sample_of_fewer_rows_is_part_of_one_of_more():
    few, many = (set(sample(cut(X, 999), most).rows[:, 0]) for most in (100, 1000))
    assert few < many
