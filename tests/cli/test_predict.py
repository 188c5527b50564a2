"""gmmcli predict: rows come back as they were, with what the model says of them."""

import csv
import gzip
import io
import json

import numpy as np
import pyarrow.parquet
import pytest

HAND_WRITTEN = {
    "format": "gmmcli-model",
    "version": 1,
    "columns": ["a", "b"],
    "covariance_type": "spherical",
    "weights": [0.5, 0.5],
    "means": [[0, 0], [10, 10]],
    "covariances": [1, 1],
}


@pytest.fixture
def hand_written(tmp_path):
    path = tmp_path / "hand.json"
    path.write_text(json.dumps(HAND_WRITTEN))
    return path


@pytest.fixture
def table(tmp_path):
    """A table that is not in the shape any writer would give it."""
    path = tmp_path / "table.csv"
    path.write_bytes(
        b'id,b,"the note",a\r\n007,1.50,"two\nlines, ""quoted""",0.10\r\nNA,9,,1e1\r\n'
    )
    return path


def test_a_model_written_by_hand_labels_rows_by_name_and_passes_the_rest_through(
    cli, hand_written, table
):
    outcome = cli("predict", hand_written, table)
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out == (
        'id,b,"the note",a,cluster\r\n007,1.50,"two\nlines, ""quoted""",0.10,0\r\nNA,9,,1e1,1\r\n'
    )


def test_each_result_column_comes_when_asked_for(cli, hand_written, table):
    def header(*options):
        return cli("predict", hand_written, table, *options).out.splitlines()[0]

    start = 'id,b,"the note",a,'
    assert header("--proba") == start + "cluster,p_0,p_1"
    assert header("--log-density") == start + "cluster,log_density"
    assert header("--uncertainty") == start + "cluster,uncertainty"
    everything = header("--proba", "--log-density", "--uncertainty", "--prefix", "z_")
    assert everything == start + "z_cluster,z_p_0,z_p_1,z_log_density,z_uncertainty"


def test_the_numbers_are_those_of_bayes_rule(cli, hand_written):
    points = b"a,b\n0,0\n5,5\n10,9\n"
    outcome = cli(
        "predict", hand_written, "--proba", "--log-density", "--uncertainty", stdin=points
    )
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    X = np.array([[0, 0], [5, 5], [10, 9]])
    joint = np.stack(
        [
            0.5 * np.exp(-0.5 * ((X - mean) ** 2).sum(axis=1)) / (2 * np.pi)
            for mean in HAND_WRITTEN["means"]
        ]
    )
    density = joint.sum(axis=0)
    for i, row in enumerate(rows):
        assert float(row["log_density"]) == pytest.approx(np.log(density[i]), rel=1e-12)
        assert float(row["p_1"]) == pytest.approx(joint[1, i] / density[i], rel=1e-12)
        least = min(joint[:, i]) / density[i]
        assert float(row["uncertainty"]) == pytest.approx(least, rel=1e-12)


def test_the_output_goes_to_a_file_in_the_format_of_its_name(cli, hand_written, table, tmp_path):
    plain, zipped, parquet = (tmp_path / f"out.{name}" for name in ("csv", "csv.gz", "parquet"))
    for path in (plain, zipped, parquet):
        outcome = cli("predict", hand_written, table, "-o", path)
        assert (outcome.code, outcome.out) == (0, "")
        assert outcome.err == f"gmmcli: note: 2 rows written to {path}\n"
        assert cli("predict", hand_written, table, "-o", path, "-q").err == ""
    assert plain.read_bytes().decode() == cli("predict", hand_written, table).out
    assert gzip.decompress(zipped.read_bytes()) == plain.read_bytes()
    assert pyarrow.parquet.read_table(parquet)["cluster"].to_pylist() == [0, 1]


