"""gmmcli select-k: the table of candidates, the choice, and what is kept of it."""

import csv
import io
import json

import numpy as np
import pyarrow.parquet
import pytest

from gmmcli.mixture.shapes import MEANINGS
from gmmcli.mixture.synthesis import Recipe, generate


def cells_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_and_the_choice(cli, blobs):
    outcome = cli("select-k", blobs, "-k", "1-4")
    assert outcome.code == 0
    lines = outcome.lines()
    sparklines = next(i for i, line in enumerate(lines) if "BIC over k = 1-4" in line)
    drawn = [line.split()[-4] for line in lines[sparklines + 1 : sparklines + 5]]
    assert [len(heights) for heights in drawn] == [4] * 4
    assert drawn[3].index("▁") == 2
    rows = [
        line.split()
        for line in lines[:sparklines]
        if line.lstrip(" >").startswith(("full", "tied", "diag", "spher"))
    ]
    cells = [row[1:3] if row[0] == ">" else row[:2] for row in rows]
    shapes = ("full", "tied", "diag", "spherical")
    assert cells == [[shape, str(k)] for shape in shapes for k in range(1, 5)]
    assert "lower is better" in outcome.out
    assert "> best by BIC: spherical, k = 3" in outcome.out
    assert "gmmcli: note: columns used: x, y" in outcome.err


@pytest.mark.heavy
def test_ranges_and_lists_of_k_and_of_shapes(cli, blobs):
    outcome = cli("select-k", blobs, "-k", "2,4-5,2", "-c", "diag,tied", "-o", "-", "-q")
    cells = [(cell["covariance"], cell["k"]) for cell in cells_of(outcome.out)]
    assert cells == [(shape, k) for shape in ("diag", "tied") for k in ("2", "4", "5")]


def test_structures_by_name_in_any_case_and_all(cli, blobs, tmp_path):
    path = tmp_path / "t.csv"
    names = ("-c", "vvv,Full,eve", "-k", "2", "-o", path)
    assert cli("select-k", blobs, *names).code == 0
    cells = cells_of(path.read_text())
    # as they were asked for, the same structure by both its names
    assert [cell["covariance"] for cell in cells] == ["VVV", "full", "EVE"]
    assert cells[0]["bic"] == cells[1]["bic"]
    cli("select-k", blobs, "-c", "ALL", "-k", "1-2", "-o", path)
    cells = cells_of(path.read_text())
    assert [cell["covariance"] for cell in cells[::2]] == list(MEANINGS)
    params = {cell["covariance"]: int(cell["n_parameters"]) for cell in cells[1::2]}
    assert (params["EII"], params["EVE"], params["VVV"]) == (6, 9, 11)


def test_all_structures_of_one_column_are_two(cli, blobs, tmp_path):
    path, model = tmp_path / "t.csv", tmp_path / "m.json"
    options = ("-C", "x", "-c", "all", "-k", "2", "-o", path, "-m", model)
    assert cli("select-k", blobs, *options).code == 0
    assert [cell["covariance"] for cell in cells_of(path.read_text())] == ["E", "V"]
    assert json.loads(model.read_text())["covariance_type"] in {"EII", "spherical"}
    refused = cli("select-k", blobs, "-c", "full,E", "-k", "2")
    assert (refused.code, refused.out) == (1, "")
    assert "E is for data of one column, and there are 2" in refused.err


