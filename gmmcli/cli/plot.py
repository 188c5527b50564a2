"""gmmcli plot: a picture of a model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gmmcli.cli.paths import check_inputs, check_outputs, picture_format, rows_path
from gmmcli.cli.reading import ModelPath, Reading, Rows, SomeInput
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


def plot(
    model_path: ModelPath,
    path: SomeInput = None,
    *,
    picture: Picture,
    rows: Rows,
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
    source = rows_path(path, taken=model_path == "-")
    _check_rows(source, picture, rows)
    check_inputs({"MODEL": model_path, "INPUT": source})
    check_outputs({"--output": picture.output}, inputs=[source, model_path])

    from gmmcli.data import write_bytes
    from gmmcli.modelfile import read
    from gmmcli.report.plots import check_library, draw, render

    check_library()
    subject = _subject(read(model_path), source, picture, (rows, reading), talk)
    write_bytes(picture.output, render(draw(picture.kind, subject), file_format))
    talk.note(f"{picture.kind} drawn to {picture.output}")


def _check_rows(source: str | None, picture: Picture, rows: Rows) -> None:
    """Refuse a picture of rows without any, and options about them. UsageError."""
    if source is None and picture.kind in _NEED_ROWS:
        message = f"--kind {picture.kind} draws rows, and no INPUT is given"
        advice = "name the table, or - for standard input; density and boundaries need no rows"
        raise UsageError(message, advice)
    rows.check(source)


def _subject(
    model: "Model",
    source: str | None,
    picture: Picture,
    reading: tuple[Rows, Reading],
    talk: Talk,
) -> "Subject":
    from gmmcli.cli.surveying import sampled
    from gmmcli.cli.threads import threads
    from gmmcli.data import choose_among, open_table
    from gmmcli.report.models import axes_of
    from gmmcli.report.plots import KINDS, subject_of

    rows, how = reading
    chosen: tuple[str, ...] = ()
    if picture.columns:
        chosen = choose_among(axes_of(model), picture.columns, owner="the model")
    if source is None:
        return subject_of(model, None, chosen=chosen)
    KINDS[picture.kind].check_columns(axes_of(model), chosen)
    with open_table(source, how.options()) as table, threads(rows.threads) as pool:
        some = sampled(table, model, rows, pool=pool, talk=talk)
    return subject_of(model, some, chosen=chosen)
