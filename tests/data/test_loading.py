"""A table in memory: complete rows, and a clear word about the others."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmmcli.data import records as records_module
from gmmcli.data.complete_rows import Piece
from gmmcli.data.matrix import GrowingMatrix
from gmmcli.errors import DataError

GAPS = "x,y\n1,NA\n2,3\n,4\n5,6\n"


def test_one_matrix_with_features_as_rows(loaded):
    rows = loaded("x,g,y\n1,a,2\n3,b,5\n", labels="g")
    assert rows.batches.X.tolist() == [[1, 3], [2, 5]]
    assert rows.batches.X.flags.c_contiguous
    assert rows.batches.X.dtype == np.float64
    assert (rows.columns, rows.labels, rows.counts.n_rows) == (("x", "y"), ["a", "b"], 2)


def test_missing_values_are_refused_with_the_first_and_the_count(loaded):
    message = "row 1, column 'y' is missing; 2 of 4 rows have a missing or infinite value"
    with pytest.raises(DataError, match=message) as caught:
        loaded(GAPS)
    assert "--missing drop" in caught.value.advice


def test_rows_with_missing_values_are_dropped(loaded):
    rows = loaded(GAPS, missing="drop")
    assert rows.batches.X.tolist() == [[2, 5], [3, 6]]
    assert rows.counts == (4, 2, 0)


def test_infinite_values(loaded):
    content = "x,y\n1,2\n3,-inf\n4,5\n"
    with pytest.raises(DataError, match="row 2, column 'y' is infinite") as caught:
        loaded(content)
    assert "--missing drop" in caught.value.advice
    assert loaded(content, missing="drop").batches.X.tolist() == [[1, 4], [2, 5]]


def test_constant_columns_are_left_out_and_remembered(loaded):
    rows = loaded("a,x,b,y\n7,1,0.1,2\n7,3,0.1,5\n")
    assert rows.batches.X.tolist() == [[1, 3], [2, 5]]
    assert rows.columns == ("x", "y")
    assert rows.constant_columns == {"a": 7.0, "b": 0.1}
    assert rows.batches.X.flags.c_contiguous


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x,y\n1,2\n1,2\n", "each of the 2 columns has the same value in every row"),
        ("x\n1\n1\n", "column 'x' has the value 1.0 in every row"),
        ("x,y\n1,2\n", "there is only one row"),
        ("x,y\n1,NA\nNA,2\n", "every row has a missing value"),
        ("x,y\n1e300,1\n-1e300,2\n", r"column 'x' \(-1e\+300 to 1e\+300\) are too large"),
        ("x,y\n1e308,1\n1.1e308,2\n", "column 'x' .* are too large"),
        ("x,y\n1,1e-300\n2,2e-300\n", "column 'y' .* are too close together"),
    ],
)
def test_data_that_cannot_be_fitted(loaded, content, message):
    with pytest.raises(DataError, match=message):
        loaded(content, missing="drop")


@pytest.mark.parametrize("scale", ["1e150", "1e-150"])
def test_scales_that_can_be_fitted(loaded, scale):
    rows = loaded(f"x\n1{scale[1:]}\n-1{scale[1:]}\n3{scale[1:]}\n")
    np.testing.assert_array_equal(rows.batches.X / float(scale), [[1, -1, 3]])


def test_a_weight_of_zero_is_as_a_row_that_is_not_there(loaded):
    content = "x,w,g\n1,1,a\nNA,0,b\ninf,0,\n3,2.5,d\n".replace("inf,0,", "inf,0,c")
    rows = loaded(content, weights="w", labels="g")
    assert rows.batches.X.tolist() == [[1, 3]]
    assert rows.batches.weights.tolist() == [1, 2.5]
    assert rows.labels == ["a", "d"]
    assert rows.counts == (4, 0, 2)


def test_weights_that_are_all_zero(loaded):
    with pytest.raises(DataError, match="every weight is 0"):
        loaded("x,w\n1,0\n2,0\n", weights="w")


def test_chunks_threads_and_compression_change_nothing(loaded, monkeypatch):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.standard_normal((500, 3)), columns=list("abc"))
    frame.iloc[::7, 1] = np.nan
    content = frame.to_csv(index=False).encode()
    whole = loaded(content, missing="drop")
    np.testing.assert_array_equal(whole.batches.X, frame.dropna().to_numpy().T)
    monkeypatch.setattr(records_module, "CHUNK_BYTES", 1000)
    for name, packed in (("x.csv", content), ("x.csv.gz", gzip.compress(content))):
        cut = loaded(packed, missing="drop", name=name)
        np.testing.assert_array_equal(cut.batches.X, whole.batches.X)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.none() | st.floats(0.01, 2)), max_size=30),
    st.sets(st.integers(0, 3), min_size=1),
)
def test_the_matrix_grows_whatever_is_said_of_its_size(pieces, rows):
    matrix = GrowingMatrix(4)
    rng = np.random.default_rng(3)
    blocks = [rng.random((4, width)) for width, _ in pieces]
    for block, (_, share) in zip(blocks, pieces, strict=True):
        matrix.append(Piece(block, share))
    whole = np.hstack([np.empty((4, 0)), *blocks])
    if whole.shape[1]:
        np.testing.assert_array_equal(matrix.row(2), whole[2])
    chosen = sorted(rows)
    np.testing.assert_array_equal(matrix.take(chosen), whole[chosen])
