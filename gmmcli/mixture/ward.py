"""Ward's hierarchical clustering of weighted rows: trees for the starts.

Sources: Ward (1963); the nearest-neighbour chain, Murtagh (1983), which needs no matrix of
distances, since Ward's clusters are told by their centre and mass.
"""

from typing import NamedTuple

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray

FULL = 0.8
"""Share of the clusters that are left, below which those that are gone are let go of."""


class Tree(NamedTuple):
    """M - 1 merges, the nearest first.

    pairs : (M - 1, 2), the rows that stand for the two clusters that merge; the first goes on to
        stand for both.
    heights : (M - 1,), by how much the within sum of squares grows.
    """

    pairs: IntArray
    heights: FloatArray


def ward(X: FloatArray, masses: FloatArray) -> Tree:
    """The tree of the columns of X (D, M) with masses (M,)."""
    centres, masses = X.copy(), masses.copy()
    rows = np.arange(X.shape[1])
    pairs: list[tuple[int, int]] = []
    heights: list[float] = []
    chain: list[int] = []
    for n_left in range(X.shape[1], 1, -1):
        if n_left < FULL * len(rows):
            # what is left moves together, in its order
            left = np.flatnonzero(centres[0] < np.inf)
            chain = np.searchsorted(left, chain).tolist()
            centres, masses, rows = centres.take(left, axis=1), masses[left], rows[left]
        if not chain:
            chain.append(int(np.argmax(centres[0] < np.inf)))
        while True:
            last = chain[-1]
            Y = centres - centres[:, last, None]
            cost = np.einsum("dm,dm->m", Y, Y)
            cost *= masses[last] * (masses / (masses + masses[last]))
            cost[last] = np.inf
            nearest = int(cost.argmin())
            if len(chain) > 1 and not cost[nearest] < cost[chain[-2]]:
                break
            chain.append(nearest)
        # two that are each other's nearest
        chain.pop()
        other = chain.pop()
        pairs.append((int(rows[other]), int(rows[last])))
        heights.append(float(cost[other]))
        total = masses[other] + masses[last]
        centres[:, other] += (centres[:, last] - centres[:, other]) * (masses[last] / total)
        masses[other] = total
        # far from all that are left
        centres[:, last] = np.inf
    order = np.argsort(heights, kind="stable")
    return Tree(np.array(pairs, dtype=np.int64).reshape(-1, 2)[order], np.array(heights)[order])


def cut(tree: Tree, n_groups: int) -> IntArray:
    """Labels (M,) from 0 when the merges stop at that many groups."""
    n_rows = len(tree.pairs) + 1
    kept, gone = tree.pairs[: n_rows - n_groups].T
    stands_for = np.arange(n_rows)
    stands_for[gone] = kept
    while not np.array_equal(farther := stands_for[stands_for], stands_for):
        stands_for = farther
    return np.unique(stands_for, return_inverse=True)[1].astype(np.int64)
