"""What this process may use."""

import os
import resource
import threading

import pytest

from gmmcli import execution
from gmmcli.execution import available_cpus, available_memory, behind, executor

PHYSICAL = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_no_more_than_there_is():
    assert 0 < available_memory() <= PHYSICAL


def test_an_address_space_counts_without_what_is_mapped(monkeypatch):
    limit = PHYSICAL // 2
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    monkeypatch.setattr("gmmcli.execution._cgroup_memory", lambda: iter(()))
    assert limit // 2 < available_memory() < limit
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1, 1))
    assert available_memory() == 1


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Makes control groups, one in the other, and says which of them this process is in."""

    def make(membership, name, limits):
        folder = tmp_path / "groups"
        for inner, limit in zip(("", "outer", "inner"), limits, strict=True):
            folder /= inner
            folder.mkdir()
            (folder / name).write_text(limit)
        (tmp_path / "membership").write_text(membership)
        monkeypatch.setattr(execution, "CONTROL_GROUPS", tmp_path / "groups")
        monkeypatch.setattr(execution, "MEMBERSHIP", tmp_path / "membership")

    return make


@pytest.mark.parametrize(
    ("membership", "limits"),
    [
        ("0::/outer/inner\n", {300, 500}),
        ("0::/outer\n", {500}),
        ("1:memory:/outer\n0::/\n", set()),
        ("1:memory:/outer\n", set()),
    ],
)
def test_memory_of_control_groups(groups, monkeypatch, membership, limits):
    groups(membership, "memory.max", ("max\n", "500\n", "300\n"))
    assert available_memory() == min(limits, default=PHYSICAL)
    monkeypatch.setattr(execution, "MEMBERSHIP", execution.MEMBERSHIP / "nothing")
    assert available_memory() == PHYSICAL


@pytest.mark.parametrize(
    ("membership", "cpus"),
    [
        ("0::/outer/inner\n", 3),
        ("0::/outer\n", 4),
        ("0::/\n", 64),
        ("0::/elsewhere\n", 64),
    ],
)
def test_cpus_of_control_groups(groups, monkeypatch, membership, cpus):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    groups(membership, "cpu.max", ("max 100000\n", "400000 100000\n", "250000 100000\n"))
    assert available_cpus() == cpus


def test_the_least_quota_counts(groups, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    groups("0::/outer/inner\n", "cpu.max", ("max 100000\n", "50000 100000\n", "250000 100000\n"))
    assert available_cpus() == 1


def masks_of_threads(n_threads):
    """The CPUs on which each of so many threads may run."""
    barrier = threading.Barrier(n_threads)

    def mask(_):
        barrier.wait(timeout=10)
        return frozenset(os.sched_getaffinity(0))

    with executor(n_threads) as pool:
        return list(pool.map_ordered(mask, range(n_threads)))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_as_many_threads_as_cpus_have_one_each():
    cpus = os.sched_getaffinity(0)
    if len(cpus) > 1:
        assert set(masks_of_threads(len(cpus))) == {frozenset({cpu}) for cpu in cpus}
    # fewer or more are free, and so is the caller
    assert set(masks_of_threads(len(cpus) + 1)) == {frozenset(cpus)}
    assert os.sched_getaffinity(0) == cpus


def test_calls_behind_are_made_in_order_and_all():
    done = []
    with behind(done.append) as call:
        for number in range(50):
            call(number)
    assert done == list(range(50))


def test_what_a_call_behind_raises_is_raised_and_the_rest_is_left_out():
    done = []

    def fails_at_three(number):
        if number == 3:
            raise OSError("no space left")
        done.append(number)

    def all_of_them():
        with behind(fails_at_three) as call:
            for number in range(1000):
                call(number)

    with pytest.raises(OSError, match="no space left"):
        all_of_them()
    assert done[:3] == [0, 1, 2]
    assert len(done) < 10
    with pytest.raises(ValueError, match="of the caller"), behind(done.append):
        raise ValueError("of the caller")
