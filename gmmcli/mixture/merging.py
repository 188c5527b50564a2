"""Components combined into clusters by entropy.

BIC chooses as many Gaussians as the density needs, and a cluster that is no Gaussian needs
several. Joined two by two, the pair first whose union leaves least doubt about who belongs where,
they become clusters again, and the density stays what it was.

Source: Baudry, Raftery, Celeux, Lo & Gottardo (2010), Combining mixture components for
clustering, Journal of Computational and Graphical Statistics 19.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.mixture.batches import Batch, Batches, summed
from gmmcli.mixture.model import BLOCK_ROWS, GaussianMixture, Posterior
from gmmcli.mixture.workers import Workers

SLIGHT = 0.01
"""Nats a row: clusters of no more entropy than this stand apart, and none needs joining."""
FEWEST_POINTS = 4
"""Of the entropy, and so components, of which an elbow can be told."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Merging:
    """The way from K components to one cluster.

    weights : (K,), of the components.
    n_rows : the sum of the row weights.
    entropies : (K,), in nats; entropies[c - 1] is that of c clusters.
    merges : the two clusters joined at each of the K - 1 steps, as components.
    """

    weights: FloatArray
    n_rows: float
    entropies: FloatArray
    merges: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]

    @property
    def n_components(self) -> int:
        """K."""
        return len(self.weights)

    def clusters(self, n_clusters: int) -> IntArray:
        """The cluster of each component (K,), the heaviest cluster being 0."""
        labels = np.arange(self.n_components)
        for first, second in self.merges[: self.n_components - n_clusters]:
            labels[[*first, *second]] = min(*first, *second)
        names = np.unique(labels)
        masses = [self.weights[labels == name].sum() for name in names]
        # ties go to the cluster with the earlier component
        order = np.argsort(-np.array(masses), kind="stable")
        numbers: IntArray = np.argsort(order)[np.searchsorted(names, labels)]
        return numbers

    @property
    def apart(self) -> int:
        """The largest number of clusters that hardly overlap; 1 always does."""
        slight = np.flatnonzero(self.entropies <= SLIGHT * self.n_rows)
        return int(slight[-1]) + 1 if len(slight) else 1

    @property
    def elbow(self) -> int | None:
        """The number of clusters at the elbow of the entropy; None where there is none to tell.

        It is where two straight lines, fitted by least squares to the entropy over the number of
        clusters, share a point (Baudry et al. 2010; mclust's clustCombiOptim does the same), if
        the entropy rises more steeply beyond it. Two lines go through any three points, so it
        takes four. It is an inner point, and so never one cluster.
        """
        if self.n_components < FEWEST_POINTS:
            return None
        place = elbow(self.entropies)
        before, beyond = _slope(self.entropies[: place + 1]), _slope(self.entropies[place:])
        return place + 1 if beyond > before else None

    @property
    def suggested(self) -> int:
        """The number of clusters that stand apart; if none do, that at the elbow; K without one.

        Two lines follow the largest drops, and leave clusters that hardly anything divides.
        """
        return self.apart if self.apart > 1 else self.elbow or self.n_components


def merge(model: GaussianMixture, batches: Batches, *, workers: Workers | None = None) -> Merging:
    """Join the components of a mixture step by step, in K - 1 passes over the rows.

    Each step joins the two clusters whose union lowers the entropy most,

        -sum_i sum_c t_ic ln t_ic,    t_ic = p(cluster c | row i).

    Parameters
    ----------
    batches : rows in the space of the mixture.
    workers : who goes over the batches; None for one thread.
    """
    clusters: list[list[int]] = [[k] for k in range(model.n_components)]
    everyone = range(model.n_components)
    look = partial(_entropies, model=model)
    seen = summed(partial(look, clusters=clusters, joined=everyone), batches, workers)
    alone, together = seen.alone, seen.together
    totals = [alone.sum()]
    merges = []
    while len(clusters) > 1:
        gains = alone[:, None] + alone - together
        gains[np.tril_indices(len(clusters))] = -np.inf
        a, b = divmod(int(np.argmax(gains)), len(clusters))
        merges.append((tuple(clusters[a]), tuple(clusters[b])))
        alone[a] = together[a, b]
        clusters[a] = sorted(clusters[a] + clusters.pop(b))
        alone = np.delete(alone, b)
        together = np.delete(np.delete(together, b, axis=0), b, axis=1)
        # of the last two the union is known: it holds every row for certain
        row: FloatArray | float = 0.0
        if len(clusters) > 2:
            one = partial(look, clusters=clusters, joined=(a,))
            row = summed(one, batches, workers).together[0]
        together[a] = together[:, a] = row
        totals.append(alone.sum())
    return Merging(
        weights=model.weights,
        n_rows=seen.n_rows,
        entropies=np.array(totals[::-1]),
        merges=tuple(merges),
    )


