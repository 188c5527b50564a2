"""Command lines to go on with, built from the options of the one that ran."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from gmmcli.cli.options import Saving, Search
from gmmcli.cli.reading import Choosing, Reading, Rows

if TYPE_CHECKING:
    from gmmcli.mixture.selection import Cell

READING = (*(part.name for part in fields(Reading)), "missing")
"""Those of the options that say how rows are read, for predict, which needs no more."""


def spelled(group: Any, names: Collection[str] | None = None) -> list[str]:
    """The options of a group that are not as by default, as they are typed.

    Parameters
    ----------
    names : the fields that are wanted; all by default.
    """
    hints = get_type_hints(type(group), include_extras=True)
    words: list[str] = []
    for part in fields(group):
        value = getattr(group, part.name)
        if value == part.default or value is None or part.name not in (names or (part.name,)):
            continue
        option = get_args(hints[part.name])[1]
        # beside Annotated, what typer calls the default is the first of the flags
        flags = (option.default, *option.param_decls)
        for one in value if isinstance(value, list) else [value]:
            words += _spelled(flags, one)
    return words


def _spelled(flags: Sequence[str], value: Any) -> list[str]:
    if value is True:
        return [min(flags, key=len)]
    if str(value).startswith("-"):
        return [f"{max(flags, key=len)}={value}"]
    return [min(flags, key=len), str(value)]


def place(path: str) -> str:
    """A path that is not taken for an option."""
    return f"./{path}" if path.startswith("-") and path != "-" else path


def after_fit(
    source: str, wanted: Saving, choosing: Choosing, *, fitted_by: Sequence[Any]
) -> list[str]:
    """To use the model that was saved; else the same fit again, and its model saved.

    Parameters
    ----------
    fitted_by : the other groups of options.
    """
    if wanted.model not in (None, "-"):
        return to_use(str(wanted.model), source, choosing)
    options = [word for group in (wanted, choosing, *fitted_by) for word in spelled(group)]
    return ["gmmcli", "fit", place(source), *options, "-m", "model.json"]


def after_selection(
    source: str, best: "Cell", saving: Saving, choosing: Choosing, search: Search
) -> list[str]:
    """To use the model that was saved; else the fit that was chosen, and its model saved."""
    if saving.model not in (None, "-"):
        return to_use(str(saving.model), source, choosing)
    chosen = ["-k", str(best.n_components), "-c", best.covariance_type]
    options = [*chosen, *spelled(choosing), *spelled(search)]
    return ["gmmcli", "fit", place(source), *options, "-m", "model.json"]


def to_use(model: str, source: str, choosing: Choosing) -> list[str]:
    """Rows labelled by a model."""
    options = spelled(choosing, READING)
    return ["gmmcli", "predict", place(model), place(source), *options, "-o", "labelled.csv"]


def after_report(
    model: str, source: str | None, columns: Sequence[str], *, rows: Rows, reading: Reading
) -> dict[str, list[str]]:
    """What for -> a command line, for a reader of a report."""
    kept = place(model)
    if source is None:
        return {
            "Label rows": ["gmmcli", "predict", kept, "new.csv", "-o", "labelled.csv"],
            "Draw rows from the model": ["gmmcli", "generate", "--model", kept, "-n", "1000"],
        }
    table, options = place(source), [*spelled(rows, ["missing"]), *spelled(reading)]
    chosen = [word for name in columns for word in _spelled(("--columns", "-C"), name)]
    weights = spelled(rows, ["weights"])
    doubt = ["--proba", "--uncertainty", "-o", "labelled.csv"]
    return {
        "Label the rows, with the probability of each cluster": [
            *("gmmcli", "predict", kept, table),
            *(*options, *doubt),
        ],
        "Compare other numbers of clusters, and other shapes": [
            *("gmmcli", "select-k", table),
            *(*chosen, *weights, *options),
        ],
    }
