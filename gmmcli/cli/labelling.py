"""Rows of a table through a model to a table with their clusters.

The same rows come out as went in, in their order, in constant memory. fit, select-k and predict
all label here, so the same model gives the same bytes.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmcli.cli.constants import Constants
from gmmcli.cli.talk import Talk
from gmmcli.cli.watching import watched
from gmmcli.data import (
    AppendedColumn,
    Block,
    Chunk,
    MissingRows,
    Selection,
    Table,
    changed,
    match_columns,
    open_writer,
)
from gmmcli.execution import Executor, behind
from gmmcli.mixture.arrays import FloatArray
from gmmcli.modelfile import Model


@dataclass(frozen=True, kw_only=True)
class Results:
    """Which columns are added to the rows, and what a row with a missing value is.

    missing : "error", or "drop" for empty cells in the added columns.
    constants : columns that are no features, to be looked at.
    """

    proba: bool = False
    log_density: bool = False
    uncertainty: bool = False
    prefix: str = ""
    missing: str = "error"
    constants: Constants = field(default_factory=Constants)

    def columns(self, model: Model) -> list[AppendedColumn]:
        """The names and kinds of the added columns, in order."""
        columns = [AppendedColumn(f"{self.prefix}cluster", "int")]
        if self.proba:
            columns += [AppendedColumn(f"{self.prefix}p_{k}") for k in range(model.n_clusters)]
        if self.log_density:
            columns.append(AppendedColumn(f"{self.prefix}log_density"))
        if self.uncertainty:
            columns.append(AppendedColumn(f"{self.prefix}uncertainty"))
        return columns

    def values(self, model: Model, block: Block) -> list[NDArray[Any]]:
        """The added columns for the rows of a block, masked where the row is not complete."""
        complete = block.complete
        X = block.values if complete.all() else block.values[:, complete]
        if not (self.proba or self.log_density or self.uncertainty):
            labels = model.labels(X.T)
            return [labels if complete.all() else _spread(labels, complete)]
        posterior = model.posterior(X.T)
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


def label(
    table: Table,
    model: Model,
    path: str,
    *,
    results: Results,
    pool: Executor,
    talk: Talk,
    X: FloatArray | None = None,
) -> MissingRows:
    """Write the rows of a table with their clusters.

    Parameters
    ----------
    X : the columns of the model of all rows (D, N), where they were read before.

    Returns the rows that have no cluster.

    Raises
    ------
    ModelError : the table lacks a column of the model. UsageError : a name is taken already.
    DataError : a value is missing, unless such rows are to be dropped.
    OutputError : the output cannot be written.
    """
    match_columns(table, model.columns)
    selection = Selection(model.columns if X is None else ())
    missing = MissingRows()
    with open_writer(
        path,
        like=table,
        columns=results.columns(model),
        features=model.columns,
        flag="--prefix",
    ) as writer:

        def work(chunk: Chunk) -> tuple[Block, Any, dict[str, str]]:
            block = table.parse(chunk, selection)
            if X is not None:
                values = X[:, chunk.first_row : chunk.first_row + chunk.n_rows]
                if values.shape[1] < chunk.n_rows:
                    raise changed(table.name)
                block = replace(block, values=values, features=model.columns)
            rendered = writer.render(block, results.values(model, block))
            return block, rendered, results.constants.others(table, chunk)

        with talk.progress() as line, behind(writer.emit) as emit:
            mapped = watched(pool, line, "labelling")(work, table.chunks(selection, again=False))
            for block, rendered, others in mapped:
                results.constants.remember(others)
                missing.look_at(block, ~block.complete)
                # after a missing value only the count is still wanted
                if results.missing == "drop" or not missing.n_rows:
                    emit(rendered)
        if results.missing == "error":
            missing.refuse(table, "give such rows an empty cluster with --missing drop")
    return missing
