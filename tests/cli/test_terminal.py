"""What reaches a terminal: text as it is, colour where it is wanted, progress, any locale."""

import json
import os
import pty
import re
import shlex
import subprocess

import pytest

ODD = [
    "time[s]",
    "[/x]",
    "[link=http://x]y[/link]",
    "a\x1b[31mred",
    "b\u202eevil",
    "[bold]b[/]",
    "名前",
    "line\nbreak",
]
SHOWN = [
    "time[s]",
    "[/x]",
    "[link=http://x]y[/link]",
    r"a\x1b[31mred",
    r"b\u202eevil",
    "[bold]b[/]",
    "名前",
    r"line\nbreak",
]
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def odd_table(tmp_path):
    header = ",".join(f'"{name}"' for name in ODD)
    rows = [",".join(str((7 * i * i + j * i) % 101) for j in range(len(ODD))) for i in range(80)]
    path = tmp_path / "odd.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("color", ["always", "never"])
def test_names_from_the_data_are_shown_and_never_obeyed(cli, odd_table, color):
    outcome = cli("fit", odd_table, "-k", 1, "--color", color)
    assert outcome.code == 0
    for text in (outcome.out, outcome.err):
        plain = ESCAPES.sub("", text)
        assert all(name in plain for name in SHOWN)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", plain)
        assert (plain != text) == (color == "always")
    assert "\x1b[31m" not in outcome.out


def test_a_bad_cell_cannot_speak_to_the_terminal(cli):
    outcome = cli("fit", "-k", 2, "-C", "a\x1b]0;x\x07", stdin=b"a,b\n1,2\n")
    assert outcome.code == 1
    assert r"a\x1b]0;x\x07" in outcome.err
    bad = cli("predict", "\x1b[2Jmodel", stdin=b"a\n1\n")
    assert r"\x1b[2Jmodel" in bad.err
    assert "\x1b" not in outcome.err + bad.err


def on_terminal(arguments, *, env=None, columns=80, stdin=None):
    """What the command writes when all its streams are a terminal; stdin may be a file."""
    parent, child = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    environment |= {"TERM": "xterm", "COLUMNS": str(columns), **(env or {})}
    with open(
        child if stdin is None else stdin, "rb", buffering=0, closefd=stdin is not None
    ) as rows:
        run = subprocess.Popen(arguments, stdin=rows, stdout=child, stderr=child, env=environment)
    os.close(child)
    written = b""
    try:
        while piece := os.read(parent, 4096):
            written += piece
    except OSError:
        pass  # the other end is closed
    os.close(parent)
    assert run.wait(timeout=60) == 0
    return written.decode().replace("\r\n", "\n")


def left_on_terminal(arguments, *, env=None):
    """What is still there when the line that moves, should it have come, is gone."""
    return re.sub(r"[^\n]*\r", "", on_terminal(arguments, env=env))


@pytest.mark.heavy
def test_colour_is_for_terminals_unless_they_say_no(command, blobs):
    line = [command, "fit", str(blobs), "-k", "3"]
    coloured = left_on_terminal(line)
    assert ESCAPES.search(coloured)
    plain = left_on_terminal(line, env={"NO_COLOR": "1"})
    assert ESCAPES.sub("", coloured) == plain
    assert left_on_terminal(line, env={"TERM": "dumb"}) == plain
    assert left_on_terminal([*line, "--color", "never"]) == plain
    assert left_on_terminal([*line, "--color", "always"], env={"NO_COLOR": "1"}) == coloured


@pytest.mark.heavy
def test_a_pipe_gets_the_same_text_without_colour(command, blobs, installed):
    written = ESCAPES.sub(
        "", on_terminal([command, "fit", str(blobs), "-k", "3", "-q"], columns=100)
    )
    assert installed("fit", blobs, "-k", 3, "-q").out == written


def suggested(line, **options):
    """The command that a terminal is told to run next."""
    written = ESCAPES.sub("", on_terminal(line, **options))
    found = [text for text in written.splitlines() if text.startswith("gmmcli: next: ")]
    assert len(found) <= 1
    assert not found or written.endswith(f"{found[0]}\n")
    return shlex.split(found[0].removeprefix("gmmcli: next: ")) if found else None


