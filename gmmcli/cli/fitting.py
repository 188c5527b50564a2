"""From a table to a fitted model: what fit and select-k share."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from tempfile import gettempdir
from typing import Any

from gmmcli import __version__
from gmmcli.cli.labelling import Results, label
from gmmcli.cli.options import Saving, Search
from gmmcli.cli.reading import Choosing
from gmmcli.cli.talk import Talk
from gmmcli.cli.watching import watched
from gmmcli.data import (
    Loaded,
    Selection,
    Table,
    choose_features,
    find_column,
    load,
    match_columns,
    readable_size,
    write_text,
)
from gmmcli.errors import NotConvergedError, UsageError
from gmmcli.execution import Executor, available_memory
from gmmcli.mixture.batches import Batches
from gmmcli.mixture.diagnosis import collinear_columns
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.projection import Projection
from gmmcli.modelfile import FitSummary, Model, dumps

_MOST_NAMES = 12


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows to be fitted.

    batches : in the space of the fit.
    columns : the features, in the order of the model.
    labels : one text a row where a column of labels was asked for.
    """

    batches: Batches
    columns: tuple[str, ...]
    constant_columns: dict[str, float]
    projection: Projection | None
    labels: list[str] | None

    def model(self, result: FitResult) -> Model:
        """The result as a model of these columns."""
        told: dict[str, Any] = {
            part.name: getattr(result, part.name, __version__) for part in fields(FitSummary)
        }
        return Model(
            mixture=result.model,
            columns=self.columns,
            constant_columns=self.constant_columns,
            projection=self.projection,
            fit=FitSummary(**told),
        )


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
    memory = choosing.memory or available_memory() // 2
    with talk.progress() as line:
        loaded = load(
            table,
            Selection(features, weights, labels, rows=False),
            missing=choosing.missing,
            map_ordered=watched(pool, line, "reading"),
            memory=memory,
        )
    if start is not None:
        _check_constants(loaded.constant_columns)
    _describe(loaded, talk)
    _describe_size(loaded, memory, talk)
    batches = loaded.batches
    _warn_of_collinear(batches, loaded.columns, talk)
    projection = start.projection if start is not None else None
    if projection is None and choosing.pca is not None:
        projection = Projection.fit(batches, choosing.pca)
    if projection is not None:
        batches = projection.batches(batches)
    return Rows(
        batches=batches,
        columns=loaded.columns,
        constant_columns=loaded.constant_columns,
        projection=projection,
        labels=loaded.labels,
    )


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
    if not choosing.no_header and all(_is_number(name) for name in table.columns):
        talk.warning(
            f"the first line of {table.name} holds numbers only: if it is data, add --no-header"
        )
    if start is not None:
        if set(features.used) != set(start.columns):
            raise UsageError(
                "-C chooses other columns than the model of --start has",
                f"leave -C out, or choose {listed(start.columns)}",
            )
        return start.columns
    if not choosing.columns:
        note = f"columns used: {listed(features.used)}"
        if features.left_out:
            note += "; left out: " + listed([f"{name} ({why})" for name, why in features.left_out])
        talk.note(note)
    return features.used


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_constants(constant_columns: dict[str, float]) -> None:
    if constant_columns:
        raise UsageError(
            f"column '{next(iter(constant_columns))}' is constant here, but a feature of --start",
            "start without --start",
        )


def _describe(loaded: Loaded, talk: Talk) -> None:
    if loaded.n_blank_lines:
        talk.note(f"{loaded.n_blank_lines} empty lines passed over")
    counts = loaded.counts
    if counts.n_dropped:
        dropped = f"{counts.n_dropped} of {counts.n_rows} rows left out"
        talk.note(f"{dropped}: a value is missing or infinite")
    if counts.n_weightless:
        talk.note(f"{counts.n_weightless} rows left out: their weight is 0")
    for name, value in loaded.constant_columns.items():
        talk.warning(f"column '{name}' is left out: it is {value:.15g} in every row")


def _describe_size(loaded: Loaded, memory: int, talk: Talk) -> None:
    if loaded.n_spooled is None:
        return
    source = "the input"
    if loaded.n_spooled:
        source = f"a temporary copy of {readable_size(loaded.n_spooled)} in {gettempdir()}"
    talk.note(
        f"a fit in memory takes {readable_size(loaded.n_bytes)}, more than --memory "
        f"{readable_size(memory)}: each pass reads {source}"
    )


def _warn_of_collinear(batches: Batches, columns: Sequence[str], talk: Talk) -> None:
    for column, others in collinear_columns(batches):
        named = listed([columns[j] for j in others])
        talk.warning(
            f"column '{columns[column]}' follows from {named}: it adds nothing but parameters; "
            f"leave it out with -C '!{columns[column]}'"
        )


def warn_of_result(result: FitResult, talk: Talk) -> None:
    """Say what a reader of this fit has to know."""
    for note in result.notes:
        talk.warning(note)
    if result.n_parameters > result.n_rows:
        talk.warning(
            f"{result.n_parameters} parameters for {result.n_rows:.15g} rows: the clusters may "
            "mean nothing; use fewer columns (--pca N, -C), a smaller -k or a simpler -c"
        )
    if not result.converged:
        talk.warning(f"not converged after {result.n_iter} iterations; raise --max-iter or --tol")


def check_converged(result: FitResult) -> None:
    """Refuse a fit that has not converged, for --strict."""
    if not result.converged:
        message = f"not converged after {result.n_iter} iterations"
        raise NotConvergedError(message, "raise --max-iter, or --tol")


def save(
    model: Model, table: Table, saving: Saving, *, missing: str, pool: Executor, talk: Talk
) -> None:
    """Write the model and the labelled rows where they are wanted, standard output last."""

    def save_model(path: str) -> None:
        write_text(path, dumps(model))

    def save_labels(path: str) -> None:
        results = Results(proba=saving.proba, prefix=saving.prefix, missing=missing)
        label(table, model, path, results=results, pool=pool, talk=talk)

    outputs = [(saving.model, save_model), (saving.labels, save_labels)]
    for path, write in sorted(outputs, key=lambda output: output[0] == "-"):
        if path is not None:
            write(path)


def fit_options(search: Search, covariance_type: str = "full") -> FitOptions:
    """As the engine takes them."""
    return FitOptions(
        covariance_type=covariance_type,
        init=search.init or "auto",
        n_init=search.n_init or 1,
        tol=search.tol,
        converge_on=search.converge_on,
        max_iter=search.max_iter,
        reg_covar=search.reg_covar,
        seed=search.seed,
    )


def listed(names: Sequence[str]) -> str:
    """Names with commas between, the first dozen of many."""
    shown = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return shown if more <= 0 else f"{shown} and {more} more"
