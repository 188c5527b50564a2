"""gmmcli plot, and select-k --plot: pictures of models and rows."""

import io
import json
import os
import re
import sys
from typing import get_args

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest

from gmmcli.cli import paths, run
from gmmcli.cli.plot import _NEED_ROWS, PictureKind
from gmmcli.modelfile import read
from gmmcli.report.plots import FORMATS, KINDS, subject_of
from gmmcli.report.plots.plane import plane
from gmmcli.report.plots.sampling import Sample

MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.fixture
def wide(cli, overlapping, tmp_path):
    """A model of three columns."""
    path = tmp_path / "wide.json"
    assert cli("fit", overlapping, "-k", 2, "-m", path).code == 0
    return path


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    """The folder that a command is run in."""
    path = tmp_path / "folder"
    path.mkdir()
    monkeypatch.chdir(path)
    return path


@pytest.fixture
def drawn(cli, tmp_path):
    """The bytes that a command line draws."""

    def draw(*arguments, stdin=b"", suffix=".svg"):
        path = tmp_path / f"picture{suffix}"
        outcome = cli(*arguments, "-o", path, stdin=stdin)
        assert (outcome.code, outcome.out) == (0, ""), outcome.err
        return path.read_bytes()

    return draw


def test_the_choices_are_those_of_the_room():
    assert get_args(PictureKind) == tuple(KINDS)
    assert {name for name, kind in KINDS.items() if kind.needs_rows} == set(_NEED_ROWS)
    assert paths.PICTURES == FORMATS


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_a_picture_and_a_note(cli, model, blobs, tmp_path, kind):
    path = tmp_path / "picture.svg"
    outcome = cli("plot", model, blobs, "--kind", kind, "-o", path)
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == f"gmmcli: note: {kind} drawn to {path}\n"
    assert path.read_bytes().startswith(b"<?xml")
    quiet = cli("plot", model, blobs, "--kind", kind, "-o", path, "-q")
    assert (quiet.code, quiet.err) == (0, "")


@pytest.mark.heavy(cases=2)
@pytest.mark.parametrize("suffix", [*MAGIC, ".PNG"])
def test_the_extension_is_the_format(drawn, model, suffix):
    data = drawn("plot", model, "--kind", "density", suffix=suffix)
    assert data.startswith(MAGIC[suffix.lower()])


@pytest.mark.heavy
def test_every_option_about_the_picture_changes_it(drawn, wide, overlapping):
    pictures = [
        drawn("plot", wide, overlapping, *options)
        for options in (
            (),
            ("--kind", "uncertainty"),
            ("--kind", "density"),
            ("-C", "a", "-C", "b"),
            ("-C", "b", "-C", "a"),
            ("-C", "2-3"),
            ("--columns", "a"),
        )
    ]
    assert len(set(pictures)) == len(pictures)


def test_columns_are_chosen_as_elsewhere(drawn, wide, overlapping):
    chosen = drawn("plot", wide, overlapping, "-C", "a", "-C", "c")
    assert drawn("plot", wide, overlapping, "-C", "!b") == chosen
    assert drawn("plot", wide, overlapping, "-C", 1, "-C", 3) == chosen


@pytest.mark.heavy
def test_the_default_is_classification_and_needs_no_picture_of_rows_for_density(
    drawn, model, blobs
):
    plain = drawn("plot", model, blobs)
    assert drawn("plot", model, blobs, "--kind", "classification") == plain
    alone = drawn("plot", model, "--kind", "density")
    assert drawn("plot", model, blobs, "--kind", "density") != alone


@pytest.mark.heavy
def test_the_same_rows_give_the_same_bytes_whatever_they_come_from(drawn, model, blobs, tmp_path):
    expected = drawn("plot", model, blobs)
    parquet = tmp_path / "blobs.parquet"
    table = pyarrow.csv.read_csv(blobs)
    pyarrow.parquet.write_table(table.select(["y", "group", "x"]), parquet, row_group_size=70)
    assert drawn("plot", model, parquet) == expected
    assert drawn("plot", model, "-", stdin=blobs.read_bytes()) == expected
    assert drawn("plot", model, stdin=blobs.read_bytes()) == expected
    semicolons = blobs.read_bytes().replace(b",", b";")
    assert drawn("plot", model, "-", "-d", ";", stdin=semicolons) == expected
    for threads in (1, 3):
        assert drawn("plot", model, blobs, "--threads", threads) == expected


