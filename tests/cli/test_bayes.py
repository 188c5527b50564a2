"""fit --bayes: the posterior of a mixture, from the command line."""

import csv
import io
import json
import re
from collections import Counter

import numpy as np
import pytest

from gmmcli.cli import keeping
from gmmcli.cli.bayes import SHAPES, Bayes
from gmmcli.cli.options import Search
from gmmcli.errors import OutputError, UsageError
from gmmcli.mixture.inference import STRUCTURES_WITH_POSTERIOR

BAYES = ["-k", "8", "--bayes", "-q"]


def document(outcome):
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


@pytest.mark.heavy
def test_the_summary_counts_the_clusters_that_hold_rows(cli, blobs):
    outcome = cli("fit", blobs, *BAYES)
    assert outcome.code == 0
    assert outcome.lines()[0] == "3 clusters of at most 8, full covariance, 2 columns, 300 rows"
    bound = document(cli("fit", blobs, *BAYES, "--json"))["bayes"]["lower_bound"]
    assert re.search(rf"^lower bound +{bound:.2f}  nats, higher", outcome.out, re.MULTILINE)
    assert re.search(r"^clusters +3  hold rows, 5 of 8 do not$", outcome.out, re.MULTILINE)
    assert re.search(
        r"^concentration +0.1250  of the dirichlet-process prior$", outcome.out, re.MULTILINE
    )
    assert "empty clusters are left out" in outcome.out
    for word in ("BIC", "AIC", "ICL", "log-likelihood", "free parameters"):
        assert word not in outcome.out
    assert len(re.findall(r"^ +\d  \d+\.\d %", outcome.out, re.MULTILINE)) == 3


