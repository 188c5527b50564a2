"""The starts: partitions of a sample of the rows, of several kinds.

EM climbs to the nearest optimum, so where it starts decides what it finds. No single kind of
start is best everywhere (Biernacki, Celeux & Govaert 2003); `auto` is a portfolio of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gmmcli.mixture.arrays import BoolArray, FloatArray, IntArray
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.moments import Moments
from gmmcli.mixture.partition import joined, model_of, moments_of
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.sampling import draw
from gmmcli.mixture.statistics import Estimates
from gmmcli.mixture.streams import Purpose, stream
from gmmcli.mixture.trees import WARD_ROWS, Grown, Whitened, grow, some_rows
from gmmcli.mixture.ward import cut

QUICK_ROWS = 120
"""The same for a tree that is to find clusters that stand apart."""
LLOYD_ITERATIONS = 20
LEAN, QUICK = "lean", "quick"
"""The names of portfolios that nobody is to ask for: of rough fits, and of clusters apart."""
RUNGS = 8
"""Numbers of components that a Bayesian fit starts from, at most."""
SPARE_GROUPS = 2
"""Groups more than components, of which some are joined as suits the structure."""
JOINED = 2
"""Starts that come of it, at most: which is likeliest by hard assignment may not be so by EM."""

Kind = tuple[str, IntArray]
"""What a start is called, and its labels."""


@dataclass(frozen=True, eq=False)
class Start:
    """A partition of a sample: the kind of start it came from, and labels (M,) from 0."""

    kind: str
    labels: IntArray
    sample: ArrayBatches
    _moments: dict[type[Moments], Estimates] = field(default_factory=dict)

    def moments(self, form: type[Moments]) -> Estimates:
        """Of the groups; every structure of that form starts from the same."""
        if form not in self._moments:
            self._moments[form] = moments_of(self.sample, self.labels, form)
        return self._moments[form]

    def mixture(self, n_components: int, problem: Problem) -> GaussianMixture:
        """The first M-step, with K components at least; `problem` is over the sample."""
        moments = self.moments(problem.structure.form)
        return model_of(problem, moments, n_components, softened=True)


def with_rare_rows(
    start: Start, enriched: ArrayBatches, left: BoolArray, groups: IntArray
) -> Start:
    """The same partition of the rows of the sample that are left, and groups of the rare ones."""
    labels = np.concatenate([start.labels[left], start.labels.max() + 1 + groups])
    return Start(f"{start.kind} and rare rows", labels, enriched)


class Starts:
    """Starts for any number of components from one sample; what they share is computed once.

    Parameters
    ----------
    sample : standardised rows.
    whitening : (D, D), W with W x white under the covariance of all rows.
    seed : of the random draws.
    whitened : of these rows, if they are known from other coordinates.
    """

    def __init__(
        self,
        sample: ArrayBatches,
        *,
        whitening: FloatArray,
        seed: int,
        whitened: Whitened | None = None,
    ) -> None:
        self.sample = sample
        self.seed = seed
        self.whitening = whitening
        n_rows = sample.n_rows
        self.weights = np.ones(n_rows) if sample.weights is None else sample.weights
        self.standard = sample.X
        self.whitened = whitened or Whitened(whitening @ sample.X, self.weights, seed=seed)
        self.white = self.whitened.X
        self._portfolios: dict[tuple[str, int, int], list[Start]] = {}

    @property
    def n_rows(self) -> int:
        """Rows of the sample."""
        return self.sample.n_rows

    @cached_property
    def n_distinct(self) -> int:
        """Distinct rows of the sample."""
        return int(np.unique(self.standard, axis=1).shape[1])

    def portfolio(self, init: str, n_components: int, *, n_init: int) -> list[Start]:
        """The starts of that kind for K components; K = 1 has only one."""
        key = init, n_components, n_init
        if key not in self._portfolios:
            kinds = self._kinds(*key)
            self._portfolios[key] = [Start(kind, labels, self.sample) for kind, labels in kinds]
        return self._portfolios[key]

    def _kinds(self, init: str, n_components: int, n_init: int) -> Iterator[Kind]:
        if n_components == 1:
            yield "all rows", np.zeros(self.sample.n_rows, dtype=np.int64)
            return
        # a generator of its own for each K: select-k gives a cell what fit gives it alone
        rng = stream(self.seed, Purpose.STARTS, n_components)
        yield from {**INITS, LEAN: Starts.lean, QUICK: Starts.quick}[init](
            self, n_components, n_init, rng
        )

    def portfolios(self, init: str, n_components: int, *, n_init: int) -> Iterator[Start]:
        """The starts of that kind for several numbers of components, 1 to K.

        For a fit that empties components: it lets go of one too many more readily than of ten.
        """
        counts = np.geomspace(1, n_components, RUNGS).round().astype(int)
        for count in np.unique(counts):
            yield from self.portfolio(init, int(count), n_init=n_init)

    def mixtures(self, init: str, n_components: int, problem: Problem) -> list[GaussianMixture]:
        """The starts of that kind as mixtures, to go on from over other rows.

        Parameters
        ----------
        problem : over the sample.
        """
        starts = self.portfolio(init, n_components, n_init=1)
        return [start.mixture(n_components, problem) for start in starts]

    def joined(self, n_components: int, problem: Problem) -> list[GaussianMixture]:
        """Mixtures from some groups too many, joined as suits the structure."""
        found = list[Estimates]()
        for start in self.portfolio("hierarchical", n_components + SPARE_GROUPS, n_init=1):
            moments = start.moments(problem.structure.form)
            found += joined(problem, moments, n_components)[:JOINED]
        return [model_of(problem, likely, n_components, softened=True) for likely in found]

    def kmeans(self, K: int, n_init: int, rng: np.random.Generator) -> Iterator[Kind]:
        """k-means++ and Lloyd (Arthur & Vassilvitskii 2007), on standardised and white rows."""
        for i in range(n_init):
            X = self.white if i % 2 else self.standard
            yield "kmeans", lloyd(X, self.weights, plus_plus(X, self.weights, K, rng))

    def random(self, K: int, n_init: int, rng: np.random.Generator) -> Iterator[Kind]:
        """K rows drawn at random, each row to the nearest of them."""
        for _ in range(n_init):
            chosen = draw(self.weights, rng.random(K))
            yield "random", nearest(self.white, self.white[:, chosen])

    def hierarchical(self, K: int, n_init: int, rng: np.random.Generator) -> Iterator[Kind]:
        """Trees cut at K: model-based, then Ward's on white and on standardised rows.

        Beyond three, Ward's on new samples; where all rows are in a tree there are no more.
        """
        groups, model_tree = self.whitened.model_tree
        if groups.max() + 1 >= K:
            grown, labels = self.whitened.grown, cut(model_tree, K)[groups]
            yield "model-based", self._extend(labels, self.white, grown.rows)
        trees = [self.whitened.grown, self.standard_tree] if n_init > 1 else []
        for i in range(n_init - 1):
            if i >= len(trees) and self.weights.sum() <= WARD_ROWS:
                break
            X = self.standard if i % 2 else self.white
            grown = (
                trees[i] if i < len(trees) else grow(X, *some_rows(self.weights, WARD_ROWS, rng))
            )
            yield "hierarchical", self._extend(cut(grown.tree, K), X, grown.rows)

    def farthest(self, K: int, n_init: int, rng: np.random.Generator) -> Iterator[Kind]:
        """Each centre the row farthest from the others (Gonzalez 1985): finds small far groups."""
        for i in range(n_init):
            X = self.white if i % 2 else self.standard
            first = draw(self.weights, rng.random(1))[0]
            chosen = [int(np.argmax(_squared(X, X[:, first])))]
            distance = _squared(X, X[:, chosen[0]])
            while len(chosen) < K:
                chosen.append(int(np.argmax(distance)))
                np.minimum(distance, _squared(X, X[:, chosen[-1]]), out=distance)
            yield "farthest", nearest(X, X[:, chosen])

    def auto(self, K: int, n_init: int, rng: np.random.Generator) -> Iterator[Kind]:
        """The portfolio: three trees, and several of each of the cheap kinds."""
        yield from self.hierarchical(K, 3 * n_init, rng)
        yield from self.kmeans(K, 6 * n_init, rng)
        yield from self.farthest(K, 2 * n_init, rng)
        yield from self.random(K, 6 * n_init, rng)

    def lean(self, K: int, n_init: int, rng: np.random.Generator) -> Iterator[Kind]:
        """A smaller portfolio, for rough fits."""
        yield from self.hierarchical(K, 3 * n_init, rng)
        yield from self.kmeans(K, n_init, rng)

    def quick(self, K: int, n_init: int, rng: np.random.Generator) -> Iterator[Kind]:
        """What finds clusters that stand apart: small trees of different rows."""
        for X in (self.white, self.standard) * n_init:
            grown = grow(X, *some_rows(self.weights, QUICK_ROWS, rng))
            yield "hierarchical", self._extend(cut(grown.tree, K), X, grown.rows)

    @cached_property
    def standard_tree(self) -> Grown:
        """Ward's tree on standardised rows."""
        return grow(self.standard, *self.whitened.other_rows)

    @property
    def trees(self) -> dict[str, Any]:
        """Those that no other coordinates share, by name."""
        return {"standard_tree": self.standard_tree}

    def _extend(self, labels: IntArray, X: FloatArray, rows: IntArray) -> IntArray:
        """Labels of some rows, and of all others by the nearest group centre."""
        groups = [rows[labels == k] for k in range(int(labels.max()) + 1)]
        assigned = nearest(X, np.stack([X[:, group].mean(axis=1) for group in groups], axis=1))
        assigned[rows] = labels
        return assigned


