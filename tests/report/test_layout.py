"""Tables in bands, and lines onto streams."""

import io

from gmmcli.report.layout import Endless, Grid, available_width, phrases, text, title, write

WIDE = Grid(
    heading=["k", *(f"column {j}" for j in range(6))],
    rows=[[str(i), *(f"{i}.{j}" for j in range(6))] for i in range(3)],
)


def plain(lines):
    return ["".join(span for span, _ in line) for line in lines]


def test_columns_are_aligned_to_the_right_and_named_ones_to_the_left():
    grid = Grid(heading=["name", "n"], rows=[["a", "1"], ["long name", "100"]], left=frozenset({0}))
    assert plain(grid.lines(80)) == ["name         n", "a            1", "long name  100"]


def test_what_does_not_fit_goes_to_further_bands_and_nothing_is_cut():
    for width in (12, 25, 40, 80, 200):
        lines = plain(WIDE.lines(width))
        words = [word for line in lines for word in line.split()]
        assert all(words.count(f"{i}.{j}") == 1 for i in range(3) for j in range(6))
        assert max(map(len, lines)) <= width
    assert len(plain(WIDE.lines(200))) == 4
    assert plain(WIDE.lines(25))[4:6] == ["", "k  column 2  column 3"]


def test_columns_move_together_where_that_saves_a_band():
    tight = plain(WIDE.lines(1 + 6 * 9))
    assert tight[0] == "k column 0 column 1 column 2 column 3 column 4 column 5"
    assert len(tight) == 4
    assert len(plain(WIDE.lines(1 + 6 * 9 - 1))) == 9


def test_on_a_pipe_no_row_is_cut_in_two():
    assert plain(WIDE.lines(Endless(20))) == plain(WIDE.lines(200))


def test_a_column_wider_than_the_width_is_not_cut():
    grid = Grid(heading=["k", "x" * 50], rows=[["0", "1"]])
    assert "x" * 50 in plain(grid.lines(20))[0]


def test_wide_characters_take_two_cells():
    grid = Grid(heading=["名前", "n"], rows=[["a", "1"]], left=frozenset({0}))
    assert plain(grid.lines(80)) == ["名前  n", "a     1"]


def test_a_short_row_ends_with_its_remark():
    grid = Grid(heading=["a", "b", "c"], rows=[["1", "2", "3"], ["4"]], remarks={1: "no luck"})
    assert plain(grid.lines(80)) == ["a  b  c", "1  2  3", "4  no luck"]
    assert plain(grid.lines(4)) == ["a  b", "1  2", "4  no luck", "", "a  c", "1  3"]


def test_phrases_stay_whole():
    assert plain(phrases(["one", "two"], 80, separator="; ")) == ["one; two"]
    assert plain(phrases(["one", "two"], 5, separator="; ")) == ["one", "two"]


class Terminal(io.StringIO):
    encoding = "ascii"

    def isatty(self):
        return True


def test_colour_changes_the_dress_and_never_reads_markup():
    lines = [title("[red]x[/red]"), text("\x1b[31m:smile:", "good"), [("a" * 300, "")]]
    streams = Terminal(), Terminal()
    for stream, color in zip(streams, (False, True), strict=True):
        write(lines, stream, color=color)
    bare, coloured = (stream.getvalue() for stream in streams)
    assert bare.splitlines() == ["[red]x[/red]", r"\x1b[31m:smile:", "a" * 300]
    assert coloured.replace("\x1b[1m", "").replace("\x1b[1;32m", "").replace("\x1b[0m", "") == bare


def test_characters_that_the_stream_lacks_are_escaped():
    stream = Terminal()
    write([text("é 名")], stream, color=False)
    assert stream.getvalue() == "\\xe9 \\u540d\n"


def test_the_width_of_a_stream(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert available_width(io.StringIO()) == 100
    monkeypatch.setenv("COLUMNS", "61")
    assert available_width(io.StringIO()) == available_width(Terminal()) == 61
    assert isinstance(available_width(io.StringIO()), Endless)
    assert not isinstance(available_width(Terminal()), Endless)
