"""Rows larger than memory: the same model, to the last byte, in the same memory for any size.

`make thorough` measures larger files than the small ones here.
"""

import gzip
import os
import shutil
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from effort import some

from gmmcli.cli import telling

SIZES = some([1_000_000, 2_000_000], [1_000_000, 10_000_000])
TINY = ("--memory", "1M")
PASSES = "each pass reads"


def measurements(n_rows, seed=0):
    """Two clusters with a constant column, gaps, and row weights of which some are 0."""
    rng = np.random.default_rng(seed)
    columns = {
        "x": rng.standard_normal(n_rows) + 6 * (np.arange(n_rows) % 3 == 0),
        "same": np.full(n_rows, 4.25),
        "y": rng.standard_normal(n_rows) * 100 - 7,
        "z": rng.standard_normal(n_rows),
        "w": rng.integers(0, 4, n_rows).astype(float),
        "group": (np.arange(n_rows) % 3 == 0).astype(int),
    }
    columns["y"][5::97] = np.nan
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """The same 30,000 rows in each way they can be stored."""
    folder = tmp_path_factory.mktemp("inputs")
    table = measurements(30_000)
    frame = table.to_pandas()
    frame.to_csv(folder / "rows.csv", index=False)
    (folder / "rows.csv.gz").write_bytes(gzip.compress((folder / "rows.csv").read_bytes(), 1))
    pq.write_table(table, folder / "rows.parquet", row_group_size=7000)
    parts = folder / "parts"
    parts.mkdir()
    for number, start in enumerate(range(0, 30_000, 11_000)):
        part = table.slice(start, 11_000)
        order = part.column_names[::-1] if number == 1 else part.column_names
        pq.write_table(part.select(order), parts / f"part-{number}.parquet")
    (parts / "_SUCCESS").write_text("")
    return {
        "CSV": folder / "rows.csv",
        "CSV.gz": folder / "rows.csv.gz",
        "Parquet": folder / "rows.parquet",
        "folder": parts,
        "pattern": f"{parts}/part-?.parquet",
    }


WAYS = [
    (),
    ("--weights", "w"),
    ("--pca", "2"),
    ("-c", "spherical", "--threads", "1"),
    ("--weights", "w", "--pca", "2", "--threads", "3"),
    ("--start-labels", "group"),
]


@pytest.mark.heavy
@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_the_model_is_that_of_the_fit_in_memory(cli, inputs, way):
    chosen = ("-C", "x", "-C", "same", "-C", "y", "-C", "z", "--missing", "drop", "-k", "2")
    chosen += ("--max-iter", "10")
    whole = cli("fit", inputs["CSV"], *chosen, *way, "--json")
    assert (whole.code, PASSES in whole.err) == (0, False)
    for name, path in inputs.items():
        passed = cli("fit", path, *chosen, *way, "--json", *TINY)
        assert (name, passed.code, passed.out == whole.out) == (name, 0, True)
        assert passed.err.count(PASSES) == 1
        assert ("temporary copy" in passed.err) == name.startswith("CSV")
    piped = cli("fit", *chosen, *way, "--json", *TINY, stdin=inputs["CSV"].read_bytes())
    assert piped.out == whole.out
    assert "temporary copy of" in piped.err


@pytest.mark.heavy
def test_select_k_goes_over_the_rows_in_passes(cli, inputs):
    how = ("-C", "x", "-C", "y", "--missing", "drop", "-k", "1,2", "-c", "full,spherical")
    whole = cli("select-k", inputs["CSV"], *how)
    passed = cli("select-k", inputs["folder"], *how, *TINY)
    assert whole.out
    assert (passed.code, passed.out) == (0, whole.out)
    assert PASSES in passed.err


def test_labels_of_a_folder_are_those_of_the_rows(cli, inputs, tmp_path):
    out = [tmp_path / "whole.parquet", tmp_path / "parts.parquet"]
    how = ("-C", "x", "-C", "y", "--missing", "drop", "-k", "2", "-q")
    assert cli("fit", inputs["Parquet"], *how, "-l", out[0]).code == 0
    model = tmp_path / "model.json"
    assert cli("fit", inputs["folder"], *how, "-l", out[1], "-m", model, *TINY).code == 0
    assert pq.read_table(out[0]).equals(pq.read_table(out[1]))
    predicted = cli("predict", model, inputs["pattern"], "--missing", "drop", "-o", out[1])
    assert predicted.code == 0
    assert pq.read_table(out[0]).equals(pq.read_table(out[1]))


def test_a_message_names_the_file_and_its_row(cli, inputs, model):
    for command in (("fit", inputs["folder"], "-k", 2), ("predict", model, inputs["folder"])):
        refused = cli(*command)
        assert refused.code == 1
        assert f"{inputs['folder']}/part-0.parquet: row 6, column 'y'" in refused.err


def test_an_output_that_is_one_of_the_files_is_refused(cli, inputs):
    part = inputs["folder"] / "part-1.parquet"
    before = part.read_bytes()
    for source in (inputs["folder"], inputs["pattern"]):
        refused = cli("fit", source, "-k", 2, "-l", part)
        assert (refused.code, part.read_bytes() == before) == (2, True)
        assert f"the output {part} is the input" in refused.err


