"""Rows come back as they went in, with columns appended."""

import bz2
import csv
import gzip
import io
import lzma
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data.blocks import blocks_of
from hypothesis import given
from hypothesis import strategies as st

from gmmcli.data import AppendedColumn, ReadOptions, Selection, open_table, open_writer, writing
from gmmcli.data import records as records_module
from gmmcli.data.destination import Destination
from gmmcli.errors import OutputError, UsageError

CLUSTER = AppendedColumn("cluster", "int")


def masked(values, mask):
    return np.ma.MaskedArray(np.array(values), mask=np.array(mask, bool))


def relabel(source, output, *, columns=(CLUSTER,), options=None, features=None):
    """Writes the rows of a file with their numbers appended; returns what was written."""
    with open_table(str(source), ReadOptions(**(options or {}))) as table:
        features = features or table.numeric_columns
        with open_writer(str(output), like=table, columns=columns, features=features) as writer:
            for block in blocks_of(table, Selection(features)):
                numbers = np.arange(block.first_row, block.first_row + block.n_rows)
                writer.write(block, [masked(numbers, ~block.complete) for _ in columns])
    return output.read_bytes()


AS_IT_IS = (
    'id,x,"no, te",when\n'
    '007,1.50,NA,"2020-01-01"\n'
    '008, +2,"a ""quoted""\ncell",\n'
    '"009",NA,"x, y",é\n'
    "\n"
    "010,1e3,,n/a\n"
)
LABELLED = (
    'id,x,"no, te",when,cluster\n'
    '007,1.50,NA,"2020-01-01",0\n'
    '008, +2,"a ""quoted""\ncell",,1\n'
    '"009",NA,"x, y",é,\n'
    "\n"
    "010,1e3,,n/a,3\n"
)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("last", ["", "\n"])
def test_rows_come_back_byte_for_byte(make, tmp_path, line_end, encoding, last):
    content = (AS_IT_IS.rstrip("\n") + last).replace("\n", line_end)
    path = make(content.encode(encoding))
    written = relabel(path, tmp_path / "out.csv", options={"encoding": encoding})
    assert written == LABELLED.replace("\n", line_end).encode(encoding)


@pytest.mark.parametrize("chunk_bytes", [16, 30, 50])
def test_rows_come_back_whatever_the_chunks(make, tmp_path, monkeypatch, chunk_bytes):
    monkeypatch.setattr(records_module, "CHUNK_BYTES", chunk_bytes)
    assert relabel(make(AS_IT_IS), tmp_path / "out.csv") == LABELLED.encode()


def test_the_delimiter_and_the_missing_header_are_kept(make, tmp_path):
    path = make("1;a,b\n2;c\n")
    written = relabel(path, tmp_path / "o.csv", options={"delimiter": ";", "header": False})
    assert written == b"1;a,b;0\n2;c;1\n"


def test_a_column_alone_and_its_blank_lines(make, tmp_path):
    assert relabel(make("x\n1\n\n3\n"), tmp_path / "o.csv") == b"x,cluster\n1,0\n,\n3,2\n"


def test_a_table_without_rows_has_a_header(make, tmp_path):
    assert relabel(make("x,y\n"), tmp_path / "o.csv") == b"x,y,cluster\n"


text = st.text(alphabet='ab,;\t"\n\r é0', max_size=6)
tables = st.lists(st.tuples(st.integers(), text, text), min_size=1, max_size=8)


@given(tables, st.sampled_from([".csv", ".tsv", ".parquet"]))
def test_every_cell_comes_back_in_every_format(tmp_path_factory, rows, extension):
    folder = tmp_path_factory.mktemp("rows")
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("x", "a", 'b\t"'), *rows])
    (folder / "in.csv").write_text(out.getvalue(), newline="")
    written = relabel(folder / "in.csv", folder / f"out{extension}", features=("x",))
    if extension == ".parquet":
        stored = pq.read_table(pa.BufferReader(written))
        found = [list(row.values()) for row in stored.to_pylist()]
        expected = [[float(x), a, b, n] for n, (x, a, b) in enumerate(rows)]
        assert stored.column_names == ["x", "a", 'b\t"', "cluster"]
    else:
        delimiter = "\t" if extension == ".tsv" else ","
        reader = csv.reader(io.StringIO(written.decode(), newline=""), delimiter=delimiter)
        header, *found = reader
        expected = [[str(x), a, b, str(n)] for n, (x, a, b) in enumerate(rows)]
        assert header == ["x", "a", 'b\t"', "cluster"]
    assert found == expected


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "in.parquet"
    columns = {
        "x": pa.array([0.1, None, 1e300]),
        "n": pa.array([1, 2, None], pa.int16()),
        "f": pa.array([0.1, 2, 3], pa.float32()),
        "t": pa.array(["a,b", None, 'q"']),
        "l": pa.array(["u", "v", "u"]).dictionary_encode(),
        "d": pa.array([0, 1, 2], pa.date32()),
        "b": pa.array([True, None, False]),
    }
    pq.write_table(pa.table(columns).replace_schema_metadata({"k": "v"}), path)
    return path


