"""Parquet files: the same numbers as CSV, and every type in its place."""

import io
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data.blocks import blocks_of
from hypothesis import given
from hypothesis import strategies as st

from gmmcli.data import ReadOptions, Selection, choose_features, load, open_table, parquet_file
from gmmcli.errors import DataError, UsageError


def parquet(table, **options):
    out = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), out, **options)
    return out.getvalue()


@pytest.fixture
def stored(table):
    """Opens columns as a Parquet table."""

    def open_columns(columns, **options):
        return table(parquet(columns), "input.parquet", **options)

    return open_columns


def numbers(table):
    blocks = blocks_of(table, Selection(table.numeric_columns))
    return np.hstack([block.values for block in blocks])  # noqa: PD011


cell = st.none() | st.floats() | st.integers(-5, 5).map(float)


@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=50))
def test_the_same_arrays_as_from_csv(tmp_path_factory, rows):
    frame = pd.DataFrame(rows, columns=["x", "y"], dtype=float)
    folder = tmp_path_factory.mktemp("rows")
    frame.to_csv(folder / "x.csv", index=False)
    frame.to_parquet(folder / "x.parquet")
    with (
        open_table(str(folder / "x.csv"), ReadOptions()) as text,
        open_table(str(folder / "x.parquet"), ReadOptions()) as binary,
    ):
        assert text.numeric_columns == binary.numeric_columns
        np.testing.assert_array_equal(numbers(text), numbers(binary))


def test_loaded_matrices_are_identical(table):
    frame = pd.DataFrame(np.random.default_rng(4).standard_normal((1000, 4)), columns=list("abcd"))
    frame["g"] = np.arange(1000) % 3
    frame["w"] = np.arange(1000) % 4
    frame.loc[5, "b"] = None
    chosen = Selection(tuple("abcd"), "w", "g", rows=False)
    text = load(table(frame.to_csv(index=False)), chosen, missing="drop")
    binary = load(table(parquet(pa.Table.from_pandas(frame)), "x.parquet"), chosen, missing="drop")
    assert text.batches.X.tobytes() == binary.batches.X.tobytes()
    assert text.batches.weights.tobytes() == binary.batches.weights.tobytes()
    assert text.labels == binary.labels
    assert text.counts == binary.counts == (1000, 1, 250)


def test_types(stored):
    opened = stored(
        {
            "int": pa.array([1, None], pa.int8()),
            "uint": pa.array([2**64 - 1, 2**53 + 1], pa.uint64()),
            "half": pa.array(np.array([0.1, 2], np.float16)),
            "single": pa.array([0.1, 2], pa.float32()),
            "decimal": pa.array([Decimal("0.1"), Decimal("123456789.12345678901")]),
            "coded": pa.array([1.5, 2.5]).dictionary_encode(),
            "logical": [True, False],
            "text": ["a", "b"],
            "level": pa.array(["a", "b"]).dictionary_encode(),
            "date": pa.array([1, 2], pa.date32()),
            "time": pa.array([1, 2], pa.timestamp("us")),
            "list": [[1], [2]],
            "struct": [{"a": 1}, {"a": 2}],
            "nothing": pa.nulls(2),
            "nulls": pa.nulls(2, pa.float64()),
            "a.b": [1, 2],
        }
    )
    expected = {
        "int": [1, np.nan],
        "uint": [float(2**64 - 1), float(2**53)],
        "half": [float(np.float16(0.1)), 2],
        "single": [float(np.float32(0.1)), 2],
        "decimal": [0.1, 123456789.12345678901],
        "coded": [1.5, 2.5],
        "a.b": [1, 2],
    }
    assert opened.numeric_columns == tuple(expected)
    np.testing.assert_array_equal(numbers(opened), list(expected.values()))
    why = {name: kind.why_not for name, kind in opened.kinds.items() if kind.why_not}
    assert why["logical"] == "bool"
    assert why["text"] == why["level"] == "text"
    assert why["nothing"] == why["nulls"] == "empty"
    assert why["time"] == "timestamp[us]"
    with pytest.raises(DataError, match="column 'logical' is not numeric: it holds bool"):
        choose_features(opened, ["logical"])


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-1e9, max_value=1e9))
def test_decimals_round_as_python_does(number):
    column = pa.array([number], pa.decimal128(30, 12))
    assert parquet_file._numbers(column)[0] == float(number)


