"""Several Parquet files as one table."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data.blocks import blocks_of

from gmmcli.data import ReadOptions, Selection, check_output, choose_features, open_table
from gmmcli.errors import DataError, UsageError

FIRST = {"x": pa.array([1.5, 2.5]), "g": pa.array(["a", "b"]), "n": pa.array([None, None], "int64")}
SECOND = {
    "n": pa.array([7, 8, 9]),
    "g": pa.array(["c", None, "e"]),
    "x": pa.array([3, 4, None, 1.0][:3], "float64"),
}
EVERYTHING = Selection(("x", "n"))


@pytest.fixture
def folder(tmp_path):
    """Writes the files of a folder and gives its path."""

    def write(**parts):
        path = tmp_path / "parts"
        path.mkdir()
        for name, columns in parts.items():
            pq.write_table(pa.table(columns), path / f"{name}.parquet")
        return str(path)

    return write


def rows(table):
    blocks = list(blocks_of(table, EVERYTHING))
    assert [block.first_row for block in blocks] == list(
        np.cumsum([0, *(block.n_rows for block in blocks)])[:-1]
    )
    return pa.concat_tables([block.rows.table() for block in blocks])


def test_files_follow_each_other_by_name(folder):
    path = folder(b=SECOND, a=FIRST, c={name: column[:0] for name, column in FIRST.items()})
    with open_table(path, ReadOptions()) as table:
        assert (table.columns, table.n_rows, table.name) == (("x", "g", "n"), 5, path)
        # a column that is empty in the first file is judged by the others
        assert table.numeric_columns == ("x", "n")
        assert choose_features(table, ()).used == ("x", "n")
        first, second = pa.table(FIRST), pa.table(SECOND).select(["x", "g", "n"])
        for _ in range(2):
            assert rows(table).equals(pa.concat_tables([first, second]))
        assert [chunk.share for chunk in table.chunks(EVERYTHING)] == [0.4, 1]
        places = [table.where(row) for row in (1, 2, 3, 5)]
    assert places == [
        f"{path}/{place}"
        for place in (
            "a.parquet: row 1",
            "a.parquet: row 2",
            "b.parquet: row 1",
            "b.parquet: row 3",
        )
    ]


def test_what_is_no_data_is_passed_over(folder):
    path = folder(a=FIRST, b=SECOND)
    for name in ("_SUCCESS", "_metadata.parquet", ".a.parquet.crc", ".hidden.parquet", "notes.txt"):
        with open(f"{path}/{name}", "w") as file:
            file.write("no Parquet")
    os.mkdir(f"{path}/c.parquet")
    with open_table(path, ReadOptions()) as table:
        assert table.n_rows == 5


def test_a_pattern(folder):
    path = folder(a=FIRST, b=SECOND, other=FIRST)
    with open_table(f"{path}/[ab].parquet", ReadOptions(input_format="parquet")) as table:
        assert table.n_rows == 5


def test_a_file_whose_name_looks_like_a_pattern(make):
    with open_table(make("x\n1\n2\n", "a[1].csv"), ReadOptions()) as table:
        assert table.numeric_columns == ("x",)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"x": [1.5], "g": ["a"]}, "b.parquet has no column 'n', which .*a.parquet has"),
        (SECOND | {"more": [1, 2, 3]}, "b.parquet has a column 'more', which .*a.parquet has not"),
        (SECOND | {"x": ["1", "2", "3"]}, "b.parquet: column 'x' is string, and .* it is double"),
    ],
)
def test_files_of_different_columns(folder, other, message):
    with pytest.raises(DataError, match=message) as caught:
        open_table(folder(a=FIRST, b=other), ReadOptions())
    assert "leave the file out" in caught.value.advice


def test_a_file_that_is_not_parquet(folder):
    path = folder(a=FIRST)
    with open(f"{path}/b.parquet", "w") as file:
        file.write("x,g,n\n1,2,3\n")
    with pytest.raises(DataError, match=r"b\.parquet is not a Parquet file"):
        open_table(path, ReadOptions())


def test_only_parquet_files_are_joined(folder):
    with pytest.raises(UsageError, match="only Parquet files are joined"):
        open_table(folder(a=FIRST), ReadOptions(input_format="csv"))


def test_a_file_that_was_written_again_between_passes(folder):
    path = folder(a=FIRST, b=SECOND)
    with open_table(path, ReadOptions()) as table:
        rows(table)
        pq.write_table(pa.table(FIRST), f"{path}/b.parquet")
        with pytest.raises(DataError, match=r"b\.parquet has changed while it was read"):
            rows(table)


def test_an_output_that_is_one_of_the_files(folder):
    path = folder(a=FIRST, b=SECOND)
    for source in (path, f"{path}/*.parquet"):
        with pytest.raises(UsageError, match=r"the output .*b\.parquet is the input"):
            check_output(f"{path}/b.parquet", [source])
        check_output(f"{path}/c.parquet", [source])
