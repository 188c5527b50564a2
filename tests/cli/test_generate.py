"""gmmcli generate: rows with known clusters."""

import csv
import io
import json

import numpy as np
import pytest

from gmmcli.mixture.synthesis import KINDS


def rows_of(outcome):
    assert outcome.code == 0, outcome.err
    return list(csv.DictReader(io.StringIO(outcome.out)))


def test_what_comes_without_options(cli):
    outcome = cli("generate")
    rows = rows_of(outcome)
    assert len(rows) == 1000
    assert list(rows[0]) == ["x1", "x2", "label"]
    assert {row["label"] for row in rows} == {"0", "1", "2"}
    assert outcome.err == ""


def test_rows_features_clusters_and_labels(cli):
    rows = rows_of(cli("generate", "-n", 200, "-d", 4, "-k", 5))
    assert len(rows) == 200
    assert list(rows[0]) == ["x1", "x2", "x3", "x4", "label"]
    assert len({row["label"] for row in rows}) == 5
    assert list(rows_of(cli("generate", "-n", 2, "--no-labels"))[0]) == ["x1", "x2"]
    assert list(rows_of(cli("generate", "-n", 2, "--prefix", "true_"))[0])[-1] == "true_label"


def test_the_seed_decides(cli):
    same = [cli("generate", "-n", 5, "--seed", seed).out for seed in (1, 1, 2)]
    assert same[0] == same[1] != same[2]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_different(cli, kind):
    outcome = cli("generate", "--kind", kind, "-n", 50, "-d", 3)
    assert len(rows_of(outcome)) == 50
    others = [other for other in KINDS if other != kind]
    assert all(cli("generate", "--kind", k, "-n", 50, "-d", 3).out != outcome.out for k in others)


def test_separation(cli):
    def spread(separation):
        rows = rows_of(cli("generate", "-n", 500, "--separation", separation))
        return np.std([float(row["x1"]) for row in rows])

    assert spread(0) == pytest.approx(1, abs=0.15)
    assert spread(50) > 5


def test_informative_columns(cli):
    base = ("generate", "--kind", "classification", "-n", 100, "-d", 6, "-k", 4)
    assert cli(*base).out == cli(*base, "--informative", 2).out
    assert cli(*base, "--informative", 4).out != cli(*base).out
    too_few = cli(*base, "--informative", 1)
    assert too_few.code == 1
    assert "need 2 informative columns" in too_few.err


def test_rows_from_a_model(cli, model):
    document = json.loads(model.read_text())
    rows = rows_of(cli("generate", "--model", model, "-n", 4000))
    assert list(rows[0]) == ["x", "y", "label"]
    labels = np.array([int(row["label"]) for row in rows])
    X = np.array([[float(row["x"]), float(row["y"])] for row in rows])
    for k, (weight, mean, covariance) in enumerate(
        zip(document["weights"], document["means"], document["covariances"], strict=True)
    ):
        members = X[labels == k]
        assert len(members) / 4000 == pytest.approx(weight, abs=0.04)
        error = np.sqrt(np.diag(covariance) / len(members))
        assert np.all(np.abs(members.mean(axis=0) - mean) < 5 * error)
    piped = cli("generate", "--model", "-", "-n", 4000, stdin=model.read_bytes())
    assert rows_of(piped) == rows
    assert (
        cli("generate", "--model", model, "-n", 9, "--seed", 3).out
        != cli("generate", "--model", model, "-n", 9).out
    )


@pytest.mark.heavy
def test_rows_from_a_model_of_principal_components(cli, overlapping, tmp_path):
    path = tmp_path / "pca.json"
    assert cli("fit", overlapping, "-k", 2, "--pca", 2, "-m", path).code == 0
    generated = cli("generate", "--model", path, "-n", 500)
    rows = rows_of(generated)
    assert list(rows[0]) == ["a", "b", "c", "label"]
    labelled = rows_of(cli("predict", path, stdin=generated.out.encode()))
    agreeing = sum(row["label"] == row["cluster"] for row in labelled)
    assert agreeing > 350


def test_a_file(cli, tmp_path):
    path = tmp_path / "x.csv"
    outcome = cli("generate", "-n", 7, "-o", path)
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == f"gmmcli: note: 7 rows and 3 columns written to {path}\n"
    assert path.read_text() == cli("generate", "-n", 7).out
    assert cli("generate", "-n", 7, "-o", path, "-q").err == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--kind", "blobs"], "--kind"),
        (["-d", "2"], "--features"),
        (["-k", "2"], "--components"),
        (["--separation", "1"], "--separation"),
        (["--informative", "1"], "--informative"),
    ],
)
def test_what_a_model_decides_cannot_be_asked_for(cli, model, options, words):
    outcome = cli("generate", "--model", model, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err


def test_other_contradictions(cli, tmp_path):
    for options in (["--informative", "2"], ["--no-labels", "--prefix", "a_"]):
        assert cli("generate", *options).code == 2
    path = tmp_path / "m.json"
    text = (
        '{"format": "gmmcli-model", "version": 1, "columns": ["label"], "weights": [1],'
        ' "covariance_type": "diag", "means": [[0]], "covariances": [[1]]}'
    )
    path.write_text(text)
    outcome = cli("generate", "--model", path)
    assert outcome.code == 2
    assert "--prefix" in outcome.err
    assert cli("generate", "--model", path, "--no-labels").code == 0
