"""A pass over the rows of a table for a model, in constant memory: a sample, and what it says."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from gmmcli.cli.constants import Constants
from gmmcli.cli.matching import matched
from gmmcli.cli.reading import Rows
from gmmcli.cli.talk import Talk
from gmmcli.cli.telling import note_left_out
from gmmcli.cli.watching import watched
from gmmcli.data import CompleteRows, Piece, Table
from gmmcli.execution import Executor
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import Batch
from gmmcli.modelfile import Model
from gmmcli.report.models import in_doubt
from gmmcli.report.page import MOST_ROWS, Census
from gmmcli.report.plots.sampling import Sample, sample


@dataclass(frozen=True, eq=False)
class _Part:
    """What a model says of some rows: as in Census."""

    batch: Batch
    sizes: FloatArray
    doubtful: FloatArray
    log_likelihood: float
    likeness: float
    weight: float


class _Sum:
    """The parts added in their order, so that threads do not change the last digits."""

    def __init__(self, n_clusters: int) -> None:
        self.sizes = np.zeros(n_clusters)
        self.doubtful = np.zeros(n_clusters)
        self.log_likelihood = 0.0
        self.likeness = 0.0
        self.weight = 0.0
        self.numbers = hashlib.sha256()

    def add(self, part: _Part) -> Batch:
        self.sizes += part.sizes
        self.doubtful += part.doubtful
        self.log_likelihood += part.log_likelihood
        self.likeness += part.likeness
        self.weight += part.weight
        self.numbers.update(np.ascontiguousarray(part.batch.X.T, dtype="<f8").data)
        return part.batch


@contextmanager
def passing(
    table: Table, model: Model, options: Rows, *, pool: Executor, talk: Talk, first: bool = True
) -> Iterator[tuple[CompleteRows, Iterator[Piece]]]:
    """One pass over the rows; at its end it is said which are left out, and what has changed.

    Parameters
    ----------
    first : whether it is the first pass over the table, and the last; else all that was said
        before, and a pipe is kept.

    Raises
    ------
    ModelError : the table lacks a column of the model.
    DataError : a value is missing, unless such rows are to be dropped; no row is left.
    """
    selection = matched(table, model, weights=options.weights)
    constants = Constants(model.constant_columns if first else {})
    beside = tuple(name for name in constants.values if name in table.columns)
    rows = CompleteRows(table, selection, drop=options.missing == "drop", beside=beside)
    with talk.progress() as line:
        looked_at = constants.watching(table, watched(pool, line, "reading"))
        yield rows, rows.pieces(looked_at, again=not first)
    if first:
        note_left_out(rows.counts, talk)
    if constants.warning:
        talk.warning(constants.warning)


def sampled(table: Table, model: Model, options: Rows, *, pool: Executor, talk: Talk) -> Sample:
    """Some rows of a table, in user units; see `passing`."""
    weighted = options.weights is not None
    with passing(table, model, options, pool=pool, talk=talk) as (_, pieces):
        return sample(_batch(piece.rows, weighted=weighted) for piece in pieces)


def take_census(
    table: Table, model: Model, options: Rows, *, pool: Executor, talk: Talk, first: bool = True
) -> Census:
    """Count the rows by cluster, and take a sample of them; see `passing`."""
    total = _Sum(model.n_clusters)
    weighted = options.weights is not None

    def look(piece: Piece) -> _Part:
        return _part(model, _batch(piece.rows, weighted=weighted))

    with passing(table, model, options, pool=pool, talk=talk, first=first) as (rows, pieces):
        some = sample(map(total.add, pool.map_ordered(look, pieces)), MOST_ROWS)
    return Census(
        name=table.name,
        sha256=total.numbers.hexdigest(),
        n_rows=rows.counts.n_rows,
        n_dropped=rows.counts.n_dropped,
        n_weightless=rows.counts.n_weightless,
        sizes=total.sizes,
        doubtful=total.doubtful,
        log_likelihood=total.log_likelihood,
        likeness=total.likeness,
        weight=total.weight,
        sample=some,
    )


def _batch(rows: FloatArray, *, weighted: bool) -> Batch:
    return Batch(rows[:-1], rows[-1]) if weighted else Batch(rows, None)


def _part(model: Model, batch: Batch) -> _Part:
    X, weights = batch
    counts = np.ones(X.shape[1]) if weights is None else weights
    posterior = model.posterior(X.T)
    labels, doubt, density = posterior.labels, in_doubt(posterior), posterior.log_density
    if model.bayes is not None:
        density = model.mixture.posterior(model.features(X.T)).log_density
    n_clusters = model.n_clusters
    return _Part(
        batch,
        np.bincount(labels, counts, n_clusters).astype(np.float64),
        np.bincount(labels[doubt], counts[doubt], n_clusters).astype(np.float64),
        float(counts @ posterior.log_density),
        float(counts @ density),
        float(counts.sum()),
    )
