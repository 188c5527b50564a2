"""The trees that starts are cut from: what each grew on, and who grows them.

They are the same for every fit of the same rows. So where many fits are shared among processes,
the trees are grown before, one process a tree, instead of all of them in each.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.mixture.model_based import model_based
from gmmcli.mixture.sampling import draw
from gmmcli.mixture.streams import Purpose, stream
from gmmcli.mixture.ward import Tree, cut, ward
from gmmcli.mixture.workers import Workers

WARD_ROWS = 1_000
"""Rows that a tree grows on, where there are more."""
MODEL_GROUPS = 200
"""Groups of Ward's tree that the model-based one begins with: each merge takes as many
determinants as there are groups left."""
MODEL_WORK = 4_000
"""The same, times the number of columns."""


class Grown(NamedTuple):
    """Rows of the sample, their masses, and the tree that grew on them."""

    rows: IntArray
    masses: FloatArray
    tree: Tree


def groups_of(X: FloatArray, masses: FloatArray, most: int) -> Iterator[IntArray]:
    """The columns of X (D, M) as one group, as two that Ward's tree finds, and so on."""
    tree = ward(X, masses)
    for n_groups in range(1, min(most, X.shape[1]) + 1):
        yield cut(tree, n_groups)


class Whitened:
    """White rows of a sample, and the trees that grow on them; the same in all coordinates.

    Parameters
    ----------
    X : (D, M), white under the covariance of all rows.
    weights : (M,).
    """

    def __init__(self, X: FloatArray, weights: FloatArray, *, seed: int) -> None:
        self.X = X
        self.weights = weights
        rng = stream(seed, Purpose.TREES)
        self._rows, self.other_rows = (some_rows(weights, WARD_ROWS, rng) for _ in range(2))

    @cached_property
    def grown(self) -> Grown:
        """Ward's tree."""
        return grow(self.X, *self._rows)

    @cached_property
    def model_tree(self) -> tuple[IntArray, Tree]:
        """Groups of the rows of Ward's tree, and the model-based tree of them."""
        rows, masses, tree = self.grown
        # equal rows are one group from the beginning, as one row with their weight is
        n_distinct = 1 + int(np.count_nonzero(tree.heights))
        n_groups = min(n_distinct, MODEL_GROUPS, max(MODEL_WORK // len(self.X), 2))
        groups = cut(tree, n_groups)
        return groups, model_based(self.X[:, rows], masses, groups)

    @property
    def trees(self) -> dict[str, Any]:
        """All of them, by name."""
        return {"grown": self.grown, "model_tree": self.model_tree}


class Ground(Protocol):
    """What trees grow on, and which of its properties they are."""

    @property
    def trees(self) -> Mapping[str, Any]:
        """Those that grow on nothing else, by name."""


@dataclass(frozen=True, eq=False)
class Grounds:
    """Several of these, on which trees are grown side by side."""

    grounds: Sequence[Ground]

    def grow(self, workers: Workers) -> None:
        """Grow all trees; from then on each of the grounds has its own."""
        numbers = range(len(self.grounds))
        grown = workers.map_over(self, Grounds.trees_of, numbers, is_long=True)
        for ground, trees in zip(self.grounds, grown, strict=True):
            vars(ground).update(trees)

    def trees_of(self, number: int) -> Mapping[str, Any]:
        """Those of one of them."""
        return self.grounds[number].trees


def some_rows(
    weights: FloatArray, size: int, rng: np.random.Generator
) -> tuple[IntArray, FloatArray]:
    """So many rows drawn by their weights, if they weigh more, and their masses."""
    if weights.sum() <= size:
        return np.arange(len(weights)), weights
    rows, counts = np.unique(draw(weights, rng.random(size)), return_counts=True)
    return rows, counts.astype(np.float64)


def grow(X: FloatArray, rows: IntArray, masses: FloatArray) -> Grown:
    """Ward's tree on some of the columns of X (D, M)."""
    return Grown(rows, masses, ward(X[:, rows], masses))
