"""The options that commands share: each written once, with the help that documents it.

The values that `--init`, `--criterion` and the like accept are written here a second time, since
help must not load NumPy; a test holds them to the engine's own tables.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from gmmcli.cli.paths import output_path, table_path
from gmmcli.errors import UsageError
from gmmcli.mixture.shapes import described, spelled

Init = Literal["auto", "kmeans", "random", "hierarchical"]
Criterion = Literal["bic", "aic", "aicc", "icl", "sabic", "entropy"]
WeightPrior = Literal["dirichlet-process", "dirichlet"]

# \b is how typer is told to leave a paragraph as it is
SHAPES_HELP = "\n".join(["", "", "\b", *described()])


def shape(text: str) -> str:
    """The name of a covariance structure, in any case, as it is spelled."""
    name = spelled(text.strip())
    if name is None:
        message = f"-c: {text!r} is no covariance structure"
        raise UsageError(
            message, "these are, with what clusters share and what is their own:", described()
        )
    return name


def positive(text: str) -> float:
    """A number greater than 0, as an option takes it."""
    return _number(text, lambda value: value > 0, "a number greater than 0")


def not_negative(text: str) -> float:
    """A number that is 0 or greater, as an option takes it."""
    return _number(text, lambda value: value >= 0, "a number that is 0 or greater")


_SIZE = re.compile(r"(\d+(?:\.\d*)?|\.\d+) *(?:([kmgt])(i?)b?|b)?", re.IGNORECASE)


def size(text: str) -> int:
    """A number of bytes: 500M, 2GB, 1.5GiB."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise typer.BadParameter(f"{text!r} is not a size such as 500M, 2G or 1.5GiB.")
    unit = 1024 if found[3] else 1000
    return int(float(found[1]) * unit ** (" kmgt".index((found[2] or " ").lower())))


def _number(text: str, accepts: Callable[[float], bool], meaning: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and accepts(value)):
        raise typer.BadParameter(f"{text!r} is not {meaning}.")
    return value


def completing(words: Mapping[str, str]) -> Callable[[str], list[tuple[str, str]]]:
    """Shell completion for the last of several comma-separated words, with their meanings."""

    def complete(incomplete: str) -> list[tuple[str, str]]:
        before, comma, _ = incomplete.rpartition(",")
        return [(f"{before}{comma}{word}", meaning) for word, meaning in words.items()]

    return complete


Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        metavar="N",
        help="Threads to use; results do not depend on it. Default: the CPUs this process may use.",
        show_default=False,
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", min=0, metavar="N", help="Seed of everything random; recorded."),
]
Prefix = Annotated[
    str,
    typer.Option(
        "--prefix",
        metavar="TEXT",
        help="Put before the names of the columns that are added, should they clash with names "
        "in the input.",
        show_default=False,
    ),
]
Proba = Annotated[
    bool,
    typer.Option(
        "--proba",
        help="Add columns p_0, p_1 ...: the probability that the row belongs to each cluster.",
    ),
]


Table = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="TABLE",
        parser=table_path,
        help="Write the table with all digits: CSV, TSV or Parquet by extension; - prints CSV.",
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        parser=table_path,
        help="Where to write the rows: CSV, TSV or Parquet by extension; - is standard output.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Output."""

    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="PATH",
            parser=output_path,
            help="Save the model as JSON, for predict, generate and --start; - prints it.",
        ),
    ] = None
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            "-l",
            metavar="PATH",
            parser=table_path,
            help="Write the input rows, unchanged and in order, with a column cluster (0 is the "
            "largest). CSV, TSV or Parquet by extension; - prints them.",
        ),
    ] = None
    proba: Proba = False
    prefix: Prefix = ""

    def __post_init__(self) -> None:
        """Refuse options about rows where no rows are written."""
        for flag, given in (("--proba", self.proba), ("--prefix", self.prefix)):
            if given and self.labels is None:
                advice = "add --labels PATH, or --labels - for standard output"
                raise UsageError(f"{flag} is about the rows that --labels writes", advice)


@dataclass(frozen=True, kw_only=True)
class Search:
    """Fitting."""

    init: Annotated[
        Init | None,
        typer.Option(
            "--init",
            help="Starts: k-means, random, hierarchical (model-based and Ward), or auto: several "
            "of each kind, short runs, split and merge, the best to the end. [default: auto]",
        ),
    ] = None
    n_init: Annotated[
        int | None,
        typer.Option(
            "--n-init",
            min=1,
            metavar="N",
            help="How many starts of that kind; of auto, how many portfolios. [default: 1]",
        ),
    ] = None
    tol: Annotated[
        float | None,
        typer.Option(
            "--tol",
            parser=positive,
            metavar="X",
            help="When to stop. By likelihood: what the log-likelihood has still to gain "
            "(Aitken's estimate), in nats a row [default: 1e-8]. By parameters: their largest "
            "change; of weights as it is, of means in standard deviations, of covariances in "
            "proportion [default: 1e-6].",
        ),
    ] = None
    converge_on: Annotated[
        Literal["likelihood", "parameters"],
        typer.Option("--converge-on", help="What has to come to rest."),
    ] = "likelihood"
    max_iter: Annotated[
        int,
        typer.Option(
            "--max-iter",
            min=0,
            metavar="N",
            help="EM iterations at most, over all rows; as many on each sample of them.",
        ),
    ] = 1000
    reg_covar: Annotated[
        float | None,
        typer.Option(
            "--reg-covar",
            parser=not_negative,
            metavar="A",
            help="Regularisation: each covariance is drawn towards that of all the data as by 2A "
            "rows. 0 is pure maximum likelihood. [default: 1 / number of rows]",
        ),
    ] = None
    seed: Seed = 0
    threads: Threads = None
    log_every: Annotated[
        float | None,
        typer.Option(
            "--log-every",
            parser=positive,
            metavar="SECONDS",
            help="Say on standard error how far the fit is, a line every so many seconds, "
            "terminal or not.",
        ),
    ] = None
