"""What the tests of the files share."""

import pytest

from gmmcli.data import ReadOptions, Selection, choose_features, load, open_table


@pytest.fixture
def make(tmp_path):
    """Writes a file and gives its path."""

    def write(content, name="input.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


@pytest.fixture
def table(make):
    """Opens content as a table; closed at the end of the test."""
    opened = []

    def open_content(content, name="input.csv", **options):
        opened.append(open_table(make(content, name), ReadOptions(**options)))
        return opened[-1]

    yield open_content
    for one in opened:
        one.close()


@pytest.fixture
def loaded(table):
    """Opens content and loads it."""

    def load_content(content, specs=(), *, name="input.csv", options=None, **how):
        opened = table(content, name, **(options or {}))
        reserved = [how[role] for role in ("weights", "labels") if role in how]
        features = choose_features(opened, specs, reserved=reserved)
        roles = {role: how.pop(role) for role in ("weights", "labels") if role in how}
        return load(opened, Selection(features.used, **roles, rows=False), **how)

    return load_content
