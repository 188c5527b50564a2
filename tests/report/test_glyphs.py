"""Bars and sparklines, in block characters and in ASCII."""

import io
import math

import pytest

from gmmcli.report.glyphs import bar, has_blocks, in_ascii, sparkline
from gmmcli.report.layout import text, write


@pytest.mark.parametrize(
    ("share", "drawn"),
    [
        (0, ""),
        (1e-9, "▏"),
        (0.5, "████"),
        (0.5 + 3 / 64, "████▍"),
        (0.999, "████████"),
        (1, "█" * 8),
    ],
)
def test_a_bar_is_as_long_as_its_share(share, drawn):
    assert bar(share, 8) == drawn


def test_only_the_best_has_the_lowest_height():
    drawn = sparkline([49.0, 1e-9, 0.0, 4.0, 25.0, math.inf], 49.0)
    assert drawn == "█▂▁▃▆·"
    assert in_ascii(drawn) == "#._:+ "


def test_one_scale_for_several_lines():
    assert sparkline([0.0, 1.0], 100.0) == "▁▂"
    assert sparkline([0.0, 100.0], 100.0) == "▁█"
    assert sparkline([0.0], 0.0) == "▁"


def test_ascii_takes_the_same_cells():
    for share in range(65):
        drawn = bar(share / 64, 8)
        assert in_ascii(drawn).isascii()
        assert len(in_ascii(drawn)) == len(drawn)


class Stream(io.StringIO):
    def __init__(self, encoding):
        super().__init__()
        self._encoding = encoding

    encoding = property(lambda self: self._encoding)


@pytest.mark.parametrize(
    ("encoding", "locale", "blocks"),
    [
        ("utf-8", {"LC_ALL": "C.UTF-8"}, True),
        ("utf-8", {"LC_ALL": "", "LC_CTYPE": "", "LANG": "de_DE.UTF-8"}, True),
        ("utf-8", {"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, False),
        ("utf-8", {"LC_ALL": "", "LC_CTYPE": "POSIX", "LANG": "de_DE.UTF-8"}, False),
        ("utf-8", {"LC_ALL": "", "LC_CTYPE": "", "LANG": ""}, False),
        ("latin-1", {"LC_ALL": "de_DE"}, False),
        ("ascii", {"LC_ALL": "C.UTF-8"}, False),
    ],
)
def test_blocks_are_for_those_who_can_see_them(monkeypatch, encoding, locale, blocks):
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    stream = Stream(encoding)
    assert has_blocks(stream) == blocks
    write([[("1 ", ""), ("█▍", "glyphs")], text("name#-")], stream, color=False)
    assert stream.getvalue() == ("1 █▍\nname#-\n" if blocks else "1 #-\nname#-\n")


def test_a_name_of_block_characters_is_a_name(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    stream = Stream("utf-8")
    write([text("█")], stream, color=False)
    assert stream.getvalue() == "█\n"
