"""The columns of a table that a model is of, and that of the weights."""

from gmmcli.data import Selection, Table, find_column, match_columns
from gmmcli.errors import UsageError
from gmmcli.modelfile import Model


def matched(table: Table, model: Model, *, weights: str | None) -> Selection:
    """What is to be read of a table for a model, without the rows as they stand in it.

    Raises
    ------
    ModelError : the table lacks a column of the model, or it holds no numbers.
    DataError : there is no column of weights of that name. UsageError : it is a feature.
    """
    match_columns(table, model.columns)
    found = weights and find_column(table, weights, numeric=True)
    if found in model.columns:
        message = f"column '{found}' is a feature of the model, and cannot be the weights"
        raise UsageError(message, "name another column")
    return Selection(model.columns, found, rows=False)