def test_input_options(cli, hand_written):
    for options, text in (
        (["-d", ";"], "a;b\n10;9\n"),
        (["-d", r"\t"], "a\tb\n10\t9\n"),
        (["--input-format", "tsv"], "a\tb\n10\t9\n"),
    ):
        outcome = cli("predict", hand_written, *options, stdin=text.encode())
        assert outcome.out.splitlines()[1].endswith("1"), options
    latin = cli("predict", hand_written, "--encoding", "latin-1", stdin=b"a,b,\xe9\n10,9,\xfc\n")
    assert latin.out.encode(errors="surrogateescape") == b"a,b,\xe9,cluster\n10,9,\xfc,1\n"


def test_missing_values(cli, hand_written):
    text = b"a,b\n1,2\n1,-999\n3,4\n,4\n"
    marked = cli("predict", hand_written, "--na-values", "-999", stdin=text)
    assert marked.code == 1
    assert "row 2, column 'b' is missing" in marked.err
    assert "2 of 4 rows" in marked.err
    dropped = cli("predict", hand_written, "--na-values", "-999", "--missing", "drop", stdin=text)
    assert dropped.out == "a,b,cluster\n1,2,0\n1,-999,\n3,4,0\n,4,\n"
    assert "note: 2 of 4 rows without a cluster" in dropped.err
    taken = cli("predict", hand_written, "--missing", "drop", stdin=text)
    assert taken.out == "a,b,cluster\n1,2,0\n1,-999,0\n3,4,0\n,4,\n"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (b"a,b,c,d\n0,0,7,1\n0,0,7.0,1\n", ""),
        (b"a,b\n0,0\n", ""),
        (b"a,b,c,d\n0,0,,1\n", ""),
        (b"a,b,c,d\n0,0,7,1\n0,0,8,1\n0,0,9,1\n", "column 'c' was 7 in every row of the fit"),
        (b"a,b,c,d\n0,0,7,1\n0,0,8,1\n0,0,9,1\n", "here row 2 holds 8\n"),
        (b"a,b,c,d\n0,0,8,2\n", "holds 8; likewise 1 other column\n"),
        (b"a,b,c,d\n0,0,x,1\n", "here its cells are no numbers\n"),
        (b"a,b,c,d\n0,0,7,1\n0,0,7,1\n0,0,x,1\n", "here its cells are no numbers\n"),
    ],
)
def test_a_column_that_is_constant_no_more_is_warned_of_once(cli, tmp_path, rows, words):
    path = tmp_path / "m.json"
    path.write_text(json.dumps({**HAND_WRITTEN, "constant_columns": {"c": 7, "d": 1}}))
    outcome = cli("predict", path, stdin=rows)
    assert outcome.code == 0
    assert words in outcome.err
    assert outcome.err.count("gmmcli: warning: ") == (1 if words else 0)
    assert len(outcome.lines()) == rows.count(b"\n")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_empty_lines_are_no_rows_and_stay_where_they_are(cli, hand_written, tmp_path, line_end):
    rows = "\n\na,b\n1,2\n\n10,9\n\n".replace("\n", line_end).encode()
    outcome = cli("predict", hand_written, stdin=rows)
    expected = "\n\na,b,cluster\n1,2,0\n\n10,9,1\n\n".replace("\n", line_end)
    assert outcome.out == expected
    assert outcome.err == "gmmcli: note: 4 empty lines passed over\n"
    fitted = cli("fit", "-k", 1, "-c", "tied", "-l", "-", stdin=rows)
    assert "note: 4 empty lines passed over\n" in fitted.err
    assert fitted.out == expected.replace("9,1", "9,0")
    path = tmp_path / "out.tsv"
    assert cli("predict", hand_written, "-o", path, stdin=rows).code == 0
    table = "a\tb\tcluster\n1\t2\t0\n10\t9\t1\n".replace("\n", line_end)
    assert path.read_bytes() == table.encode()


def test_an_empty_line_of_a_single_column_is_a_row_without_a_value(cli):
    outcome = cli("fit", "-k", 1, "-l", "-", "--missing", "drop", stdin=b"\nx\n1\n\n3\n")
    assert outcome.out == "\nx,cluster\n1,0\n,\n3,0\n"
    assert "note: 1 empty line passed over\n" in outcome.err