INITS: dict[str, Callable[[Starts, int, int, np.random.Generator], Iterator[Kind]]] = {
    "auto": Starts.auto,
    "kmeans": Starts.kmeans,
    "random": Starts.random,
    "hierarchical": Starts.hierarchical,
}
FROM_TREES = frozenset({"auto", "hierarchical"})
"""Those that cut trees."""


def plus_plus(X: FloatArray, weights: FloatArray, K: int, rng: np.random.Generator) -> FloatArray:
    """k-means++ seeds (D, K): each drawn by its squared distance from those before it."""
    chosen = [int(draw(weights, rng.random(1))[0])]
    distance = _squared(X, X[:, chosen[0]])
    while len(chosen) < K:
        uniform = rng.random(1)
        mass = weights * distance
        # every row is on a seed already: any will do
        chosen.append(int(draw(mass if mass.sum() > 0 else weights, uniform)[0]))
        np.minimum(distance, _squared(X, X[:, chosen[-1]]), out=distance)
    return X[:, chosen]


def lloyd(X: FloatArray, weights: FloatArray, centres: FloatArray) -> IntArray:
    """Labels after Lloyd's iteration from `centres` (D, K); an emptied centre stays where it is."""
    labels = nearest(X, centres)
    for _ in range(LLOYD_ITERATIONS):
        mass = np.bincount(labels, weights, minlength=centres.shape[1])
        sums = np.stack([np.bincount(labels, weights * x, minlength=centres.shape[1]) for x in X])
        centres = np.where(mass > 0, sums / np.where(mass > 0, mass, 1), centres)
        moved = nearest(X, centres)
        if np.array_equal(moved, labels):
            break
        labels = moved
    return labels


def nearest(X: FloatArray, centres: FloatArray) -> IntArray:
    """Index of the nearest of the centres (D, K) for each column of X (D, M)."""
    half = 0.5 * np.einsum("dk,dk->k", centres, centres)
    labels: IntArray = np.argmax(centres.T @ X - half[:, None], axis=0)
    return labels


def _squared(X: FloatArray, centre: FloatArray) -> FloatArray:
    Y = X - centre[:, None]
    squared: FloatArray = np.einsum("dm,dm->m", Y, Y)
    return squared