@pytest.mark.heavy
def test_of_many_rows_the_same_ones_are_drawn_for_any_threads_and_format(drawn, model, tmp_path):
    rng = np.random.default_rng(0)
    table = pyarrow.table({"x": rng.uniform(-9, 9, 60_000), "y": rng.uniform(-9, 9, 60_000)})
    csv, parquet = tmp_path / "many.csv", tmp_path / "many.parquet"
    pyarrow.csv.write_csv(table, csv)
    pyarrow.parquet.write_table(table, parquet, row_group_size=7000)
    pictures = {
        drawn("plot", model, path, "--kind", "points", "--threads", n, suffix=".png")
        for path in (csv, parquet)
        for n in (1, 2)
    }
    assert len(pictures) == 1


@pytest.mark.heavy
def test_missing_values_are_an_error_or_left_out(cli, drawn, model, tmp_path):
    holes = b"x,y\n1,2\n3,NA\n8,0\n"
    path = tmp_path / "p.svg"
    outcome = cli("plot", model, "-", "-o", path, stdin=holes)
    assert outcome.code == 1
    assert "row 2, column 'y' is missing" in outcome.err
    assert os.listdir(tmp_path) == ["model.json"]
    dropped = cli("plot", model, "-", "-o", path, "--missing", "drop", stdin=holes)
    assert "1 of 3 rows left out: a value is missing or infinite" in dropped.err
    assert path.read_bytes() == drawn("plot", model, "-", stdin=b"x,y\n1,2\n8,0\n")
    marked = drawn("plot", model, "-", "--missing", "drop", "--na-values", "8", stdin=holes)
    assert marked == drawn("plot", model, "-", stdin=b"x,y\n1,2\n")


@pytest.mark.heavy
def test_weights_count_in_the_histogram_and_0_is_no_row(drawn, model):
    rows = b"x,y,w\n1,2,1\n8,0,3\n5,5,0\n"
    options = ("plot", model, "-", "-C", "x", "--kind", "density")
    weighted = drawn(*options, "--weights", "w", stdin=rows)
    assert weighted != drawn(*options, stdin=rows)
    points = ("plot", model, "-", "--kind", "points")
    assert drawn(*points, "--weights", "w", stdin=rows) == drawn(*points, stdin=b"x,y\n1,2\n8,0\n")


@pytest.mark.heavy
def test_a_model_with_principal_components_is_drawn_in_them(cli, drawn, overlapping, tmp_path):
    path = tmp_path / "pca.json"
    assert cli("fit", overlapping, "-k", 2, "--pca", 2, "-m", path).code == 0
    plain = drawn("plot", path, overlapping)
    assert drawn("plot", path, overlapping, "-C", "PC1", "-C", "PC2") == plain
    assert drawn("plot", path, overlapping, "-C", "PC2", "-C", "PC1") != plain
    outcome = cli("plot", path, overlapping, "-o", tmp_path / "p.svg", "-C", "a")
    assert outcome.code == 1
    assert "the model has no column 'a'" in outcome.err
    assert "'PC1', 'PC2'" in outcome.err


def test_a_merged_model_is_drawn_by_cluster(drawn, model, blobs, tmp_path):
    document = json.loads(model.read_text())
    document["clusters"] = [0, 1, 0]
    merged = tmp_path / "merged.json"
    merged.write_text(json.dumps(document))
    assert drawn("plot", merged, blobs) != drawn("plot", model, blobs)
    points = ("--kind", "points")
    assert drawn("plot", merged, blobs, *points) == drawn("plot", model, blobs, *points)


