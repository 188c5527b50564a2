"""gmmcli select-k: how many clusters, and of which shape."""

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from gmmcli.cli.options import (
    COVARIANCE_HELP,
    Covariance,
    Criterion,
    Saving,
    Search,
    completing,
)
from gmmcli.cli.paths import check_outputs, input_path, on_stdout
from gmmcli.cli.reading import Choosing, Input
from gmmcli.cli.talk import Talk
from gmmcli.errors import FitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gmmcli.cli.fitting import Rows
    from gmmcli.execution import Executor
    from gmmcli.mixture.selection import Cell

_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")
_MOST_COUNTS = 1000
_STRUCTURES: tuple[str, ...] = get_args(Covariance)


@dataclass(frozen=True, kw_only=True)
class Candidates(Saving):
    """Candidates."""

    components: Annotated[
        str,
        typer.Option(
            "--components",
            "-k",
            metavar="RANGE",
            help="Numbers of clusters to try: a range such as 1-10, a list such as 2,4,6, or both.",
        ),
    ] = "1-10"
    covariance: Annotated[
        str,
        typer.Option(
            "--covariance",
            "-c",
            metavar="LIST",
            help=f"Shapes to try, with commas between. {COVARIANCE_HELP}",
            autocompletion=completing(_STRUCTURES),
        ),
    ] = ",".join(_STRUCTURES)
    criterion: Annotated[
        Criterion,
        typer.Option(
            "--criterion",
            help="What decides; of each, lower is better. bic: the usual choice; aic: more "
            "clusters, for prediction; icl: as bic, but wants clusters that are well apart.",
        ),
    ] = "bic"
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="TABLE",
            help="Write the table with all digits: CSV, TSV or Parquet by extension; - prints CSV.",
        ),
    ] = None
    best: Annotated[
        bool, typer.Option("--best", help="Print the chosen number of clusters, nothing else.")
    ] = False

    def __post_init__(self) -> None:
        """Refuse what is no range and no list."""
        super().__post_init__()
        _ = self.counts, self.structures

    def outputs(self) -> dict[str, str | None]:
        """What is to be written where."""
        return {"--output": self.output, "--model": self.model, "--labels": self.labels}

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers that `1-10`, `2,4,6` or `1-3,8` stand for, once each."""
        counts: dict[int, None] = {}
        for part in self.components.split(","):
            match = _RANGE.fullmatch(part.strip())
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
            if not 1 <= first <= last or last - first >= _MOST_COUNTS:
                message = f"-k {self.components}: {part!r} is no number of clusters and no range"
                raise UsageError(message, "write a range such as 1-10, or a list such as 2,4,6")
            counts.update(dict.fromkeys(range(first, last + 1)))
        return tuple(counts)

    @property
    def structures(self) -> tuple[str, ...]:
        """The covariance structures, once each."""
        names = [name.strip() for name in self.covariance.split(",")]
        for name in names:
            if name not in _STRUCTURES:
                message = f"-c {self.covariance}: {name!r} is no covariance structure"
                raise UsageError(message, f"there are {', '.join(_STRUCTURES)}")
        return tuple(dict.fromkeys(names))


def select_k(
    context: typer.Context,
    path: Input = None,
    *,
    candidates: Candidates,
    choosing: Choosing,
    search: Search,
    talk: Talk,
) -> None:
    """Compare numbers of clusters and shapes.

    Fits every number of clusters under every covariance structure and prints log-likelihood,
    parameters, BIC, AIC and ICL of each, the best marked. The best fit can be saved as it is.

    For example:
      gmmcli select-k data.csv
      gmmcli select-k data.csv -k 1-6 -c full,diag -m best.json -l labelled.csv
      gmmcli fit data.csv -k $(gmmcli select-k data.csv -c full --best -q)
    """
    source = input_path(context, path)
    outputs = candidates.outputs()
    claims = {flag: target == "-" for flag, target in outputs.items()}
    aside = on_stdout({**claims, "--best": candidates.best})
    check_outputs(outputs, inputs=[source])

    from gmmcli.cli.fitting import gather, save, warn_of_result
    from gmmcli.cli.labelling import threads
    from gmmcli.data import open_table, write_text
    from gmmcli.mixture.selection import best as best_of
    from gmmcli.report.criteria import criteria_table

    with open_table(source, choosing.options()) as table, threads(search.threads) as pool:
        rows = gather(table, choosing, talk=talk, pool=pool)
        cells = fit_cells(rows, candidates, search, pool=pool, talk=talk)
        chosen = best_of(cells, candidates.criterion) if any(c.result for c in cells) else None
        if candidates.output is not None and candidates.output != "-":
            write_cells(cells, chosen, candidates.output)
        if chosen is not None and chosen.result is not None:
            warn_of_result(chosen.result, talk)
            model = rows.model(chosen.result)
            save(model, table, candidates, missing=choosing.missing, pool=pool, talk=talk)
    # standard output last: whoever closes it must not lose a file by it
    if candidates.output == "-":
        write_cells(cells, chosen, "-")
    talk.show(partial(criteria_table, cells, chosen, candidates.criterion), aside=aside)
    if chosen is None:
        raise FitError("none of the candidates could be fitted", "the table says why")
    if candidates.best:
        write_text("-", f"{chosen.n_components}\n")


def fit_cells(
    rows: "Rows", candidates: Candidates, search: Search, *, pool: "Executor", talk: Talk
) -> "list[Cell]":
    """Fit every candidate, in the order of the table."""
    from gmmcli.cli.fitting import fit_options
    from gmmcli.cli.watching import observer
    from gmmcli.mixture.selection import grid

    cells: list[Cell] = []
    n_cells = len(candidates.counts) * len(candidates.structures)
    with talk.progress(every=search.log_every) as line:
        for cell in grid(
            rows.batches,
            candidates.counts,
            covariance_types=candidates.structures,
            options=fit_options(search),
            workers=pool,
            observe=observer(line, lambda: f"fit {len(cells) + 1} of {n_cells}, "),
        ):
            cells.append(cell)  # noqa: PERF402 - the line that moves counts them
    return cells


def write_cells(cells: "Sequence[Cell]", best: "Cell | None", path: str) -> None:
    """Write the table of criteria with all digits; an unfitted cell has a reason instead."""
    from gmmcli.data import AppendedColumn, open_writer

    numbers = ("log_likelihood", "n_parameters", "bic", "aic", "icl", "n_iter")
    kinds = {"covariance": "text", "k": "int", **dict.fromkeys(numbers, "float")}
    kinds |= {"n_parameters": "int", "n_iter": "int"}
    kinds |= dict.fromkeys(("converged", "best", "reason"), "text")
    values: dict[str, list[Any]] = {name: [] for name in kinds}
    for cell in cells:
        values["covariance"].append(cell.covariance_type)
        values["k"].append(cell.n_components)
        for name in numbers:
            values[name].append(getattr(cell.result, name, None))
        converged = cell.result and ("yes" if cell.result.converged else "no")
        values["converged"].append(converged)
        values["best"].append("yes" if cell is best else "no")
        values["reason"].append(cell.reason or None)
    columns = [AppendedColumn(name, kind) for name, kind in kinds.items()]
    with open_writer(path, like=None, columns=columns) as writer:
        writer.write(None, list(values.values()))
