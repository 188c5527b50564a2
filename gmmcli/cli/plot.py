"""gmmcli plot: a picture of a model."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gmmcli.cli.options import Threads
from gmmcli.cli.paths import check_inputs, check_outputs, picture_format
from gmmcli.cli.reading import LeavingOut, Reading, Weights
from gmmcli.cli.talk import Talk
from gmmcli.errors import UsageError

if TYPE_CHECKING:
    from gmmcli.modelfile import Model
    from gmmcli.report.plots import Subject

PictureKind = Literal["classification", "points", "boundaries", "density", "uncertainty", "pairs"]

_NEED_ROWS = ("classification", "points", "uncertainty")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Picture."""

    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Where to draw: .png, .svg or .pdf. The same model and rows give the same bytes.",
        ),
    ]
    kind: Annotated[
        PictureKind,
        typer.Option(
            "--kind",
            help="classification: rows by cluster, with means and the ellipses that hold 50 % and "
            "95 % of each; points: rows alone; boundaries: which cluster is the most probable at "
            "each place; density: contours of the mixture, of one column its curve and a "
            "histogram; uncertainty: rows, the larger and darker the less certain their cluster; "
            "pairs: up to six columns, each with each other.",
        ),
    ] = "classification"
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns",
            "-C",
            metavar="SPEC",
            help="Columns of the model that are the axes: names, positions in the model from 1, "
            "ranges such as 2-5, !name to leave one out. Repeatable. Default: both of two; of "
            "more, the two directions in which the clusters differ most; for pairs, the first "
            "six. Of a model with --pca: PC1, PC2 ...",
        ),
    ] = None
    weights: Weights = None
    missing: LeavingOut = "error"
    threads: Threads = None


def plot(
    model_path: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A model that fit or select-k saved, or one written by hand."
        ),
    ],
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="[INPUT]",
            help="The rows: a CSV, TSV or Parquet file, a folder of Parquet files or a quoted "
            "pattern of their names; - is standard input. Without it, boundaries, density and "
            "pairs are of the model alone; the other kinds read standard input.",
            show_default=False,
        ),
    ] = None,
    *,
    picture: Picture,
    reading: Reading,
    talk: Talk,
) -> None:
    """Draw a picture of a model, and of rows.

    Of more than 20,000 rows so many are drawn, the same ones each time, and the picture says so.
    Needs matplotlib: python3 -m pip install 'gmmcli[plot]'.

    For example:
      gmmcli plot model.json data.csv -o clusters.svg
      gmmcli plot model.json data.csv --kind boundaries -C height -C weight -o regions.png
      gmmcli plot model.json --kind density -o density.pdf
    """
    file_format = picture_format(picture.output)
    source = _source(path, picture)
    check_inputs({"MODEL": model_path, "INPUT": source})
    check_outputs({"--output": picture.output}, inputs=[source, model_path])

    from gmmcli.data import write_bytes
    from gmmcli.modelfile import read
    from gmmcli.report.plots import check_library, draw, render

    check_library()
    subject = _subject(read(model_path), source, picture, reading, talk)
    write_bytes(picture.output, render(draw(picture.kind, subject), file_format))
    talk.note(f"{picture.kind} drawn to {picture.output}")


def _source(path: str | None, picture: Picture) -> str | None:
    """Where the rows are; None for a picture of the model alone."""
    if path is not None:
        return path
    if picture.kind in _NEED_ROWS:
        if sys.stdin is None or sys.stdin.isatty():
            message = f"--kind {picture.kind} draws rows, and no INPUT is given"
            raise UsageError(message, "name the table, or - for standard input")
        return "-"
    for flag, given in (("--weights", picture.weights), ("--missing", picture.missing != "error")):
        if given:
            raise UsageError(f"{flag} is about rows, and no INPUT is given", "name the table")
    return None


def _subject(
    model: "Model", source: str | None, picture: Picture, reading: Reading, talk: Talk
) -> "Subject":
    from gmmcli.cli.drawing import axes_of, sampled, subject
    from gmmcli.cli.labelling import threads
    from gmmcli.data import choose_among, open_table
    from gmmcli.report.plots import KINDS

    chosen: tuple[str, ...] = ()
    if picture.columns:
        chosen = choose_among(axes_of(model), picture.columns, owner="the model")
    if source is None:
        return subject(model, None, chosen=chosen)
    KINDS[picture.kind].check_columns(axes_of(model), chosen)
    with open_table(source, reading.options()) as table, threads(picture.threads) as pool:
        some = sampled(
            table,
            model,
            weights=picture.weights,
            missing=picture.missing,
            pool=pool,
            talk=talk,
        )
    return subject(model, some, chosen=chosen)