@pytest.mark.heavy
def test_rows_are_in_the_clusters_that_predict_gives_a_bayesian_fit(cli, overlapping, tmp_path):
    path = tmp_path / "bayes.json"
    assert cli("fit", overlapping, "-k", 3, "--bayes", "-m", path, "-q").code == 0
    fitted = read(str(path))
    rows = np.loadtxt(overlapping, delimiter=",", skiprows=1)
    told = plane(subject_of(fitted, Sample(rows=rows, weights=None, n_rows=len(rows)))).posterior
    predicted = cli("predict", path, overlapping, "--uncertainty", "-q").lines()[1:]
    uncertainty = [float(line.rpartition(",")[2]) for line in predicted]
    assert told.uncertainty == pytest.approx(uncertainty, rel=1e-9)
    # which is not that of the mixture alone
    alone = fitted.mixture.posterior(rows).uncertainty
    assert told.uncertainty != pytest.approx(alone, rel=1e-6)


def test_a_constant_column_of_the_fit_does_not_matter(cli, drawn, tmp_path):
    rows = b"x,same,y\n" + b"".join(b"%d,7,%d\n" % (i % 5 + 9 * (i % 2), i % 7) for i in range(40))
    path = tmp_path / "constant.json"
    assert cli("fit", "-k", 2, "-m", path, stdin=rows).code == 0
    picture = drawn("plot", path, "-", stdin=rows)
    assert drawn("plot", path, "-", stdin=rows.replace(b",7,", b",8,")) == picture


