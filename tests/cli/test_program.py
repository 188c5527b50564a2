"""The program around the commands: help, version, usage errors, completion, what is imported."""

import os
import pty
import re
import subprocess
import sys

import pytest

from gmmcli.mixture.shapes import NAMES, described

HEAVY = {"numpy", "scipy", "pandas", "pyarrow", "rich", "threadpoolctl"}
COMMANDS = (
    *("fit", "predict", "select-k", "merge", "compare"),
    *("generate", "plot", "show", "explain", "report"),
)


def imported(command, *arguments):
    """Top-level modules that the installed command imports for these arguments."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", command, *arguments],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    names = re.findall(r"^import time:.*\| +([\w.]+)$", done.stderr, flags=re.MULTILINE)
    return {name.partition(".")[0] for name in names}


@pytest.mark.heavy(cases=7)
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        [],
        *[[name, "--help"] for name in COMMANDS],
        ["fit", "--nonsense"],
        ["fit", "x.csv", "-k", "0"],
        ["fit", "x.csv"],
        ["fit", "x.csv", "-k", "2", "-m", "-", "-l", "-"],
        ["select-k", "x.csv", "-k", "0-3"],
        ["predict"],
        ["generate", "--kind", "nonsense"],
        ["explain"],
        ["explain", "nonsense"],
    ],
    ids=" ".join,
)
def test_help_and_usage_errors_load_nothing_heavy(command, arguments):
    names = imported(command, *arguments)
    assert "typer" in names
    assert not names & HEAVY


def test_a_fit_without_colour_does_not_load_rich(command, blobs):
    names = imported(command, "fit", str(blobs), "-k", "2")
    assert "numpy" in names
    assert not names & {"rich", "scipy", "pyarrow.compute"}
    assert "scipy" in imported(command, "fit", str(blobs), "-k", "2", "--bayes")


def test_version(installed):
    outcome = installed("--version")
    assert outcome.code == 0
    assert re.fullmatch(r"gmmcli \d+\.\d+\.\d+\n", outcome.out)


def test_no_arguments_is_help_on_stderr_and_exit_2(installed):
    outcome = installed()
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("Usage: gmmcli")
    assert all(name in outcome.err for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_holds_pasteable_examples_line_by_line(cli, name):
    outcome = cli(name, "--help")
    assert outcome.code == 0
    examples = re.findall(r"^    (?:gmmcli|zcat) .*$", outcome.out, flags=re.MULTILINE)
    assert len(examples) >= 2
    assert all(name in example for example in examples)


def test_python_dash_m_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "gmmcli", "--version"], check=False, capture_output=True, timeout=60
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"gmmcli ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fti"], "'fti'. Did you mean 'fit'?"),
        (["fit", "--lables", "x"], "--labels"),
        (["fit", "x.csv", "-k", "two"], "'two' is not a valid int"),
        (["fit", "x.csv", "-k", "0"], "0 is not in the range x>=1"),
        (["fit", "x.csv", "-k", "-1"], "-1 is not in the range x>=1"),
        (["fit", "x.csv", "-k", "2", "--tol", "0"], "'0' is not a number greater than 0"),
        (["fit", "x.csv", "-k", "2", "--tol", "nan"], "'nan' is not a number greater than 0"),
        (["fit", "x.csv", "-k", "2", "--reg-covar", "-1"], "'-1' is not a number that is 0"),
        (["fit", "x.csv", "-k", "2", "--max-iter", "-1"], "-1 is not in the range"),
        (["fit", "x.csv", "-k", "2", "--n-init", "0"], "0 is not in the range"),
        (["fit", "x.csv", "-k", "2", "--threads", "0"], "0 is not in the range"),
        (["fit", "x.csv", "-k", "2", "--pca", "0"], "0 is not in the range"),
        (["fit", "x.csv", "-k", "2", "--seed", "-1"], "-1 is not in the range"),
        (["fit", "x.csv", "-k", "2", "--missing", "keep"], "'error', 'drop'"),
        (["select-k", "x.csv", "--criterion", "dic"], "'bic', 'aic', 'aicc', 'icl'"),
        (["predict"], "missing argument 'MODEL'"),
        (["generate", "-n", "0"], "0 is not in the range"),
        (["generate", "--separation", "far"], "'far' is not a number"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_usage_error_is_one_line_and_one_line_of_advice(cli, arguments, message):
    outcome = cli(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    error, advice = outcome.err.splitlines()
    assert error.startswith("gmmcli: error: ")
    assert message in error
    assert advice.startswith("see `gmmcli")


@pytest.mark.parametrize(
    "arguments", [["fit", "-k", "2", "-c", "fool"], ["select-k", "-c", "VVV,fool"]]
)
def test_an_unknown_structure_lists_those_that_exist_with_their_meaning(cli, arguments):
    outcome = cli(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    error, _, *choices = outcome.err.splitlines()
    assert error == "gmmcli: error: -c: 'fool' is no covariance structure"
    assert [line.strip() for line in choices] == described()


@pytest.mark.parametrize(
    "arguments",
    [["--debug", "fit", "no-such-file", "-k", "2"], ["fit", "no-such-file", "-k", "2", "--debug"]],
)
def test_debug_shows_a_traceback_wherever_it_stands(cli, arguments):
    outcome = cli(*arguments)
    assert outcome.code == 1
    assert "Traceback (most recent call last)" in outcome.err
    assert outcome.err.splitlines()[-2].startswith("gmmcli: error: ")


def test_without_debug_there_is_no_traceback(cli):
    outcome = cli("fit", "no-such-file", "-k", "2")
    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 2
    assert "no-such-file" in outcome.err


def test_a_defect_of_the_program_is_one_line_too():
    script = (
        "import gmmcli.cli, sys\n"
        "gmmcli.cli._invoke = lambda *_: {}['the key']\n"
        "sys.argv = ['gmmcli']\n"
        "gmmcli.cli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith("gmmcli: error: internal error: KeyError: 'the key'\n")
    assert len(done.stderr.splitlines()) == 2


def test_out_of_memory_is_one_line(cli, monkeypatch, blobs):
    def refuse(*_arguments, **_options):
        raise MemoryError("Unable to allocate 1. TiB")

    monkeypatch.setattr("gmmcli.cli.gathering.load", refuse)
    outcome = cli("fit", blobs, "-k", 2)
    assert outcome.code == 1
    assert "gmmcli: error: not enough memory: Unable to allocate 1. TiB" in outcome.err
    assert outcome.err.splitlines()[-1] == "use fewer columns or fewer rows"


@pytest.mark.parametrize("line", [["fit", "-k", "2"], ["select-k"], ["predict", "model.json"]])
def test_at_a_terminal_a_missing_input_is_help_and_exit_2(command, line):
    parent, child = pty.openpty()
    try:
        done = subprocess.run(
            [command, *line], check=False, stdin=child, capture_output=True, text=True, timeout=60
        )
    finally:
        os.close(parent)
        os.close(child)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Usage: gmmcli {line[0]}")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(installed, shell):
    script = installed(env={"_GMMCLI_COMPLETE": f"source_{shell}"})
    assert script.code == 0
    assert "_GMMCLI_COMPLETE" in script.out


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("gmmcli ", set(COMMANDS)),
        ("gmmcli r", {"report"}),
        ("gmmcli s", {"select-k", "show"}),
        ("gmmcli ex", {"explain"}),
        ("gmmcli fit --cov", {"--covariance"}),
        ("gmmcli fit -c ", set(NAMES)),
        ("gmmcli fit -c VV", {"VVI", "VVE", "VVV"}),
        ("gmmcli select-k -c full,t", {"full,tied"}),
        ("gmmcli select-k -c a", {"all"}),
        ("gmmcli generate --kind str", {"stretched"}),
        ("gmmcli explain cov", {"covariance"}),
    ],
)
def test_bash_completes(installed, line, expected):
    words = line.split(" ")
    outcome = installed(
        env={
            "_GMMCLI_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        }
    )
    assert set(outcome.out.split()) == expected


def test_the_other_shells_complete(installed):
    common = {"_TYPER_COMPLETE_ARGS": "gmmcli sel"}
    zsh = installed(env={"_GMMCLI_COMPLETE": "complete_zsh", **common})
    assert "select-k" in zsh.out
    fish = installed(
        env={
            "_GMMCLI_COMPLETE": "complete_fish",
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            **common,
        }
    )
    assert "select-k" in fish.out
