"""Input that cannot be used: one line that says where and what, one line that says the way out."""

import re
import shlex

import numpy as np
import pytest

DECIMAL_COMMA = "that is a decimal comma: make it a point first"


@pytest.mark.parametrize(
    ("text", "options", "error", "advice"),
    [
        (",,\n1,2,3\n", "", "the first line names no column", "take that line out"),
        ("x,y\n,\n,\n", "", "no numeric column is left in standard input: 'x' (empty)", "-C"),
        ("x;y\n1,5;2\n", "-d ';' -C x", "column 'x' is not numeric: row 1 holds '1,5'", "decimal"),
        ("x;y\n1,5;2,0\n2;3\n", "-d ';'", "'x' (row 1 holds '1,5')", DECIMAL_COMMA),
        ("x;y\n1;2\n2;3\n4;5,5\n", "-d ';'", "row 3, column 'y' holds '5,5'", DECIMAL_COMMA),
        ("x y\n1 2\n3 4\n", "", "row 1, column 'x y' holds '1 2': several numbers", "-d ' '"),
        ("x,y\n1,2\n3\n", "", "row 2 has nothing in column 'y': it has 1 field", "complete"),
        ("x,y\n1,2\n3,4,5\n", "", "row 2 goes on after the last column, 'y'", "quotes"),
        ("x,y\nred,2\n3,4\n4,5\n", "-C x -C y", "row 1, column 'x' holds 'red'", "-C '!x'"),
        ("x,y\nred,2\nblue,4\n", "-C x", "row 1 holds 'red'", "leave it out (-C '!x')"),
        ("x,w\n1,red\n2,blue\n", "--weights w", "row 1 holds 'red'", "make it numbers first"),
    ],
)
def test_two_lines_of_words(cli, text, options, error, advice):
    outcome = cli("fit", "-q", "-k", 1, *shlex.split(options), stdin=text.encode())
    assert (outcome.code, outcome.out) == (1, "")
    said, way_out = outcome.err.splitlines()
    assert said.startswith("gmmcli: error: ")
    assert "standard input" in said
    assert error in said
    assert advice in way_out


def test_the_way_out_of_blanks_and_decimal_commas_leads_out(cli):
    blanks = cli("fit", "-k", 1, "-q", "-d", " ", stdin=b"x y\n1 2\n3 5\n4 4\n")
    points = cli("fit", "-k", 1, "-q", "-d", ";", stdin=b"x;y\n1.5;2\n3;5\n4;4\n")
    assert (blanks.code, points.code) == (0, 0)


def test_an_input_without_its_header_is_recognised(cli, model, tmp_path):
    names = cli("predict", model, stdin=b"r1,s,2\nr2,t,3\n")
    assert names.code == 4
    assert "has no columns 'x', 'y'" in names.err
    assert "--no-header" not in names.err
    numbers = cli("predict", model, stdin=b"1.5,2\n1,3\n")
    assert numbers.code == 4
    assert numbers.err.splitlines()[-1] == (
        "its first line looks like data: put a line with 'x', 'y' first; with --no-header columns "
        "are 1, 2 ..."
    )
    positions = tmp_path / "positions.json"
    text = model.read_text().replace('"x"', '"1"').replace('"y"', '"2"')
    positions.write_text(text)
    outcome = cli("predict", positions, stdin=b"1.5,2\n1,3\n")
    assert outcome.err.splitlines()[-1] == "its first line looks like data: add --no-header"
    assert cli("predict", positions, "--no-header", stdin=b"1.5,2\n1,3\n").code == 0


def test_names_with_commas_and_quotes_are_told_apart(cli):
    x = np.random.default_rng(0).standard_normal((50, 2))
    rows = "".join(f"{a!r},{2 * a!r},{b!r}\n" for a, b in x.tolist())
    text = '"a,b",it\'s,z\n' + rows
    outcome = cli("fit", "-k", 1, stdin=text.encode())
    assert "columns used: 'a,b', \"it's\", z\n" in outcome.err
    assert "follows from 'a,b':" in outcome.err
    advice = outcome.err.partition("leave it out with ")[2].splitlines()[0]
    again = cli("fit", "-k", 1, *shlex.split(advice), stdin=text.encode())
    assert again.code == 0
    assert "follows" not in again.err


def test_what_regularisation_makes_of_a_cluster_is_told_with_a_way_out(cli):
    # clusters far apart: the covariance of all rows is large beside each of them
    rows = [f"{300 * (i % 3)}.{i * 7 % 10},{i * 3 % 10}" for i in range(60)]
    text = "\n".join(["x,y", *rows, ""]).encode()
    outcome = cli("fit", "-k", 3, stdin=text)
    assert "warning: regularisation makes up " in outcome.err
    (advice,) = re.findall(r"--reg-covar (\S+) makes it next to nothing", outcome.err)
    assert "regularisation" not in cli("fit", "-k", 3, "--reg-covar", advice, stdin=text).err


def test_a_cluster_without_a_spread_of_its_own_is_not_advised_to_do_without_regularisation(cli):
    text = "\n".join(["x,y", *["1,2", "3,1", "7,5"] * 20, ""]).encode()
    outcome = cli("fit", "-k", 3, stdin=text)
    assert "warning: regularisation makes up 100.0 % of the variance of 'x'" in outcome.err
    assert "its rows alone have none: take a smaller -k" in outcome.err
    assert "next to nothing" not in outcome.err
    assert cli("fit", "-k", 3, "--reg-covar", 0, stdin=text).code != 0
    assert "regularisation" not in cli("fit", "-k", 1, stdin=text).err


def test_a_cluster_of_one_row_is_told(cli):
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.standard_normal((60, 2)), [[400.0, -300.0]]])
    text = "\n".join(["x,y", *(f"{x},{y}" for x, y in rows), ""]).encode()
    outcome = cli("fit", "-k", 2, stdin=text)
    assert "warning: cluster 1 is of about 1 row, too few for a shape of its own" in outcome.err


def test_an_optimum_that_is_set_aside_is_told(cli):
    outcome = cli("fit", "sample_data/iris.csv", "-C", "1-2", "-k", 3)
    assert "nats higher was set aside" in outcome.err
    assert "set aside" not in cli("fit", "sample_data/iris.csv", "-k", 3).err
