"""gmmcli merge: components into clusters, and what the merged model then says of rows."""

import csv
import io
import json

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest


@pytest.fixture
def chain(tmp_path):
    """Two clusters: a long one that takes two Gaussians, and a round one; with a text column."""
    rng = np.random.default_rng(2)
    bent = np.concatenate([rng.uniform(0, 8, (400, 1)), rng.normal(0, 0.5, (400, 1))], axis=1)
    bent[:, 1] += np.abs(bent[:, 0] - 4)
    away = [4, 12] + rng.standard_normal((200, 2)) * 0.7
    path = tmp_path / "chain.csv"
    lines = [f"r{i},{x!r},{y!r}" for i, (x, y) in enumerate(np.concatenate([bent, away]).tolist())]
    path.write_text("\n".join(["name,x,y", *lines]) + "\n")
    return path


@pytest.fixture
def three(cli, chain, tmp_path):
    path = tmp_path / "three.json"
    assert cli("fit", chain, "-k", 3, "-m", path, "-q").code == 0
    return path


def records(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_and_the_suggestion(cli, three, chain, tmp_path):
    four = tmp_path / "four.json"
    assert cli("fit", chain, "-k", 4, "-m", four, "-q").code == 0
    outcome = cli("merge", four, chain)
    assert (outcome.code, outcome.err) == (0, "")
    assert [line.split()[0] for line in outcome.lines()[1:5]] == ["4", "3", ">", "1"]
    assert "> suggested: 2 clusters: so many hardly overlap" in outcome.lines()
    assert "67 %" in outcome.out.replace("66.7 %", "67 %")
    assert "> suggested: 2 clusters: so many hardly overlap" in cli("merge", three, chain).out


def test_entropies_are_those_of_the_probabilities_that_predict_gives(cli, tmp_path):
    table, model, merged = (tmp_path / name for name in ("few.csv", "bayes.json", "merged.json"))
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.standard_normal(16), 5 + 0.7 * rng.standard_normal(8)])
    np.savetxt(table, rows, header="a", comments="", fmt="%.17g")
    assert cli("fit", table, "-k", 3, "--bayes", "-m", model).code == 0
    n_components = len(json.loads(model.read_text())["weights"])
    assert n_components > 1
    told = records(cli("merge", model, table, "-o", "-", "-m", merged, "-q").out)
    shares = [
        float(row[f"p_{k}"])
        for row in records(cli("predict", model, table, "--proba").out)
        for k in range(n_components)
    ]
    expected = -sum(p * np.log(p) for p in shares if p > 0)
    assert float(told[0]["entropy"]) == pytest.approx(expected, rel=1e-9)
    weights = json.loads(model.read_text())["weights"]
    assert f"{100 * weights[0]:.1f} %" in cli("merge", model, table, "-k", n_components).out


def test_the_merged_model_labels_by_cluster_and_stays_the_same_mixture(cli, three, chain, tmp_path):
    merged = tmp_path / "merged.json"
    options = ("-k", 2, "-m", merged, "-l", "-", "--proba", "-q")
    labelled = cli("merge", three, chain, *options).out
    before, after = json.loads(three.read_text()), json.loads(merged.read_text())
    assert sorted(after.pop("clusters")) == [0, 0, 1]
    assert after == before

    assert cli("predict", merged, chain, "--proba").out == labelled
    found = records(cli("predict", merged, chain, "--proba", "--uncertainty", "--log-density").out)
    components = records(cli("predict", three, chain, "--proba", "--log-density").out)
    assert list(found[0]) == [
        "name",
        "x",
        "y",
        "cluster",
        "p_0",
        "p_1",
        "log_density",
        "uncertainty",
    ]
    assert [row["cluster"] for row in found] == ["0"] * 400 + ["1"] * 200
    groups = json.loads(merged.read_text())["clusters"]
    for row, parts in zip(found, components, strict=True):
        sums = [sum(float(parts[f"p_{k}"]) for k in range(3) if groups[k] == c) for c in (0, 1)]
        assert [float(row["p_0"]), float(row["p_1"])] == pytest.approx(sums, rel=1e-12)
        assert float(row["uncertainty"]) == pytest.approx(min(sums), rel=1e-9, abs=1e-300)
        assert row["log_density"] == parts["log_density"]


def test_generate_draws_labels_by_cluster(cli, three, chain, tmp_path):
    merged = tmp_path / "merged.json"
    cli("merge", three, chain, "-k", 2, "-m", merged)
    drawn = records(cli("generate", "--model", merged, "-n", 300).out)
    assert {row["label"] for row in drawn} == {"0", "1"}


