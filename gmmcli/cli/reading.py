"""The options that say what is read: which input, which rows, which columns."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gmmcli.cli.options import Threads, size
from gmmcli.errors import UsageError

if TYPE_CHECKING:
    from gmmcli.data import ReadOptions

Format = Literal["csv", "tsv", "parquet"]

MISSING_HELP = (
    "NA, N/A, n/a, <NA>, #NA, #N/A, #N/A N/A, NaN, nan, -NaN, -nan, NULL, null, None, 1.#IND, "
    "-1.#IND, 1.#QNAN and -1.#QNAN"
)

Input = Annotated[
    str | None,
    typer.Argument(
        metavar="[INPUT]",
        help="A CSV, TSV or Parquet file, a folder of Parquet files or a quoted pattern of their "
        "names; - or nothing: standard input. Compressed files (gz, bz2, xz, zst) are recognised "
        "by their content.",
        show_default=False,
    ),
]


SomeInput = Annotated[
    str | None,
    typer.Argument(
        metavar="[INPUT]",
        help="The rows: a CSV, TSV or Parquet file, a folder of Parquet files or a quoted pattern "
        "of their names; - is standard input, and so is nothing where something is piped in. "
        "Without rows, what can be told of the model alone.",
        show_default=False,
    ),
]
"""As above, for commands that can do without rows."""

ModelPath = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A model that fit or select-k saved, or one written by hand."
    ),
]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Input."""

    input_format: Annotated[
        Format | None,
        typer.Option(
            "--input-format",
            help="Format of the input, where its extension does not tell. "
            "Standard input is CSV, or Parquet by its first bytes.",
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        typer.Option(
            "--delimiter",
            "-d",
            metavar="CHAR",
            help="Character between the fields; \\t is a tab. Default: a comma, in TSV a tab.",
        ),
    ] = None
    no_header: Annotated[
        bool,
        typer.Option(
            "--no-header", help="The first row holds data. Columns are then called 1, 2, 3 ..."
        ),
    ] = False
    na_values: Annotated[
        list[str] | None,
        typer.Option(
            "--na-values",
            metavar="TEXT",
            help=f"One more spelling of a missing value, beside the empty cell, {MISSING_HELP}. "
            "Repeatable, or several with commas between.",
        ),
    ] = None
    encoding: Annotated[
        str,
        typer.Option("--encoding", metavar="NAME", help="Encoding of CSV and TSV text."),
    ] = "utf-8"

    def options(self) -> "ReadOptions":
        """As the data room takes them."""
        from gmmcli.data import ReadOptions

        values = (value for text in self.na_values or () for value in text.split(","))
        return ReadOptions(
            input_format=self.input_format,
            delimiter="\t" if self.delimiter == r"\t" else self.delimiter,
            header=not self.no_header,
            na_values=tuple(values),
            encoding=self.encoding,
        )


Missing = Annotated[
    Literal["error", "drop"],
    typer.Option(
        "--missing",
        help="Rows with a missing value in a feature: an error that names the first one, or left "
        "out. Left-out rows are still written, with empty results.",
    ),
]

LeavingOut = Annotated[
    Literal["error", "drop"],
    typer.Option(
        "--missing",
        help="Rows with a missing value in a feature: an error that names the first one, or left "
        "out.",
    ),
]
"""As above, for commands that write no rows."""

Weights = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="COLUMN",
        help="Column that holds how often each row counts: 2 is the row twice, 0 is the row "
        "absent. It is no feature.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows."""

    weights: Weights = None
    missing: LeavingOut = "error"
    threads: Threads = None

    def check(self, source: str | None) -> None:
        """Refuse options about rows where there are none. UsageError."""
        missing = self.missing != "error"
        for flag, given in (("--weights", self.weights), ("--missing", missing)):
            if given and source is None:
                message = f"{flag} is about rows, and no INPUT is given"
                raise UsageError(message, "name the table, or - for standard input")


@dataclass(frozen=True, kw_only=True)
class Sizing(Reading):
    """Larger than memory."""

    memory: Annotated[
        int | None,
        typer.Option(
            "--memory",
            parser=size,
            metavar="SIZE",
            help="Memory to use: 500M, 2G, 1.5GiB. Rows that need more are gone over in passes, "
            "from the file (Parquet) or from a temporary copy in TMPDIR (CSV); the result is the "
            "same. The program itself takes about 200M of it. Default: half of what this process "
            "may use.",
            show_default=False,
        ),
    ] = None
    max_spool: Annotated[
        int | None,
        typer.Option(
            "--max-spool",
            parser=size,
            metavar="SIZE",
            help="Room that temporary copies may take: of a pipe, and of rows larger than memory. "
            "Default: what the disk holds.",
            show_default=False,
        ),
    ] = None

    def options(self) -> "ReadOptions":
        """As the data room takes them."""
        return replace(super().options(), max_spool=self.max_spool)


@dataclass(frozen=True, kw_only=True)
class Choosing(Sizing):
    """Rows and columns."""

    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns",
            "-C",
            metavar="SPEC",
            help="Columns to cluster by: names, positions from 1, ranges such as 2-5, !name to "
            "leave one out. Repeatable. Default: every numeric column.",
        ),
    ] = None
    weights: Weights = None
    missing: Missing = "error"
    pca: Annotated[
        int | None,
        typer.Option(
            "--pca",
            min=1,
            metavar="N",
            help="Project the standardised columns on their first N principal components and fit "
            "there. The projection is kept in the model and applied by predict.",
        ),
    ] = None