def test_a_structure_that_cannot_be_fitted_is_a_row_with_its_reason(cli, tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("a,b,c\n1,2,3\n2,1,5\n9,8,1\n8,9,2\n")
    outcome = cli("select-k", path, "-k", "2", "-c", "VEV,VVE,EII", "--reg-covar", "0")
    assert outcome.code == 0
    assert outcome.out.count("collapsed") == 2
    assert "> best by BIC: EII, k = 2" in outcome.out


def test_best_prints_k_alone_and_the_table_elsewhere(cli, blobs):
    outcome = cli("select-k", blobs, "-k", "1-4", "-c", "full", "--best")
    assert outcome.out == "3\n"
    assert "best by BIC" in outcome.err
    quiet = cli("select-k", blobs, "-k", "1-4", "-c", "full", "--best", "-q")
    assert (quiet.out, quiet.err) == ("3\n", "")


@pytest.mark.heavy
def test_the_criterion_decides(cli, overlapping, tmp_path):
    path = tmp_path / "t.csv"
    headings = {"bic": "BIC", "aic": "AIC", "aicc": "AICc", "icl": "ICL", "sabic": "SABIC"}
    chosen = set()
    for criterion, heading in (headings | {"entropy": "entropy"}).items():
        options = ("-k", "1-5", "-c", "full,diag", "--criterion", criterion, "--init", "kmeans")
        outcome = cli("select-k", overlapping, *options, "-o", path)
        cells = cells_of(path.read_text())
        lowest = min(cells, key=lambda cell: float(cell[criterion]))
        assert [cell for cell in cells if cell["best"] == "yes"] == [lowest]
        above = {float(cell[criterion]) - float(lowest[criterion]): cell["delta"] for cell in cells}
        assert all(float(delta) == expected for expected, delta in above.items() if delta)
        assert lowest["delta"] == "0"
        expected = f"best by {heading}: {lowest['covariance']}, k = {lowest['k']}"
        assert expected in outcome.out
        chosen.add(expected.partition(":")[2])
    assert len(chosen) > 2


@pytest.mark.heavy
def test_the_edge_of_the_range_is_said(cli, blobs):
    shape = ("-c", "full")
    high = cli("select-k", blobs, "-k", "1-3", *shape).err
    assert "note: the best lies on the edge of the range: k = 3 is the largest tried" in high
    low = cli("select-k", blobs, "-k", "3-5", *shape).err
    assert "edge of the range: k = 3 is the smallest tried; look beyond it with -k 1-3" in low
    assert "edge" not in cli("select-k", blobs, "-k", "1-4", *shape).err


def test_the_table_file_has_all_digits(cli, overlapping, tmp_path):
    path = tmp_path / "t.csv"
    cli("select-k", overlapping, "-k", "2", "-c", "diag", "-o", path)
    fit = json.loads(cli("fit", overlapping, "-k", 2, "-c", "diag", "--json").out)["fit"]
    (cell,) = cells_of(path.read_text())
    for name in ("log_likelihood", "bic", "aic", "icl", "n_parameters", "n_iter"):
        assert float(cell[name]) == fit[name]
    assert cell["converged"] == "yes"


def test_the_table_in_other_formats(cli, blobs, tmp_path):
    tsv, parquet = tmp_path / "t.tsv", tmp_path / "t.parquet"
    for path in (tsv, parquet):
        assert cli("select-k", blobs, "-k", "1-2", "-c", "full", "-o", path).code == 0
    assert tsv.read_text().splitlines()[0].split("\t")[:2] == ["covariance", "k"]
    assert pyarrow.parquet.read_table(parquet)["k"].to_pylist() == [1, 2]


@pytest.mark.heavy
def test_the_winner_is_kept_as_fit_would_give_it(cli, blobs, tmp_path):
    model, labels, again = tmp_path / "m.json", tmp_path / "l.csv", tmp_path / "again.json"
    outcome = cli(
        "select-k", blobs, "-k", "1-4", "-c", "full", "-m", model, "-l", labels, "--proba"
    )
    assert outcome.code == 0
    cli("fit", blobs, "-k", 3, "-m", again)
    assert model.read_bytes() == again.read_bytes()
    assert cli("predict", again, blobs, "--proba").out == labels.read_text()


def test_a_cell_that_cannot_be_fitted_says_why_and_stops_nothing(cli, tmp_path):
    path, table = tmp_path / "few.csv", tmp_path / "t.csv"
    path.write_text("x\n" + "1\n2\n4\n" * 5)
    outcome = cli("select-k", path, "-k", "1,2,7", "-c", "diag", "-o", table)
    assert outcome.code == 0
    assert "only 3 distinct rows" in outcome.out
    last = cells_of(table.read_text())[-1]
    assert (last["k"], last["bic"], last["best"]) == ("7", "", "no")
    assert "3 distinct rows" in last["reason"]
    none = cli("select-k", path, "-k", "7-8", "-c", "diag")
    assert none.code == 1
    assert "only 3 distinct rows" in none.out
    assert "none of the candidates could be fitted" in none.err


def test_shared_options_reach_the_fits(cli, overlapping, tmp_path):
    model = tmp_path / "m.json"
    options = ("--pca", 2, "--seed", 5, "--reg-covar", 0, "--max-iter", 3, "-C", "!b")
    assert cli("select-k", overlapping, "-k", "2", "-c", "tied", *options, "-m", model).code == 0
    document = json.loads(model.read_text())
    assert document["columns"] == ["a", "c"]
    assert len(document["pca"]["components"]) == 2
    fit = document["fit"]
    assert (fit["seed"], fit["reg_covar"], fit["n_iter"]) == (5, 0, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-k", "0-3"], "'0-3' starts at 0"),
        (["-k", "0"], "'0' starts at 0"),
        (["-k", "1,5-2"], "-k 1,5-2: '5-2' runs backwards"),
        (["-k", "two"], "'two' is no number of clusters"),
        (["-k", "1,,3"], "'' is no number of clusters"),
        (["-k", "1-99999999"], "'1-99999999' goes beyond 999999 clusters"),
        (["-k", "9999999"], "'9999999' goes beyond 999999 clusters"),
        (["-k", "1-99999"], "'1-99999' is more than 1000 numbers"),
        (["--proba"], "--proba is about the rows that --labels writes"),
        (["--best", "-o", "-"], "--output and --best both write to standard output"),
        (["-m", "-", "-l", "-"], "--model and --labels both write to standard output"),
    ],
    ids=" ".join,
)
def test_contradictions_are_usage_errors(cli, blobs, options, words):
    outcome = cli("select-k", blobs, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err
    assert len(outcome.err.splitlines()) == 2


@pytest.mark.heavy
def test_threads_do_not_change_a_byte(cli, overlapping):
    tables = {
        cli("select-k", overlapping, "-k", "2-3", "-o", "-", "-q", "--threads", n).out
        for n in (1, 3)
    }
    assert len(tables) == 1


def test_a_log_says_when_all_fits_are_done_and_some_are_improved(cli, tmp_path):
    recipe = Recipe(n_features=2, n_components=3, separation=1.5, seed=1)
    table = tmp_path / "overlapping.csv"
    np.savetxt(
        table, generate("blobs", 12_000, recipe)[0], delimiter=",", header="a,b", comments=""
    )
    told = cli("select-k", table, "-k", "1-3", "-c", "full", "-q", "--log-every", "1e-9").err
    assert "fit 3 of 3, " in told
    assert "improving, " in told
    assert "fit 4 of 3" not in told
