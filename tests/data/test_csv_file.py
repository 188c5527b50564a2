"""CSV files as people have them: dialects, encodings, faults."""

import io

import numpy as np
import pandas as pd
import pytest
from data.blocks import blocks_of
from hypothesis import given
from hypothesis import strategies as st

from gmmcli.data import ReadOptions, Selection, open_table
from gmmcli.data import records as records_module
from gmmcli.errors import DataError, UsageError

PLAIN = "x,y\n1,2\n3,5\n"


def numbers(table, *, labels=None):
    selection = Selection(table.numeric_columns, labels=labels)
    return np.hstack([block.values for block in blocks_of(table, selection)]).tolist()  # noqa: PD011


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (PLAIN, {}),
        (PLAIN[:-1], {}),
        (PLAIN.replace("\n", "\r\n"), {}),
        (PLAIN.replace("\n", "\r"), {}),
        ("\ufeff" + PLAIN, {}),
        ("\n\n" + PLAIN.replace("\n", "\n\n"), {}),
        (PLAIN.replace(",", ";"), {"delimiter": ";"}),
        (PLAIN.replace(",", "\t"), {"delimiter": "\\t"}),
        (PLAIN.replace(",", "\t"), {"input_format": "tsv"}),
        ('"x","y"\n"1","2"\n"3","5"\n', {}),
        ("x,y\n +1 ,2.0\n\t3,+.5e1\n", {}),
    ],
)
def test_the_same_numbers_in_every_dialect(table, content, options):
    opened = table(content, **options)
    assert opened.columns == ("x", "y")
    assert numbers(opened) == [[1, 3], [2, 5]]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-be", "utf-8-sig"])
def test_encodings(table, encoding):
    opened = table("naïve,y\n1,2\n3,5\n".encode(encoding), encoding=encoding)
    assert opened.columns == ("naïve", "y")
    assert numbers(opened) == [[1, 3], [2, 5]]


def test_without_a_header_columns_are_numbered(table):
    opened = table("1,2\n3,5\n", header=False)
    assert opened.columns == ("1", "2")
    assert numbers(opened) == [[1, 3], [2, 5]]


def test_names_and_cells_with_line_breaks_and_quotes(table):
    opened = table('"a\nb","say ""x"""\n1,"l\nm"\n2,"n, ""o"""\n')
    assert opened.columns == ("a\nb", 'say "x"')
    (block,) = blocks_of(opened, Selection(("a\nb",), labels='say "x"'))
    assert block.labels == ["l\nm", 'n, "o"']


def test_a_blank_line_is_missing_in_one_column_and_nothing_in_two(table):
    np.testing.assert_array_equal(numbers(table("x\n1\n\n3\n")), [[1, np.nan, 3]])
    two = table("x,y\n1,2\n\n\n3,5\n", "two.csv")
    assert numbers(two) == [[1, 3], [2, 5]]
    assert two.n_blank_lines == 2


@pytest.mark.parametrize(
    ("content", "message", "advice"),
    [
        ("", "is empty", ""),
        ("\n\n", "is empty", ""),
        ("x,y\n1,2\n3\n", "row 2 has nothing in column 'y': it has 1 field, .* has 2", "complete"),
        ("x,y\n1,2,3\n", "row 1 goes on after the last column, 'y': it has 3 fields", "quotes"),
        ("x,y\n1,2,3\n", "and the first line has 2", "a decimal comma must be a point"),
        ("x,x,y\n1,2,3\n", "names 'x' more than once", "--no-header"),
        ("x,,y\n1,2,3\n", "no name to column 2", "--no-header"),
        ("x,, \n1,2,3\n", "no name to columns 2, 3", "--no-header"),
        (",,\n1,2,3\n", "first line names no column", "take that line out"),
        (" , , \n1,2,3\n", "first line names no column", "take that line out"),
        ("x y\n1 2\n", "row 1, column 'x y' holds '1 2': several numbers", "-d ' '"),
        ("x;y\n1;2\n", "holds ';'", "-d ';'"),
        ("x\ty\n1\t2\n", "holds a tab", "-d '\\t'"),
        ("x|y\n1|2\n", r"holds '\|'", "-d '|'"),
        ('x,"y\n1,2\n', "the header opens a quote", ""),
        ("x,y\n1,2\n".encode("utf-16"), "the header holds a NUL", "--encoding utf-16"),
        ("naïve,y\n1,2\n".encode("latin-1"), "the header is not UTF-8", "--encoding latin-1"),
    ],
)
def test_faults_are_named_on_opening(table, content, message, advice):
    with pytest.raises(DataError, match=message) as caught:
        table(content, "faulty.csv")
    assert "faulty.csv" in caught.value.message
    assert advice in caught.value.advice


def test_a_ragged_row_far_down_is_numbered(table):
    opened = table("x,y\n" + "1,2\n" * 2000 + "\n3,4,5\n")
    with pytest.raises(DataError, match="row 2001 goes on after the last column"):
        numbers(opened)


