"""The conversions by buffers are those of pyarrow itself."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gmmcli.data.arrow import constant, floats, numbers, texts

maybe_float = st.none() | st.floats(allow_nan=False)


@given(st.lists(maybe_float, max_size=40), st.integers(0, 9))
def test_floats(cells, skip):
    column = pa.array(cells, pa.float64()).slice(skip)
    np.testing.assert_array_equal(floats(column), column.to_numpy(zero_copy_only=False))


@given(st.lists(st.tuples(st.floats(), st.booleans()), max_size=40))
def test_numbers(pairs):
    values = np.array([value for value, _ in pairs])
    absent = np.array([gone for _, gone in pairs], bool)
    ours = numbers(values, absent)
    assert ours.equals(pa.array(values, mask=absent)) or np.isnan(values).any()
    assert ours.null_count == absent.sum()
    ours.validate(full=True)


@given(arrays.arrays(np.int64, st.integers(0, 20)))
def test_integers(values):
    assert numbers(values, np.zeros(len(values), bool)).to_pylist() == values.tolist()


@given(st.lists(st.none() | st.text(), max_size=20))
def test_texts(cells):
    ours = texts(cells)
    ours.validate(full=True)
    assert ours.equals(pa.array(cells, pa.string()))


def test_a_constant_is_a_scalar():
    assert constant("é").as_py() == "é"
    assert constant("é", pa.binary()).as_py() == "é".encode()
    assert constant(None).as_py() is None


PROGRAM = """
import sys
import gmmcli.data as data
assert not {"pandas", "pyarrow", "numpy"} & set(sys.modules), "the import itself"
import numpy as np
for output in sys.argv[2:]:
    with data.open_table(sys.argv[1], data.ReadOptions(na_values=("abc",))) as table:
        features = data.choose_features(table, ())
        loaded = data.load(table, data.Selection(features.used, labels="group"), missing="drop")
        columns = [data.AppendedColumn("cluster", "int"), data.AppendedColumn("p")]
        names = features.used
        with data.open_writer(output, like=table, columns=columns, features=names) as writer:
            for chunk in table.chunks(data.Selection(names)):
                block = table.parse(chunk, data.Selection(names))
                labels = np.ma.MaskedArray(np.arange(block.n_rows), mask=~block.complete)
                writer.write(block, [labels, block.values[0]])
with data.open_writer(output, like=None, columns=columns[:1]) as writer:
    writer.write(None, [[1, None]])
assert "pandas" not in sys.modules, "a command"
"""


def test_no_way_through_the_files_imports_pandas(tmp_path, make):
    text = make('x,group\n1,a\n+2,"b,c"\nabc,a\nNA,a\n4,c\n')
    columns = {"x": [1.5, None, 3], "group": ["a", "b,c", "d"]}
    parquet = str(tmp_path / "input.parquet")
    pq.write_table(pa.table(columns), parquet)
    outputs = [str(tmp_path / name) for name in ("a.csv", "b.tsv", "c.parquet", "d.csv.zst")]
    for source in (text, parquet):
        done = subprocess.run([sys.executable, "-c", PROGRAM, source, *outputs], check=False)
        assert done.returncode == 0
