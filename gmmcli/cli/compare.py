"""gmmcli compare: two labelings of the same rows."""

import math
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gmmcli.cli.paths import input_path
from gmmcli.cli.reading import Input, Reading
from gmmcli.cli.talk import Talk
from gmmcli.errors import DataError

if TYPE_CHECKING:
    from gmmcli.data import Table
    from gmmcli.mixture.agreement import Agreement

_MOST_LABELS = 500


@dataclass(frozen=True, kw_only=True)
class Form:
    """Output."""

    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print index, match and table as JSON instead of the text."),
    ] = False


Column = Annotated[
    str, typer.Argument(metavar="COLUMN", help="A column of labels: a name, or a position from 1.")
]


def compare(
    context: typer.Context,
    first: Column,
    second: Column,
    path: Input = None,
    *,
    form: Form,
    reading: Reading,
    talk: Talk,
) -> None:
    """Compare two labelings of the same rows.

    Prints the adjusted Rand index (Hubert & Arabie 1985), the share of rows that agree when each
    label is paired with the one it matches best, and the table of both. Rows without one of the
    two labels are left out.

    For example:
      gmmcli predict model.json data.csv | gmmcli compare species cluster
      gmmcli compare species cluster clusters.csv
      gmmcli compare species cluster clusters.csv --json | jq .adjusted_rand_index
    """
    source = input_path(context, path)

    from gmmcli.data import find_column, open_table, write_text
    from gmmcli.report.agreement import agreement_json, agreement_table

    with open_table(source, reading.options()) as table:
        columns = find_column(table, first), find_column(table, second)
        found = _count(table, columns, talk)
    agreement, labels = _agreement(found)
    if form.as_json:
        write_text("-", agreement_json(agreement, columns, labels))
        return
    talk.show(partial(agreement_table, agreement, columns, labels), aside=False)


def _agreement(found: Counter[tuple[str, str]]) -> "tuple[Agreement, tuple[list[str], list[str]]]":
    """The table of pairs, and the labels that are its rows and its columns."""
    import numpy as np

    from gmmcli.mixture.agreement import Agreement

    rows, columns = (sorted({pair[i] for pair in found}, key=_order) for i in (0, 1))
    places = [{label: i for i, label in enumerate(side)} for side in (rows, columns)]
    counts = np.zeros((len(rows), len(columns)), dtype=np.int64)
    for (one, other), n_rows in found.items():
        counts[places[0][one], places[1][other]] = n_rows
    return Agreement(counts), (rows, columns)


def _count(table: "Table", columns: tuple[str, str], talk: Talk) -> Counter[tuple[str, str]]:
    """How many rows have each pair of labels."""
    from gmmcli.data import Selection

    found: Counter[tuple[str, str]] = Counter()
    selection = Selection((), rows=False, categories=columns)
    n_left_out = 0
    for chunk in table.chunks(selection, again=False):
        block = table.parse(chunk, selection)
        for one, other in zip(*block.categories, strict=True):
            if one is None or other is None:
                n_left_out += 1
            else:
                found[one, other] += 1
        for i, column in enumerate(columns):
            if len({pair[i] for pair in found}) > _MOST_LABELS:
                message = f"{table.name}: column '{column}' has more than {_MOST_LABELS} labels"
                raise DataError(message, "name a column of clusters or classes")
    if not found:
        message = f"{table.name}: no row has a label in both '{columns[0]}' and '{columns[1]}'"
        raise DataError(message, "name two columns of labels for the same rows")
    if n_left_out:
        talk.note(f"{n_left_out} of {n_left_out + found.total()} rows left out: a label is missing")
    return found


def _order(label: str) -> tuple[float, str, str]:
    """Numbers by size, then texts."""
    if not (label.isascii() and label.isdigit()):
        return (math.inf, "", label)
    # by their digits: there is a limit to those that become a number
    digits = label.lstrip("0")
    return (len(digits), digits, label)
