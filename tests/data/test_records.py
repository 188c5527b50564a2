"""Records are those of Python's csv module and of pyarrow, wherever the chunks are cut."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmmcli.data import records as module
from gmmcli.data.csv_parsing import read_columns
from gmmcli.data.records import RecordReader, split_records
from gmmcli.errors import DataError

nasty = st.text(alphabet='a1,"\n\r', max_size=14)


class Bytes:
    """A stream of bytes, as a source gives it."""

    def __init__(self, content):
        self._file = io.BytesIO(content)

    def read(self, size):
        return self._file.read(size)


def split(text, *, keep_blank=False):
    found, rest = split_records(text.encode(), 0, ",", final=True, keep_blank=keep_blank)
    assert rest == len(text.encode())
    return found


def read_all(content, **how):
    options = {"delimiter": ",", "encoding": "utf-8"}
    return list(RecordReader(Bytes(content), "x.csv", **options).read(**how))


@given(nasty)
def test_as_many_records_as_the_csv_module_finds(text):
    found = split(text)
    theirs = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    if not found.unclosed:
        assert len(found.ends) == len(theirs)


@given(nasty)
def test_the_same_cells_as_the_csv_module(text):
    found = split(text)
    theirs = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    widths = {len(row) for row in theirs}
    if found.unclosed or len(widths) != 1 or widths == {1}:
        return
    (width,) = widths
    ours = read_columns(found, ",", range(width), width)
    assert [list(row.values()) for row in ours.to_pylist()] == theirs


@given(st.lists(st.sampled_from(["", "a", '"b\n"', "1"]), max_size=6), st.sampled_from("\n\r"))
def test_blank_lines_are_records_of_a_table_of_one_column(cells, line_end):
    text = "".join(cell + line_end for cell in cells)
    found = split(text, keep_blank=True)
    ours = read_columns(found, ",", [0], 1) if cells else []
    assert len(found.ends) == len(cells)
    assert [cell.as_py() for column in ours for cell in column] == [c.strip('"') for c in cells]


@given(nasty, st.integers(1, 13))
def test_a_cut_anywhere_changes_no_record(text, cut):
    content = text.encode()
    whole = split(text)
    if whole.unclosed:
        return
    head, rest = split_records(content[:cut], 0, ",", final=False, keep_blank=False)
    tail, _ = split_records(content[rest:], 0, ",", final=True, keep_blank=False)
    assert [*head.ends, *(tail.ends + rest)] == list(whole.ends)


@given(st.lists(st.lists(st.text("ab\n\"',é€", min_size=1), min_size=2, max_size=2), max_size=20))
def test_small_chunks_hold_the_same_bytes(rows):
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    content = out.getvalue().encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK_BYTES", 7)
        chunks = read_all(content)
    assert b"".join(chunk.buffer for chunk in chunks) == content
    assert sum(len(chunk.ends) for chunk in chunks) == len(rows)


def test_blank_lines_are_counted():
    found = split("a,b\n\n\r\n1,2\n")
    assert len(found.ends) == 2
    assert found.n_blank == 2


@pytest.mark.parametrize("text", ['a,b\n1,"2\n3,4\n', 'a,b\n1,"""\n', 'x"y,"a\n'])
def test_a_quote_never_closed_is_found(text):
    with pytest.raises(DataError, match="never closed"):
        read_all(text.encode())


def test_a_quote_never_closed_is_given_up_on(monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", 1 << 10)
    monkeypatch.setattr(module, "LONGEST_RECORD", 1 << 12)
    stream = Bytes(b'a,b\n1,2\n1,"2\n' + b"3,4\n" * 100_000)
    reader = RecordReader(stream, "x.csv", delimiter=",", encoding="utf-8")
    with pytest.raises(DataError, match="row 2 opens a quote") as caught:
        list(reader.read(first=0))
    assert "twice" in caught.value.advice
    assert stream._file.tell() < 10_000


def test_a_line_that_never_ends_is_given_up_on(monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", 1 << 20)
    monkeypatch.setattr(module, "LONGEST_RECORD", 2 << 20)
    with pytest.raises(DataError, match="row 1 has no line end within 2 MB"):
        read_all(b"1,2," * (2 << 20))


def test_nul_bytes_are_named():
    with pytest.raises(DataError, match="row 2 holds a NUL") as caught:
        read_all(b"1,2\n3,\x004\n")
    assert "--encoding utf-16" in caught.value.advice


def test_text_that_is_not_utf_8_is_named():
    with pytest.raises(DataError, match=r"row 3 is not UTF-8 \(byte 0xe9\)") as caught:
        read_all("1,ü\n2,b\n".encode() + b"3,\xe9\n")
    assert "--encoding latin-1" in caught.value.advice


def test_text_that_is_not_in_the_encoding_is_named():
    reader = RecordReader(Bytes(b"1,2\n3,\xe9\n"), "x.csv", delimiter=",", encoding="ascii")
    with pytest.raises(DataError, match="not in the encoding ascii: near byte 7"):
        list(reader.read())