def test_one_row_is_one_row(cli, hand_written, tmp_path):
    said = cli("predict", hand_written, "-o", tmp_path / "out.csv", stdin=b"a,b\n1,2\n").err
    assert said == f"gmmcli: note: 1 row written to {tmp_path / 'out.csv'}\n"


def test_no_header(cli, tmp_path):
    path = tmp_path / "m.json"
    path.write_text(json.dumps({**HAND_WRITTEN, "columns": ["1", "2"]}))
    outcome = cli("predict", path, "--no-header", stdin=b"0,0\n10,10\n")
    assert outcome.out == "0,0,0\n10,10,1\n"


def test_missing_columns_are_listed_with_close_matches(cli, hand_written):
    outcome = cli("predict", hand_written, stdin=b"A,c\n1,2\n")
    assert (outcome.code, outcome.out) == (4, "")
    assert "has no columns 'a', 'b'" in outcome.err
    assert "'A'" in outcome.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("[]", "no JSON object"),
        ('{"format": "other"}', "format"),
        (json.dumps({**HAND_WRITTEN, "version": 9}), "version 9"),
        (json.dumps({**HAND_WRITTEN, "weights": [0.5, 0.6]}), "weights sum to 1.1"),
        (json.dumps({**HAND_WRITTEN, "covariances": [1, -1]}), "not positive definite"),
    ],
)
def test_a_bad_model_is_exit_4(cli, tmp_path, table, text, words):
    path = tmp_path / "bad.json"
    path.write_text(text)
    outcome = cli("predict", path, table)
    assert (outcome.code, outcome.out) == (4, "")
    assert words in outcome.err
    assert "bad.json" in outcome.err


def test_the_model_may_come_from_stdin_but_not_the_table_too(cli, hand_written, table):
    text = hand_written.read_bytes()
    assert cli("predict", "-", table, stdin=text).out == cli("predict", hand_written, table).out
    refused = cli("predict", "-", stdin=text)
    assert refused.code == 2
    assert "MODEL and INPUT are both read from standard input" in refused.err


def test_threads_do_not_change_a_byte(cli, hand_written):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((60_000, 2)) * 5
    text = b"a,b\n" + b"".join(b"%r,%r\n" % (x, y) for x, y in rows.tolist())
    outputs = {
        cli("predict", hand_written, "--proba", "--threads", n, stdin=text).out for n in (1, 2, 4)
    }
    assert len(outputs) == 1
    assert outputs.pop().count("\n") == 60_001


def test_a_feature_that_holds_no_numbers_does_not_match_the_model(cli, model):
    outcome = cli("predict", model, stdin=b"x,y\na,1\nb,2\n")
    assert (outcome.code, outcome.out) == (4, "")
    assert "column 'x' is not numeric: row 1 holds 'a', and the model needs" in outcome.err


@pytest.mark.parametrize("name", ["a.xlsx", "a.json", "A.Feather", "a.pkl.gz", "a.ods"])
def test_a_format_that_cannot_be_written_is_refused_by_name(cli, model, blobs, tmp_path, name):
    path = tmp_path / name
    for line in (
        ("predict", model, blobs, "-o"),
        ("fit", blobs, "-k", 3, "-l"),
        ("select-k", blobs, "-o"),
        ("merge", model, blobs, "-o"),
        ("generate", "-o"),
    ):
        outcome = cli(*line, path)
        assert (outcome.code, outcome.out) == (2, "")
        said, way_out = outcome.err.splitlines()
        assert f"{name}: a table cannot be written as ." in said
        assert way_out == "choose one of .csv, .tsv, .tab, .parquet, .pq; any other name is CSV"
    assert not path.exists()


@pytest.mark.parametrize("name", ["a", "a.txt", "a.dat", "a.out", "a.2024", "a.csv.gz"])
def test_any_other_name_is_csv(cli, model, blobs, tmp_path, name):
    assert cli("predict", model, blobs, "-o", tmp_path / name).code == 0
    assert (tmp_path / name).stat().st_size > 0
