"""Pictures of a fitted mixture: the only room that imports matplotlib.

    subject.py         what is drawn: a mixture and a sample of rows; the kinds
    sampling.py        at most 20,000 rows of a stream, the same ones each time
    plane.py           the one or two axes of a picture, and mixture and rows in them
    names.py           text from data, made fit for a picture
    palette.py         colours and markers
    canvas.py          figure, legend, points, ellipses: what the kinds draw on
    curves.py          a mixture in one column
    classification.py points.py boundaries.py density.py uncertainty.py pairs.py   one kind each
    criteria.py        the criteria of select-k
    rendering.py       style, and a figure -> the bytes of a file, the same each time

Nothing here touches pyplot or a display, and matplotlib is imported when a picture is drawn.
"""

import logging
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from gmmcli.errors import OutputError
from gmmcli.mixture.selection import Cell
from gmmcli.report.plots.subject import KINDS, Kind, Subject, subject_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "FORMATS",
    "KINDS",
    "Kind",
    "Subject",
    "check_library",
    "draw",
    "draw_criteria",
    "render",
    "subject_of",
]

FORMATS = ("png", "svg", "pdf")


def check_library() -> None:
    """Raise OutputError where matplotlib is not installed; costs nothing where it is."""
    # before it is loaded: that it builds a font cache is not for the user to hear of
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    if find_spec("matplotlib") is None:
        raise OutputError(
            "pictures need matplotlib, which is not installed",
            "install it with: python3 -m pip install 'gmmcli[plot]'",
        )


def draw(kind: str, subject: Subject) -> "Figure":
    """One picture.

    Parameters
    ----------
    kind : a name in KINDS.

    Raises
    ------
    UsageError : the kind needs rows or columns that the subject does not have.
    OutputError : matplotlib is not installed.
    """
    check_library()
    KINDS[kind].check(subject)
    with import_module("gmmcli.report.plots.rendering").style():
        figure: Figure = import_module(f"gmmcli.report.plots.{kind}").figure(subject)
    return figure


def draw_criteria(cells: Sequence[Cell], best: Cell, criterion: str) -> "Figure":
    """The criteria over K, a line a structure, the best marked; the chosen criterion first.

    Raises
    ------
    OutputError : matplotlib is not installed.
    """
    check_library()
    with import_module("gmmcli.report.plots.rendering").style():
        figure: Figure = import_module("gmmcli.report.plots.criteria").figure(
            cells, best, criterion
        )
    return figure


def render(figure: "Figure", file_format: str) -> bytes:
    """The bytes of a file, one of FORMATS; the same figure gives the same bytes."""
    rendered: bytes = import_module("gmmcli.report.plots.rendering").render(figure, file_format)
    return rendered