def test_a_fault_in_a_later_chunk_is_numbered(table, monkeypatch):
    monkeypatch.setattr(records_module, "CHUNK_BYTES", 64)
    opened = table("x,y\n" + "1,2\n" * 2000 + "3,abc\n")
    with pytest.raises(DataError, match="row 2001, column 'y' holds 'abc', which is not a number"):
        numbers(opened)


def test_a_cell_that_is_no_number_says_what_to_do(table):
    opened = table("x,y\n1,2\n2,abc\n3,4\n")
    with pytest.raises(DataError, match="row 2, column 'y' holds 'abc'") as caught:
        numbers(opened)
    assert "--na-values abc;" in caught.value.advice
    assert "-C '!y'" in caught.value.advice


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "é"])
def test_delimiters_that_cannot_be(table, delimiter):
    with pytest.raises(UsageError, match="delimiter"):
        table(PLAIN, delimiter=delimiter)


@pytest.mark.parametrize("encoding", ["utf-9", "rot13", "hex", ""])
def test_encodings_that_cannot_be(table, encoding):
    with pytest.raises(UsageError, match="encoding"):
        table(PLAIN, encoding=encoding)


def test_kinds_of_columns(table):
    rows = ["1,a,,true,2020-01-01,NA,1", "2,b,,false,2020-01-02,NA,x", "3,1,,true,2020-01-03,,2"]
    opened = table("n,text,empty,logical,date,na,mostly\n" + "\n".join(rows) + "\n")
    why = {name: kind.why_not for name, kind in opened.kinds.items()}
    assert why == {
        "n": "",
        "text": "text",
        "empty": "empty",
        "logical": "text",
        "date": "text",
        "na": "empty",
        "mostly": "",
    }
    assert (opened.kinds["text"].row, opened.kinds["text"].cell) == (1, "a")


def test_a_column_whose_first_values_are_missing_is_judged_by_the_first_there(table, monkeypatch):
    monkeypatch.setattr(records_module, "CHUNK_BYTES", 1 << 12)
    rows = ["1,,"] * 1500 + ["1,2,a"] * 10
    opened = table("x,late,text\n" + "\n".join(rows) + "\n")
    assert opened.numeric_columns == ("x", "late")
    assert opened.kinds["text"].row == 1501


def test_row_names_that_pandas_writes_are_no_feature(table):
    frame = pd.DataFrame({"x": [1.5, 2.5], "y": [3, 5]})
    opened = table(frame.to_csv())
    assert opened.columns == ("", "x", "y")
    assert opened.numeric_columns == ("x", "y")
    assert opened.kinds[""].why_not == "row names"


cells = st.sampled_from(["1", "-2.5", "1e-7", "NA", "", " 3", '"4"', "nan", "1e400", "+5"])


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=30), st.integers(12, 200))
def test_the_same_numbers_as_pandas_whatever_the_chunks(tmp_path_factory, rows, chunk_bytes):
    content = "x,y\n" + "".join(f"{x},{y}\n" for x, y in rows)
    path = tmp_path_factory.mktemp("rows") / "x.csv"
    path.write_text(content)
    expected = pd.read_csv(io.StringIO(content)).astype(float).to_numpy().T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records_module, "CHUNK_BYTES", chunk_bytes)
        with open_table(str(path), ReadOptions()) as opened:
            blocks = list(blocks_of(opened, Selection(("x", "y"))))
    np.testing.assert_array_equal(np.hstack([block.values for block in blocks]), expected)  # noqa: PD011
    assert [block.first_row for block in blocks] == list(
        np.cumsum([0, *(block.n_rows for block in blocks)])[:-1]
    )


def test_passes_can_be_repeated_and_left_early(table):
    opened = table(PLAIN)
    for _ in blocks_of(opened, Selection(("x",))):
        break
    assert numbers(opened) == numbers(opened)


def test_weights_and_labels(table):
    opened = table("x,w,g\n1,0.5,a\n2,0, b\n")
    (block,) = blocks_of(opened, Selection(("x",), weights="w", labels="g"))
    assert block.values.tolist() == [[1, 2]]  # noqa: PD011
    assert block.weights.tolist() == [0.5, 0]
    assert block.labels == ["a", " b"]


@pytest.mark.parametrize(
    ("weight", "what"), [("-1", "is -1"), ("", "is missing"), ("inf", "is inf")]
)
def test_weights_that_cannot_be(table, weight, what):
    opened = table(f"x,w\n1,2\n2,{weight}\n")
    with pytest.raises(DataError, match=f"row 2: its weight, in column 'w', {what}"):
        list(blocks_of(opened, Selection(("x",), weights="w")))


def test_a_missing_label_is_named(table):
    opened = table("x,g\n1,a\n2,NA\n")
    with pytest.raises(DataError, match="row 2: its label, in column 'g', is missing"):
        list(blocks_of(opened, Selection(("x",), labels="g")))
