"""Model-based hierarchical clustering: the merges that cost a Gaussian likelihood least.

Source: Fraley (1998), Algorithms for model-based Gaussian hierarchical clustering, SIAM J.
Scientific Computing 20. For clusters that each have a covariance of their own (VVV) the
classification log-likelihood of a partition is, but for constants,

    -1/2 sum_k n_k ln det(W_k / n_k)

and the two clusters are merged that lower it least. A cluster of few rows has no determinant, so
each is given one row more, with the spread that a cluster may be expected to have.
"""

from dataclasses import dataclass

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.mixture.ward import Tree

EXTRA_ROWS = 1.0
PAIR_NUMBERS = 30_000
"""Numbers in the scatters of the pairs that are judged at once: few enough for the caches."""


@dataclass(frozen=True, eq=False)
class _Clusters:
    """Masses (G,), centres (G, D), scatters about them (G, D, D), and the extra row's (D, D)."""

    mass: FloatArray
    centre: FloatArray
    scatter: FloatArray
    spread: FloatArray

    def cost(self) -> FloatArray:
        """n ln det(W / n) of each: (G,)."""
        n = self.mass + EXTRA_ROWS
        lower = np.linalg.cholesky(self.scatter + self.spread)
        log_det = 2 * np.log(np.einsum("gii->gi", lower)).sum(axis=1)
        cost: FloatArray = n * (log_det - len(self.spread) * np.log(n))
        return cost

    def joined(self, i: int | IntArray, others: IntArray) -> "_Clusters":
        """Cluster i together with each of the others; or clusters i, one with each."""
        mass = self.mass[i] + self.mass[others]
        gap = self.centre[others] - self.centre[i]
        share = self.mass[others] / mass
        between = ((self.mass[i] * share)[:, None] * gap)[:, :, None] * gap[:, None, :]
        centre = self.centre[i] + share[:, None] * gap
        scatter = self.scatter[others]
        scatter += self.scatter[i]
        scatter += between
        return _Clusters(mass, centre, scatter, self.spread)

    def put(self, i: int, cluster: "_Clusters") -> None:
        """Replace cluster i."""
        self.mass[i], self.centre[i] = cluster.mass[0], cluster.centre[0]
        self.scatter[i] = cluster.scatter[0]


def model_based(X: FloatArray, masses: FloatArray, groups: IntArray) -> Tree:
    """The tree of the groups of the columns of X (D, M), white or nearly so, with masses (M,).

    Parameters
    ----------
    groups : (M,), labels from 0 of the G groups to begin with.

    Returns
    -------
    The tree of the G groups, whose heights are what each merge costs; they need not grow.
    """
    clusters = _clusters(X, masses, groups)
    n_groups = len(clusters.mass)
    own = clusters.cost()
    loss = np.full((n_groups, n_groups), np.inf)
    every = np.stack(np.triu_indices(n_groups, 1))
    step = max(PAIR_NUMBERS // len(X) ** 2, 1)
    for start in range(0, every.shape[1], step):
        first, second = every[:, start : start + step]
        loss[first, second] = clusters.joined(first, second).cost() - own[first] - own[second]
    pairs: list[tuple[int, int]] = []
    heights: list[float] = []
    left = np.arange(n_groups)
    while len(left) > 1:
        i, j = divmod(int(np.argmin(loss)), n_groups)
        pairs.append((i, j))
        heights.append(float(loss[i, j]))
        together = clusters.joined(i, np.array([j]))
        clusters.put(i, together)
        own[i] = together.cost()[0]
        loss[j], loss[:, j] = np.inf, np.inf
        left = left[left != j]
        others = left[left != i]
        change = clusters.joined(i, others).cost() - own[i] - own[others]
        loss[np.minimum(i, others), np.maximum(i, others)] = change
    return Tree(np.array(pairs, dtype=np.int64).reshape(-1, 2), np.array(heights))


def _clusters(X: FloatArray, masses: FloatArray, groups: IntArray) -> _Clusters:
    n_features, n_groups = len(X), int(groups.max()) + 1
    member = (groups == np.arange(n_groups)[:, None]) * masses
    mass = member.sum(axis=1)
    centre = member @ X.T / mass[:, None]
    Y = X - centre[groups].T
    scatter = np.einsum("gm,im,jm->gij", member, Y, Y, optimize=True)
    spread = EXTRA_ROWS * n_groups ** (-2 / n_features) * np.eye(n_features)
    return _Clusters(mass, centre, scatter, spread)
