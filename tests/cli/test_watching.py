"""What the line that moves is told."""

from itertools import pairwise

from data.blocks import blocks_of

from gmmcli.cli.watching import observer, watched
from gmmcli.data import ReadOptions, Selection, open_table
from gmmcli.execution import executor
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.fitting import fit
from gmmcli.mixture.options import FitOptions


class Line:
    def __init__(self):
        self.shown = []

    def show(self, text):
        self.shown.append(text)


def test_rows_that_go_by(overlapping):
    line = Line()
    with open_table(str(overlapping), ReadOptions()) as table, executor(2) as pool:
        chunks = table.chunks(Selection(table.columns))
        sizes = list(watched(pool, line, "reading")(lambda chunk: chunk.n_rows, chunks))
    assert sum(sizes) == 600
    assert line.shown[-1] == "reading: 600 rows, 100%"


def test_steps_of_em(overlapping):
    line = Line()
    with open_table(str(overlapping), ReadOptions()) as table:
        (block,) = blocks_of(table, Selection(table.columns))
    options = FitOptions(init="random")
    fit(ArrayBatches(block.values), 2, options=options, observe=observer(line))
    assert all(": iteration " in text and ", log-likelihood -" in text for text in line.shown)
    assert len(line.shown) > 2
    assert not any(", gain nan" in text for text in line.shown)
    # all but the first of a run have gained something
    iterations = [int(text.split("iteration ")[1].split(",")[0]) for text in line.shown]
    rises = [later > earlier for earlier, later in pairwise(iterations)]
    assert any(rises)
    for text, is_later in zip(line.shown[1:], rises, strict=True):
        assert not is_later or ", gain " in text


def test_a_run_that_begins_anew_under_the_same_name_has_no_speed(overlapping):
    line = Line()
    with open_table(str(overlapping), ReadOptions()) as table:
        (block,) = blocks_of(table, Selection(table.columns))
    start = fit(ArrayBatches(block.values), 2, options=FitOptions()).model
    observe = observer(line)
    for _ in range(2):
        fit(ArrayBatches(block.values), 2, options=FitOptions(), start=start, observe=observe)
    begins = [text for text in line.shown if text.startswith("given start: iteration 0,")]
    assert len(begins) == 2
    assert not any("rows a second" in text for text in begins)


def test_the_place_among_others(overlapping):
    line = Line()
    with open_table(str(overlapping), ReadOptions()) as table:
        (block,) = blocks_of(table, Selection(table.columns))
    observe = observer(line, lambda: "fit 2 of 3, ")
    fit(ArrayBatches(block.values), 1, options=FitOptions(), observe=observe)
    assert all(text.startswith("fit 2 of 3, ") for text in line.shown)
    assert line.shown


def test_a_copy_of_the_process_shows_nothing(overlapping, monkeypatch):
    line = Line()
    with open_table(str(overlapping), ReadOptions()) as table:
        (block,) = blocks_of(table, Selection(table.columns))
    observe = observer(line)
    monkeypatch.setattr("gmmcli.cli.watching.os.getpid", lambda: -1)
    fit(ArrayBatches(block.values), 1, options=FitOptions(), observe=observe)
    assert not line.shown
