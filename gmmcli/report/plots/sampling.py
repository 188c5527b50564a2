"""At most so many rows of a stream, the same ones each time, however it is cut into batches.

Each row gets a key by its number alone, and those with the lowest keys are kept: a random sample
without replacement (bottom-k sampling; Cohen & Kaplan 2007).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import Batch

MOST_ROWS = 20_000

_Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Some rows of many.

    rows : (N, D), in the order of the stream.
    weights : (N,), or None.
    n_rows : how many there were.
    """

    rows: FloatArray
    weights: FloatArray | None
    n_rows: int


def sample(batches: Iterable[Batch], most: int = MOST_ROWS) -> Sample:
    """A random sample of the rows, all of them if they are no more than `most`.

    Parameters
    ----------
    batches : blocks X (D, B) with row weights (B,) or None; at least one.
    """
    kept = _Kept(most)
    n_rows = 0
    weighted = False
    for X, weights in batches:
        weighted = weights is not None
        lines = X if weights is None else np.vstack((X, weights))
        kept.add(lines, n_rows)
        n_rows += X.shape[1]
    lines = kept.lines()
    return Sample(
        rows=np.ascontiguousarray((lines[:-1] if weighted else lines).T),
        weights=lines[-1] if weighted else None,
        n_rows=n_rows,
    )


class _Kept:
    """The columns of blocks with the lowest keys, in order."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._blocks: list[FloatArray] = []
        self._keys: list[_Keys] = []
        self._n_kept = 0
        self._bound = np.uint64(2**64 - 1)

    def add(self, block: FloatArray, first: int) -> None:
        keys = _keys(first, block.shape[1])
        low = keys <= self._bound
        self._blocks.append(block[:, low])
        self._keys.append(keys[low])
        self._n_kept += int(np.count_nonzero(low))
        # now and then, so that memory stays bounded and sorting does not cost
        if self._n_kept > 2 * self._most:
            self._prune()

    def _prune(self) -> None:
        block, keys = np.concatenate(self._blocks, axis=1), np.concatenate(self._keys)
        if len(keys) > self._most:
            self._bound = np.partition(keys, self._most - 1)[self._most - 1]
            block, keys = block[:, keys <= self._bound], keys[keys <= self._bound]
        self._blocks, self._keys, self._n_kept = [block], [keys], len(keys)

    def lines(self) -> FloatArray:
        self._prune()
        return self._blocks[0]


def _keys(first: int, n_rows: int) -> _Keys:
    """Numbers that look random and are all different: splitmix64 (Steele, Lea & Flood 2014)."""
    z = np.arange(first, first + n_rows, dtype=np.uint64)
    z = (z + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