def by_cluster(posterior: Posterior, clusters: Sequence[int]) -> Posterior:
    """What a mixture says of rows, by cluster instead of by component.

    Parameters
    ----------
    clusters : (K,), the cluster of each component, from 0.
    """
    shares = posterior.responsibilities @ _membership(clusters)
    others = shares.copy()
    others[np.arange(len(shares)), shares.argmax(axis=1)] = 0
    return Posterior(posterior.log_density, shares, others.sum(axis=1))


def elbow(values: FloatArray) -> int:
    """Where, of the points 0 … n - 1, two least-squares lines that share a point fit best."""
    breaks = range(1, len(values) - 1)
    misfits = [_misfit(values[: c + 1]) + _misfit(values[c:]) for c in breaks]
    return breaks[int(np.argmin(misfits))]


def _misfit(values: FloatArray) -> float:
    """Sum of squares about the least-squares line through equidistant points."""
    x, y = _centred(values)
    return float(y @ y - (x @ y) ** 2 / (x @ x))


def _slope(values: FloatArray) -> float:
    """Of the least-squares line through equidistant points, a step."""
    x, y = _centred(values)
    return float((x @ y) / (x @ x))


def _centred(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Equidistant places and the values there, each about its mean."""
    places: FloatArray = np.arange(float(len(values))) - (len(values) - 1) / 2
    return places, values - values.mean()


@dataclass(frozen=True, eq=False)
class _Entropies:
    """Of C clusters alone (C,), and of some of them, joined with each of the C (J, C)."""

    n_rows: float
    alone: FloatArray
    together: FloatArray

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.n_rows + other.n_rows, self.alone + other.alone, self.together + other.together
        )


def _entropies(
    batch: Batch, *, model: GaussianMixture, clusters: list[list[int]], joined: Sequence[int]
) -> _Entropies:
    labels = np.empty(model.n_components, dtype=np.int64)
    for c, components in enumerate(clusters):
        labels[components] = c
    membership = _membership(labels)
    alone, together = np.zeros(len(clusters)), np.zeros((len(joined), len(clusters)))
    n_rows = batch.X.shape[1]
    weights = np.ones(n_rows) if batch.weights is None else batch.weights
    for start in range(0, n_rows, BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        shares = (model.posterior(batch.X[:, rows].T).responsibilities @ membership).T
        alone += _doubt(shares) @ weights[rows]
        for i, c in enumerate(joined):
            together[i] += _doubt(shares[c] + shares) @ weights[rows]
    return _Entropies(float(weights.sum()), alone, together)


def _membership(labels: Sequence[int] | IntArray) -> FloatArray:
    """1 where a component (row) is in a cluster (column), else 0."""
    numbers = np.asarray(labels)
    membership: FloatArray = np.eye(int(numbers.max()) + 1)[numbers]
    return membership


def _doubt(shares: FloatArray) -> FloatArray:
    """-t ln t, which is 0 at 0; a sum that rounding lifts over 1 is 1."""
    t = np.minimum(shares, 1)
    doubt: FloatArray = -t * np.log(np.where(t > 0, t, 1))
    return doubt
