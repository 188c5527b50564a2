"""The house rules, read from the source: who may import whom, names, and lengths."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gmmcli"
SOURCES = {
    str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8")
    for path in sorted(PACKAGE.rglob("*.py"))
}
every_file = pytest.mark.parametrize(("path", "source"), SOURCES.items(), ids=SOURCES)

# cli -> report, modelfile, checkpoint, data, execution -> mixture -> errors
MAY_IMPORT = {
    "errors": set(),
    "mixture": {"errors"},
    "data": {"mixture", "errors"},
    "processes": set(),
    "execution": {"processes", "mixture", "errors"},
    "modelfile": {"mixture", "errors"},
    "checkpoint": {"mixture", "errors"},
    "report": {"mixture", "errors"},
    "cli": {"report", "modelfile", "checkpoint", "data", "execution", "mixture", "errors"},
    "__main__": {"cli"},
    "__init__": {"report", "modelfile", "checkpoint", "data", "execution", "mixture", "errors"},
}
# Where there is a room's name, the library is imported there and nowhere else.
ONLY_IN = {
    "matplotlib": "report",
    "pyarrow": "data",
    "rich": "report",
    "threadpoolctl": "execution",
    "typer": "cli",
}
# Click is typer's own affair, scipy.stats costs a second, pandas and scikit-learn are oracles of
# the tests.
NOWHERE = ("click", "pandas", "scipy.stats", "sklearn")
# The mathematics knows arrays, and nothing of the machine it runs on.
MIXTURE_LIBRARIES = {"numpy", "scipy"}
MIXTURE_NEVER = {"logging", "os", "pathlib", "subprocess", "sys", "tempfile", "time"}
MIXTURE_NEVER_CALLS = {"input", "open", "print"}
FORBIDDEN_NAMES = {"utils", "helpers", "base", "core", "manager", "common"}

MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 6


def room_of(path: str) -> str:
    """The part of the package that a file belongs to: a folder or a single file."""
    return Path(path).with_suffix("").parts[0]


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Full names of all that is imported, at the top or inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide what is imported"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def may_import(room: str, module: str) -> bool:
    """Whether a file of this room may import the module."""
    top, _, rest = module.partition(".")
    if any(f"{module}.".startswith(f"{name}.") for name in NOWHERE):
        return False
    if top == "gmmcli":
        # `from gmmcli import __version__` reads a constant, not a room.
        return rest.partition(".")[0] in {room, "__version__"} | MAY_IMPORT[room]
    if top in sys.stdlib_module_names:
        return room != "mixture" or top not in MIXTURE_NEVER
    if room in {"mixture", "errors"}:
        return room == "mixture" and top in MIXTURE_LIBRARIES
    return ONLY_IN.get(top, room) == room


def breaches(room: str, source: str) -> list[str]:
    """What a file of this room imports, or calls, against the rules."""
    tree = ast.parse(source)
    found = [module for module in imported_modules(tree) if not may_import(room, module)]
    if room == "mixture":
        names = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        found += [name for name in names if name in MIXTURE_NEVER_CALLS]
    return found


def functions(source: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    nodes = ast.walk(ast.parse(source))
    return [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def too_long(source: str) -> list[str]:
    """The functions that fit no screen, by their lines: names occur more than once."""
    lengths = [(f, f.end_lineno - f.lineno + 1) for f in functions(source)]
    return [
        f"line {f.lineno}: {f.name} has {n} lines" for f, n in lengths if n > MAX_FUNCTION_LINES
    ]


def too_many_parameters(source: str, *, commands: bool) -> list[str]:
    """The functions that take more than a reader can keep in mind, by their lines."""
    found = []
    for function in functions(source):
        arguments = function.args
        keywords = [] if commands else arguments.kwonlyargs
        names = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *keywords)}
        n = len(names - {"self", "cls"})
        if n > MAX_PARAMETERS:
            found.append(f"line {function.lineno}: {function.name} has {n} parameters")
    return found


@every_file
def test_imports_go_one_way(path, source):
    assert breaches(room_of(path), source) == []


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("mixture", "from gmmcli.data import open_table"),
        ("mixture", "from gmmcli import report"),
        ("mixture", "import pandas as pd"),
        ("mixture", "import os"),
        ("mixture", "import torch"),
        ("mixture", "def show(x):\n    print(x)"),
        ("mixture", "def late():\n    import rich.console"),
        ("mixture", "from scipy import stats"),
        ("mixture", "import scipy.stats"),
        ("errors", "import numpy as np"),
        ("errors", "from gmmcli.mixture import em"),
        ("data", "from gmmcli.execution import executor"),
        ("data", "import pandas as pd"),
        ("data", "from threadpoolctl import threadpool_limits"),
        ("modelfile", "from gmmcli.data import write_text"),
        ("report", "from gmmcli.modelfile import Model"),
        ("report", "import typer"),
        ("execution", "import gmmcli.cli"),
        ("cli", "import pyarrow.csv"),
        ("cli", "from rich.console import Console"),
        ("cli", "from sklearn.mixture import GaussianMixture"),
        ("cli", "import click"),
    ],
)
def test_a_breach_is_seen(room, source):
    assert len(breaches(room, source)) == 1


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("mixture", "import numpy as np\nfrom scipy.linalg import lapack"),
        ("mixture", "from gmmcli.mixture.model import GaussianMixture"),
        ("data", "import pyarrow as pa\nfrom gmmcli.errors import DataError"),
        ("cli", "from gmmcli import __version__\nfrom gmmcli.data import load\nimport typer"),
    ],
)
def test_what_is_allowed_is_no_breach(room, source):
    assert breaches(room, source) == []


@every_file
def test_names_say_what_is_inside(path, source):
    del source
    assert not set(re.split(r"[_/.]", path)) & FORBIDDEN_NAMES


@every_file
def test_a_file_is_short(path, source):
    assert len(source.splitlines()) <= MAX_FILE_LINES, path


@every_file
def test_a_function_fits_a_screen(path, source):
    assert too_long(source) == [], path


@every_file
def test_a_function_takes_few_parameters(path, source):
    # a command has as many keyword-only parameters as it has groups of options
    assert too_many_parameters(source, commands=room_of(path) == "cli") == [], path


def test_functions_of_one_name_are_all_looked_at():
    long = "    x = 1\n" * MAX_FUNCTION_LINES
    twice = f"class A:\n  def f(self):\n{long}class B:\n  def f(self): pass\n"
    assert too_long(twice) == ["line 2: f has 61 lines"]
    many = "class A:\n  def f(self, a, b, c, d, e, f, g): pass\nclass B:\n  def f(self): pass\n"
    assert too_many_parameters(many, commands=False) == ["line 2: f has 7 parameters"]
    assert too_many_parameters(many.replace("self, ", "self, *, "), commands=True) == []
