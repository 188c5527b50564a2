"""What a model says of all rows of a table, in one pass and in constant memory."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gmmcli.cli.talk import Talk
from gmmcli.cli.watching import watched
from gmmcli.data import CompleteRows, Piece, Selection, Table, find_column, match_columns
from gmmcli.execution import Executor
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import Batch
from gmmcli.mixture.merging import by_cluster
from gmmcli.modelfile import Model
from gmmcli.report.page import DOUBT, MOST_ROWS, Census
from gmmcli.report.plots.sampling import sample


@dataclass(frozen=True, eq=False)
class _Part:
    """What a model says of some rows: as in Census."""

    batch: Batch
    sizes: FloatArray
    doubtful: FloatArray
    log_likelihood: float
    weight: float


class _Sum:
    """The parts added in their order, so that threads do not change the last digits."""

    def __init__(self, n_clusters: int) -> None:
        self.sizes = np.zeros(n_clusters)
        self.doubtful = np.zeros(n_clusters)
        self.log_likelihood = 0.0
        self.weight = 0.0
        self.numbers = hashlib.sha256()

    def add(self, part: _Part) -> Batch:
        self.sizes += part.sizes
        self.doubtful += part.doubtful
        self.log_likelihood += part.log_likelihood
        self.weight += part.weight
        self.numbers.update(np.ascontiguousarray(part.batch.X.T, dtype="<f8").data)
        return part.batch


def take_census(
    table: Table,
    model: Model,
    *,
    weights: str | None,
    missing: str,
    pool: Executor,
    talk: Talk,
    again: bool = True,
) -> Census:
    """Count the rows by cluster, and take a sample of them.

    Parameters
    ----------
    again : whether another pass over the table may follow; if not, a pipe is not kept.

    Raises
    ------
    ModelError : the table lacks a column of the model.
    DataError : a value is missing, unless such rows are to be dropped; no row is left.
    """
    match_columns(table, model.columns)
    weights = weights and find_column(table, weights, numeric=True)
    selection = Selection(model.columns, weights, rows=False)
    rows = CompleteRows(table, selection, drop=missing == "drop")
    total = _Sum(model.mixture.n_components)

    def look(piece: Piece) -> _Part:
        return _part(model, piece.rows, weighted=weights is not None)

    def batches(pieces: Iterator[Piece]) -> Iterator[Batch]:
        yield from map(total.add, pool.map_ordered(look, pieces))

    with talk.progress() as line:
        some = sample(batches(rows.pieces(watched(pool, line, "reading"), again=again)), MOST_ROWS)
    return Census(
        name=table.name,
        sha256=total.numbers.hexdigest(),
        n_rows=rows.counts.n_rows,
        n_dropped=rows.counts.n_dropped,
        n_weightless=rows.counts.n_weightless,
        sizes=total.sizes,
        doubtful=total.doubtful,
        log_likelihood=total.log_likelihood,
        weight=total.weight,
        sample=some,
    )


def _part(model: Model, rows: FloatArray, *, weighted: bool) -> _Part:
    X, weights = (rows[:-1], rows[-1]) if weighted else (rows, None)
    counts = np.ones(X.shape[1]) if weights is None else weights
    posterior = model.mixture.posterior(
        (X if model.projection is None else model.projection.apply(X)).T
    )
    n_clusters = model.mixture.n_components
    # between components of one cluster there is nothing to doubt
    by_label = by_cluster(posterior, model.clusters) if model.clusters else posterior
    doubt = by_label.uncertainty >= DOUBT
    return _Part(
        Batch(X, weights),
        np.bincount(posterior.labels, counts, n_clusters).astype(np.float64),
        np.bincount(posterior.labels[doubt], counts[doubt], n_clusters).astype(np.float64),
        float(counts @ posterior.log_density),
        float(counts.sum()),
    )