@pytest.mark.heavy(cases=7)
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["{blobs}", "-o", "p.jpg"], (2, "p.jpg has no extension", ".png, .svg, .pdf")),
        (["{blobs}", "-o", "-"], (2, "- has no extension", ".png, .svg, .pdf")),
        (["{blobs}"], (2, "missing option '--output'", "gmmcli plot --help")),
        (["{blobs}", "-o", "no/p.png"], (1, "no folder", "make the folder first")),
        (["p.png", "-o", "p.png"], (2, "p.png is the input p.png", "another file")),
        (["-o", "p.png", "--kind", "pairs", "-C", "x"], (2, "2 to 6 columns", "-C")),
        (["{blobs}", "-o", "p.png", "-C", "z"], (1, "no column 'z'", "'x', 'y'")),
        (["{blobs}", "-o", "p.png", "-C", "!x", "-C", "!y"], (1, "no column", "'x'")),
        (["{blobs}", "-o", "p.png", "--kind", "pie"], (2, "'pie'", "--help")),
        (["-", "-o", "p.png"], (1, "standard input", "")),
        (["{other}", "-o", "p.png"], (4, "has no column 'y'", "its columns")),
        (["-o", "p.png", "--kind", "density", "--weights", "w"], (2, "--weights", "name the")),
        (["-o", "p.png", "--kind", "pairs", "--missing", "drop"], (2, "--missing", "name the")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_drawn_is_one_line_and_no_file(
    cli, model, blobs, empty_folder, options, expected
):
    other = empty_folder.parent / "other.csv"
    other.write_text("x,b\n1,2\n")
    outcome = cli("plot", model, *(option.format(blobs=blobs, other=other) for option in options))
    code, words, advice = expected
    assert (outcome.code, outcome.out) == (code, "")
    first, second = outcome.err.splitlines()
    assert first.startswith("gmmcli: error: ")
    assert words in first
    assert advice in second
    assert not os.listdir(empty_folder)


def test_a_model_that_is_none_and_two_inputs_from_one_pipe(cli, blobs, empty_folder):
    outcome = cli("plot", blobs, blobs, "-o", "p.png")
    assert outcome.code == 4
    assert "not JSON" in outcome.err
    outcome = cli("plot", "-", "-", "-o", "p.png")
    assert outcome.code == 2
    assert "MODEL and INPUT are both read from standard input" in outcome.err
    assert not os.listdir(empty_folder)


@pytest.mark.heavy
def test_one_column_has_no_pairs(cli, drawn, tmp_path):
    path = tmp_path / "one.json"
    rows = b"x\n" + b"".join(b"%d\n" % (i % 5 + 20 * (i % 2)) for i in range(40))
    assert cli("fit", "-k", 2, "-m", path, stdin=rows).code == 0
    outcome = cli("plot", path, "-", "--kind", "pairs", "-o", tmp_path / "p.png", stdin=rows)
    assert outcome.code == 2
    assert "--kind pairs needs 2 columns, and the model has one" in outcome.err
    assert (
        len({drawn("plot", path, "-", "--kind", k, stdin=rows) for k in KINDS if k != "pairs"}) == 5
    )


@pytest.mark.parametrize("kind", ["classification", "points", "uncertainty"])
def test_at_a_terminal_rows_that_are_needed_are_asked_for(
    model, tmp_path, monkeypatch, capfdbinary, kind
):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    assert run(["plot", str(model), "--kind", kind, "-o", str(tmp_path / "p.png")]) == 2
    first, second = capfdbinary.readouterr().err.decode().splitlines()
    assert first == f"gmmcli: error: --kind {kind} draws rows, and no INPUT is given"
    assert second.startswith("name the table, or - for standard input; density and")


def test_a_picture_that_fails_leaves_the_old_one(cli, model, tmp_path):
    path = tmp_path / "p.svg"
    path.write_text("old")
    assert cli("plot", model, "-", "-o", path, stdin=b"x,y\n1,\n").code == 1
    assert path.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["model.json", "p.svg"]


@pytest.mark.parametrize(
    "line", ["plot {model} {blobs} -o {path}", "select-k {blobs} --plot {path}"]
)
def test_without_matplotlib_one_line_says_how_to_get_it(
    cli, model, blobs, tmp_path, monkeypatch, line
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    path = tmp_path / "p.svg"
    outcome = cli(*line.format(model=model, blobs=blobs, path=path).split())
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.splitlines() == [
        "gmmcli: error: pictures need matplotlib, which is not installed",
        "install it with: python3 -m pip install 'gmmcli[plot]'",
    ]
    assert not path.exists()


@pytest.mark.heavy
def test_select_k_draws_its_criteria(cli, blobs, tmp_path):
    pictures = set()
    for i, criterion in enumerate(("bic", "aic", "icl")):
        path = tmp_path / f"{i}.svg"
        grid = ("select-k", blobs, "-k", "1-4", "-c", "full")
        outcome = cli(*grid, "--criterion", criterion, "--plot", path)
        assert outcome.code == 0
        assert f"best by {criterion.upper()}" in outcome.out
        pictures.add(path.read_bytes())
    assert len(pictures) == 3
    again = tmp_path / "again.svg"
    cli(*grid, "--plot", again, "--best")
    assert again.read_bytes() == (tmp_path / "0.svg").read_bytes()


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [("t.gif", 2, "no extension of a picture"), ("no/t.png", 1, "no folder")],
)
def test_select_k_looks_at_the_path_before_it_begins(cli, blobs, tmp_path, path, code, words):
    outcome = cli("select-k", blobs, "--plot", tmp_path / path)
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err


@pytest.mark.parametrize(
    "options", [["--cv", "3"], ["--bootstrap-lrt", "19", "-c", "full"]], ids=" ".join
)
def test_criteria_are_drawn_where_one_of_them_decides(cli, blobs, tmp_path, options):
    outcome = cli("select-k", blobs, "-k", "1-2", "--plot", tmp_path / "p.svg", *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert f"--plot draws criteria, and {options[0]} decides otherwise" in outcome.err
    assert not os.listdir(tmp_path)


def test_where_nothing_could_be_fitted_nothing_is_drawn(cli, tmp_path):
    rows = tmp_path / "few.csv"
    rows.write_text("x\n" + "1\n2\n4\n" * 5)
    outcome = cli("select-k", rows, "-k", "7", "-c", "diag", "--plot", tmp_path / "p.svg")
    assert outcome.code == 1
    assert "none of the candidates could be fitted" in outcome.err
    assert os.listdir(tmp_path) == ["few.csv"]


def test_a_name_in_the_model_is_data(drawn, model, tmp_path):
    document = json.loads(model.read_text())
    document["columns"] = ["$x_{1", "a\x1b[2J日"]
    odd = tmp_path / "odd.json"
    odd.write_text(json.dumps(document))
    picture = drawn("plot", odd, "--kind", "pairs")
    assert not re.search(rb"[\x00-\x08\x0b-\x1f]", picture)
