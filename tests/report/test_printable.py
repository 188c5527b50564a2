"""Text from data, made safe for a terminal."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from gmmcli.report.printable import printable, width


def test_what_a_terminal_would_obey_is_shown_instead():
    assert printable("a\x1b[31m\x07\x9b1m") == r"a\x1b[31m\x07\x9b1m"
    assert printable("x\u202ey\u2066z\u200f") == r"x\u202ey\u2066z\u200f"
    assert printable("line\nbreak\ttab\rreturn\u2028") == r"line\nbreak\ttab\rreturn\u2028"
    assert printable("time[s] [/x] 名前 é") == "time[s] [/x] 名前 é"


@given(st.text())
def test_nothing_that_is_printed_controls_anything(text):
    shown = printable(text)
    assert not any(
        unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs") for character in shown
    )
    assert not set(shown) & {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
    assert printable(shown) == shown


def test_width_is_in_cells():
    assert width("abc") == 3
    assert width("名前") == 4
    assert width("e\u0301") == 1
