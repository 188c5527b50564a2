"""Which columns of a table are features."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gmmcli.data.cells import decimal_comma, leave_out, to_float
from gmmcli.data.table import ColumnKind, Table
from gmmcli.errors import DataError, ModelError, UsageError

_RANGE = re.compile(r"([1-9][0-9]*)-([1-9][0-9]*)")
_POSITION = re.compile(r"[1-9][0-9]*")


class _Named(Protocol):
    """What has columns: a table, or a model."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...


class _Model(NamedTuple):
    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Features:
    """The columns to be read as numbers.

    used : names, in the order asked for, or that of the file.
    left_out : (name, why) of every other column.
    set_aside : those that would be features, had they no other role.
    """

    used: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    set_aside: tuple[str, ...]


def choose_features(
    table: Table, specs: Sequence[str], *, reserved: Sequence[str] = ()
) -> Features:
    """The features that the specs name; without any, every numeric column.

    Parameters
    ----------
    specs : names, positions from 1, ranges of positions "2-5", and "!" before any of these to
        leave it out. A name wins over a position. With "!" alone, from every numeric column.
    reserved : names of columns that have another role (weights, labels): never features.

    Raises
    ------
    DataError : a column that is not there or not numeric; no column left; no rows.
    UsageError : a reserved column asked for by its name.
    """
    if table.n_rows == 0:
        raise DataError(f"{table.name} has no rows", "give a file with rows of numbers")
    wanted: dict[str, None] = {}
    refused: dict[str, None] = {}
    for spec in specs:
        if spec in table.columns or not spec.startswith("!"):
            names = _columns_of(table, spec)
            if len(names) == 1 and names[0] in reserved:
                raise UsageError(
                    f"column '{names[0]}' is asked for as a feature and in another role",
                    "take it out of -C/--columns, or out of the other option",
                )
            wanted.update(dict.fromkeys(names))
        else:
            refused.update(dict.fromkeys(_columns_of(table, spec[1:])))
    candidates = tuple(wanted) or table.numeric_columns
    used = tuple(name for name in candidates if name not in refused and name not in reserved)
    check_numeric(table, used, optional=True)
    if not used:
        raise DataError(
            f"no numeric column is left in {table.name}: {_described(table)}",
            _decimal_comma(table) or "choose columns of numbers with -C/--columns",
        )
    taken = frozenset(used)
    left_out = []
    for name in table.columns:
        if name in reserved:
            left_out.append((name, "has another role"))
        elif name in refused:
            left_out.append((name, "left out as asked"))
        elif name not in taken:
            left_out.append((name, "not asked for" if wanted else table.kinds[name].why_not))
    set_aside = tuple(name for name in candidates if name in reserved and name not in refused)
    return Features(used, tuple(left_out), set_aside)


def choose_among(columns: tuple[str, ...], specs: Sequence[str], *, owner: str) -> tuple[str, ...]:
    """The columns of a model that specs name, as in `choose_features`.

    Raises
    ------
    DataError : `owner` has no such column, or none is left.
    """
    model = _Model(owner, columns)
    wanted: dict[str, None] = {}
    refused: set[str] = set()
    for spec in specs:
        if spec in columns or not spec.startswith("!"):
            wanted.update(dict.fromkeys(_columns_of(model, spec)))
        else:
            refused.update(_columns_of(model, spec[1:]))
    chosen = tuple(name for name in wanted or columns if name not in refused)
    if not chosen:
        raise DataError(f"no column of {owner} is left", f"its columns: {_shown(columns)}")
    return chosen


def find_column(table: Table, spec: str, *, numeric: bool = False) -> str:
    """The one column that a name, or a position from 1, stands for.

    Raises
    ------
    DataError : there is none; or it is not numeric, where that is asked for.
    """
    name = _one_column(table, spec)
    if name is None:
        raise _unknown(table, spec)
    if numeric:
        check_numeric(table, (name,))
    return name


