"""Rows that do not fit in memory: the same batches as those of the matrix in memory."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmmcli.data import ReadOptions, Selection, load, open_table
from gmmcli.data import records as records_module
from gmmcli.data.complete_rows import CompleteRows, in_batches
from gmmcli.data.passes import SpooledRows, TableRows
from gmmcli.data.spool import Scratch, readable_size
from gmmcli.errors import DataError
from gmmcli.mixture.batches import BATCH_ROWS, ArrayBatches

N_ROWS = 2 * BATCH_ROWS + 100
CHOSEN = Selection(("a", "same", "b"), "w", rows=False)


@pytest.fixture
def paths(tmp_path):
    """The same rows as CSV and as Parquet, with a constant column, gaps and weights of 0."""
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, N_ROWS))
    a[7::50] = np.nan
    columns = {"a": a, "same": np.full(N_ROWS, 2.5), "b": b, "w": np.arange(N_ROWS) % 5.0}
    table = pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=3000)
    table.to_pandas().to_csv(tmp_path / "rows.csv", index=False)
    return {"csv": str(tmp_path / "rows.csv"), "parquet": str(tmp_path / "rows.parquet")}


def described(loaded):
    return loaded.columns, loaded.constant_columns, loaded.counts, loaded.n_bytes


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("memory", [0, 200_200_000, 200_700_000])
def test_the_batches_are_those_in_memory(paths, kind, memory, monkeypatch):
    monkeypatch.setattr(records_module, "CHUNK_BYTES", 50_000)
    # a pipe's size is not known beforehand, so its matrix is given up half way
    monkeypatch.setattr("gmmcli.data.source.Stream.share", lambda _: None)
    with open_table(paths[kind], ReadOptions()) as table:
        whole = load(table, CHOSEN, missing="drop")
        passed = load(table, CHOSEN, missing="drop", memory=memory)
        assert isinstance(whole.batches, ArrayBatches)
        assert whole.n_spooled is None
        assert described(passed) == described(whole)
        n_kept = whole.batches.n_rows
        assert passed.n_spooled == (8 * 4 * n_kept if kind == "csv" else 0)
        assert passed.batches.n_features == 2
        for _ in range(2):
            for ours, theirs in zip(passed.batches, whole.batches, strict=True):
                np.testing.assert_array_equal(ours.X, theirs.X)
                np.testing.assert_array_equal(ours.weights, theirs.weights)
                assert ours.X.shape == theirs.X.shape


def test_passes_may_overlap(paths):
    for path in paths.values():
        with open_table(path, ReadOptions()) as table:
            batches = load(table, CHOSEN, missing="drop", memory=0).batches
            first = iter(batches)
            begin = next(first)
            again = list(batches)
            np.testing.assert_array_equal(begin.X, again[0].X)
            assert len(list(first)) == len(again) - 1


def test_no_gap_is_passed_over_in_silence(paths):
    for path in paths.values():
        with (
            open_table(path, ReadOptions()) as table,
            pytest.raises(DataError, match="row 8, column 'a' is missing; 330 of 16484 rows have"),
        ):
            load(table, CHOSEN, memory=0)


def test_a_parquet_file_that_is_written_to_between_passes(paths):
    with open_table(paths["parquet"], ReadOptions()) as table:
        batches = load(table, CHOSEN, missing="drop", memory=0).batches
        os.utime(paths["parquet"], (1, 1))
        with pytest.raises(DataError, match=r"rows\.parquet has changed while it was read"):
            list(batches)


def test_other_values_behind_the_same_size_and_time(paths):
    before = os.stat(paths["csv"])
    with open_table(paths["csv"], ReadOptions()) as table:
        chosen = Selection(("b",), rows=False)
        rows = CompleteRows(table, chosen, drop=False)
        kept = TableRows(rows, rows.pieces())
        list(kept.passed())
        with open(paths["csv"], "r+b") as file:
            content = file.read()
            last = content.rstrip().rindex(b",") - 1
            file.seek(last)
            file.write(b"1" if content[last : last + 1] != b"1" else b"2")
        os.utime(paths["csv"], ns=(before.st_atime_ns, before.st_mtime_ns))
        with pytest.raises(DataError, match="has changed while it was read"):
            list(kept.passed())


def test_other_values_from_a_table_that_cannot_tell(paths, monkeypatch):
    with open_table(paths["parquet"], ReadOptions()) as table:
        rows = CompleteRows(table, Selection(("b",), rows=False), drop=False)
        kept = TableRows(rows, rows.pieces())
        parse = table.parse

        def other(chunk, selection):
            block = parse(chunk, selection)
            block.values[0, 0] += 1
            return block

        monkeypatch.setattr(table, "parse", other)
        with pytest.raises(DataError, match="has changed while it was read"):
            list(kept.passed())


@pytest.mark.parametrize("again", [True, False])
def test_a_csv_file_that_grows_between_passes(paths, again):
    with open_table(paths["csv"], ReadOptions()) as table:
        list(table.chunks(CHOSEN))
        with open(paths["csv"], "ab") as file:
            file.write(b"1,2,3,4\n")
        with pytest.raises(DataError, match=r"rows\.csv has changed while it was read"):
            list(table.chunks(CHOSEN, again=again))


def test_a_file_that_is_gone_or_replaced(paths, tmp_path):
    for kind, path in paths.items():
        with open_table(path, ReadOptions()) as table:
            os.replace(path, tmp_path / f"moved.{kind}")
            with pytest.raises(DataError, match="has changed while it was read"):
                list(table.chunks(CHOSEN))


@given(st.lists(st.integers(0, 3 * BATCH_ROWS), max_size=5))
def test_rows_are_cut_anew(widths):
    whole = np.arange(2.0 * sum(widths)).reshape(2, -1)
    pieces = np.split(whole, np.cumsum(widths)[:-1], axis=1) if widths else []
    batches = list(in_batches(pieces))
    assert [batch.shape[1] for batch in batches[:-1]] == [BATCH_ROWS] * (len(batches) - 1)
    assert all(batch.flags.c_contiguous and batch.shape[1] for batch in batches)
    np.testing.assert_array_equal(np.hstack([np.empty((2, 0)), *batches]), whole)


def test_a_copy_that_is_cut_short(paths):
    scratch = Scratch("rows.csv")
    with open_table(paths["csv"], ReadOptions()) as table:
        rows = CompleteRows(table, Selection(("b",), rows=False), drop=False)
        kept = SpooledRows(rows.pieces(), 1, scratch)
    kept._file.truncate(1000)
    with pytest.raises(DataError, match="cut short"):
        list(kept.passed())
    scratch.close()


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (131_072, "131 kB"),
        (999_999, "1 MB"),
        (1_500_000_000, "1.5 GB"),
        (12_340_000_000_000_000, "12340 TB"),
    ],
)
def test_sizes_for_a_person(n_bytes, text):
    assert readable_size(n_bytes) == text
