"""gmmcli report: a page about a model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gmmcli.cli.paths import (
    check_inputs,
    check_outputs,
    check_page,
    output_path,
    rows_path,
    words_of,
)
from gmmcli.cli.reading import ModelPath, Reading, Rows, SomeInput
from gmmcli.cli.talk import Talk

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
            parser=output_path,
            help="Where to write the page: .html; - is standard output.",
        ),
    ] = "-"


def report(
    context: typer.Context,
    model_path: ModelPath,
    path: SomeInput = None,
    *,
    paper: Paper,
    rows: Rows,
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
    source = rows_path(path, taken=model_path == "-")
    rows.check(source)
    check_inputs({"MODEL": model_path, "INPUT": source})
    check_outputs({"--output": paper.output}, inputs=[source, model_path])

    from gmmcli.cli.following import after_report
    from gmmcli.cli.reporting import account, write_page
    from gmmcli.modelfile import read

    model = read(model_path)
    census = None if source is None else _census(model, source, rows, reading, talk)
    told = account(
        model,
        command=words_of(context),
        census=census,
        following=after_report(model_path, source, model.columns, rows=rows, reading=reading),
    )
    write_page(paper.output, told, talk)


def _census(model: "Model", source: str, rows: Rows, reading: Reading, talk: Talk) -> "Census":
    from gmmcli.cli.surveying import take_census
    from gmmcli.cli.threads import threads
    from gmmcli.data import open_table
    from gmmcli.report.fits import unlike

    with open_table(source, reading.options()) as table, threads(rows.threads) as pool:
        census = take_census(table, model, rows, pool=pool, talk=talk)
    for warning in unlike(model.fit, census.likeness / census.weight):
        talk.warning(warning)
    return census
