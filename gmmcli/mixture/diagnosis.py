"""What is the matter with the columns, before a fit."""

from gmmcli.mixture.batches import Batches
from gmmcli.mixture.standardise import describe


def collinear_columns(batches: Batches) -> list[tuple[int, tuple[int, ...]]]:
    """Columns that earlier ones determine: (column, the columns that determine it).

    Empty where rows are fewer than columns, since then some always do.
    """
    description = describe(batches)
    if description.n_rows <= batches.n_features:
        return []
    return description.collinear()
