"""What this process may use."""

import os
import resource

import pytest

from gmmcli.execution import _cgroup_memory, available_memory

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


@pytest.mark.parametrize(
    ("membership", "limits"),
    [
        ("0::/outer/inner\n", [300, 500]),
        ("0::/outer\n", [500]),
        ("1:memory:/outer\n0::/\n", []),
        ("1:memory:/outer\n", []),
    ],
)
def test_the_limits_of_control_groups(tmp_path, membership, limits):
    inner = tmp_path / "groups" / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("300\n")
    (inner.parent / "memory.max").write_text("500\n")
    (inner.parents[1] / "memory.max").write_text("max\n")
    (tmp_path / "membership").write_text(membership)
    assert list(_cgroup_memory(tmp_path / "groups", tmp_path / "membership")) == limits
    assert list(_cgroup_memory(tmp_path / "groups", tmp_path / "nothing")) == []
