"""The line that moves."""

import io

import pytest

from gmmcli.report import progress
from gmmcli.report.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves on, and a terminal of 40 columns."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setenv("COLUMNS", "40")
    return now


def test_nothing_for_a_second_then_not_too_often_and_gone_at_the_end(clock):
    stream = Terminal()
    with Progress(stream, wanted=True) as line:
        for clock[0], word in ((0.5, "early"), (1.2, "first"), (1.25, "soon"), (1.4, "second")):
            line.show(word)
    shown = stream.getvalue()
    assert "early" not in shown
    assert "soon" not in shown
    assert shown.index("first") < shown.index("second")
    assert shown.endswith("\r" + " " * 39 + "\r")


def test_a_long_or_odd_text_stays_on_its_line(clock):
    stream = Terminal()
    line = Progress(stream, wanted=True)
    clock[0] = 2
    line.show("x\n\x1b[2J" + "y" * 100)
    assert r"x\n\x1b[2J" in stream.getvalue()
    assert max(map(len, stream.getvalue().split("\r"))) == 39


@pytest.mark.parametrize(("stream", "wanted"), [(io.StringIO(), True), (Terminal(), False)])
def test_silent_where_nobody_looks_or_wants_it(clock, stream, wanted):
    with Progress(stream, wanted=wanted) as line:
        clock[0] = 5
        line.show("word")
    assert stream.getvalue() == ""


def test_a_terminal_that_is_gone_stops_nothing(clock):
    class Gone(Terminal):
        def write(self, _text):
            raise BrokenPipeError

    with Progress(Gone(), wanted=True) as line:
        clock[0] = 5
        line.show("word")

    with Progress(None, wanted=True) as line:
        line.show("word")
