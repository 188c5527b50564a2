"""gmmcli compare: two labelings of the same rows."""

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gmmcli.cli.paths import input_path
from gmmcli.cli.reading import Input, Reading
from gmmcli.cli.talk import Talk
from gmmcli.errors import DataError

if TYPE_CHECKING:
    from gmmcli.data import Table

_MOST_LABELS = 500

Column = Annotated[
    str, typer.Argument(metavar="COLUMN", help="A column of labels: a name, or a position from 1.")
]


def compare(
    context: typer.Context,
    first: Column,
    second: Column,
    path: Input = None,
    *,
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
    """
    source = input_path(context, path)

    import numpy as np

    from gmmcli.data import find_column, open_table
    from gmmcli.mixture.agreement import Agreement
    from gmmcli.report.agreement import agreement_table

    with open_table(source, reading.options()) as table:
        columns = find_column(table, first), find_column(table, second)
        found = _count(table, columns, talk)
    labels = [sorted({pair[i] for pair in found}, key=_order) for i in (0, 1)]
    places = [{label: i for i, label in enumerate(side)} for side in labels]
    counts = np.zeros((len(labels[0]), len(labels[1])), dtype=np.int64)
    for (one, other), n_rows in found.items():
        counts[places[0][one], places[1][other]] = n_rows
    show = partial(agreement_table, Agreement(counts), columns, (labels[0], labels[1]))
    talk.show(show, aside=False)


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


def _order(label: str) -> tuple[float, str]:
    """Numbers by size, then texts."""
    return (int(label), "") if label.isdecimal() else (float("inf"), label)
