"""gmmcli generate: rows from a random mixture, or from a model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gmmcli.cli.options import Output as Path
from gmmcli.cli.options import Prefix, Seed, not_negative
from gmmcli.cli.paths import check_outputs
from gmmcli.cli.talk import Talk
from gmmcli.errors import UsageError

if TYPE_CHECKING:
    from gmmcli.mixture.arrays import FloatArray, IntArray

Kind = Literal["blobs", "stretched", "classification", "random", "unbalanced"]

_BLOCK_ROWS = 100_000


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What to generate."""

    kind: Annotated[
        Kind | None,
        typer.Option(
            "--kind",
            help="blobs: round clusters of one size; stretched: blobs multiplied by one random "
            "matrix; classification: classes on the corners of a cube, and noise columns; "
            "random: shapes, directions and weights of their own; unbalanced: each cluster a "
            "tenth of the one before. [default: blobs]",
        ),
    ] = None
    rows: Annotated[
        int, typer.Option("--rows", "-n", min=1, metavar="N", help="Number of rows.")
    ] = 1000
    features: Annotated[
        int | None,
        typer.Option(
            "--features", "-d", min=1, metavar="D", help="Number of columns. [default: 2]"
        ),
    ] = None
    components: Annotated[
        int | None,
        typer.Option(
            "--components", "-k", min=1, metavar="K", help="Number of clusters. [default: 3]"
        ),
    ] = None
    separation: Annotated[
        float | None,
        typer.Option(
            "--separation",
            parser=not_negative,
            metavar="S",
            help="Distance between the nearest two centres, in standard deviations of a cluster. "
            "[default: 6]",
        ),
    ] = None
    informative: Annotated[
        int | None,
        typer.Option(
            "--informative",
            min=1,
            metavar="M",
            help="With --kind classification: how many columns tell the classes apart; the others "
            "are noise. [default: as few as the classes need]",
        ),
    ] = None
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="Draw from this model instead, saved by fit or written by hand; - reads it from "
            "standard input.",
        ),
    ] = None
    seed: Seed = 0

    def __post_init__(self) -> None:
        """Refuse options that the model, or the kind, leaves without a meaning."""
        if self.model is not None:
            for flag, value in (
                ("--kind", self.kind),
                ("--features", self.features),
                ("--components", self.components),
                ("--separation", self.separation),
                ("--informative", self.informative),
            ):
                if value is not None:
                    message = f"{flag} describes a random mixture, and --model is a given one"
                    raise UsageError(message, "leave one of them out")
        elif self.informative is not None and self.kind != "classification":
            message = "--informative is for --kind classification alone"
            raise UsageError(message, "add --kind classification, or leave it out")


@dataclass(frozen=True, kw_only=True)
class Output:
    """Output."""

    output: Path = "-"
    no_labels: Annotated[
        bool,
        typer.Option("--no-labels", help="Leave out the column label, the true cluster."),
    ] = False
    prefix: Prefix = ""

    def __post_init__(self) -> None:
        """Refuse a name for a column that is not written."""
        if self.prefix and self.no_labels:
            message = "--prefix is about the column label, which --no-labels leaves out"
            raise UsageError(message, "leave one of them out")


def generate(*, problem: Problem, output: Output, talk: Talk) -> None:
    """Generate rows with known clusters.

    The rows come from a random mixture of the kind that is asked for, or from a model file. The
    column label holds the cluster that each row was drawn from. The same seed gives the same rows.

    For example:
      gmmcli generate -n 500 -k 4 > blobs.csv
      gmmcli generate --kind classification -n 5000 -d 25 -k 5 --informative 5 -o classes.csv
      gmmcli generate --model model.json -n 1000 --no-labels | gmmcli predict model.json
    """
    check_outputs({"--output": output.output}, inputs=[problem.model])

    import numpy as np

    from gmmcli.data import AppendedColumn, open_writer
    from gmmcli.modelfile import read
    from gmmcli.report.numerals import count

    if problem.model is None:
        X, labels = _draw(problem)
        names: tuple[str, ...] = tuple(f"x{j + 1}" for j in range(X.shape[1]))
    else:
        model = read(problem.model)
        names = model.columns
        X, labels = model.mixture.sample(problem.rows, np.random.default_rng(problem.seed))
        if model.clusters is not None:
            labels = np.array(model.clusters)[labels]
        if model.projection is not None:
            X = model.projection.shift + (X @ model.projection.components) * model.projection.scale
    columns = [AppendedColumn(name) for name in names]
    values: list[FloatArray | IntArray] = list(X.T)
    if not output.no_labels:
        columns.append(AppendedColumn(_label_name(output, names), "int"))
        values.append(labels)
    with open_writer(output.output, like=None, columns=columns) as writer:
        for first in range(0, problem.rows, _BLOCK_ROWS):
            rows = slice(first, first + _BLOCK_ROWS)
            writer.write(None, [column[rows] for column in values])
    if output.output != "-":
        size = f"{count(problem.rows, 'row')} and {count(len(columns), 'column')}"
        talk.note(f"{size} written to {output.output}")


def _draw(problem: Problem) -> "tuple[FloatArray, IntArray]":
    from gmmcli.mixture.synthesis import Recipe
    from gmmcli.mixture.synthesis import generate as draw

    standard = Recipe()
    recipe = Recipe(
        n_features=problem.features or standard.n_features,
        n_components=problem.components or standard.n_components,
        separation=standard.separation if problem.separation is None else problem.separation,
        n_informative=problem.informative,
        seed=problem.seed,
    )
    return draw(problem.kind or "blobs", problem.rows, recipe)


def _label_name(output: Output, names: "tuple[str, ...]") -> str:
    name = f"{output.prefix}label"
    if name in names:
        message = f"the model has a column '{name}' already"
        raise UsageError(message, "choose another name with --prefix, or give --no-labels")
    return name
