"""What this process may use."""

import os
import resource

import pytest

from gmmcli import execution
from gmmcli.execution import available_cpus, available_memory

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
