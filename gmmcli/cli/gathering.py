"""A table -> the rows to be fitted: which columns and rows are used, and what is odd about them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from tempfile import gettempdir
from typing import Any

from gmmcli import __version__
from gmmcli.cli.reading import Choosing
from gmmcli.cli.talk import Talk
from gmmcli.cli.telling import listed, note_blank_lines, note_left_out, quoted
from gmmcli.cli.watching import watched
from gmmcli.data import (
    Loaded,
    Selection,
    Table,
    choose_features,
    find_column,
    leave_out,
    load,
    match_columns,
    numbers_in_header,
    readable_size,
)
from gmmcli.errors import UsageError
from gmmcli.execution import Executor, available_memory
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import ArrayBatches, Batches
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.options import FitResult
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.search import Observer
from gmmcli.mixture.standardise import Description, describe
from gmmcli.modelfile import FitSummary, Model
from gmmcli.report.fits import peculiarities
from gmmcli.report.models import axes_of


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows to be fitted.

    batches : in the space of the fit.
    description : of the batches.
    columns : the features, in the order of the model.
    labels : one text a row where a column of labels was asked for.
    """

    batches: Batches
    description: Description
    columns: tuple[str, ...]
    constant_columns: dict[str, float]
    projection: Projection | None
    labels: list[str] | None

    def fitting(self, pool: Executor, observe: Observer) -> Fitting:
        """The rows as the engine takes them."""
        return Fitting(self.batches, description=self.description, workers=pool, observe=observe)

    def features_of(self, table: Table) -> FloatArray | None:
        """The columns of the model of all rows of the table, if that is what is in memory."""
        batches = self.batches
        if not isinstance(batches, ArrayBatches) or self.projection is not None:
            return None
        return batches.X if batches.n_rows == table.n_rows else None

    def model(self, result: FitResult) -> Model:
        """The result as a model of these columns."""
        told = [part.name for part in fields(FitSummary) if part.name != "gmmcli"]
        values: dict[str, Any] = {name: getattr(result, name) for name in told}
        model = Model(
            mixture=result.model,
            columns=self.columns,
            constant_columns=self.constant_columns,
            projection=self.projection,
            bayes=result.bayes,
        )
        values["notes"] = (*result.notes, *peculiarities(result, axes_of(model)))
        return replace(model, fit=FitSummary(gmmcli=__version__, **values))


def gather(
    table: Table,
    choosing: Choosing,
    *,
    talk: Talk,
    pool: Executor,
    start: Model | None = None,
    labels: str | None = None,
) -> Rows:
    """Read the rows, and say which columns and rows are used and what is odd about them.

    Parameters
    ----------
    start : a model whose columns, and whose projection, are to be used.
    labels : a column of labels, which is then no feature.

    Raises
    ------
    DataError : the rows cannot be used. UsageError : -C names other columns than the start has.
    """
    weights = choosing.weights and find_column(table, choosing.weights, numeric=True)
    labels = labels and find_column(table, labels)
    reserved = [column for column in (weights, labels) if column]
    features = _features(table, choosing, start, reserved=reserved, talk=talk)
    loaded = load_rows(
        table,
        Selection(features, weights, labels, rows=False),
        missing=choosing.missing,
        memory=choosing.memory,
        fixed=start is not None,
        talk=talk,
        pool=pool,
    )
    batches = loaded.batches
    description = describe(batches, workers=pool)
    _warn_of_collinear(description, loaded.columns, talk)
    projection = start.projection if start is not None else None
    if projection is None and choosing.pca is not None:
        projection = Projection.of(description, choosing.pca)
    if projection is not None:
        batches = projection.batches(batches)
        description = describe(batches, workers=pool)
    return Rows(
        batches=batches,
        description=description,
        columns=loaded.columns,
        constant_columns=loaded.constant_columns,
        projection=projection,
        labels=loaded.labels,
    )


def load_rows(
    table: Table,
    selection: Selection,
    *,
    missing: str,
    memory: int | None,
    fixed: bool,
    talk: Talk,
    pool: Executor,
) -> Loaded:
    """Read the rows, and say which of them are used and where they are kept.

    Parameters
    ----------
    memory : bytes to use; None for half of what there are.
    fixed : the columns are those of a model, and none may be constant.
    """
    memory = memory or available_memory() // 2
    with talk.progress() as line:
        loaded = load(
            table,
            selection,
            missing=missing,
            map_ordered=watched(pool, line, "reading"),
            memory=memory,
        )
    if fixed and loaded.constant_columns:
        name = next(iter(loaded.constant_columns))
        message = f"column '{name}' is constant here, but a feature of the model"
        raise UsageError(message, "the model is of rows in which it varies; use such rows")
    note_blank_lines(loaded.n_blank_lines, talk)
    note_left_out(loaded.counts, talk)
    for name, value in loaded.constant_columns.items():
        talk.warning(f"column '{name}' is left out: it is {value:.15g} in every row")
    _note_size(loaded, memory, talk)
    return loaded


def _features(
    table: Table,
    choosing: Choosing,
    start: Model | None,
    *,
    reserved: Sequence[str],
    talk: Talk,
) -> tuple[str, ...]:
    if start is not None and set(reserved) & set(start.columns):
        name = next(name for name in reserved if name in start.columns)
        message = f"column '{name}' is a feature of --start and is asked for in another role"
        raise UsageError(message, "start without --start")
    if start is not None and not choosing.columns:
        match_columns(table, start.columns)
        return start.columns
    features = choose_features(table, choosing.columns or (), reserved=reserved)
    if len(numbers_in_header(table)) == len(table.columns):
        talk.warning(
            f"the first line of {table.name} holds numbers only: if it is data, add --no-header"
        )
    if start is not None:
        if set(features.used) != set(start.columns):
            raise UsageError(
                "-C chooses other columns than the model of --start has",
                f"leave -C out, or choose {listed([quoted(name) for name in start.columns])}",
            )
        return start.columns
    if not choosing.columns:
        note = f"columns used: {listed([quoted(name) for name in features.used])}"
        if features.left_out:
            note += "; left out: " + listed(
                [f"{quoted(name)} ({why})" for name, why in features.left_out]
            )
        talk.note(note)
    elif features.set_aside:
        talk.note(
            "left out: "
            + listed([f"{quoted(name)} (has another role)" for name in features.set_aside])
        )
    return features.used


def _note_size(loaded: Loaded, memory: int, talk: Talk) -> None:
    if loaded.n_spooled is None:
        return
    source = "the input"
    if loaded.n_spooled:
        source = f"a temporary copy of {readable_size(loaded.n_spooled)} in {gettempdir()}"
    talk.note(
        f"a fit in memory takes {readable_size(loaded.n_bytes)}, more than --memory "
        f"{readable_size(memory)}: each pass reads {source}"
    )


def _warn_of_collinear(description: Description, columns: Sequence[str], talk: Talk) -> None:
    for column, others in description.collinear():
        named = listed([quoted(columns[j]) for j in others])
        talk.warning(
            f"column '{columns[column]}' follows from {named}: it adds nothing but parameters; "
            f"leave it out with {leave_out(columns[column])}"
        )
