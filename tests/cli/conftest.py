"""How the tests of the command line run it: in this process, or as the installed command."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from gmmcli.cli import run

COMMAND = str(Path(sys.executable).with_name("gmmcli"))


@pytest.fixture(scope="session")
def command():
    """The path of the installed command."""
    return COMMAND


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    def lines(self):
        return self.out.splitlines()


@pytest.fixture
def cli(capfdbinary, monkeypatch):
    """Run a command line in this process."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def call(*arguments, stdin=b""):
        text = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", text)
        capfdbinary.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capfdbinary.readouterr()
        return Outcome(code, *(part.decode(errors="surrogateescape") for part in captured))

    return call


@pytest.fixture
def installed():
    """Run the installed command in a process of its own."""

    def call(*arguments, stdin=b"", env=None, **options):
        options.setdefault("capture_output", True)
        done = subprocess.run(
            [COMMAND, *map(str, arguments)],
            check=False,
            input=stdin,
            env={**os.environ, **(env or {})},
            timeout=60,
            **options,
        )
        return Outcome(
            done.returncode, (done.stdout or b"").decode(), (done.stderr or b"").decode()
        )

    return call


@pytest.fixture(scope="session")
def blobs(tmp_path_factory):
    """300 rows of three clusters in columns x, y, named by the column group, with notes."""
    rng = np.random.default_rng(0)
    groups = np.arange(300) % 3
    centres = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 6.0]])
    rows = centres[groups] + rng.standard_normal((300, 2))
    path = tmp_path_factory.mktemp("blobs") / "blobs.csv"
    lines = ["note,x,y,group"]
    cells = zip(range(300), rows.tolist(), groups, strict=True)
    lines += [f"r{i},{x!r},{y!r},g{g}" for i, (x, y), g in cells]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def overlapping(tmp_path_factory):
    """600 rows of three clusters in three columns that lie close together."""
    rng = np.random.default_rng(1)
    groups = rng.integers(3, size=600)
    rows = 1.6 * groups[:, None] * [1, -1, 0.5] + rng.standard_normal((600, 3)) * [1, 2, 1]
    path = tmp_path_factory.mktemp("overlapping") / "overlapping.csv"
    np.savetxt(path, rows, delimiter=",", header="a,b,c", comments="", fmt="%.17g")
    return path


@pytest.fixture
def model(cli, blobs, tmp_path):
    """A model of the blobs."""
    path = tmp_path / "model.json"
    assert cli("fit", blobs, "-k", 3, "-m", path).code == 0
    return path
