"""The assignment of least cost, against scipy."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from gmmcli.mixture.assignment import assign


@pytest.mark.parametrize("kind", ["continuous", "ties"])
def test_the_cost_is_the_least(kind):
    rng = np.random.default_rng(0)
    for _ in range(300):
        n_rows = int(rng.integers(1, 9))
        shape = (n_rows, n_rows + int(rng.integers(0, 4)))
        costs = rng.standard_normal(shape) if kind == "continuous" else rng.integers(-3, 4, shape)
        columns = assign(costs.astype(float))
        assert len(set(columns.tolist())) == n_rows
        least = costs[linear_sum_assignment(costs)].sum()
        assert costs[np.arange(n_rows), columns].sum() == pytest.approx(least, abs=1e-12)


def test_a_permutation_is_found():
    order = np.random.default_rng(1).permutation(40)
    assert assign(-np.eye(40)[order]).tolist() == order.tolist()
