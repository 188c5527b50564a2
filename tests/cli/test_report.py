"""gmmcli report, and select-k --report: what the page tells of the rows is so."""

import csv
import hashlib
import io
import json
import os
import shlex
import subprocess

import numpy as np
import pages
import pyarrow.csv
import pyarrow.parquet
import pytest

from gmmcli import modelfile
from gmmcli.report.plots import subject_of
from gmmcli.report.plots.sampling import Sample


def read(path):
    return pages.parsed(path.read_text(encoding="utf-8"))


def sizes(page):
    """Rows of the first table of clusters: cluster, weight, size, rows, in doubt."""
    return next(pages.section(page, "Clusters").all("table")).cells()


@pytest.fixture
def overlapping_model(cli, overlapping, tmp_path):
    path = tmp_path / "overlapping.json"
    assert cli("fit", overlapping, "-k", 3, "-m", path).code == 0
    return path


@pytest.fixture
def merged_model(cli, overlapping, overlapping_model, tmp_path):
    path = tmp_path / "merged.json"
    assert cli("merge", overlapping_model, overlapping, "-k", 2, "-m", path).code == 0
    return path


@pytest.fixture
def bayesian_model(cli, tmp_path):
    """Of few rows, whose posterior gives them other labels than its expectation."""
    rng = np.random.default_rng(0)
    table, path = tmp_path / "few.csv", tmp_path / "bayes.json"
    rows = np.concatenate([rng.standard_normal(16), 6 + 0.7 * rng.standard_normal(5)])
    np.savetxt(table, rows, header="a", comments="", fmt="%.17g")
    fitted = cli("fit", table, "-k", 3, "--bayes", "-m", path)
    assert fitted.code == 0
    return path


def judged(cli, model, table):
    """Rows and doubts by cluster, and the mean log-density, by what predict writes."""
    out = cli("predict", model, table, "--uncertainty", "--log-density", "-q").out
    cells = list(csv.DictReader(io.StringIO(out)))
    doubts = [
        [float(cell["uncertainty"]) for cell in cells if cell["cluster"] == str(k)]
        for k in range(1 + max(int(cell["cluster"]) for cell in cells))
    ]
    counted = [[str(len(mine)), str(sum(u >= 0.1 for u in mine))] for mine in doubts]
    return counted, np.mean([float(cell["log_density"]) for cell in cells])


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["overlapping_model", "merged_model"])
def test_rows_and_doubts_are_those_of_predict(cli, overlapping, kind, tmp_path, request):
    model, out = request.getfixturevalue(kind), tmp_path / "r.html"
    outcome = cli("report", model, overlapping, "-o", out)
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == f"gmmcli: note: report written to {out}\n"
    table = sizes(read(out))
    assert [heading.strip() for heading in table[0]][-2:] == ["rows", "in doubt"]
    told, mean = judged(cli, model, overlapping)
    assert [row[-2:] for row in table[1:]] == told
    assert sum(int(row[-1]) for row in table[1:]) > 0
    assert pages.facts(read(out))["log-likelihood of the rows"].startswith(f"−{-mean:.6g} per row")


def test_a_bayesian_model_is_told_as_predict_tells_it(cli, bayesian_model, tmp_path):
    grid = tmp_path / "grid.csv"
    places = np.linspace(0, 6, 161)
    np.savetxt(grid, places, header="a", comments="", fmt="%.17g")
    told, mean = judged(cli, bayesian_model, grid)
    page = pages.parsed(cli("report", bayesian_model, grid).out)
    assert [row[-2:] for row in sizes(page)[1:]] == told
    shown = pages.facts(page)["log-likelihood of the rows"]
    assert shown == f"−{-mean:.6g} per row"
    # the expectation alone would have said otherwise
    alone = tmp_path / "alone.json"
    document = json.loads(bayesian_model.read_text())
    del document["bayes"]
    alone.write_text(json.dumps(document))
    assert judged(cli, alone, grid)[0] != told