def test_k_is_the_number_of_clusters(cli, three, chain, tmp_path):
    for n_clusters in (1, 2, 3):
        outcome = cli("merge", three, chain, "-k", n_clusters, "-m", tmp_path / "m.json")
        groups = json.loads((tmp_path / "m.json").read_text())["clusters"]
        assert len(set(groups)) == n_clusters
        assert ("as asked for" in outcome.out) == (n_clusters != 2)
    again = cli("merge", tmp_path / "m.json", chain)
    assert again.out == cli("merge", three, chain).out


def test_the_table_as_csv(cli, three, chain, tmp_path):
    rows = records(cli("merge", three, chain, "-o", "-", "-q").out)
    assert [row["clusters"] for row in rows] == ["3", "2", "1"]
    assert [row["chosen"] for row in rows] == ["no", "yes", "no"]
    assert float(rows[0]["entropy"]) > float(rows[1]["entropy"]) > float(rows[2]["entropy"]) == 0
    assert rows[0]["joined"] == ""
    assert cli("merge", three, chain, "-o", tmp_path / "table.parquet").code == 0
    table = pyarrow.parquet.read_table(tmp_path / "table.parquet")
    assert table["joined"].to_pylist() == [None, *(row["joined"] for row in rows[1:])]


def test_every_way_to_read_gives_the_same(cli, three, chain, tmp_path):
    expected = cli("merge", three, chain).out
    parquet = tmp_path / "chain.parquet"
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(chain), parquet)
    assert cli("merge", three, parquet).out == expected
    assert cli("merge", three, stdin=chain.read_bytes()).out == expected
    assert cli("merge", three, chain, "--threads", 1).out == expected
    small = cli("merge", three, "--memory", "1M", stdin=chain.read_bytes())
    assert small.out == expected
    assert "each pass reads a temporary copy" in small.err
    text = three.read_bytes()
    assert cli("merge", "-", chain, stdin=text).out == expected


def test_weights_count_rows_and_missing_rows_are_left_out(cli, three, chain, tmp_path):
    header, *lines = chain.read_text().splitlines()
    twice = tmp_path / "twice.csv"
    twice.write_text("\n".join([header, *lines, *lines[:150]]) + "\n")
    weighted = tmp_path / "weighted.csv"
    weights = [2] * 150 + [1] * (len(lines) - 150)
    cells = [f"{line},{w}" for line, w in zip(lines, weights, strict=True)]
    weighted.write_text("\n".join([f"{header},n", *cells, "gap,,3,1"]) + "\n")
    refused = cli("merge", three, weighted, "--weights", "n")
    assert refused.code == 1
    assert "column 'x' is missing" in refused.err
    left_out = cli("merge", three, weighted, "--weights", "n", "--missing", "drop")
    assert "1 of 601 rows left out" in left_out.err
    assert left_out.out == cli("merge", three, twice).out != cli("merge", three, chain).out


def test_a_projected_model_is_merged_in_its_space(cli, chain, tmp_path):
    model = tmp_path / "pca.json"
    cli("fit", chain, "-k", 3, "--pca", 2, "-m", model)
    outcome = cli("merge", model, chain, "-k", 2, "-l", "-", "-q")
    assert [row["cluster"] for row in records(outcome.out)] == ["0"] * 400 + ["1"] * 200


def test_what_cannot_be_merged_is_one_clear_line(cli, three, chain, tmp_path):
    one = tmp_path / "one.json"
    cli("fit", chain, "-k", 1, "-m", one)
    outcome = cli("merge", one, chain)
    assert (outcome.code, outcome.out) == (2, "")
    assert "has one component: there is nothing to merge" in outcome.err
    outcome = cli("merge", three, chain, "-k", 4)
    assert (outcome.code, outcome.out) == (2, "")
    assert "-k 4: " in outcome.err
    assert "has 3 components" in outcome.err
    outcome = cli("merge", three, stdin=b"name,x\na,1\n")
    assert outcome.code == 4
    assert "has no column 'y', which the model needs" in outcome.err
    outcome = cli("merge", three, chain, "--weights", "x")
    assert outcome.code == 2
    assert "is a feature of" in outcome.err
    outcome = cli("merge", three, stdin=b"x,y\n1,2\n1,3\n")
    assert outcome.code == 2
    assert "column 'x' is constant here" in outcome.err
    outcome = cli("merge", three, chain, "-m", "-", "-l", "-")
    assert outcome.code == 2
    assert "--model and --labels both write to standard output" in outcome.err
