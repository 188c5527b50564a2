"""The same bits from one thread or many."""

import sys
import threading
import time
from operator import add
from unittest.mock import patch

import numpy as np
import pytest
from effort import in_turn, some, starts_of
from mixture.problems import NAMES, overlapping, rows

from gmmcli.execution import available_cpus, executor
from gmmcli.mixture.batches import BATCH_ROWS
from gmmcli.mixture.fitting import FitOptions, fit
from gmmcli.mixture.workers import Serial
from gmmcli.processes import Team


@pytest.fixture(autouse=True)
def shared_however_small(monkeypatch):
    """Others take part in what would be too short for them."""
    monkeypatch.setattr("gmmcli.execution.WORTH", -1)
    monkeypatch.setattr("gmmcli.execution.SHORT", -1)
    monkeypatch.setattr("gmmcli.mixture.e_step.BLOCK_NUMBERS", 0)
    monkeypatch.setattr("gmmcli.mixture.e_step.LEAST_BLOCK", 200)


def fit_by(n_threads, name, size):
    """The fit, alone or with so many threads."""
    rng = np.random.default_rng(0)
    X = overlapping(rng, size, 2)
    options = FitOptions(covariance_type=name, seed=3, max_iter=some(20, 1000), **starts_of(name))
    batches = rows(X, rng.uniform(0.5, 2, size))
    if n_threads is None:
        return fit(batches, 3, options=options)
    with patch("gmmcli.execution.Team", wraps=Team) as made, executor(n_threads) as workers:
        result = fit(batches, 3, options=options, workers=workers)
    assert made.called == (n_threads > 1 and sys.platform == "linux")
    return result


def the_same_bits(result, plain):
    assert np.array_equal(result.model.weights, plain.model.weights)
    assert np.array_equal(result.model.means, plain.model.means)
    assert np.array_equal(result.model.covariance.values, plain.model.covariance.values)
    for field in ("log_likelihood", "log_top", "n_iter", "n_starts", "n_agreeing", "notes"):
        assert getattr(result, field) == getattr(plain, field), field


@pytest.mark.heavy(cases=3)
@in_turn(NAMES, n_threads=[1, 2, 3])
def test_any_number_of_threads_gives_the_same_bits(name, n_threads):
    size = some(600, 1500)
    the_same_bits(fit_by(n_threads, name, size), fit_by(None, name, size))


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["full", "diag"])
def test_several_blocks_of_rows_give_the_same_bits_too(name):
    size = 2 * BATCH_ROWS + 300
    plain = fit_by(None, name, size)
    for n_threads in (1, 2, 3):
        the_same_bits(fit_by(n_threads, name, size), plain)


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
def test_results_come_in_order(n_threads):
    def slow_for_the_first(i):
        time.sleep(0.002 if i % 4 == 0 else 0)
        return i

    with executor(n_threads) as workers:
        assert workers.n_threads == n_threads
        assert list(workers.map_ordered(slow_for_the_first, range(50))) == list(range(50))
        assert list(workers.map_ordered(slow_for_the_first, [])) == []
        assert list(workers.map_ordered(slow_for_the_first, [7])) == [7]


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_a_sum_is_added_in_order(n_threads):
    # numbers whose sum depends on the order, to the last bit
    numbers = (10.0 ** np.random.default_rng(1).uniform(-8, 8, 500)).tolist()
    expected = Serial().map_reduce(float, numbers)
    backwards = Serial().map_reduce(float, numbers[::-1])
    with executor(n_threads) as workers:
        assert workers.map_reduce(float, numbers) == expected
    assert backwards != expected
    assert backwards == pytest.approx(expected, rel=1e-12)


def test_blocks_are_not_read_far_ahead():
    taken, most = [], []

    def blocks():
        for i in range(200):
            taken.append(i)
            yield i

    with executor(2) as workers:
        for done, _ in enumerate(workers.map_ordered(float, blocks())):
            most.append(len(taken) - done)
    assert len(most) == 200
    assert max(most) <= 10


def test_an_error_in_a_block_reaches_the_caller_and_stops_the_rest():
    started = []

    def fail(i):
        started.append(i)
        if i == 3:
            raise KeyError(i)
        return i

    with executor(2) as workers, pytest.raises(KeyError):
        workers.map_reduce(fail, range(1000))
    assert 4 <= len(started) < 100


def test_several_threads_are_used():
    meeting = threading.Barrier(2, timeout=30)

    def meet(i):
        # returns only if another thread comes here too
        meeting.wait()
        return i

    with executor(2) as workers:
        assert workers.map_reduce(meet, range(4)) == 6
    assert threading.active_count() < 10


def test_the_cpus_of_this_process():
    assert available_cpus() >= 1
    with executor() as workers:
        assert workers.n_threads == available_cpus()
        assert add(*workers.map_ordered(int, ["1", "2"])) == 3