def match_columns(table: Table, names: Sequence[str]) -> None:
    """Checks that a table has a model's columns, in any order, and that they are numeric.

    Raises
    ------
    ModelError : some are missing, and close matches are named; or one is not numeric.
    """
    missing = [name for name in names if name not in table.columns]
    if missing:
        what = "column" if len(missing) == 1 else "columns"
        raise ModelError(
            f"{table.name} has no {what} {_shown(missing)}, which the model needs",
            _way_to_names(table, names, missing),
        )
    try:
        check_numeric(table, names)
    except DataError as error:
        raise ModelError(f"{error.message}, and the model needs numbers", error.advice) from error


def _way_to_names(table: Table, names: Sequence[str], missing: Sequence[str]) -> str:
    if 2 * len(numbers_in_header(table)) > len(table.columns):
        way = f"put a line with {_shown(names)} first; with --no-header columns are 1, 2 ..."
        if all(map(_POSITION.fullmatch, names)):
            way = "add --no-header"
        return f"its first line looks like data: {way}"
    close = dict.fromkeys(found for name in missing for found in _close(table, name))
    if close:
        return f"close to it: {_shown(tuple(close))}"
    return f"its columns: {_shown(table.columns)}"


def check_numeric(table: Table, names: Sequence[str], *, optional: bool = False) -> None:
    """Raises DataError, naming row and cell, for the first of the columns that is not numeric.

    optional : whether the command can do without them.
    """
    for name in names:
        kind = table.kinds[name]
        if kind.numeric:
            continue
        raise DataError(
            f"{table.name}: column '{name}' is not numeric: {_content(kind)}",
            decimal_comma(kind.cell)
            or (f"leave it out ({leave_out(name)}), or " if optional else "")
            + "make it numbers first",
        )


def numbers_in_header(table: Table) -> tuple[str, ...]:
    """The names, read from a first line, that are numbers: it may be data."""
    if table.text_rules is None or table.text_rules.header is None:
        return ()
    return tuple(name for name in table.columns if to_float(name) is not None)


def _content(kind: ColumnKind) -> str:
    return f"row {kind.row} holds '{kind.cell[:40]}'" if kind.row else f"it holds {kind.why_not}"


def _described(table: Table, most: int = 4) -> str:
    """Why columns are no features."""
    whys = [
        f"'{name}' ({_content(kind) if kind.row else kind.why_not or 'left out'})"
        for name, kind in table.kinds.items()
    ]
    shown = ", ".join(whys[:most])
    return shown if len(whys) <= most else f"{shown} and {len(whys) - most} more"


def _decimal_comma(table: Table) -> str:
    return next(filter(None, (decimal_comma(kind.cell) for kind in table.kinds.values())), "")


def _columns_of(table: _Named, spec: str) -> tuple[str, ...]:
    name = _one_column(table, spec)
    if name is not None:
        return (name,)
    ends = _RANGE.fullmatch(spec)
    if ends is None:
        raise _unknown(table, spec)
    first, last = int(ends[1]), int(ends[2])
    if first > last or last > len(table.columns):
        raise DataError(
            f"{table.name} has no columns {spec}", f"positions go from 1 to {len(table.columns)}"
        )
    return table.columns[first - 1 : last]


def _one_column(table: _Named, spec: str) -> str | None:
    if spec in table.columns:
        return spec
    if _POSITION.fullmatch(spec) and int(spec) <= len(table.columns):
        return table.columns[int(spec) - 1]
    return None


def _unknown(table: _Named, spec: str) -> DataError:
    parts = spec.split(",")
    close = _close(table, spec)
    if len(parts) > 1 and all(_one_column(table, part) is not None for part in parts):
        advice = "repeat the option for each column: " + " ".join(f"-C '{part}'" for part in parts)
    elif close:
        advice = f"close to it: {_shown(close)}"
    else:
        advice = f"its columns: {_shown(table.columns)}"
    return DataError(f"{table.name} has no column '{spec}'", advice)


def _close(table: _Named, name: str) -> list[str]:
    folded = {column.strip().casefold(): column for column in reversed(table.columns)}
    found = difflib.get_close_matches(name.strip().casefold(), folded, n=3)
    return [folded[key] for key in found]


def _shown(names: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