def test_the_copy_has_a_limit(cli, inputs, monkeypatch):
    how = ("-C", "x", "-C", "z", "-k", 2)
    refused = cli("fit", inputs["CSV"], *how, *TINY, "--max-spool", "100k")
    assert refused.code == 1
    assert "need 131 kB so far, of about 480 kB" in refused.err
    assert "more than --max-spool 100 kB" in refused.err
    assert "raise --max-spool" in refused.err
    assert cli("fit", inputs["CSV"], *how, *TINY, "--max-spool", "500k").code == 0
    assert cli("fit", inputs["Parquet"], *how, *TINY, "--max-spool", "1k").code == 0
    monkeypatch.setattr("gmmcli.data.spool.SPOOL_IN_MEMORY", 1000)
    piped = cli("fit", *how, "--max-spool", "100k", stdin=inputs["CSV"].read_bytes())
    assert (piped.code, "temporary copies of standard input need" in piped.err) == (1, True)


def test_the_copy_has_no_name(cli, inputs, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen = []
    monkeypatch.setattr(telling, "note_passes", lambda *_, **__: seen.extend(os.listdir(tmp_path)))
    done = cli("fit", inputs["CSV"], "-C", "x", "-C", "z", "-k", 2, *TINY)
    assert f"a temporary copy of 480 kB in {tmp_path}" in done.err
    assert seen == []


def test_a_full_disk_is_said(cli, inputs, monkeypatch):
    with open("/dev/full", "wb", buffering=0) as full:
        monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: full)
        refused = cli("fit", inputs["CSV"], "-C", "x", "-C", "z", "-k", 2, *TINY)
    assert refused.code == 1
    assert "could not be kept in" in refused.err
    assert "No space left on device" in refused.err
    assert "TMPDIR" in refused.err


@pytest.mark.parametrize("name", ["CSV", "Parquet", "folder"])
def test_an_input_that_changes_before_its_labels_is_an_error(cli, name, tmp_path, swapped):
    path, changing = swapped(name)
    out = tmp_path / "labels.csv"
    refused = cli("fit", path, "-C", "x", "-C", "z", "-k", 2, "-l", out, *TINY)
    assert refused.code == 1
    assert f"{changing} has changed while it was read" in refused.err
    assert not out.exists()


@pytest.fixture
def swapped(inputs, tmp_path, monkeypatch):
    """A copy of an input, and its file that gets another time as soon as the fit is done."""

    def prepare(name):
        source = inputs[name]
        path = changing = tmp_path / source.name
        if source.is_dir():
            path.mkdir()
            for part in source.iterdir():
                (path / part.name).write_bytes(part.read_bytes())
            changing = path / "part-2.parquet"
        else:
            path.write_bytes(source.read_bytes())

        monkeypatch.setattr(telling, "note_passes", lambda *_, **__: os.utime(changing, (1, 1)))
        return path, changing

    return prepare


@pytest.mark.parametrize("size", ["0", "-1M", "many", "1X", "M", "1e9"])
def test_what_is_no_size(cli, blobs, size):
    refused = cli("fit", blobs, "-k", 2, f"--memory={size}")
    assert refused.code == 2
    assert "is not a size such as 500M" in refused.err


def peak(command, *arguments, address_space=None):
    """Peak memory in bytes of a run of the installed command that must succeed."""
    # not by preexec_fn, which is not safe where there are threads
    limits = [] if address_space is None else ["prlimit", f"--as={address_space}"]
    process = subprocess.Popen(
        [*limits, command, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    with process.stderr:
        said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert (process.returncode, "error" in said) == (0, False), said
    return usage.ru_maxrss * 1024


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Files of rows, the second several times the first: format -> paths."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(0)
    names = [f"x{j}" for j in range(10)]
    for n_rows in SIZES:
        schema = pa.schema([(name, pa.float64()) for name in names])
        with (
            pq.ParquetWriter(folder / f"{n_rows}.parquet", schema) as parquet,
            pa.csv.CSVWriter(folder / f"{n_rows}.csv", schema) as text,
        ):
            for start in range(0, n_rows, 100_000):
                X = rng.standard_normal((10, min(100_000, n_rows - start)))
                X[0] += 8 * (np.arange(X.shape[1]) % 2)
                rows = pa.table(list(X), schema=schema)
                parquet.write_table(rows)
                text.write_table(rows)
    yield {kind: [folder / f"{n}.{kind}" for n in SIZES] for kind in ("csv", "parquet")}
    shutil.rmtree(folder)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_memory_does_not_depend_on_the_number_of_rows(command, large, kind, tmp_path):
    how = ("-k", 2, "--memory", "210M", "--max-iter", 3, "-q", "--threads", 2)
    few, many = (peak(command, "fit", path, *how) for path in large[kind])
    assert many < 1.1 * few
    model = tmp_path / "model.json"
    peak(command, "fit", large[kind][0], *how, "-m", model)
    out = tmp_path / f"out.{kind}"
    few, many = (peak(command, "predict", model, path, "-o", out) for path in large[kind])
    out.unlink()
    assert many < 1.1 * few


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_limited_address_space_decides_by_itself(command, large, kind):
    many = large[kind][1]
    limit = 1_200_000_000
    how = ("-k", 2, "--max-iter", 2, "-q", "--threads", 2)
    assert peak(command, "fit", many, *how, address_space=limit) < limit
