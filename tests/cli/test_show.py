"""gmmcli show: the summary of a model file."""

import json

import pages
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
    assert shown.code == 0
    assert shown.err.splitlines() == [line for line in fitted.err.splitlines() if "warning" in line]
    assert ("not converged" in shown.err) == ("--max-iter" in options)
    assert "2 clusters" in shown.out
    assert shown.out == fitted.out


CROWDED = "x,y,z\n" + "".join(f"{i},{i * i % 7},{i * 5 % 11}\n" for i in range(12))


@pytest.mark.heavy
def test_what_fit_warned_of_is_told_again(cli, tmp_path):
    path = tmp_path / "m.json"
    fitted = cli("fit", "-k", 2, "-m", path, "--max-iter", 0, stdin=CROWDED.encode())
    warned = [line for line in fitted.err.splitlines() if "warning" in line]
    assert "regularisation makes up" in warned[0]
    assert "19 parameters for 12 rows" in warned[1]
    assert "not converged after 0 iterations; raise --max-iter or --tol" in warned[2]
    assert cli("show", path).err.splitlines() == warned
    page = pages.parsed(cli("report", path).out)
    assert "19 parameters for 12 rows" in next(page.all("aside")).text


def test_notes_of_the_engine_are_kept_and_told(cli, model, tmp_path):
    document = json.loads(model.read_text())
    document["fit"] |= {"notes": ["a component that collapsed was dropped"]}
    path = tmp_path / "noted.json"
    path.write_text(json.dumps(document))
    told = "gmmcli: warning: a component that collapsed was dropped"
    assert told in cli("show", path).err.splitlines()
    assert (
        "a component that collapsed"
        in next(pages.parsed(cli("report", path).out).all("aside")).text
    )


@pytest.mark.heavy
def test_merged_components_are_no_clusters(cli, overlapping, tmp_path):
    model, merged = tmp_path / "m.json", tmp_path / "merged.json"
    assert cli("fit", overlapping, "-k", 3, "-m", model).code == 0
    assert cli("merge", model, overlapping, "-k", 2, "-m", merged).code == 0
    groups = json.loads(merged.read_text())["clusters"]
    weights = json.loads(merged.read_text())["weights"]
    shown = cli("show", merged)
    lines = shown.lines()
    assert lines[0].startswith("3 components in 2 clusters, full covariance, 3 columns, 600 rows")
    start = lines.index(next(line for line in lines if line.startswith("cluster")))
    assert lines[start].split() == ["cluster", "weight", "size", "components"]
    for c in (0, 1):
        members = [k for k in range(3) if groups[k] == c]
        weight = sum(weights[k] for k in members)
        row = [
            str(c),
            f"{100 * weight:.1f}",
            "%",
            f"{600 * weight:.1f}",
            ",".join(map(str, members)),
        ]
        assert lines[start + 1 + c].split()[:5] == row
    assert lines[start + 4].split() == ["component", "cluster", "weight", "size"]
    assert not any(line.startswith(("cluster 0", "cluster 1")) for line in lines)
    assert any(line.startswith("component 0") for line in lines)


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
