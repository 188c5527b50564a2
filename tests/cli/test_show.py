"""gmmcli show: the summary of a model file."""

import json

import pytest

TWO = {
    "format": "gmmcli-model",
    "version": 1,
    "columns": ["x", "y"],
    "covariance_type": "diag",
    "weights": [0.75, 0.25],
    "means": [[0, 1], [5, 6]],
    "covariances": [[1, 1], [4, 9]],
}


@pytest.mark.parametrize(
    "options", [[], ["-c", "tied"], ["-c", "diag"], ["--pca", 1], ["--max-iter", 0]], ids=str
)
def test_it_prints_what_fit_printed(cli, overlapping, tmp_path, options):
    path = tmp_path / "m.json"
    fitted = cli("fit", overlapping, "-k", 2, "-m", path, *options)
    shown = cli("show", path)
    assert (shown.code, shown.err) == (0, "")
    assert "2 clusters" in shown.out
    assert shown.out == fitted.out


def test_json_is_the_model_as_it_was_saved(cli, model):
    outcome = cli("show", model, "--json")
    assert outcome.out == model.read_text()
    assert cli("show", "-", "--json", stdin=model.read_bytes()).out == outcome.out


def test_a_model_written_by_hand_prints_what_it_has(cli):
    outcome = cli("show", "-", stdin=json.dumps(TWO).encode())
    assert outcome.code == 0
    lines = outcome.lines()
    assert lines[0] == "2 clusters, diag covariance, 2 columns"
    assert "      0  75.0 %  ████████████████████" in lines
    assert "      1  25.0 %  ██████▋" in lines
    assert "BIC" not in outcome.out


@pytest.mark.parametrize("content", [b"", b"{}", b"x,y\n1,2\n"])
def test_what_is_no_model_is_refused(cli, content):
    outcome = cli("show", "-", stdin=content)
    assert (outcome.code, outcome.out) == (4, "")
    assert len(outcome.err.splitlines()) == 2
