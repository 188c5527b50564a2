"""From a table to a fitted model: what fit and select-k share."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from tempfile import gettempdir
from typing import Any

from gmmcli import __version__
from gmmcli.cli.labelling import Results, label, note_blank_lines
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
    leave_out,
    load,
    match_columns,
    numbers_in_header,
    readable_size,
    write_text,
)
from gmmcli.errors import NotConvergedError, UsageError
from gmmcli.execution import Executor, available_memory
from gmmcli.mixture.batches import Batches
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.search import Observer
from gmmcli.mixture.standardise import Description, describe
from gmmcli.mixture.uncertainty import standard_errors
from gmmcli.modelfile import FitSummary, Model, dumps
from gmmcli.report.fits import cautions
from gmmcli.report.numerals import count

_MOST_NAMES = 12


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

    def model(self, result: FitResult) -> Model:
        """The result as a model of these columns."""
        told = [part.name for part in fields(FitSummary) if part.name != "gmmcli"]
        values: dict[str, Any] = {name: getattr(result, name) for name in told}
        return Model(
            mixture=result.model,
            columns=self.columns,
            constant_columns=self.constant_columns,
            projection=self.projection,
            fit=FitSummary(gmmcli=__version__, **values),
            bayes=result.bayes,
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
    _describe(loaded, talk)
    _describe_size(loaded, memory, talk)
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
                f"leave -C out, or choose {listed([shown(name) for name in start.columns])}",
            )
        return start.columns
    if not choosing.columns:
        note = f"columns used: {listed([shown(name) for name in features.used])}"
        if features.left_out:
            note += "; left out: " + listed(
                [f"{shown(name)} ({why})" for name, why in features.left_out]
            )
        talk.note(note)
    elif features.set_aside:
        talk.note(
            "left out: "
            + listed([f"{shown(name)} (has another role)" for name in features.set_aside])
        )
    return features.used


def _describe(loaded: Loaded, talk: Talk) -> None:
    note_blank_lines(loaded.n_blank_lines, talk)
    counts = loaded.counts
    if counts.n_dropped:
        dropped = f"{counts.n_dropped} of {count(counts.n_rows, 'row')} left out"
        talk.note(f"{dropped}: a value is missing or infinite")
    if counts.n_weightless:
        talk.note(f"{count(counts.n_weightless, 'row')} left out: of weight 0")
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


def _warn_of_collinear(description: Description, columns: Sequence[str], talk: Talk) -> None:
    for column, others in description.collinear():
        named = listed([shown(columns[j]) for j in others])
        talk.warning(
            f"column '{columns[column]}' follows from {named}: it adds nothing but parameters; "
            f"leave it out with {leave_out(columns[column])}"
        )


def tell_of_result(
    result: FitResult, talk: Talk, at_the_end: ExitStack, *, strict: bool = False
) -> None:
    """Say what was done, and at the end, below the summary, what a reader has to know."""
    if result.n_passes:
        talk.note(f"{count(result.n_passes, 'pass', 'passes')} over the rows")
    at_the_end.callback(warn_of_result, result, talk, strict=strict)


def warn_of_result(result: FitResult, talk: Talk, *, strict: bool = False) -> None:
    """Say what a reader of this fit has to know.

    Parameters
    ----------
    strict : that it has not converged is left to `check_converged`.
    """
    told = cautions(result, strict=strict, bayes=result.bayes is not None)
    for warning in (*result.notes, *told):
        talk.warning(warning)


def model_of(
    rows: Rows,
    result: FitResult,
    fitting: Fitting,
    options: FitOptions,
    *,
    size: int | None,
    talk: Talk,
) -> Model:
    """The model of a fit, with standard errors from `size` replicates if that is a number."""
    model = rows.model(result)
    if size is None:
        return model
    errors = standard_errors(fitting, result, options, size=size, projection=rows.projection)
    if errors.n_lost:
        lost = f"{errors.n_lost} of {size} replicates"
        talk.warning(f"in {lost} a component collapsed: the standard errors leave them out")
    return replace(model, standard_errors=errors)


def check_converged(result: FitResult, *, strict: bool) -> None:
    """Refuse a fit that has not converged, with --strict."""
    if strict and not result.converged:
        raise NotConvergedError(_not_converged(result), "raise --max-iter or --tol")


def _not_converged(result: FitResult) -> str:
    return f"not converged after {count(result.n_iter, 'iteration')}"


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
    first = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return first if more <= 0 else f"{first} and {more} more"


def shown(name: str, why: str = "") -> str:
    """A name in a list, and why it is there; in quotes, where its border would not be seen."""
    if name != name.strip() or set(name) & set(",;'\""):
        mark = '"' if "'" in name else "'"
        name = f"{mark}{name}{mark}"
    return f"{name} ({why})" if why else name