def test_parquet_to_csv(stored, tmp_path):
    assert relabel(stored, tmp_path / "o.csv").decode() == (
        "x,n,f,t,l,d,b,cluster\n"
        '0.1,1,0.1,"a,b",u,1970-01-01,true,0\n'
        ",2,2,,v,1970-01-02,,\n"
        '1e+300,,3,"q""",u,1970-01-03,false,\n'
    )


def test_parquet_to_parquet_keeps_types_and_metadata(stored, tmp_path):
    relabel(stored, tmp_path / "o.parquet")
    before, after = pq.read_table(stored), pq.read_table(tmp_path / "o.parquet")
    assert after.drop_columns("cluster").equals(before)
    assert after.schema.metadata[b"k"] == b"v"
    assert after.column("cluster").to_pylist() == [0, None, None]


def test_pandas_reads_its_own_frame_with_the_new_column(tmp_path):
    frame = pd.DataFrame({"x": [1.5, 2.5]}, index=pd.Index([7, 8], name="key"))
    frame.to_parquet(tmp_path / "in.parquet")
    relabel(tmp_path / "in.parquet", tmp_path / "o.parquet")
    after = pd.read_parquet(tmp_path / "o.parquet")
    pd.testing.assert_frame_equal(after[["x"]], frame)
    assert after["cluster"].tolist() == [0, 1]


def test_what_csv_cannot_hold_is_named_before_any_work(tmp_path):
    pq.write_table(pa.table({"x": [1, 2], "l": [[1], [2]]}), tmp_path / "in.parquet")
    with pytest.raises(OutputError, match="column 'l' holds list<") as caught:
        relabel(tmp_path / "in.parquet", tmp_path / "o.csv")
    assert ".parquet" in caught.value.advice
    assert not (tmp_path / "o.csv").exists()
    relabel(tmp_path / "in.parquet", tmp_path / "o.parquet")


UNPACK = {
    "gz": gzip.decompress,
    "bz2": bz2.decompress,
    "xz": lzma.decompress,
    "zst": lambda content: pa.CompressedInputStream(pa.BufferReader(content), "zstd").read(),
}


@pytest.mark.parametrize("extension", UNPACK)
def test_compressed_by_the_extension(make, tmp_path, extension):
    written = relabel(make(AS_IT_IS), tmp_path / f"o.csv.{extension}")
    assert UNPACK[extension](written) == LABELLED.encode()
    assert written == relabel(make(AS_IT_IS), tmp_path / f"again.csv.{extension}")


@pytest.mark.parametrize("extension", UNPACK)
def test_what_is_written_can_be_read(make, tmp_path, extension):
    relabel(make(AS_IT_IS), tmp_path / f"o.csv.{extension}")
    columns = (AppendedColumn("again", "int"),)
    written = relabel(tmp_path / f"o.csv.{extension}", tmp_path / "o2.csv", columns=columns)
    assert written.splitlines()[0] == b'id,x,"no, te",when,cluster,again'


def test_compressed_parquet(make, tmp_path):
    written = relabel(make(AS_IT_IS), tmp_path / "o.parquet.gz")
    assert pq.read_table(pa.BufferReader(gzip.decompress(written))).num_rows == 4


