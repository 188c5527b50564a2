"""gmmcli fit: its outputs, its options, its contradictions."""

import csv
import io
import json

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
from effort import starts_of

from gmmcli.cli import gathering
from gmmcli.mixture.shapes import MEANINGS, WORDS
from gmmcli.modelfile import read


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def fitted(cli, path, *arguments):
    """The model document that these arguments lead to."""
    outcome = cli("fit", path, *arguments, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_the_summary_holds_what_was_asked_for(cli, blobs):
    outcome = cli("fit", blobs, "-k", 3)
    assert outcome.code == 0
    for words in (
        "3 clusters, full covariance, 2 columns, 300 rows",
        "converged after",
        "starts reached this optimum",
        "log-likelihood",
        "BIC",
        "AIC",
        "ICL",
        "lower is better",
        "weight",
        "size",
        "means",
        "standard deviations",
        "covariances",
    ):
        assert words in outcome.out, words
    assert outcome.err.splitlines() == [
        "gmmcli: note: columns used: x, y; left out: note (text), group (text)"
    ]


def test_the_model_is_saved_and_the_summary_still_printed(cli, blobs, tmp_path):
    path = tmp_path / "m.json"
    outcome = cli("fit", blobs, "-k", 3, "-m", path)
    assert "3 clusters" in outcome.out
    document = json.loads(path.read_text())
    assert document["columns"] == ["x", "y"]
    assert document["fit"]["converged"] is True
    assert document["fit"]["n_rows"] == 300
    assert np.shape(document["covariances"]) == (3, 2, 2)
    assert read(str(path)).mixture.n_components == 3


def test_json_is_the_model_instead_of_the_summary(cli, blobs, tmp_path):
    path = tmp_path / "m.json"
    outcome = cli("fit", blobs, "-k", 3, "-m", path, "--json", "-q")
    assert outcome.out == path.read_text()
    assert outcome.err == ""


def test_the_model_on_stdout_sends_the_summary_to_stderr(cli, blobs):
    outcome = cli("fit", blobs, "-k", 3, "-m", "-")
    assert json.loads(outcome.out)["format"] == "gmmcli-model"
    assert "3 clusters" in outcome.err
    quiet = cli("fit", blobs, "-k", 3, "-m", "-", "-q")
    assert (quiet.out, quiet.err) == (outcome.out, "")


def test_labels_on_stdout_send_the_summary_to_stderr(cli, blobs):
    outcome = cli("fit", blobs, "-k", 3, "-l", "-")
    rows = rows_of(outcome.out)
    assert "3 clusters" in outcome.err
    partition = {(row["group"], row["cluster"]) for row in rows}
    assert len(rows) == 300
    assert {cluster for _, cluster in partition} == {"0", "1", "2"}
    # three clusters 6 and more standard deviations apart: hardly a row is beyond the border
    assert len(partition) <= 4


@pytest.mark.heavy(cases=3)
@pytest.mark.parametrize("proba", [(), ("--proba",)])
@pytest.mark.parametrize(
    ("options", "known"),
    [
        ((), True),
        (("--bayes",), True),
        (("--weights", "n"), True),
        (("--weights", "z"), False),
        (("--pca", 1), False),
        (("--missing", "drop"), False),
        (("--memory", "1k"), False),
    ],
)
def test_labels_are_what_predict_says_byte_for_byte(
    cli, tmp_path, monkeypatch, options, known, proba
):
    seen, features_of = [], gathering.Rows.features_of

    def spied(self, read):
        seen.append(features_of(self, read))
        return seen[-1]

    monkeypatch.setattr(gathering.Rows, "features_of", spied)
    # in the order of the model's columns, which is not the file's
    rng, table, model = np.random.default_rng(5), tmp_path / "t.csv", tmp_path / "m.json"
    numbered = enumerate(rng.normal(size=(90, 2)))
    rows = [f"{x:.3f},a,{y:.3f},{1 + i % 3},{i % 3}" for i, (x, y) in numbered]
    rows[40] = ",a,0.5,1,1" if "drop" in options else rows[40]
    table.write_text("\n".join(["x,text,y,n,z", *rows, ""]))
    columns = ("-C", "y", "-C", "x", "-q")
    outcome = cli("fit", table, "-k", 2, "-m", model, "-l", "-", *columns, *options, *proba)
    missing = options if "drop" in options else ()
    assert outcome.code == 0
    assert cli("predict", model, table, "-q", *missing, *proba).out == outcome.out
    # the rows in memory serve where they are those of the file
    assert [X is not None for X in seen] == [known]
    labels = [[row["cluster"] for row in rows_of(outcome.out)]]
    probabilities = cli("predict", model, table, "-q", *missing, "--proba").out
    labels.append([row["cluster"] for row in rows_of(probabilities)])
    assert labels[0] == labels[1]


def test_labels_of_fewer_rows_than_were_read_are_none(cli, blobs, tmp_path, monkeypatch):
    # as where a row was added between two reads, and the file looks the same
    monkeypatch.setattr(gathering.Rows, "features_of", lambda self, _: self.batches.X[:, :-1])
    refused = cli("fit", blobs, "-k", 3, "-l", tmp_path / "l.csv")
    assert refused.code == 1
    assert f"{blobs} has changed while it was read" in refused.err
    assert not (tmp_path / "l.csv").exists()


def test_weights_in_the_summary_add_up(cli, blobs):
    document = fitted(cli, blobs, "-k", 3)
    assert sum(document["weights"]) == pytest.approx(1)
    assert document["weights"] == sorted(document["weights"], reverse=True)


def test_standard_input_is_the_input_when_none_is_named(cli, blobs):
    piped = cli("fit", "-k", 3, "-l", "-", "-q", stdin=blobs.read_bytes())
    dashed = cli("fit", "-", "-k", 3, "-l", "-", "-q", stdin=blobs.read_bytes())
    named = cli("fit", blobs, "-k", 3, "-l", "-", "-q")
    assert piped.code == 0
    assert piped.out == dashed.out == named.out


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize(
    ("shape", "expected"),
    [("full", (3, 3, 3)), ("tied", (3, 3)), ("diag", (3, 3)), ("spherical", (3,))],
)
def test_covariance_structures(cli, overlapping, shape, expected):
    document = fitted(cli, overlapping, "-k", 3, "-c", shape)
    assert document["covariance_type"] == shape
    assert np.shape(document["covariances"]) == expected
    summary = cli("fit", overlapping, "-k", 3, "-c", shape).out
    assert f"{shape} covariance" in summary


@pytest.mark.heavy(cases=3)
@pytest.mark.parametrize("name", MEANINGS)
def test_a_model_of_any_structure_serves_predict_generate_and_start(
    cli, overlapping, tmp_path, name
):
    model = tmp_path / "m.json"
    saved = ("-m", model, "-l", tmp_path / "l.csv")
    search = [f"--{option}={value}" for option, value in starts_of(name).items()]
    outcome = cli("fit", overlapping, "-k", 3, "-c", name.lower(), *search, *saved)
    # as the model file has it
    words = {code: word for word, code in WORDS.items()}
    assert f"3 clusters, {words.get(name, name)} covariance" in outcome.out
    document = json.loads(model.read_text())
    assert document["covariance_type"] == {c: w for w, c in WORDS.items()}.get(name, name)
    assert cli("predict", model, overlapping, "-q").out == (tmp_path / "l.csv").read_text()
    assert len(cli("generate", "--model", model, "-n", 5, "-q").lines()) == 6
    again = fitted(cli, overlapping, "--start", model)
    assert again["covariance_type"] == document["covariance_type"]
    assert again["fit"]["log_likelihood"] == pytest.approx(
        document["fit"]["log_likelihood"], abs=1e-2
    )


def test_columns(cli, overlapping):
    assert fitted(cli, overlapping, "-k", 2, "-C", "c", "-C", "a")["columns"] == ["c", "a"]
    assert fitted(cli, overlapping, "-k", 2, "-C", "2-3")["columns"] == ["b", "c"]
    assert fitted(cli, overlapping, "-k", 2, "-C", "!b")["columns"] == ["a", "c"]


@pytest.mark.heavy
def test_search_options_are_recorded_and_change_the_search(cli, overlapping):
    usual = fitted(cli, overlapping, "-k", 3)["fit"]
    assert (usual["init"], usual["seed"], usual["converge_on"]) == ("auto", 0, "likelihood")
    for init in ("kmeans", "random", "hierarchical"):
        fit = fitted(cli, overlapping, "-k", 3, "--init", init, "--n-init", 2)["fit"]
        assert (fit["init"], fit["n_starts"]) == (init, 2)
    assert fitted(cli, overlapping, "-k", 3, "--n-init", 2)["fit"]["n_starts"] > usual["n_starts"]
    assert fitted(cli, overlapping, "-k", 3, "--seed", 7)["fit"]["seed"] == 7


def test_the_seed_changes_random_starts(cli, overlapping):
    options = ("-k", 6, "--init", "random", "--max-iter", 5)
    likelihoods = {
        fitted(cli, overlapping, *options, "--seed", seed)["fit"]["log_likelihood"]
        for seed in range(4)
    }
    assert len(likelihoods) > 1


@pytest.mark.heavy
def test_tolerance_and_rule_change_when_it_stops(cli, overlapping):
    loose = fitted(cli, overlapping, "-k", 3, "--tol", "1e-2")["fit"]
    tight = fitted(cli, overlapping, "-k", 3, "--tol", "1e-10", "--max-iter", "20000")["fit"]
    other = fitted(cli, overlapping, "-k", 3, "--converge-on", "parameters")["fit"]
    assert loose["n_iter"] < tight["n_iter"]
    assert loose["log_likelihood"] < tight["log_likelihood"]
    assert other["converge_on"] == "parameters"
    assert other["tol"] != fitted(cli, overlapping, "-k", 3)["fit"]["tol"]


def test_not_converging_is_told_and_with_strict_an_exit_code(cli, overlapping, tmp_path):
    path = tmp_path / "m.json"
    options = ("fit", overlapping, "-k", 3, "--max-iter", 2)
    outcome = cli(*options)
    assert outcome.code == 0
    assert "not converged" in outcome.out
    assert "gmmcli: warning: not converged after 2 iterations" in outcome.err
    strict = cli(*options, "--strict", "-m", path)
    assert strict.code == 3
    assert strict.out == outcome.out
    assert strict.err.count("not converged") == 1
    once = cli("fit", overlapping, "-k", 3, "--max-iter", 1, "--strict").err.splitlines()
    assert once[-2:] == [
        "gmmcli: error: not converged after 1 iteration",
        "raise --max-iter or --tol",
    ]
    assert json.loads(path.read_text())["fit"]["converged"] is False


@pytest.mark.heavy
def test_regularisation_is_recorded_and_pure_likelihood_is_higher(cli, overlapping):
    usual = fitted(cli, overlapping, "-k", 3)["fit"]
    strong = fitted(cli, overlapping, "-k", 3, "--reg-covar", 5)["fit"]
    pure = fitted(cli, overlapping, "-k", 3, "--reg-covar", 0)["fit"]
    assert usual["reg_covar"] == pytest.approx(1 / 600)
    assert (strong["reg_covar"], pure["reg_covar"]) == (5, 0)
    assert strong["log_likelihood"] < usual["log_likelihood"] <= pure["log_likelihood"]


def test_weights_are_repetitions(cli, tmp_path, blobs):
    lines = blobs.read_text().splitlines()
    times = [i // 3 % 3 for i in range(300)]
    weighted = tmp_path / "weighted.csv"
    repeated = tmp_path / "repeated.csv"
    pairs = list(zip(lines[1:], times, strict=True))
    weighted.write_text("\n".join([lines[0] + ",w", *(f"{row},{n}" for row, n in pairs)]) + "\n")
    repeated.write_text("\n".join([lines[0], *(row for row, n in pairs for _ in range(n))]) + "\n")
    options = ("-k", 3, "--reg-covar", 0, "--start-labels", "group")
    one = fitted(cli, weighted, *options, "--weights", "w")
    two = fitted(cli, repeated, *options)
    assert one["columns"] == ["x", "y"]
    assert one["fit"]["n_rows"] == two["fit"]["n_rows"] == sum(times)
    assert one["fit"]["bic"] == pytest.approx(two["fit"]["bic"], rel=1e-10)
    np.testing.assert_allclose(one["means"], two["means"], rtol=1e-10, atol=1e-10)


@pytest.fixture
def holes(blobs, tmp_path):
    """The blobs with two rows that lack a value: the third and the fifth."""
    lines = blobs.read_text().splitlines()
    for i, cell in ((3, "NA"), (5, "")):
        cells = lines[i].split(",")
        cells[2] = cell
        lines[i] = ",".join(cells)
    path = tmp_path / "holes.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_missing_value_is_an_error_that_names_it(cli, holes):
    outcome = cli("fit", holes, "-k", 3)
    assert (outcome.code, outcome.out) == (1, "")
    assert "row 3, column 'y'" in outcome.err
    assert "column 'y' is missing; 2 of 300 rows have a missing or infinite value" in outcome.err
    assert "--missing drop" in outcome.err.splitlines()[-1]


def test_an_infinite_value_is_counted_as_missing_ones_are(cli, holes):
    text = holes.read_text().replace(",NA,", ",-inf,", 1)
    outcome = cli("fit", "-k", 3, "-q", stdin=text.encode())
    assert (outcome.code, outcome.out) == (1, "")
    assert "row 3, column 'y' is infinite; 2 of 300 rows have" in outcome.err


def test_dropped_rows_come_out_with_an_empty_cluster(cli, holes, tmp_path):
    model = tmp_path / "m.json"
    options = ("--missing", "drop", "--proba")
    outcome = cli("fit", holes, "-k", 3, "-m", model, "-l", "-", *options)
    assert "gmmcli: note: 2 of 300 rows left out" in outcome.err
    rows = rows_of(outcome.out)
    assert [row["note"] for row in rows] == [f"r{i}" for i in range(300)]
    empty = [i for i, row in enumerate(rows) if row["cluster"] == ""]
    assert empty == [2, 4]
    assert {rows[2][f"p_{k}"] for k in range(3)} == {""}
    assert cli("predict", model, holes, *options).out == outcome.out


def test_pca_is_stored_and_both_spaces_are_told(cli, overlapping, tmp_path):
    model = tmp_path / "m.json"
    outcome = cli("fit", overlapping, "-k", 2, "--pca", 2, "-m", model)
    assert "3 columns on 2 principal components" in outcome.out
    assert "in the space of the principal components" in outcome.out
    document = json.loads(model.read_text())
    assert np.shape(document["means"]) == (2, 2)
    assert np.shape(document["pca"]["means"]) == (2, 3)
    assert np.shape(document["pca"]["covariances"]) == (2, 3, 3)
    labelled = cli("fit", overlapping, "-k", 2, "--pca", 2, "-l", "-", "-q")
    assert cli("predict", model, overlapping).out == labelled.out


def test_pca_cannot_have_more_components_than_columns(cli, overlapping):
    outcome = cli("fit", overlapping, "-k", 2, "--pca", 4)
    assert outcome.code == 1
    assert "4 principal components" in outcome.err


def test_constant_and_collinear_columns_are_named(cli, blobs, tmp_path):
    lines = blobs.read_text().splitlines()
    path = tmp_path / "odd.csv"
    values = [line.split(",") for line in lines[1:]]
    table = [f"{x},{y},{2 * float(x) - float(y)!r},7" for _, x, y, _ in values]
    path.write_text("\n".join(["x,y,sum,seven", *table]) + "\n")
    outcome = cli("fit", path, "-k", 3)
    assert outcome.code == 0
    assert "warning: column 'seven' is left out: it is 7 in every row" in outcome.err
    assert "warning: column 'sum' follows from x, y" in outcome.err
    quiet = cli("fit", path, "-k", 3, "-q", "--json")
    # warnings change what the result means: --quiet keeps them
    assert "column 'seven'" in quiet.err
    assert "note" not in quiet.err
    assert json.loads(quiet.out)["constant_columns"] == {"seven": 7}


def test_more_parameters_than_rows_is_a_warning(cli, tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "wide.csv"
    np.savetxt(path, rng.standard_normal((30, 12)), delimiter=",")
    outcome = cli("fit", path, "--no-header", "-k", 2)
    assert outcome.code == 0
    assert "181 parameters for 30 rows" in outcome.err
    assert "--pca N" in outcome.err
    assert "parameters for" not in cli("fit", path, "--no-header", "-k", 1, "-c", "diag").err


def test_more_clusters_than_distinct_rows(cli, tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("x\n" + "1\n2\n3\n" * 5)
    outcome = cli("fit", path, "-k", 4)
    assert outcome.code == 1
    assert "3 distinct rows" in outcome.err


def test_a_warm_start_takes_columns_clusters_and_structure_from_the_model(
    cli, overlapping, tmp_path
):
    first = tmp_path / "first.json"
    assert (
        cli("fit", overlapping, "-k", 3, "-c", "diag", "-C", "b", "-C", "a", "-m", first).code == 0
    )
    document = fitted(cli, overlapping, "--start", first)
    assert document["columns"] == ["b", "a"]
    assert document["covariance_type"] == "diag"
    assert len(document["weights"]) == 3
    assert document["fit"]["init"] == "given"
    old = json.loads(first.read_text())
    assert document["fit"]["n_iter"] <= old["fit"]["n_iter"]
    assert document["fit"]["log_likelihood"] == pytest.approx(
        old["fit"]["log_likelihood"], abs=1e-3
    )
    assert fitted(cli, overlapping, "--start", first, "-c", "full")["covariance_type"] == "full"


@pytest.mark.heavy
def test_a_warm_start_keeps_its_projection(cli, overlapping, tmp_path):
    first = tmp_path / "first.json"
    assert cli("fit", overlapping, "-k", 2, "--pca", 2, "-m", first).code == 0
    old = json.loads(first.read_text())
    for options in ((), ("--pca", 2)):
        new = fitted(cli, overlapping, "--start", first, *options)
        assert new["pca"]["components"] == old["pca"]["components"]


def test_start_labels_are_a_start_and_no_feature(cli, tmp_path):
    path = tmp_path / "labelled.csv"
    rng = np.random.default_rng(3)
    values = [*rng.standard_normal(50), *(rng.standard_normal(50) + 9)]
    body = [f"{v!r},{7 if i < 50 else 3}" for i, v in enumerate(map(float, values))]
    path.write_text("\n".join(["v,part", *body]) + "\n")
    document = fitted(cli, path, "--start-labels", "part")
    assert document["columns"] == ["v"]
    assert len(document["weights"]) == 2
    assert document["fit"]["n_iter"] <= 3
    assert cli("fit", path, "--start-labels", "part", "-k", 2, "--json").code == 0


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-C", "1-4", "--weights", "w", "-k", 2], "left out: w (has another role)"),
        (["-C", "x", "-C", "2-4", "--start-labels", "g"], "left out: g (has another role)"),
        (["-C", "!x", "--weights", "w", "-k", 2], "left out: w (has another role)"),
        (["-C", "x", "-C", "y", "--weights", "w", "-k", 2], ""),
        (["-C", "1-4", "-C", "!w", "--weights", "w", "-k", 2], ""),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_a_column_of_another_role_inside_a_range_is_spoken_of(cli, overlapping, options, said):
    rows = overlapping.read_text().splitlines()[1:]
    text = "\n".join(
        ["x,y,w,g", *(f"{row.rpartition(',')[0]},2,{i % 2}" for i, row in enumerate(rows))]
    )
    outcome = cli("fit", *options, stdin=text.encode())
    assert outcome.code == 0
    notes = [line for line in outcome.err.splitlines() if "another role" in line]
    assert notes == ([f"gmmcli: note: {said}"] if said else [])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["number of clusters", "-k 3"]),
        (["-k", "2", "-m", "-", "-l", "-"], ["--model", "--labels", "standard output"]),
        (["-k", "2", "-l", "-", "--json"], ["--labels", "--json", "standard output"]),
        (["-k", "2", "-m", "-", "--json"], ["--model", "--json", "standard output"]),
        (["-k", "2", "--proba"], ["--proba", "--labels"]),
        (["-k", "2", "--prefix", "a_"], ["--prefix", "--labels"]),
        (["--start", "m.json", "--start-labels", "group"], ["--start", "--start-labels"]),
        (["--start", "m.json", "--init", "random"], ["--init", "--start"]),
        (["--start-labels", "group", "--n-init", "3"], ["--n-init", "--start-labels"]),
        (["--start-labels", "group", "-k", "2"], ["-k 2", "3 different labels"]),
        (["-k", "2", "-C", "group", "--start-labels", "group"], ["'group'"]),
        (["-k", "2", "-C", "x", "--weights", "x"], ["'x'"]),
        (["--start", "-"], ["INPUT", "--start", "standard input"]),
    ],
    ids=" ".join,
)
def test_contradictions_are_usage_errors(cli, blobs, options, words):
    source = () if options == ["--start", "-"] else (blobs,)
    outcome = cli("fit", *source, *options)
    assert (outcome.code, outcome.out) == (2, "")
    error, advice = outcome.err.splitlines()[-2:]
    assert error.startswith("gmmcli: error: ")
    assert all(word in error + advice for word in words)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["-k", "2"], "which has 3 components"),
        (["--pca", "1"], "no projection"),
        (["-C", "x"], "-C chooses other columns"),
        (["--weights", "x"], "'x' is a feature of --start"),
    ],
)
def test_contradictions_with_a_start_model(cli, blobs, model, options, word):
    outcome = cli("fit", blobs, "--start", model, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert word in outcome.err


def test_a_start_that_does_not_match_the_table_is_a_model_error(cli, overlapping, model):
    outcome = cli("fit", overlapping, "--start", model)
    assert outcome.code == 4
    assert "has no columns 'x', 'y'" in outcome.err


def test_a_result_column_that_is_there_already(cli, blobs, tmp_path):
    path = tmp_path / "taken.csv"
    path.write_text(blobs.read_text().replace("note,", "cluster,", 1))
    refused = cli("fit", path, "-k", 3, "-l", "-", "-q")
    assert (refused.code, refused.out) == (2, "")
    assert "--prefix" in refused.err
    outcome = cli("fit", path, "-k", 3, "-l", "-", "-q", "--proba", "--prefix", "gmm_")
    header = outcome.out.splitlines()[0]
    assert header == "cluster,x,y,group,gmm_cluster,gmm_p_0,gmm_p_1,gmm_p_2"


@pytest.mark.heavy
def test_threads_and_format_do_not_change_a_byte(cli, overlapping, tmp_path):
    parquet = tmp_path / "same.parquet"
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(overlapping), parquet)
    options = ("-k", 3, "--proba", "-q")
    models, labels = set(), set()
    for source, threads in ((overlapping, 1), (overlapping, 2), (overlapping, 5), (parquet, 2)):
        model, rows = tmp_path / "m.json", tmp_path / "l.csv"
        outcome = cli("fit", source, *options, "--threads", threads, "-m", model, "-l", rows)
        assert outcome.code == 0
        models.add(model.read_bytes())
        header_and_rows = rows.read_text().splitlines()
        labels.add("\n".join(row.split(",", 3)[3] for row in header_and_rows))
    assert len(models) == len(labels) == 1


def test_a_header_of_numbers_is_doubted(cli, tmp_path):
    path = tmp_path / "numbers.csv"
    path.write_text("1.5,2\n1,2\n2,4\n4,7\n3,5\n")
    assert "add --no-header" in cli("fit", path, "-k", 1).err
    assert "add --no-header" not in cli("fit", path, "-k", 1, "--no-header").err


def test_a_folder_is_refused_before_the_work(cli, blobs, tmp_path):
    done = cli("fit", blobs, "-k", 3, "-m", tmp_path)
    assert done.code == 1
    assert "it is a folder" in done.err
    assert "columns used" not in done.err


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("limit", [1, 3, 7, 20])
def test_no_more_iterations_than_asked_for(cli, overlapping, limit):
    fit = ["fit", overlapping, "-k", 6, "--tol", "1e-300", "--max-iter", limit, "--json", "-q"]
    assert json.loads(cli(*fit).out)["fit"]["n_iter"] <= limit
