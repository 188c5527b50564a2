"""How far two partitions agree, as a person reads it, and as a program does."""

import json
from collections.abc import Sequence

from gmmcli.mixture.agreement import Agreement
from gmmcli.report.layout import Grid, Line, text, title
from gmmcli.report.numerals import count, percent


def agreement_table(
    agreement: Agreement,
    columns: tuple[str, str],
    labels: tuple[Sequence[str], Sequence[str]],
    width: int,
) -> list[Line]:
    """The index, the best match, and the table of both with what matches on its diagonal.

    Parameters
    ----------
    columns : their names.
    labels : their groups, in the order of the counts.
    width : cells of a line.
    """
    order = agreement.order.tolist()
    (share,) = percent([agreement.n_matched / agreement.n_rows])
    rows = zip(labels[0], agreement.counts[:, order].tolist(), strict=True)
    grid = Grid(
        heading=("", *(labels[1][c] for c in order)),
        rows=[(label, *map(str, counts)) for label, counts in rows],
        left=frozenset({0}),
    )
    return [
        text(
            f"adjusted Rand index  {agreement.adjusted_rand_index:.4f}  1: the same; 0: by chance"
        ),
        text(f"best match           {share} of {count(agreement.n_rows, 'row')}"),
        [],
        title(f"{columns[0]} (rows) by {columns[1]} (columns)"),
        *grid.lines(width),
    ]


def agreement_json(
    agreement: Agreement,
    columns: tuple[str, str],
    labels: tuple[Sequence[str], Sequence[str]],
) -> str:
    """The same as JSON, in ASCII: what was counted in the order of the labels.

    Parameters
    ----------
    columns : their names.
    labels : their groups, in the order of the counts.
    """
    document = {
        "columns": columns,
        "n_rows": agreement.n_rows,
        "adjusted_rand_index": agreement.adjusted_rand_index,
        "n_matched": agreement.n_matched,
        "labels": labels,
        "counts": agreement.counts.tolist(),
    }
    # the one control character that JSON leaves as it is
    return json.dumps(document, indent=2).replace("\x7f", "\\u007f") + "\n"