@pytest.mark.heavy
def test_what_to_run_next_can_be_pasted(command, blobs, tmp_path, monkeypatch, installed):
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "it's $HOME.csv"
    table.write_bytes(blobs.read_bytes())
    options = ["-C", "x", "-C", "!group", "-C", "y", "--na-values", "-", "--tol", "1e-7"]
    line = [command, "select-k", str(table), "-k", "2-4", "-c", "full,tied", *options]
    to_fit = suggested(line)
    assert to_fit[:3] == ["gmmcli", "fit", str(table)]
    assert to_fit[3:7] == ["-k", "3", "-c", "tied"]
    assert to_fit[-2:] == ["-m", "model.json"]
    to_predict = suggested([command, *to_fit[1:]])
    assert to_predict[:4] == ["gmmcli", "predict", "model.json", str(table)]
    assert "--na-values=-" in to_predict
    assert "--tol" not in to_predict
    assert installed(*to_predict[1:]).code == 0
    assert len((tmp_path / "labelled.csv").read_text().splitlines()) == 301
    chosen = json.loads((tmp_path / "model.json").read_text())
    assert (chosen["columns"], chosen["fit"]["tol"]) == (["x", "y"], 1e-7)


def test_fit_without_a_model_is_told_how_to_keep_it(command, blobs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = [command, "fit", str(blobs), "-k", "3", "-C", "2-3"]
    assert suggested(line) == ["gmmcli", *line[1:], "-m", "model.json"]


@pytest.mark.heavy
def test_a_bayesian_fit_is_told_how_to_keep_it(command, blobs):
    options = ["--bayes", "--weight-prior", "dirichlet", "--weight-concentration", "0.5"]
    line = [command, "fit", str(blobs), "-k", "5", *options]
    assert suggested(line) == ["gmmcli", *line[1:], "-m", "model.json"]


@pytest.mark.heavy
def test_rows_that_were_piped_in_cannot_be_read_again(command, blobs):
    for line in (
        ["fit", "-k", "3"],
        ["fit", "-k", "3", "-m", "/dev/null"],
        ["select-k", "-k", "3"],
    ):
        assert suggested([command, *line], stdin=blobs) is None


@pytest.mark.heavy
def test_nobody_is_told_what_to_run_next_who_does_not_ask(command, blobs, installed):
    line = [command, "fit", str(blobs), "-k", "3"]
    assert suggested([*line, "-q"]) is None
    assert suggested([*line, "--max-iter", "0"]) is None
    assert "next" not in installed(*line[1:]).err


@pytest.mark.heavy
def test_warnings_come_last(command, overlapping, tmp_path):
    def in_one_file(*arguments):
        path = tmp_path / "both.txt"
        with path.open("wb") as both:
            subprocess.run(arguments, stdout=both, stderr=both, check=True, timeout=60)
        return path.read_text().splitlines()

    few = in_one_file(command, "fit", str(overlapping), "-k", "3", "--max-iter", "2")
    assert few[-1].startswith("gmmcli: warning: not converged")
    assert few[1].startswith("3 clusters")
    table = in_one_file(command, "select-k", str(overlapping), "-k", "2-3", "--max-iter", "2", "-q")
    assert table[-1].startswith("gmmcli: warning: not converged")


@pytest.mark.heavy
def test_a_narrow_terminal_gets_every_number(command, overlapping, installed):
    def numbers(text):
        return sorted(re.findall(r"-?\d+\.\d+", text))

    line = [command, "select-k", str(overlapping), "-k", "1-2", "-c", "full,spherical", "-q"]
    narrow = ESCAPES.sub("", on_terminal(line, columns=60))
    assert max(map(len, narrow.splitlines())) <= 60
    assert numbers(narrow) == numbers(installed(*line[1:]).out)


@pytest.mark.heavy
def test_progress_is_for_terminals_and_goes_away(command, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + "".join(f"{i * i % 997},{i * 31 % 101}\n" for i in range(60_000)))
    line = [command, "fit", str(path), "-k", "8", "--tol", "1e-300", "--n-init", "5"]
    written = on_terminal(line, env={"NO_COLOR": "1"})
    # which phase is seen depends on how fast the machine is
    assert re.search(r"\r\S[^\r\n]*: iteration \d+, log-likelihood", written)
    last = written.rpartition("\r")[2]
    assert re.match(r"gmmcli: note: \d+ passes over the rows\n8 clusters, full covariance", last)
    assert "\r" not in on_terminal([*line, "-q"], env={"NO_COLOR": "1"})


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_encoding_without_the_characters_gets_escapes(installed, odd_table, encoding):
    env = {"PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    outcome = installed("fit", odd_table, "-k", 1, env=env)
    assert outcome.code == 0
    assert r"\u540d\u524d" in outcome.out
    assert r"\u540d\u524d" in outcome.err


@pytest.mark.heavy
def test_the_c_locale(installed, blobs):
    for line in (["fit", blobs, "-k", 3], ["select-k", blobs, "-k", "2-3"]):
        outcome = installed(*line, env={"LC_ALL": "C"})
        blocks = installed(*line, env={"LC_ALL": "C.UTF-8"})
        assert outcome.code == 0
        assert outcome.out.isascii()
        assert not blocks.out.isascii()
        assert re.sub("[#.:=+*_ -]", "", outcome.out) == re.sub("[▁-▏#.:=+*_ -]", "", blocks.out)
