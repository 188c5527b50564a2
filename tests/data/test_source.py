"""Files, pipes and standard input, plain and compressed."""

import bz2
import gzip
import io
import lzma
import os
import threading
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data.blocks import blocks_of

from gmmcli.data import ReadOptions, Selection, open_table
from gmmcli.data import records as records_module
from gmmcli.data import spool as spool_module
from gmmcli.data.paths import split_extension
from gmmcli.errors import DataError, UsageError

PLAIN = b"x,y\n1,2\n3,5\n"


def zstd(content):
    return pa.compress(content, codec="zstd", asbytes=True)


COMPRESS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}
every_compression = pytest.mark.parametrize("compress", COMPRESS.values(), ids=COMPRESS)


def numbers(path, **options):
    with open_table(path, ReadOptions(**options)) as table:
        blocks = blocks_of(table, Selection(table.numeric_columns))
        once = np.hstack([block.values for block in blocks]).tolist()
        blocks = blocks_of(table, Selection(table.numeric_columns))
        again = np.hstack([block.values for block in blocks]).tolist()
    assert once == again
    return once


class Stdin:
    """Standard input, of which only the bytes matter."""

    def __init__(self, stream):
        self.buffer = stream


@pytest.fixture
def pipe(monkeypatch):
    """Feeds bytes through a real pipe, in pieces, to standard input."""
    threads = []

    def feed(content):
        reading, writing = os.pipe()

        def write():
            # a test may close its end early
            with suppress(BrokenPipeError), open(writing, "wb", buffering=0) as stream:
                pieces = (content[first : first + 5] for first in range(0, len(content), 5))
                stream.writelines(pieces)

        threads.append(threading.Thread(target=write))
        threads[-1].start()
        stream = open(reading, "rb")  # noqa: SIM115
        monkeypatch.setattr("sys.stdin", Stdin(stream))
        return stream

    yield feed
    for thread in threads:
        thread.join()


@every_compression
def test_compression_is_seen_without_being_told(make, compress):
    assert numbers(make(compress(PLAIN), "x.csv")) == [[1, 3], [2, 5]]


@every_compression
def test_compressed_in_several_members(make, compress):
    path = make(compress(PLAIN[:6]) + compress(PLAIN[6:]), "x.csv.z")
    assert numbers(path) == [[1, 3], [2, 5]]


@every_compression
def test_what_is_cut_short_is_an_error(make, compress):
    content = np.random.default_rng(1).random((500, 2)).astype(str)
    text = "x,y\n" + "\n".join(map(",".join, content)) + "\n"
    path = make(compress(text.encode())[:-60], "cut.csv")
    with pytest.raises(DataError, match=r"cut\.csv is damaged or cut short"):
        numbers(path)


def test_a_column_named_like_a_magic_number_is_a_column(make):
    assert numbers(make("BZh1,y\n1,2\n3,5\n")) == [[1, 3], [2, 5]]
    assert numbers(make("PAR1,y\n1,2\n3,5\n", "noextension")) == [[1, 3], [2, 5]]


@pytest.mark.parametrize(
    "content", [PLAIN, gzip.compress(PLAIN), zstd(PLAIN)], ids=["plain", "gz", "zst"]
)
def test_a_pipe_can_be_read_again(pipe, content):
    with pipe(content):
        assert numbers("-") == [[1, 3], [2, 5]]


def test_a_pipe_larger_than_what_stays_in_memory(pipe, monkeypatch):
    monkeypatch.setattr(spool_module, "SPOOL_IN_MEMORY", 100)
    monkeypatch.setattr(records_module, "CHUNK_BYTES", 64)
    rows = np.arange(200).reshape(100, 2)
    with pipe(b"x,y\n" + b"".join(b"%d,%d\n" % (x, y) for x, y in rows)):
        assert numbers("-") == rows.T.tolist()


def test_the_last_pass_over_a_pipe_keeps_nothing(pipe, monkeypatch):
    monkeypatch.setattr(records_module, "CHUNK_BYTES", 64)
    lines = b"".join(b"%d,%d\n" % (x, 2 * x) for x in range(5000))
    with pipe(b"x,y\n" + lines), open_table("-", ReadOptions()) as table:
        chosen = Selection(("x",))
        blocks = [table.parse(chunk, chosen) for chunk in table.chunks(chosen, again=False)]
        assert np.hstack([block.values for block in blocks]).tolist() == [list(range(5000))]
        assert 0 < table._source._pipe._copy.n_bytes < len(lines) / 2


def test_a_file_on_standard_input_is_not_copied(make, monkeypatch):
    monkeypatch.setattr(spool_module, "Pipe", None)
    with open(make(PLAIN), "rb") as stream:
        saved = os.dup(0)
        os.dup2(stream.fileno(), 0)
        try:
            with open(0, "rb", closefd=False) as stdin:
                monkeypatch.setattr("sys.stdin", Stdin(stdin))
                assert numbers("-") == [[1, 3], [2, 5]]
        finally:
            os.dup2(saved, 0)
            os.close(saved)


def test_a_named_pipe_is_read(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(PLAIN,))
    writer.start()
    assert numbers(str(path)) == [[1, 3], [2, 5]]
    writer.join()


def test_parquet_on_standard_input_is_recognised(pipe):
    out = io.BytesIO()
    pq.write_table(pa.table({"x": [1, 3], "y": [2.0, 5.0]}), out)
    with pipe(out.getvalue()):
        assert numbers("-") == [[1, 3], [2, 5]]


def test_a_full_disk_is_named(pipe, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with pipe(PLAIN) as stream:
        scratch = spool_module.Scratch("standard input")
        kept = spool_module.Pipe(stream, scratch)
        monkeypatch.setattr(kept._copy.file, "write", full)
        with pytest.raises(DataError, match="No space left on device") as caught:
            kept.read_at(0, 10)
        kept.close()
        scratch.close()
    assert "TMPDIR" in caught.value.advice


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing.csv", "cannot read .*nothing.csv: No such file"),
        (".", "holds no Parquet file"),
        ("*.parquet", "no file matches"),
    ],
)
def test_what_is_not_there_or_no_file(tmp_path, name, message):
    with pytest.raises(DataError, match=message):
        open_table(str(tmp_path / name), ReadOptions())


def test_a_closed_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DataError, match="standard input is closed"):
        open_table("-", ReadOptions())


def test_an_unknown_format_is_a_usage_error(make):
    with pytest.raises(UsageError, match="unknown input format 'xlsx'"):
        open_table(make(PLAIN), ReadOptions(input_format="xlsx"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.csv", ("csv", None)),
        ("b/A.CSV.GZ", ("csv", "gz")),
        ("a.tsv.zst", ("tsv", "zst")),
        ("a.parquet", ("parquet", None)),
        ("a.txt.xz", (None, "xz")),
        ("-", (None, None)),
    ],
)
def test_extensions(path, expected):
    assert split_extension(path) == expected