@pytest.mark.heavy
def test_the_page_of_merged_components(cli, overlapping, merged_model):
    groups = json.loads(merged_model.read_text())["clusters"]
    page = pages.parsed(cli("report", merged_model, overlapping).out)
    assert next(page.all("h1")).text.startswith("3 components in 2 clusters, full covariance")
    by_cluster, components, means = (
        table.cells() for table in pages.section(page, "Clusters").all("table")
    )
    assert by_cluster[0] == [
        "cluster",
        "weight",
        "size in the fit",
        "components",
        "rows",
        "in doubt",
    ]
    assert [row[3] for row in by_cluster[1:]] == [
        ",".join(str(k) for k in range(3) if groups[k] == c) for c in (0, 1)
    ]
    assert components[0] == ["component", "cluster", "weight", "size in the fit"]
    assert [row[1] for row in components[1:]] == list(map(str, groups))
    assert means[0] == ["column", "overall", "component 0", "component 1", "component 2"]


def test_pictures_are_of_what_predict_says(bayesian_model):
    model = modelfile.read(str(bayesian_model))
    rows = np.linspace(0, 6, 161)[:, None]
    about = subject_of(model, Sample(rows=rows, weights=None, n_rows=161))
    assert about.posterior.labels.tolist() == model.posterior(rows).labels.tolist()


@pytest.mark.heavy
def test_the_hash_is_of_the_numbers(cli, overlapping, overlapping_model, tmp_path):
    X = np.loadtxt(overlapping, delimiter=",", skiprows=1)
    expected = hashlib.sha256(X.astype("<f8").tobytes()).hexdigest()
    parquet = tmp_path / "x.parquet"
    table = pyarrow.csv.read_csv(overlapping)
    # other columns, and another order of them, change nothing
    shuffled = table.select(["c", "a", "b"]).append_column("d", table["a"])
    pyarrow.parquet.write_table(shuffled, parquet)
    for source, stdin in ((overlapping, b""), (parquet, b""), ("-", overlapping.read_bytes())):
        outcome = cli("report", overlapping_model, source, stdin=stdin)
        told = pages.facts(pages.parsed(outcome.out))["SHA-256 of the numbers"]
        assert told.startswith(expected)


