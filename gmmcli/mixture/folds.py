"""Folds of the rows: views of batches, for rows in memory and for those gone over in passes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import IntArray
from gmmcli.mixture.batches import BATCH_ROWS, ArrayBatches, Batch, Batches
from gmmcli.mixture.sampling import in_memory
from gmmcli.mixture.streams import Purpose, stream


def folds(batches: Batches, n_folds: int, *, seed: int) -> Iterator[tuple[Batches, Batches]]:
    """For each fold the other rows, and its own.

    The folds differ in size by one row at most: of each n_folds rows in a row, one goes to each
    fold, in random order. A row goes as a whole, whatever its weight, for its repetitions would
    tell a fit what it is to predict.

    Raises
    ------
    FitError : more folds than rows.
    """
    check_folds(batches, n_folds)
    for fold in range(n_folds):
        others, own = (_Part(batches, n_folds, seed, fold, inside) for inside in (False, True))
        yield in_memory(others) if isinstance(batches, ArrayBatches) else others, own


def check_folds(batches: Batches, n_folds: int) -> None:
    """Refuse more folds than rows."""
    n_rows = 0
    for batch in batches:
        n_rows += batch.X.shape[1]
        if n_rows >= n_folds:
            return
    message = f"{n_folds} folds were asked for, but there are only {n_rows} rows"
    raise FitError(message, f"choose {n_rows} folds or fewer")


@dataclass(frozen=True, eq=False)
class _Part:
    """The rows inside a fold, or those outside it."""

    source: Batches
    n_folds: int
    seed: int
    fold: int
    inside: bool

    @property
    def n_features(self) -> int:
        return self.source.n_features

    def __iter__(self) -> Iterator[Batch]:
        return _whole(self._pieces())

    def _pieces(self) -> Iterator[Batch]:
        rng = stream(self.seed, Purpose.FOLDS)
        left: IntArray = np.empty(0, dtype=np.int64)
        for X, weights in self.source:
            n_rows = X.shape[1]
            n_rounds = max(0, -((len(left) - n_rows) // self.n_folds))
            rounds = rng.permuted(np.tile(np.arange(self.n_folds), (n_rounds, 1)), axis=1)
            dealt = np.concatenate([left, rounds.ravel()])
            here = (dealt[:n_rows] == self.fold) == self.inside
            left = dealt[n_rows:]
            yield Batch(X[:, here], None if weights is None else weights[here])


def _whole(pieces: Iterable[Batch]) -> Iterator[Batch]:
    """The same rows in batches of BATCH_ROWS, which are part of a result's bits."""
    waiting: list[Batch] = []
    n_rows = 0
    for piece in pieces:
        waiting.append(piece)
        n_rows += piece.X.shape[1]
        if n_rows >= BATCH_ROWS:
            whole, *waiting = in_memory(waiting)
            n_rows -= BATCH_ROWS
            yield whole
    if n_rows:
        yield from in_memory(waiting)
