"""What a path alone tells: other names of standard output, and formats that cannot be written."""

import os

import pytest

from gmmcli.data import check_table_format, standard_stream
from gmmcli.errors import UsageError


@pytest.mark.parametrize(
    "path",
    [
        "/dev/stdout",
        "/dev/fd/1",
        "/proc/self/fd/1",
        "/proc/{}/fd/1",
        "/dev/../dev/stdout",
    ],
)
def test_standard_output_has_many_names(path):
    # not in the parameter: workers have other numbers, and must know the same tests
    path = path.format(os.getpid())
    assert standard_stream(path, 1) == "-"
    assert standard_stream(path, 0) == path


def test_links_are_followed_and_other_paths_stay_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.symlink("/dev/stdout", "first")
    os.symlink("first", "second")
    os.symlink("circle", "circle")
    assert standard_stream("second", 1) == "-"
    for path in ("-", "circle", "./a.csv", "/dev/null", "/dev/fd/2", "stdout", "no/such/folder"):
        assert standard_stream(path, 1) == path


@pytest.mark.parametrize("path", ["a.csv", "a.TSV.gz", "a.pq", "a", "a.txt", "json", "x.json/a"])
def test_a_table_has_almost_any_name(path):
    check_table_format(path)


@pytest.mark.parametrize("path", ["a.xlsx", "a.JSON", "a.feather.zst", "b/.x.pkl"])
def test_but_not_that_of_another_format(path):
    with pytest.raises(UsageError, match="a table cannot be written as"):
        check_table_format(path)