@pytest.mark.heavy
def test_the_line_can_be_run_again(cli, overlapping, overlapping_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = ["report", overlapping_model, str(overlapping), "-o", "it's.html", "--threads", "1"]
    assert cli(*line).code == 0
    first = (tmp_path / "it's.html").read_bytes()
    shown = next(
        pages.section(read(tmp_path / "it's.html"), "This page was made by").all("code")
    ).text
    assert shlex.split(shown) == ["gmmcli", *map(str, line)]
    os.remove("it's.html")
    assert cli(*shlex.split(shown)[1:]).code == 0
    assert (tmp_path / "it's.html").read_bytes() == first
    more = cli(*line[:-1], "2", "-q")
    assert more.code == 0
    changed = (tmp_path / "it's.html").read_text().replace("--threads 2 -q", "--threads 1")
    assert changed.encode() == first


@pytest.mark.heavy
def test_what_to_run_next_runs(cli, blobs, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("report", model, blobs, "-o", "r.html").code == 0
    lines = [code.text for code in read(tmp_path / "r.html").all("code")][-2:]
    assert [shlex.split(line)[1] for line in lines] == ["predict", "select-k"]
    for line in lines:
        assert cli(*shlex.split(line)[1:], *(["-k", 2] if "select-k" in line else [])).code == 0
    assert cli("report", model, "-o", "r.html").code == 0
    alone = [shlex.split(code.text) for code in read(tmp_path / "r.html").all("code")]
    assert ["gmmcli", "generate", "--model", str(model), "-n", "1000"] in alone


def test_missing_values(cli, model, tmp_path):
    table = tmp_path / "holes.csv"
    table.write_text("x,y\n0,0\n,6\n8,0\nNA,1\n")
    out = tmp_path / "r.html"
    refused = cli("report", model, table, "-o", out)
    assert refused.code == 1
    assert f"{table}: row 2, column 'x' is missing" in refused.err
    assert not out.exists()
    assert cli("report", model, table, "-o", out, "--missing", "drop").code == 0
    page = read(out)
    told = pages.facts(page)["rows"]
    assert told == f"{table}: 4 rows; 2 left out, a value is missing or infinite"
    assert [row[3] for row in sizes(page)[1:]].count("1") == 2


def test_weights_count_rows(cli, model, tmp_path):
    table = tmp_path / "weighted.csv"
    table.write_text("x,y,w\n0,0,3\n8,0,2.5\n0,6,0\n")
    page = pages.parsed(cli("report", model, table, "--weights", "w").out)
    assert sorted(row[3] for row in sizes(page)[1:]) == ["0", "2.5", "3"]
    assert pages.facts(page)["rows"] == f"{table}: 3 rows; 1 left out, of weight 0"


def test_rows_unlike_those_of_the_fit_are_a_warning(cli, model, blobs, tmp_path):
    table = tmp_path / "far.csv"
    table.write_text("x,y\n100,100\n101,100\n")
    far = pages.parsed(cli("report", model, table).out)
    assert "the rows are not like those of the fit" in next(far.all("aside")).text
    same = pages.parsed(cli("report", model, blobs).out)
    assert not list(same.all("aside"))
    assert pages.facts(same)["log-likelihood of the rows"].endswith(", as in the fit")


@pytest.mark.heavy
def test_a_fit_that_did_not_converge_is_a_warning(cli, overlapping, tmp_path):
    path = tmp_path / "m.json"
    assert cli("fit", overlapping, "-k", 3, "--max-iter", 2, "-m", path).code == 0
    page = pages.parsed(cli("report", path).out)
    assert "not converged after 2 iterations" in next(page.all("aside")).text
    assert "Not converged: stopped after 2 iterations." in page.text


@pytest.fixture
def report_in(cli, model, blobs, tmp_path, monkeypatch):
    """Run report in an empty folder, where words in braces are paths of files elsewhere."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    other = tmp_path / "other.csv"
    other.write_text("a,y\n1,2\n3,4\n")
    places = {"model": model, "blobs": blobs, "other": other}
    return lambda words: (cli("report", *(word.format(**places) for word in words)), folder)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{model}", "{blobs}", "-o", "r.pdf"], 2, "-o r.pdf: a page has the extension .html"),
        (["{model}", "{blobs}", "-o", "no/r.html"], 1, "cannot write no/r.html: no folder"),
        (["{model}", "{other}", "-o", "r.html"], 4, "has no column 'x', which the model needs"),
        (["{model}", "--missing", "drop"], 2, "--missing is about rows, and no INPUT is given"),
        (["{model}", "--weights", "x"], 2, "--weights is about rows, and no INPUT is given"),
        (["-", "-"], 2, "MODEL and INPUT are both read from standard input"),
        (["{other}"], 4, "not JSON"),
    ],
)
def test_faults_are_one_line_and_leave_nothing(report_in, arguments, code, message):
    outcome, folder = report_in(arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert message in outcome.err.splitlines()[0].replace("--output", "-o")
    assert len(outcome.err.splitlines()) == 2
    assert not list(folder.iterdir())


@pytest.mark.heavy
def test_select_k_reports_the_table_and_the_best(cli, blobs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = ["select-k", "-k", "1-4", "-c", "full,diag", "--report", "s.html", "-l", "l.csv"]
    # a pipe is read once, and still there are rows to count and to label
    outcome = cli(*line, stdin=blobs.read_bytes())
    assert outcome.code == 0
    page = read(tmp_path / "s.html")
    tables = list(pages.section(page, "How many clusters").all("table"))
    assert len(tables[0].cells()) == 9
    best = [each for each in page.all("tr") if each.attributes.get("class") == "best"]
    assert len(best) == 1
    assert "> best by BIC: " in outcome.out
    chosen = outcome.out.partition("> best by BIC: ")[2].splitlines()[0]
    assert f"Best by BIC: {chosen}." in page.text
    assert sum(int(row[3]) for row in sizes(page)[1:]) == 300
    assert len((tmp_path / "l.csv").read_text().splitlines()) == 301
    shown = next(pages.section(page, "This page was made by").all("code")).text
    assert shlex.split(shown) == ["gmmcli", *line]
    following = next(pages.section(page, "What to run next").all("code")).text
    assert shlex.split(following)[:3] == ["gmmcli", "fit", "-"]


@pytest.mark.parametrize(
    ("path", "message"),
    [("-", "--report is a page in a file"), ("r.txt", "--report r.txt: a page has the extension")],
)
def test_select_k_wants_a_page_by_its_name(cli, blobs, path, message):
    outcome = cli("select-k", blobs, "-k", 2, "--report", path)
    assert outcome.code == 2
    assert message in outcome.err


@pytest.mark.heavy
def test_a_page_of_many_rows_is_small(cli, tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((40_000, 5))
    rows[::3] += 4
    table, path = tmp_path / "x.csv", tmp_path / "m.json"
    np.savetxt(table, rows, delimiter=",", header="a,b,c,d,e", comments="", fmt="%.6f")
    assert cli("fit", table, "-k", 2, "-c", "tied", "-m", path).code == 0
    text = cli("report", path, table).out
    assert len(text.encode()) < 1_000_000
    assert len(list(pages.section(pages.parsed(text), "Pictures").all("img"))) == 3


@pytest.mark.heavy
def test_rows_left_out_and_columns_that_changed_are_told(cli, model, tmp_path):
    document = json.loads(model.read_text())
    model.write_text(json.dumps(document | {"constant_columns": {"c": 7}}))
    table, parquet = tmp_path / "x.csv", tmp_path / "x.parquet"
    table.write_text("x,y,c\n0,0,7\n,6,7\n8,0,9\n")
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(table), parquet)
    for source in (table, parquet):
        for line in (
            ("report", model, source, "-o", tmp_path / "r.html"),
            ("plot", model, source, "-o", tmp_path / "p.svg"),
        ):
            told = cli(*line, "--missing", "drop").err
            assert "note: 1 of 3 rows left out: a value is missing or infinite\n" in told
            assert "warning: column 'c' was 7 in every row of the fit" in told
            assert "here row 3 holds 9" in told


@pytest.mark.parametrize("command_line", ["report", "plot -o p.svg", "merge"])
def test_a_feature_cannot_be_the_weights(cli, model, blobs, command_line):
    name, *options = command_line.split()
    outcome = cli(name, model, blobs, "--weights", "x", *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert "column 'x' is a feature of the model, and cannot be the weights" in outcome.err


@pytest.mark.heavy
def test_rows_that_are_piped_in_are_read(cli, model, blobs, tmp_path):
    piped = cli("report", model, stdin=blobs.read_bytes())
    named = cli("report", model, "-", stdin=blobs.read_bytes())
    assert sizes(pages.parsed(piped.out)) == sizes(pages.parsed(named.out))
    path = tmp_path / "p.svg"
    drawn = []
    for arguments, stdin in (([], blobs.read_bytes()), (["-"], blobs.read_bytes()), ([], b"")):
        cli("plot", model, *arguments, "--kind", "density", "-o", path, stdin=stdin)
        drawn.append(path.read_bytes())
    assert drawn[0] == drawn[1] != drawn[2]
    # the model has standard input to itself
    alone = cli("report", "-", stdin=model.read_bytes())
    assert alone.code == 0
    assert "rows" not in sizes(pages.parsed(alone.out))[0]


@pytest.mark.heavy
@pytest.mark.parametrize("stdin", ["/dev/null", "&-"])
def test_without_anything_piped_in_the_report_is_of_the_model(command, model, stdin):
    line = [command, "report", str(model)]
    done = subprocess.run(
        ["bash", "-c", f"{shlex.join(line)} <{stdin}"], check=True, capture_output=True, timeout=60
    )
    assert "rows" not in sizes(pages.parsed(done.stdout.decode()))[0]
    ended = subprocess.run(line, input=b"", check=True, capture_output=True, timeout=60)
    assert "rows" not in sizes(pages.parsed(ended.stdout.decode()))[0]


NARROW = [
    {"means": [[1e308, 1], [1e308, 6]]},
    {"means": [[1e100, 1], [1e100, 6]]},
    {"covariances": [[1e-320, 1], [4, 9]]},
    {"covariances": [[1e300, 1], [1e306, 9]]},
]


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("changes", NARROW, ids=str)
def test_clusters_at_the_ends_of_floating_point_end_in_no_traceback(cli, tmp_path, changes):
    path = tmp_path / "m.json"
    document = {
        "format": "gmmcli-model",
        "version": 1,
        "columns": ["x", "y"],
        "covariance_type": "diag",
        "weights": [0.5, 0.5],
        "means": [[0, 1], [5, 6]],
        "covariances": [[1, 1], [4, 9]],
    }
    path.write_text(json.dumps(document | changes))
    assert cli("show", path).code == 0
    page = cli("report", path)
    assert (page.code, page.err) == (0, "")
    pictures = pages.section(pages.parsed(page.out), "Pictures")
    lost = "means" in changes
    assert len(list(pictures.all("img"))) == (0 if lost else 2)
    assert ("too coarse for how near they lie" in pictures.text) == lost
    drawn = cli("plot", path, "--kind", "pairs", "-o", tmp_path / "p.svg")
    assert drawn.code == (1 if lost else 0)
    assert len(drawn.err.splitlines()) == (2 if lost else 1)
