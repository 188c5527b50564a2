"""What is written at the end: a model, labelled rows, a small table."""

from collections.abc import Mapping, Sequence
from typing import Any

from gmmcli.cli.options import Saving
from gmmcli.cli.talk import Talk
from gmmcli.data import Table, write_text
from gmmcli.execution import Executor
from gmmcli.mixture.arrays import FloatArray
from gmmcli.modelfile import Model, dumps


def save(
    model: Model,
    table: Table,
    saving: Saving,
    *,
    missing: str,
    pool: Executor,
    talk: Talk,
    X: FloatArray | None = None,
) -> None:
    """Write the model and the labelled rows where they are wanted, standard output last.

    Parameters
    ----------
    X : all rows of the table (D, N), if they are in memory: as for `label`.
    """

    def save_model(path: str) -> None:
        write_text(path, dumps(model))

    def save_labels(path: str) -> None:
        # what writes rows takes long to import
        from gmmcli.cli.labelling import Results, label

        results = Results(proba=saving.proba, prefix=saving.prefix, missing=missing)
        label(table, model, path, results=results, pool=pool, talk=talk, X=X)

    outputs = [(saving.model, save_model), (saving.labels, save_labels)]
    for path, write in sorted(outputs, key=lambda output: output[0] == "-"):
        if path is not None:
            write(path)


def write_records(
    path: str, kinds: Mapping[str, str], records: Sequence[Mapping[str, Any]]
) -> None:
    """Write a table with all digits.

    Parameters
    ----------
    kinds : column -> what it holds, in order.
    records : its rows.
    """
    from gmmcli.data import AppendedColumn, open_writer

    columns = [AppendedColumn(name, kind) for name, kind in kinds.items()]
    with open_writer(path, like=None, columns=columns) as writer:
        writer.write(None, [[record[name] for record in records] for name in kinds])