def test_row_names_that_pandas_stores_are_no_feature(stored):
    frame = pd.DataFrame({"x": [1.5, 2.5]}, index=[7, 8])
    opened = stored(pa.Table.from_pandas(frame))
    assert opened.numeric_columns == ("x",)
    assert dict(choose_features(opened, ()).left_out) == {"__index_level_0__": "row names"}


def test_own_missing_values(stored):
    opened = stored({"x": [1, -999, 3]}, na_values=("-999",))
    np.testing.assert_array_equal(numbers(opened), [[1, np.nan, 3]])


def test_blocks_are_small_and_their_borders_do_not_depend_on_the_columns(stored, monkeypatch):
    monkeypatch.setattr(parquet_file, "_BATCH_ROWS", 100)
    opened = stored({"x": np.arange(1234), "y": np.arange(1234) / 7, "g": ["a"] * 1234})
    for selection in (Selection(("x", "y")), Selection(("x",), rows=False)):
        chunks = list(opened.chunks(selection))
        assert [chunk.first_row for chunk in chunks] == list(range(0, 1234, 100))
        assert chunks[-1].share == 1
    np.testing.assert_array_equal(numbers(opened)[0], np.arange(1234))


def test_rows_are_kept_only_when_asked_for(stored):
    opened = stored({"x": [1, 2], "g": ["a", "b"]})
    (block,) = blocks_of(opened, Selection(("x",)))
    assert block.rows.table().column_names == ["x", "g"]
    (block,) = blocks_of(opened, Selection(("x",), labels="g", rows=False))
    assert block.rows is None
    assert block.labels == ["a", "b"]


def test_weights_and_labels_are_checked(stored):
    opened = stored({"x": [1, 2], "w": [1, None], "g": [1, None]})
    with pytest.raises(DataError, match="row 2: its weight, in column 'w', is missing"):
        list(blocks_of(opened, Selection(("x",), weights="w")))
    with pytest.raises(DataError, match="row 2: its label, in column 'g', is missing"):
        list(blocks_of(opened, Selection(("x",), labels="g")))


def test_a_table_without_rows(stored):
    opened = stored({"x": pa.array([], pa.float64())})
    assert list(blocks_of(opened, Selection(("x",)))) == []
    with pytest.raises(DataError, match="has no rows"):
        choose_features(opened, ())


def test_columns_of_one_name(table):
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"])
    with pytest.raises(DataError, match="more than one column named 'x'"):
        table(parquet(twice), "x.parquet")


@pytest.mark.parametrize("content", [b"", b"x,y\n1,2\n", parquet({"x": [1, 2]})[:-20]])
def test_what_is_no_parquet(table, content):
    with pytest.raises(DataError, match="is not a Parquet file, or is damaged") as caught:
        table(content, "x.parquet")
    assert "--input-format csv" in caught.value.advice
    assert "\n" not in caught.value.message


def test_damage_inside_is_named(table):
    content = bytearray(parquet({"x": np.random.default_rng(5).random(5000)}, compression="zstd"))
    content[4:400] = bytes(396)
    opened = table(bytes(content), "x.parquet")
    with pytest.raises(DataError, match="is damaged after row 0") as caught:
        numbers(opened)
    assert "\n" not in caught.value.message


def test_parquet_under_another_name(table):
    content = parquet({"x": [1, 2]})
    with pytest.raises(DataError, match="is a Parquet file by another name") as caught:
        table(content, "x.csv")
    assert "--input-format parquet" in caught.value.advice
    assert table(content, "x.csv", input_format="parquet").columns == ("x",)
    assert table(content, "x.dat").columns == ("x",)


@pytest.mark.parametrize(
    ("option", "flag"),
    [({"delimiter": ";"}, "--delimiter"), ({"header": False}, "--no-header")]
    + [({"encoding": name}, "--encoding") for name in ("latin-1", "utf-16")],
)
def test_options_about_text_are_refused(stored, tmp_path, option, flag):
    with pytest.raises(UsageError, match=f"{flag} is about text, and .*input.parquet is Parquet"):
        stored({"x": [1.0, 2.0]}, **option)
    with pytest.raises(UsageError, match=f"{flag} is about text"):
        open_table(str(tmp_path), ReadOptions(**option))
    assert stored({"x": [1.0, -999.0]}, na_values=("-999",)).columns == ("x",)
