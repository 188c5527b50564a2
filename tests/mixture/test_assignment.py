"""The assignment of least cost, against every one there is."""

from itertools import permutations

import numpy as np
import pytest

from gmmcli.mixture.assignment import assign


@pytest.mark.parametrize("kind", ["continuous", "ties"])
def test_the_cost_is_the_least(kind):
    rng = np.random.default_rng(0)
    for _ in range(100):
        n_rows = int(rng.integers(1, 5))
        shape = (n_rows, n_rows + int(rng.integers(0, 3)))
        costs = rng.standard_normal(shape) if kind == "continuous" else rng.integers(-3, 4, shape)
        columns = assign(costs.astype(float))
        assert columns.shape == (n_rows,)
        assert len(set(columns.tolist())) == n_rows
        rows = np.arange(n_rows)
        least = min(costs[rows, list(p)].sum() for p in permutations(range(shape[1]), n_rows))
        assert costs[rows, columns].sum() == pytest.approx(least, abs=1e-12)


def test_a_permutation_is_found():
    order = np.random.default_rng(1).permutation(40)
    assert assign(-np.eye(40)[order]).tolist() == order.tolist()
