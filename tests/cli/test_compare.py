"""gmmcli compare: two columns of labels, whatever their names and wherever they come from."""

import json

import pyarrow.csv
import pyarrow.parquet
import pytest
from sklearn.metrics import adjusted_rand_score

ROWS = [("a", "1"), ("a", "1"), ("b", "10"), ("b", "10"), ("b", "2"), ("c", "2")] * 3
TEXT = "x,kind,cluster\n" + "".join(f"0.5,{kind},{cluster}\n" for kind, cluster in ROWS)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(TEXT)
    return path


def test_what_it_prints(cli, table):
    outcome = cli("compare", "kind", "cluster", table)
    index = adjusted_rand_score(*zip(*ROWS, strict=True))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.lines() == [
        f"adjusted Rand index  {index:.4f}  1: the same; 0: by chance",
        "best match           83.3 % of 18 rows",
        "",
        "kind (rows) by cluster (columns)",
        "   1  10  2",
        "a  6   0  0",
        "b  0   6  3",
        "c  0   0  3",
    ]


def test_numbers_stand_in_order_of_size(cli, table):
    lines = cli("compare", "cluster", "kind", table).lines()
    assert [line.split()[0] for line in lines[-3:]] == ["1", "2", "10"]


def test_numbers_of_any_length_and_script_are_labels(cli):
    many = "9" * 5000
    text = f"a,b\n{many},1\n10,2\n2,٢\n002,²\n"
    outcome = cli("compare", "a", "b", stdin=text.encode())
    assert (outcome.code, outcome.err) == (0, "")
    assert [line.split()[0] for line in outcome.lines()[-4:]] == ["002", "2", "10", many]


def test_json_holds_what_the_text_says(cli, table):
    outcome = cli("compare", "kind", "cluster", table, "--json")
    told = json.loads(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert told["adjusted_rand_index"] == pytest.approx(
        adjusted_rand_score(*zip(*ROWS, strict=True)), rel=1e-12
    )
    assert told == {
        "columns": ["kind", "cluster"],
        "n_rows": 18,
        "adjusted_rand_index": told["adjusted_rand_index"],
        "n_matched": 15,
        "labels": [["a", "b", "c"], ["1", "2", "10"]],
        "counts": [[6, 0, 0], [0, 3, 6], [0, 3, 0]],
    }
    odd = cli("compare", "a", "b", "--json", stdin="a,b\n\x1bé\x7f,1\n".encode())
    assert odd.out.isascii()
    assert not {"\x1b", "\x7f"} & set(odd.out)
    assert json.loads(odd.out)["labels"][0] == ["\x1bé\x7f"]


def test_every_way_to_read_gives_the_same(cli, table, tmp_path):
    expected = cli("compare", "kind", "cluster", table).out
    parquet = tmp_path / "labels.parquet"
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(table), parquet)
    assert cli("compare", "kind", "cluster", parquet).out == expected
    assert cli("compare", "kind", "cluster", stdin=TEXT.encode()).out == expected
    assert cli("compare", "2", "3", table).out == expected
    assert cli("compare", "2", "3", table, "-d", ",").out == expected
    semicolons = TEXT.replace(",", ";").encode()
    assert cli("compare", "kind", "cluster", "-d", ";", stdin=semicolons).out == expected


def test_labels_of_predict_against_the_truth(cli, blobs, model):
    labelled = cli("predict", model, blobs).out.encode()
    outcome = cli("compare", "group", "cluster", stdin=labelled)
    assert outcome.lines()[0].startswith("adjusted Rand index  0.9")


def test_rows_without_a_label_are_left_out_and_counted(cli, table):
    text = TEXT + "1,a,\n1,,2\n1,NA,none\n"
    outcome = cli("compare", "kind", "cluster", stdin=text.encode())
    assert outcome.out == cli("compare", "kind", "cluster", table).out
    assert outcome.err == "gmmcli: note: 3 of 21 rows left out: a label is missing\n"
    own = cli("compare", "kind", "cluster", "--na-values", "b", stdin=TEXT.encode())
    assert "9 of 18 rows left out" in own.err


def test_labels_from_data_reach_no_terminal_as_commands(cli):
    outcome = cli("compare", "a", "b", stdin=b"a,b\n\x1b[31mred,1\n[bold],2\n")
    assert "\x1b" not in outcome.out
    assert r"\x1b[31mred" in outcome.out
    assert "[bold]" in outcome.out


def test_what_cannot_be_compared_is_one_clear_line(cli, table):
    outcome = cli("compare", "kind", "clutser", table)
    assert (outcome.code, outcome.out) == (1, "")
    assert "has no column 'clutser'" in outcome.err
    assert "close to it: 'cluster'" in outcome.err
    outcome = cli("compare", "a", "b", stdin=b"a,b\n1,\n,2\n")
    assert outcome.code == 1
    assert "no row has a label in both 'a' and 'b'" in outcome.err
    many = "a,b\n" + "".join(f"{i},{i % 2}\n" for i in range(600))
    outcome = cli("compare", "a", "b", stdin=many.encode())
    assert outcome.code == 1
    assert "column 'a' has more than 500 labels" in outcome.err
    assert cli("compare", "kind").code == 2