@pytest.mark.heavy
def test_the_model_holds_the_posterior_of_the_clusters_kept(cli, blobs):
    model = document(cli("fit", blobs, *BAYES, "--json"))
    bayes = model["bayes"]
    assert bayes["weight_prior"] == "dirichlet-process"
    assert bayes["max_components"] == 8
    assert bayes["weight_concentration_prior"] == 1 / 8
    rows = np.loadtxt(blobs, delimiter=",", skiprows=1, usecols=(1, 2))
    np.testing.assert_allclose(bayes["mean_prior"], rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(bayes["covariance_prior"][0], np.cov(rows.T, ddof=0), rtol=1e-9)
    assert bayes["mean_precision_prior"] == 1
    assert bayes["degrees_of_freedom_prior"] == 2
    masses = np.array(bayes["mean_precision"]) - 1
    assert masses.sum() == pytest.approx(300, rel=1e-12)
    np.testing.assert_allclose(np.array(bayes["degrees_of_freedom"]) - 2, masses, rtol=1e-12)
    sticks = np.array(bayes["weight_concentration"])
    np.testing.assert_allclose(sticks[0] - 1, masses, rtol=1e-12)
    assert model["fit"]["reg_covar"] == 0.5
    assert bayes["lower_bound"] < model["fit"]["log_likelihood"]


@pytest.fixture(scope="module")
def unchanged():
    """The document of the fit that options are to change, once it was made."""
    return []


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize(
    "change",
    [
        ["--weight-prior", "dirichlet"],
        ["--weight-concentration", "4"],
        ["--reg-covar", "3"],
        ["-k", "4"],
        ["-c", "diag"],
        ["-c", "tied"],
        ["-c", "spherical"],
        ["--pca", "1"],
        ["--max-iter", "1"],
        ["--tol", "1e-2", "--converge-on", "parameters"],
        ["--start-labels", "group"],
        ["--weights", "x2"],
    ],
)
def test_each_option_changes_the_model(cli, blobs, tmp_path, unchanged, change):
    data = tmp_path / "data.csv"
    lines = blobs.read_text().splitlines()
    weights = ["x2", *(str(1 + i % 2) for i in range(300))]
    data.write_text("\n".join(f"{a},{b}" for a, b in zip(lines, weights, strict=True)) + "\n")
    fit = ["fit", data, "-C", "x", "-C", "y", *BAYES, "--json"]
    if "--start-labels" in change:
        fit[fit.index("-k") : fit.index("--bayes")] = []
    if not unchanged:
        unchanged.append(document(cli("fit", data, "-C", "x", "-C", "y", *BAYES, "--json")))
    assert document(cli(*fit, *change))["bayes"] != unchanged[0]["bayes"]


@pytest.mark.heavy
def test_predict_reads_the_posterior(cli, blobs, tmp_path):
    model = tmp_path / "model.json"
    saved = cli("fit", blobs, *BAYES, "-m", model, "-l", "-", "--proba")
    assert saved.code == 0
    assert cli("predict", model, blobs, "--proba", "-q").out == saved.out
    told = list(csv.DictReader(io.StringIO(saved.out)))
    pairs = Counter((row["cluster"], row["group"]) for row in told)
    assert sum(count for _, count in pairs.most_common(3)) > 295
    # without it the numbers are those of the expected mixture, and not the same
    plain = json.loads(model.read_text())
    del plain["bayes"]
    model.write_text(json.dumps(plain))
    other = cli("predict", model, blobs, "--proba", "-q")
    assert other.code == 0
    assert other.out != saved.out


@pytest.mark.heavy
def test_a_posterior_that_is_damaged_is_an_error_of_the_model(cli, blobs, tmp_path):
    model = tmp_path / "model.json"
    cli("fit", blobs, *BAYES, "-m", model)
    document = json.loads(model.read_text())
    document["bayes"]["mean_precision"][1] = -1
    model.write_text(json.dumps(document))
    outcome = cli("predict", model, blobs)
    assert outcome.code == 4
    assert "bayes.mean_precision must be greater than 0" in outcome.err


def test_it_starts_from_a_model(cli, blobs, tmp_path):
    model, again = tmp_path / "model.json", tmp_path / "again.json"
    assert cli("fit", blobs, "-k", 3, "-c", "diag", "-q", "-m", model).code == 0
    first = document(cli("fit", blobs, "--bayes", "--start", model, "-q", "--json"))
    assert first["bayes"]["max_components"] == 3
    assert first["covariance_type"] == "diag"
    assert first["fit"]["init"] == "given"
    again.write_text(json.dumps(first))
    second = document(cli("fit", blobs, "--bayes", "--start", again, "-q", "--json"))
    bounds = [fit["bayes"]["lower_bound"] for fit in (first, second)]
    assert bounds[1] == pytest.approx(bounds[0], abs=1e-4)


@pytest.mark.heavy
def test_the_same_bytes_for_any_threads_and_from_passes(cli, tmp_path):
    data = tmp_path / "many.csv"
    generated = cli("generate", "-n", 20_000, "-k", 3, "-d", 3, "-o", data)
    assert generated.code == 0
    fit = ["fit", data, "-C", "!label", *BAYES, "--json", "--init", "kmeans"]
    one = cli(*fit, "--threads", 1)
    assert document(one)["bayes"]["max_components"] == 8
    assert len(document(one)["weights"]) == 3
    assert cli(*fit, "--threads", 3).out == one.out
    assert cli(*fit, "--memory", "1M").out == one.out


@pytest.mark.heavy
def test_a_fit_that_was_broken_off_ends_in_the_same_bytes(cli, overlapping, tmp_path, monkeypatch):
    fit = ["fit", overlapping, *BAYES, "--json", "--tol", "1e-12"]
    whole, state, write = cli(*fit), tmp_path / "state", keeping.write_text

    def write_and_end(path, text):
        write(path, text)
        raise OutputError("broken off", "")

    monkeypatch.setattr(keeping, "INTERVAL", 0.0)
    monkeypatch.setattr(keeping, "write_text", write_and_end)
    assert cli(*fit, "--checkpoint", state).code == 1
    monkeypatch.setattr(keeping, "write_text", write)
    other = cli(*fit, "--checkpoint", state, "--weight-concentration", 2)
    assert other.code == 1
    assert "weight_concentration" in other.err
    assert cli("fit", overlapping, "-k", 8, "--checkpoint", state).code == 1
    assert cli(*fit, "--checkpoint", state).out == whole.out


@pytest.mark.heavy
def test_the_log_names_what_is_raised(cli, blobs):
    lines = cli("fit", blobs, *BAYES, "--log-every", "1e-9").err
    assert "lower bound -" in lines
    assert "log-likelihood" not in lines
    assert cli("fit", blobs, *BAYES, "--max-iter", 1, "--tol", "1e-12", "--strict").code == 3


def test_more_clusters_than_rows_are_no_error(cli):
    rows = b"x\n1\n2\n3\n11\n12\n13\n"
    outcome = cli("fit", "-k", 50, "--bayes", "-q", stdin=rows)
    assert outcome.code == 0
    assert " of at most 50, " in outcome.out
    assert outcome.err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--weight-prior", "dirichlet"], "--weight-prior is for --bayes alone"),
        (["--weight-concentration", "2"], "--weight-concentration is for --bayes alone"),
        (["--bayes", "--weight-concentration", "0"], "'0' is not a number greater than 0"),
        (["--bayes", "--weight-concentration", "-1"], "'-1' is not a number greater than 0"),
        (["--bayes", "--weight-concentration", "nan"], "'nan' is not a number greater than 0"),
        (["--bayes", "--weight-prior", "uniform"], "'uniform' is not one of"),
        (["--bayes", "--reg-covar", "0"], "--reg-covar 0 leaves the prior of --bayes without"),
        (["--bayes", "-c", "VVE"], "-c VVE cannot be had"),
    ],
)
def test_what_has_no_meaning_is_a_usage_error(cli, blobs, options, message):
    outcome = cli("fit", blobs, "-k", 3, *options)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.startswith("gmmcli: error: ")
    assert outcome.err.count("\n") == 2
    assert outcome.out == ""


def test_without_a_number_of_clusters_there_is_no_fit(cli, blobs):
    assert cli("fit", blobs, "--bayes").code == 2
    assert cli("select-k", blobs, "--bayes").code == 2


def test_a_shape_that_has_no_posterior_is_refused_with_those_that_have():
    with pytest.raises(UsageError, match="-c VVE cannot be had with --bayes") as caught:
        Bayes(bayes=True).check("VVE", Search())
    assert caught.value.advice == "those that can: full, tied, diag, spherical"
    assert Bayes().check("VVE", Search(reg_covar=0.0)) is None
    names = [structure.name for structure in STRUCTURES_WITH_POSTERIOR]
    assert (*names, *[structure.code for structure in STRUCTURES_WITH_POSTERIOR]) == SHAPES
