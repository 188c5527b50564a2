"""gmmcli select-k --cv and --bootstrap-lrt: other ways to decide."""

import csv
import io
import json

import numpy as np
import pytest

CHEAP = ("--init", "hierarchical", "--tol", "1e-5", "-q")


def records_of(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """60 rows of two clusters that touch, and a column of weights."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((60, 2)) + 5 * (np.arange(60) % 2)[:, None] * [1, 0]
    path = tmp_path_factory.mktemp("small") / "small.csv"
    lines = [f"{a!r},{b!r},{i % 3 + 1}" for i, (a, b) in enumerate(x.tolist())]
    path.write_text("\n".join(["a,b,times", *lines]) + "\n")
    return path


@pytest.mark.heavy
def test_cross_validation_chooses_and_says_how(cli, small, tmp_path):
    model, table = tmp_path / "m.json", tmp_path / "t.csv"
    options = ("-C", "1-2", "-k", "1-3", "-c", "full,spherical", "--cv", 5, "-m", model)
    outcome = cli("select-k", small, *options, "-o", table)
    assert outcome.code == 0
    assert "> best by 5-fold cross-validation: spherical, k = 2" in outcome.out
    records = records_of(table.read_text())
    (chosen,) = [record for record in records if record["best"] == "yes"]
    fit = json.loads(model.read_text())
    assert fit["covariance_type"] == chosen["covariance"] == "spherical"
    assert len(fit["weights"]) == int(chosen["k"]) == 2
    near = [r for r in records if float(r["behind"]) <= float(r["behind_standard_error"])]
    assert chosen == min(near, key=lambda record: int(record["n_parameters"]))
    assert max(records, key=lambda record: float(record["cv"]))["behind"] == "0"
    assert all(float(record["cv_standard_error"]) > 0 for record in records)
    # the fits to all rows are those of a table without cross-validation
    cli("select-k", small, *options[:6], "-o", table)
    for record, plain in zip(records, records_of(table.read_text()), strict=True):
        same = [name for name in plain if name not in {"best", "delta"}]
        assert [record[name] for name in same] == [plain[name] for name in same]


def test_folds_and_seed_and_weights_change_the_scores_and_threads_and_memory_do_not(cli, small):
    def scores(*options):
        shape = ("-C", "1-2", "-k", "1", "-c", "full", "-q", "-o", "-")
        return [r["cv"] for r in records_of(cli("select-k", small, *shape, *options).out)]

    plain = scores("--cv", 5)
    others = [scores("--cv", 6), scores("--cv", 5, "--seed", 1)]
    others.append(scores("--cv", 5, "--weights", "times"))
    assert plain not in others
    assert scores("--cv", 5, "--threads", 3) == plain
    assert scores("--cv", 5, "--memory", "1K") == plain


@pytest.mark.heavy
def test_tests_choose_and_say_how(cli, small, tmp_path):
    model, table = tmp_path / "m.json", tmp_path / "t.csv"
    options = ("-C", "1-2", "-k", "1-3", "-c", "tied", "--bootstrap-lrt", 19)
    outcome = cli("select-k", small, *options, *CHEAP, "-m", model, "-o", table)
    assert (outcome.code, outcome.err) == (0, "")
    first, second = records_of(table.read_text())
    assert (first["k"], first["alternative_k"], first["p_value"]) == ("1", "2", "0.05")
    assert float(second["p_value"]) > 0.05
    gain = float(first["alternative_log_likelihood"]) - float(first["log_likelihood"])
    assert float(first["lrts"]) == pytest.approx(2 * gain)
    assert "> k = 2: 3 are not significantly better (p > 0.05)" in outcome.out
    assert len(json.loads(model.read_text())["weights"]) == 2
    assert cli("select-k", small, *options, *CHEAP, "--best").out == "2\n"


@pytest.mark.heavy
def test_draws_and_seed_change_p_and_threads_do_not(cli, small):
    def p_values(draws, *options):
        shape = ("-C", "1-2", "-k", "2-3", "-c", "tied", "-o", "-", *CHEAP)
        text = cli("select-k", small, *shape, "--bootstrap-lrt", draws, *options).out
        return [record["p_value"] for record in records_of(text)]

    plain = p_values(19)
    assert p_values(22) != plain
    assert p_values(19, "--seed", 2) != plain
    assert p_values(19, "--threads", 3) == plain


@pytest.mark.heavy
def test_where_every_test_is_passed_more_may_be_better(cli, small):
    options = ("-C", "1-2", "-k", "1-2", "-c", "tied", "--bootstrap-lrt", 19)
    outcome = cli("select-k", small, *options, *CHEAP[:-1])
    assert "> k = 2: significantly better than 1, and no more were tried" in outcome.out
    assert "the best lies on the edge of the range: k = 2 is the largest" in outcome.err


@pytest.mark.heavy
def test_tests_that_were_made_are_kept_where_the_next_cannot_be(cli, tmp_path):
    path, table = tmp_path / "two.csv", tmp_path / "t.csv"
    path.write_text("x\n" + "0\n1\n" * 20)
    options = ("-k", "1-4", "-c", "full", "--bootstrap-lrt", 19, *CHEAP)
    outcome = cli("select-k", path, *options, "-o", table, "-m", tmp_path / "m.json")
    assert outcome.code == 0
    assert "> k = 2: significantly better than 1, and 3 could not be fitted" in outcome.out
    assert "only 2 distinct rows" in outcome.out
    first, second = records_of(table.read_text())
    assert (first["p_value"], first["draws"], first["reason"]) == ("0.05", "19", "")
    assert (second["k"], second["alternative_k"], second["p_value"]) == ("2", "3", "")
    assert "only 2 distinct rows" in second["reason"]
    assert len(json.loads((tmp_path / "m.json").read_text())["weights"]) == 2


@pytest.mark.parametrize("far", ["1e9", "1e150"])
def test_where_none_can_be_scored_the_table_says_why_and_the_run_fails(cli, small, tmp_path, far):
    path, table = tmp_path / "far.csv", tmp_path / "t.csv"
    path.write_text(small.read_text() + f"{far},0,1\n")
    options = ("-C", "1-2", "-k", "1-2", "-c", "full", "--cv", 5, *CHEAP, "-o", table)
    outcome = cli("select-k", path, *options)
    assert outcome.code == 1
    assert outcome.out.count("a row is too far away from the others to be predicted") == 2
    assert "none could be scored" in outcome.out
    records = records_of(table.read_text())
    assert [record["best"] for record in records] == ["no", "no"]
    assert all("too far away" in record["reason"] for record in records)
    assert "could be" in outcome.err


def test_where_a_criterion_is_defined_for_none_the_table_comes_before_the_error(cli, tmp_path):
    path, table = tmp_path / "few.csv", tmp_path / "t.csv"
    rows = np.random.default_rng(0).standard_normal((12, 2))
    path.write_text("a,b\n" + "".join(f"{a!r},{b!r}\n" for a, b in rows.tolist()))
    options = ("-k", "2-3", "-c", "full", "--criterion", "aicc", "-q", "-o", table)
    outcome = cli("select-k", path, *options)
    assert outcome.code == 1
    assert len(outcome.lines()) > 3
    records = records_of(table.read_text())
    assert [record["aicc"] for record in records] == ["", ""]
    assert all(float(record["bic"]) for record in records)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--cv", "0"], "'--cv': 0 is not in the range"),
        (["--cv", "1"], "'--cv': 1 is not in the range"),
        (["--cv", "5", "--criterion", "bic"], "--criterion and --cv both decide"),
        (["--cv", "5", "--bootstrap-lrt", "99"], "--cv and --bootstrap-lrt both decide"),
        (["-c", "full", "--bootstrap-lrt", "0"], "--bootstrap-lrt 0: no p-value can be as low"),
        (["-c", "full", "--bootstrap-lrt", "18"], "--bootstrap-lrt 18: no p-value can be as low"),
        (["--bootstrap-lrt", "99"], "--bootstrap-lrt tests one shape, not -c full,tied"),
        (["-c", "full", "-k", "2", "--bootstrap-lrt", "99"], "-k 2: --bootstrap-lrt tests each"),
        (["-c", "full", "-k", "1,3", "--bootstrap-lrt", "99"], "-k 1,3: --bootstrap-lrt tests"),
    ],
    ids=" ".join,
)
def test_what_cannot_decide_is_a_usage_error(cli, small, options, words):
    outcome = cli("select-k", small, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err
    assert len(outcome.err.splitlines()) == 2


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--cv", "61"], "61 folds were asked for, but there are only 60 rows"),
        (["-c", "full", "-k", "50-51", "--bootstrap-lrt", "19"], "of 50 components only"),
        (["-c", "full", "--bootstrap-lrt", "19", "--memory", "1K"], "more than memory holds"),
    ],
    ids=" ".join,
)
def test_what_the_rows_cannot_carry_is_one_line_and_advice(cli, small, options, words):
    outcome = cli("select-k", small, "-C", "1-2", "-q", *options)
    assert (outcome.code, outcome.out) == (1, "")
    assert words in outcome.err
    assert len(outcome.err.splitlines()) == 2


def test_weights_that_are_no_numbers_of_rows_cannot_be_drawn(cli):
    x = np.random.default_rng(0).standard_normal(60).tolist()
    text = "x,w\n" + "".join(f"{a!r},0.001\n" for a in x)
    options = ("--weights", "w", "-k", "1-2", "-c", "full", "--bootstrap-lrt", 19)
    outcome = cli("select-k", *options, stdin=text.encode())
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.splitlines()[-2:] == [
        "gmmcli: error: --bootstrap-lrt draws as many rows as the weights sum to: here 0.06",
        "give weights that say how many rows each one stands for",
    ]
