"""Processes that hold the same data: who does what, and what becomes of those that are lost."""

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gmmcli import execution
from gmmcli.errors import FitError
from gmmcli.execution import executor
from gmmcli.processes import ENDING, MOST_CLAIMS, Team, reap

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks")


class Data:
    """Held by every process, never sent."""

    def __init__(self):
        self.numbers = np.arange(100_000.0)

    def __reduce__(self):
        raise AssertionError("sent")


def third(data, i):
    return float(data.numbers[i] / 3)


def whoever(data, i):
    """The process, when each has had the time to take an item."""
    del data, i
    time.sleep(0.01)
    return os.getpid()


def fails_at_three(data, i):
    if i == 3:
        raise FitError("of one item", "the way out", ["a", "b"])
    return third(data, i)


def dies_of_three(data, i):
    if i == 3 and os.getpid() != data.pid:
        os.kill(os.getpid(), signal.SIGKILL)
    return i


@pytest.fixture
def data():
    return Data()


@pytest.fixture
def team(data):
    made = Team(data, 3)
    yield made
    made.close()


def exists(pid):
    """Whether there is such a process, and not only its remains."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def gone(pid, seconds=10):
    """Whether a process ends in time."""
    end = time.monotonic() + seconds
    while exists(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not exists(pid)


@pytest.mark.parametrize("size", [0, 1, 2, 50, MOST_CLAIMS + 1, 3 * MOST_CLAIMS - 1])
def test_results_come_in_order_time_after_time(team, data, size):
    for _ in range(3):
        assert list(team.map(data, third, range(size))) == [i / 3 for i in range(size)]
    assert team.is_open


def test_all_of_them_work(team, data):
    pids = set(team.map(data, whoever, range(12)))
    assert len(pids) == 3
    assert os.getpid() in pids


def test_as_many_results_as_are_asked_for_are_enough(team, data):
    for size in (1, 5):
        results = team.map(data, third, range(size))
        assert [next(results) for _ in range(size)] == [i / 3 for i in range(size)]
        results.close()
        assert team.is_open


@pytest.mark.parametrize("size", [4, 400])
def test_an_error_is_raised_whole_and_ends_the_team(team, data, size):
    pids = set(team.map(data, whoever, range(12))) - {os.getpid()}
    with pytest.raises(FitError, match="of one item") as caught:
        list(team.map(data, fails_at_three, range(size)))
    assert caught.value.advice == "the way out"
    assert caught.value.choices == ("a", "b")
    assert not team.is_open
    assert all(map(gone, pids))


def test_results_that_nobody_wants_end_the_team(team, data):
    results = team.map(data, whoever, range(100))
    next(results)
    results.close()
    assert not team.is_open


def test_the_work_of_one_that_is_killed_is_done_by_others(data):
    data.pid = os.getpid()
    team = Team(data, 3)
    assert list(team.map(data, dies_of_three, range(50))) == list(range(50))
    team.close()


def test_all_others_may_be_killed(team, data):
    for pid in set(team.map(data, whoever, range(12))) - {os.getpid()}:
        os.kill(pid, signal.SIGKILL)
    assert list(team.map(data, third, range(50))) == [i / 3 for i in range(50)]
    assert not team.is_open


def test_ctrl_c_is_for_whoever_made_them(team, data):
    for pid in set(team.map(data, whoever, range(12))) - {os.getpid()}:
        os.kill(pid, signal.SIGINT)
    assert list(team.map(data, third, range(50))) == [i / 3 for i in range(50)]
    assert team.is_open


ORPHANS = """
import os, sys, time
from gmmcli.processes import Team

def work(data, i):
    if os.getpid() != data:
        print(os.getpid(), flush=True)
        time.sleep(SECONDS)
    return i

team = Team(os.getpid(), 3)
list(team.map(os.getpid(), work, range(2))) if SECONDS else None
others = team._others.values()
print(*others, "all", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("seconds", [0, 0.2])
def test_none_is_left_when_whoever_made_them_is_killed(seconds):
    program = ORPHANS.replace("SECONDS", str(seconds))
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as process:
        told = next(line for line in process.stdout if "all" in line)
        pids = [int(word) for word in told.split()[:-1]]
        assert len(pids) == 2
        assert all(map(exists, pids))
        process.kill()
    assert all(map(gone, pids))


def eager(monkeypatch):
    """Teams from the first item on."""
    monkeypatch.setattr(execution, "WORTH", -1)
    monkeypatch.setattr(execution, "SHORT", -1)


def test_a_team_is_made_when_it_pays_and_ends_with_the_executor(data):
    with executor(2) as workers:
        assert list(workers.map_over(data, third, range(10))) == [i / 3 for i in range(10)]
        assert set(workers.map_over(data, os_pid, range(10))) == {os.getpid()}
        pids = set(workers.map_over(data, whoever, range(10)))
        assert len(pids) == 2
        # from now on it is there
        assert pids == set(workers.map_over(data, whoever, range(10)))
        (other,) = pids - {os.getpid()}
        assert exists(other)
    assert gone(other)


def os_pid(data, i):
    del data, i
    return os.getpid()


def test_data_that_are_given_up_take_their_team_along(monkeypatch):
    eager(monkeypatch)
    with executor(2) as workers:
        data = Data()
        (other,) = set(workers.map_over(data, whoever, range(10))) - {os.getpid()}
        assert exists(other)
        del data
        gc.collect()
        assert gone(other)


def test_calls_that_are_short_are_not_shared(data, monkeypatch):
    monkeypatch.setattr(execution, "WORTH", 0)
    monkeypatch.setattr(execution, "SHORT", 60)
    with executor(2) as workers:
        for _ in range(5):
            assert set(workers.map_over(data, whoever, range(2))) == {os.getpid()}


def test_where_no_process_may_be_made_threads_share(data, monkeypatch):
    eager(monkeypatch)

    def refused():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    with executor(2) as workers:
        assert list(workers.map_over(data, third, range(50))) == [i / 3 for i in range(50)]


def test_no_remains_are_left(data):
    for _ in range(5):
        team = Team(data, 3)
        pids = set(team.map(data, whoever, range(12))) - {os.getpid()}
        team.close()
        assert all(map(gone, pids))
    reap()
    assert ENDING == []
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_one_that_was_lost_is_replaced(data, monkeypatch):
    eager(monkeypatch)
    with executor(2) as workers:
        (other,) = set(workers.map_over(data, whoever, range(10))) - {os.getpid()}
        os.kill(other, signal.SIGKILL)
        assert list(workers.map_over(data, third, range(50))) == [i / 3 for i in range(50)]
        (another,) = set(workers.map_over(data, whoever, range(10))) - {os.getpid()}
        assert another != other
