"""gmmcli report: a page about a model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gmmcli.cli.options import Threads
from gmmcli.cli.paths import check_inputs, check_outputs, check_page, words_of
from gmmcli.cli.reading import LeavingOut, Reading, Weights
from gmmcli.cli.talk import Talk
from gmmcli.errors import UsageError

if TYPE_CHECKING:
    from gmmcli.modelfile import Model
    from gmmcli.report.page import Census


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Report."""

    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Where to write the page: .html; - is standard output.",
        ),
    ] = "-"
    weights: Weights = None
    missing: LeavingOut = "error"
    threads: Threads = None

    def check(self, source: str | None) -> None:
        """Refuse options about rows where there are none."""
        missing = self.missing != "error"
        for flag, given in (("--weights", self.weights), ("--missing", missing)):
            if given and source is None:
                message = f"{flag} is about rows, and no INPUT is given"
                raise UsageError(message, "name the table, or - for standard input")


def report(
    context: typer.Context,
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
            "pattern of their names; - is standard input. Without it, the report is of the model "
            "alone.",
            show_default=False,
        ),
    ] = None,
    *,
    paper: Paper,
    reading: Reading,
    talk: Talk,
) -> None:
    """Write a page about a model, and rows.

    It is one HTML file, to be read, printed or mailed. It tells what was run, how the fit went,
    how large the clusters are, where they lie and how many rows are in doubt, draws them, and
    says what to run next. The file asks no host for anything. Pictures need matplotlib:
    python3 -m pip install 'gmmcli[plot]'.

    For example:
      gmmcli report model.json data.csv -o report.html
      gmmcli report model.json -o report.html
      gmmcli report model.json data.csv --missing drop > report.html
    """
    check_page("--output", paper.output)
    paper.check(path)
    check_inputs({"MODEL": model_path, "INPUT": path})
    check_outputs({"--output": paper.output}, inputs=[path, model_path])

    from gmmcli.cli.following import after_report
    from gmmcli.cli.reporting import account, write_page
    from gmmcli.modelfile import read

    model = read(model_path)
    census = None if path is None else _census(model, path, paper, reading, talk)
    told = account(
        model,
        command=words_of(context),
        census=census,
        following=after_report(model_path, path, model.columns, paper=paper, reading=reading),
    )
    write_page(paper.output, told, talk)


def _census(model: "Model", path: str, paper: Paper, reading: Reading, talk: Talk) -> "Census":
    from gmmcli.cli.labelling import threads
    from gmmcli.cli.surveying import take_census
    from gmmcli.data import open_table

    with open_table(path, reading.options()) as table, threads(paper.threads) as pool:
        return take_census(
            table,
            model,
            weights=paper.weights,
            missing=paper.missing,
            pool=pool,
            talk=talk,
            again=False,
        )
