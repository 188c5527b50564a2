"""gmmcli fit --standard-errors: in the summary, in the model file, the same by every path."""

import json

import numpy as np
import pytest


def errors_in(text):
    return json.loads(text)["fit"]["standard_errors"]


def test_the_summary_has_them_beside_the_numbers(cli, blobs):
    plain = cli("fit", blobs, "-k", 3, "-C", "x", "-C", "y")
    outcome = cli("fit", blobs, "-k", 3, "-C", "x", "-C", "y", "--standard-errors", 30)
    assert "+-" not in plain.out
    assert "+- one standard error, from 30 replicates" in outcome.out
    # three clusters: in weights, means and standard deviations
    assert sum("+-" in line for line in outcome.lines()) == 1 + 3 * 3
    assert [line for line in outcome.lines() if "+-" not in line][:8] == plain.lines()[:8]


def test_the_model_carries_them_and_keeps_them(cli, blobs, tmp_path):
    model, merged = tmp_path / "model.json", tmp_path / "merged.json"
    cli("fit", blobs, "-k", 3, "-c", "tied", "--standard-errors", 10, "-m", model)
    errors = errors_in(model.read_text())
    assert errors["n_replicates"] == 10
    shapes = {key: np.shape(value) for key, value in errors.items()}
    assert shapes == {
        "n_replicates": (),
        "weights": (3,),
        "means": (3, 2),
        "standard_deviations": (3, 2),
        "covariances": (2, 2),
    }
    # 100 rows of unit spread a cluster
    assert np.array(errors["means"]) == pytest.approx(0.1, rel=0.9)
    assert cli("predict", model, blobs).code == 0
    assert cli("merge", model, blobs, "-m", merged).code == 0
    assert errors_in(merged.read_text()) == errors


@pytest.mark.heavy
def test_threads_and_memory_change_no_byte_and_the_seed_does(cli, overlapping):
    common = ["fit", overlapping, "-k", 2, "--standard-errors", 6, "--json", "-q"]
    expected = cli(*common).out
    assert cli(*common, "--threads", 1).out == expected
    assert cli(*common, "--threads", 3).out == expected
    assert cli(*common, "--memory", "1M").out == expected
    # the fit may be the same, the weights of the rows are not
    assert errors_in(cli(*common, "--seed", 1).out) != errors_in(expected)


@pytest.mark.heavy
def test_a_stopped_fit_has_them_when_it_is_taken_up(cli, overlapping, tmp_path):
    path = tmp_path / "state"
    common = ["fit", overlapping, "-k", 2, "--standard-errors", 4, "--json", "-q"]
    assert cli(*common, "--checkpoint", path).out == cli(*common).out
    assert not path.exists()


@pytest.mark.heavy
def test_weights_and_projection(cli, blobs, tmp_path):
    counted = tmp_path / "counted.csv"
    header, *lines = blobs.read_text().splitlines()
    counted.write_text("\n".join([f"{header},n", *(f"{line},4" for line in lines)]) + "\n")
    common = ["-C", "x", "-C", "y", "-k", 1, "--standard-errors", 200, "--json", "-q"]
    once = errors_in(cli("fit", blobs, *common).out)
    weighted = errors_in(cli("fit", counted, "--weights", "n", *common).out)
    ratio = np.array(weighted["means"]) / once["means"]
    assert ratio == pytest.approx(0.5, rel=0.25)
    summary = cli("fit", blobs, "-k", 3, "--pca", 2, "--standard-errors", 20)
    # means and standard deviations in the columns and in the space of the components
    assert sum("+-" in line for line in summary.lines()) == 1 + 3 * 5


@pytest.mark.parametrize(("size", "words"), [("1", "1 is not in"), ("100001", "not in"), ("x", "")])
def test_a_number_of_replicates_that_cannot_be_is_a_usage_error(cli, blobs, size, words):
    outcome = cli("fit", blobs, "-k", 3, "--standard-errors", size)
    assert (outcome.code, outcome.out) == (2, "")
    assert "'--standard-errors'" in outcome.err
    assert words in outcome.err


@pytest.mark.heavy
def test_replicates_left_out_are_told(cli, tmp_path):
    path = tmp_path / "spiky.csv"
    values = [*np.random.default_rng(5).standard_normal(40), 9, 9, 9, 9.001]
    path.write_text("x\n" + "\n".join(map(repr, map(float, values))) + "\n")
    outcome = cli("fit", path, "-k", 3, "--reg-covar", 0, "--standard-errors", 30)
    assert outcome.code == 0
    assert "of 30 replicates a component collapsed" in outcome.err
