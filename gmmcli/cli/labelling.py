"""Rows of a table through a model to a table with their clusters.

The same rows come out as went in, in their order, in constant memory. fit, select-k and predict
all label here, so the same model gives the same bytes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmcli.cli.talk import Talk
from gmmcli.cli.watching import watched
from gmmcli.data import (
    AppendedColumn,
    Block,
    Selection,
    Table,
    limit_threads,
    match_columns,
    open_writer,
)
from gmmcli.errors import DataError
from gmmcli.execution import Executor, executor
from gmmcli.modelfile import Model


@dataclass(frozen=True, kw_only=True)
class Results:
    """Which columns are added to the rows, and what a row with a missing value is.

    missing : "error", or "drop" for empty cells in the added columns.
    """

    proba: bool = False
    log_density: bool = False
    uncertainty: bool = False
    prefix: str = ""
    missing: str = "error"

    def columns(self, model: Model) -> list[AppendedColumn]:
        """The names and kinds of the added columns, in order."""
        columns = [AppendedColumn(f"{self.prefix}cluster", "int")]
        if self.proba:
            columns += [
                AppendedColumn(f"{self.prefix}p_{k}") for k in range(model.mixture.n_components)
            ]
        if self.log_density:
            columns.append(AppendedColumn(f"{self.prefix}log_density"))
        if self.uncertainty:
            columns.append(AppendedColumn(f"{self.prefix}uncertainty"))
        return columns

    def values(self, model: Model, block: Block) -> list[NDArray[Any]]:
        """The added columns for the rows of a block, masked where the row is not complete."""
        complete = block.complete
        X = block.values if complete.all() else block.values[:, complete]
        if model.projection is not None:
            X = model.projection.apply(X)
        posterior = model.mixture.posterior(X.T)
        values: list[NDArray[Any]] = [posterior.labels]
        if self.proba:
            values += list(posterior.responsibilities.T)
        if self.log_density:
            values.append(posterior.log_density)
        if self.uncertainty:
            values.append(posterior.uncertainty)
        return values if complete.all() else [_spread(column, complete) for column in values]


def _spread(values: NDArray[Any], complete: NDArray[np.bool_]) -> NDArray[Any]:
    column = np.zeros(len(complete), dtype=values.dtype)
    column[complete] = values
    return np.ma.MaskedArray(column, mask=~complete)


@contextmanager
def threads(n_threads: int | None) -> Iterator[Executor]:
    """Threads for the whole of a command: EM's, and those that read and write."""
    with executor(n_threads) as pool:
        limit_threads(pool.n_threads)
        yield pool


@dataclass
class MissingRows:
    """Rows with a missing value: how many of how many, and where the first is."""

    n_rows: int = 0
    n_seen: int = 0
    first_row: int = 0
    first_column: str = ""

    def look_at(self, block: Block) -> None:
        """Count those of a block."""
        self.n_seen += block.n_rows
        incomplete = ~block.complete
        if incomplete.any():
            if not self.n_rows:
                place = int(np.argmax(incomplete))
                column = int(np.argmax(~np.isfinite(block.values[:, place])))
                self.first_row = block.first_row + place + 1
                self.first_column = block.features[column]
            self.n_rows += int(np.count_nonzero(incomplete))

    def refuse(self, table: Table) -> None:
        """Raise DataError if there are any."""
        if self.n_rows:
            raise DataError(
                f"{table.where(self.first_row)}, column '{self.first_column}' is missing or "
                f"infinite; so are {self.n_rows} of {self.n_seen} rows",
                "give such rows an empty cluster with --missing drop",
            )


def label(
    table: Table, model: Model, path: str, *, results: Results, pool: Executor, talk: Talk
) -> MissingRows:
    """Write the rows of a table with their clusters.

    Returns the rows that have no cluster.

    Raises
    ------
    ModelError : the table lacks a column of the model. UsageError : a name is taken already.
    DataError : a value is missing, unless such rows are to be dropped.
    OutputError : the output cannot be written.
    """
    match_columns(table, model.columns)
    selection = Selection(model.columns)
    missing = MissingRows()
    with open_writer(
        path,
        like=table,
        columns=results.columns(model),
        features=model.columns,
        flag="--prefix",
    ) as writer:

        def work(chunk: Any) -> tuple[Block, Any]:
            block = table.parse(chunk, selection)
            return block, writer.render(block, results.values(model, block))

        with talk.progress() as line:
            mapped = watched(pool, line, "labelling")(work, table.chunks(selection, again=False))
            for block, rendered in mapped:
                missing.look_at(block)
                # after a missing value only the count is still wanted
                if results.missing == "drop" or not missing.n_rows:
                    writer.emit(rendered)
        if results.missing == "error":
            missing.refuse(table)
    return missing