def test_many_blocks_make_few_row_groups(make, tmp_path, monkeypatch):
    monkeypatch.setattr(records_module, "CHUNK_BYTES", 64)
    path = make("x\n" + "".join(f"{n}\n" for n in range(3000)))
    relabel(path, tmp_path / "o.parquet")
    stored = pq.ParquetFile(tmp_path / "o.parquet")
    assert stored.num_row_groups == 1
    assert stored.read().column("x").to_pylist() == list(range(3000))


def test_a_name_that_is_taken_is_refused(make, tmp_path):
    with open_table(make("x,cluster\n1,2\n"), ReadOptions()) as table:
        out = str(tmp_path / "o.csv")
        with pytest.raises(UsageError, match="has a column 'cluster' already") as caught:
            open_writer(out, like=table, columns=[CLUSTER], flag="--prefix")
    assert "--prefix" in caught.value.advice


def test_a_name_that_the_encoding_cannot_hold(make, tmp_path):
    columns = (AppendedColumn("größe€", "int"),)
    with pytest.raises(OutputError, match="'€' cannot be written in iso8859-1"):
        relabel(
            make("x\n1\n"), tmp_path / "o.csv", columns=columns, options={"encoding": "latin-1"}
        )
    assert not (tmp_path / "o.csv").exists()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_numbers_are_the_shortest_that_read_back(numbers):
    (line, *cells) = written_alone([AppendedColumn("v")], [np.array(numbers)])
    assert line == "v"
    assert np.array_equal(np.array(cells, float), numbers)
    assert [significant(cell) for cell in cells] == [significant(repr(n)) for n in numbers]


def significant(cell):
    """The digits of a number without the zeros that only give its size."""
    return cell.lower().split("e")[0].lstrip("-").replace(".", "").strip("0")


def written_alone(columns, values):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alone.csv"
        with open_writer(str(path), like=None, columns=columns) as writer:
            writer.write(None, values)
        return path.read_text().removesuffix("\n").split("\n")


def test_a_table_of_its_own():
    columns = [AppendedColumn("k", "int"), AppendedColumn("v"), AppendedColumn("why", "text")]
    values = [[1, 2, None], [0.5, None, np.nan], [None, "a, b", ""]]
    assert written_alone(columns, values) == ["k,v,why", "1,0.5,", '2,,"a, b"', ",,"]


def test_an_empty_cell_alone_is_no_empty_line():
    assert written_alone([AppendedColumn("v")], [masked([1.5, 2], [0, 1])]) == ["v", "1.5", '""']


def test_integers_stay_integers():
    assert written_alone([CLUSTER], [np.array([2**62, -1])]) == ["cluster", str(2**62), "-1"]


def test_a_fault_leaves_no_output(make, tmp_path):
    def write():
        with (
            open_table(make("x\n1\n2\n"), ReadOptions()) as table,
            open_writer(str(tmp_path / "o.csv.gz"), like=table, columns=[CLUSTER]) as writer,
        ):
            writer.write(next(blocks_of(table, Selection(("x",)))), [np.arange(2)])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["input.csv"]


@pytest.mark.parametrize("extension", ["csv", "parquet", "csv.gz", "csv.zst", "parquet.xz"])
def test_a_full_disk_leaves_no_output(make, tmp_path, monkeypatch, extension):
    class Full(Destination):
        def write(self, _):
            raise OutputError("cannot write: No space left on device", "")

    monkeypatch.setattr(writing, "Destination", Full)
    with pytest.raises(OutputError, match="No space left"):
        relabel(make("x\n1\n"), tmp_path / f"o.{extension}")
    assert [path.name for path in tmp_path.iterdir()] == ["input.csv"]


@pytest.mark.parametrize("extension", ["csv", "parquet", "csv.gz", "csv.zst"])
def test_a_folder_that_is_not_there(make, tmp_path, extension):
    with pytest.raises(OutputError, match="No such file or directory"):
        relabel(make("x\n1\n"), tmp_path / "nowhere" / f"o.{extension}")


def test_a_block_without_its_rows_cannot_be_written(make, tmp_path):
    with open_table(make("x\n1\n2\n"), ReadOptions()) as table:
        (block,) = blocks_of(table, Selection(("x",), rows=False))
        out = str(tmp_path / "o.csv")
        with (
            open_writer(out, like=table, columns=[CLUSTER]) as writer,
            pytest.raises(ValueError, match="without its rows"),
        ):
            writer.render(block, [np.arange(2)])
