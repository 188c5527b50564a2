"""A model, and a table it is of -> what a picture is of."""

from dataclasses import replace

from gmmcli.cli.talk import Talk
from gmmcli.cli.watching import watched
from gmmcli.data import CompleteRows, Selection, Table, find_column, match_columns
from gmmcli.execution import Executor
from gmmcli.mixture.batches import Batch
from gmmcli.modelfile import Model
from gmmcli.report.plots.sampling import Sample, sample
from gmmcli.report.plots.subject import Subject


def sampled(
    table: Table,
    model: Model,
    *,
    weights: str | None = None,
    missing: str = "error",
    pool: Executor,
    talk: Talk,
) -> Sample:
    """Some rows of a table as a model takes them: matched by name, in one pass, projected.

    Raises
    ------
    ModelError : the table lacks a column of the model.
    DataError : a value is missing, unless such rows are to be dropped; no row is left.
    """
    match_columns(table, model.columns)
    weights = weights and find_column(table, weights, numeric=True)
    rows = CompleteRows(
        table, Selection(model.columns, weights, rows=False), drop=missing == "drop"
    )
    n_features = len(model.columns)
    with talk.progress() as line:
        pieces = rows.pieces(watched(pool, line, "reading"), again=False)
        some = sample(
            Batch(piece.rows[:n_features], piece.rows[n_features] if weights else None)
            for piece in pieces
        )
    if rows.counts.n_dropped:
        dropped = f"{rows.counts.n_dropped} of {rows.counts.n_rows} rows left out"
        talk.note(f"{dropped}: a value is missing or infinite")
    return some


def axes_of(model: Model) -> tuple[str, ...]:
    """The names of the features of a model's mixture."""
    if model.projection is None:
        return model.columns
    return tuple(f"PC{i + 1}" for i in range(model.projection.n_components))


def subject(model: Model, some: Sample | None, *, chosen: tuple[str, ...] = ()) -> Subject:
    """What a picture of the model is of, with the rows if there are any."""
    alone = Subject(
        mixture=model.mixture, names=axes_of(model), chosen=chosen, clusters=model.clusters
    )
    if some is None:
        return alone
    rows = some.rows
    if model.projection is not None:
        rows = model.projection.apply(rows.T).T
    return replace(
        alone,
        rows=rows,
        weights=some.weights,
        n_rows=some.n_rows,
        # of a Bayesian fit, that of its posterior: what predict says
        posterior=model.posterior(some.rows),
    )
