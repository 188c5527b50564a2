"""Random mixtures and test problems with known labels.

Every kind but `classification` draws rows from a `GaussianMixture`, so what is generated is
what the engine's own model says.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.mixture.covariance import VII, VVI, VVV
from gmmcli.mixture.model import GaussianMixture


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to generate.

    separation : distance between the nearest two centres, in standard deviations.
    n_informative : columns that tell the classes apart, for `classification`; None for all
        the classes need, at least 2.
    """

    n_features: int = 2
    n_components: int = 3
    separation: float = 6.0
    n_informative: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_features < 1 or self.n_components < 1 or not 0 <= self.separation < np.inf:
            raise ValueError("features and components start at 1, separation at 0")
        if self.n_informative is not None and not 1 <= self.n_informative <= self.n_features:
            raise FitError(
                f"{self.n_informative} informative columns of {self.n_features}",
                f"choose between 1 and {self.n_features}",
            )


def generate(kind: str, n_rows: int, recipe: Recipe) -> tuple[FloatArray, IntArray]:
    """Rows (N, D) of a kind in KINDS, and their true labels (N,)."""
    rng = np.random.default_rng(recipe.seed)
    return KINDS[kind][0](n_rows, recipe, rng)


def centres(recipe: Recipe, rng: np.random.Generator) -> FloatArray:
    """Random centres (K, D) whose nearest two are `separation` apart."""
    if recipe.n_components == 1:
        return np.zeros((1, recipe.n_features))
    # the loosest of a few draws, so that no two centres are very much nearer than the others
    best, best_gap = np.zeros((0, 0)), -1.0
    for _ in range(20):
        drawn = rng.standard_normal((recipe.n_components, recipe.n_features))
        distances = np.linalg.norm(drawn[:, None] - drawn[None], axis=2)
        gap = float(distances[np.triu_indices(len(drawn), 1)].min() / distances.max())
        if gap > best_gap:
            best, best_gap = drawn, gap
    distances = np.linalg.norm(best[:, None] - best[None], axis=2)
    nearest = distances[np.triu_indices(len(best), 1)].min()
    scaled: FloatArray = best * (recipe.separation / nearest)
    return scaled


def _equal_weights(recipe: Recipe) -> FloatArray:
    return np.full(recipe.n_components, 1 / recipe.n_components)


def _blobs(n_rows: int, recipe: Recipe, rng: np.random.Generator) -> tuple[FloatArray, IntArray]:
    spread = VII(np.ones((recipe.n_components, recipe.n_features)))
    return GaussianMixture(_equal_weights(recipe), centres(recipe, rng), spread).sample(n_rows, rng)


def _stretched(
    n_rows: int, recipe: Recipe, rng: np.random.Generator
) -> tuple[FloatArray, IntArray]:
    rows, labels = _blobs(n_rows, recipe, rng)
    stretch = rng.standard_normal((recipe.n_features, recipe.n_features))
    return rows @ stretch, labels


def _random(n_rows: int, recipe: Recipe, rng: np.random.Generator) -> tuple[FloatArray, IntArray]:
    n_components, n_features = recipe.n_components, recipe.n_features
    rotations = np.linalg.qr(rng.standard_normal((n_components, n_features, n_features)))[0]
    # standard deviations between 1/3 and 1, so that `separation` is a lower bound
    deviations = 3.0 ** -rng.random((n_components, n_features))
    covariances = (rotations * deviations[:, None] ** 2) @ rotations.transpose(0, 2, 1)
    weights = rng.dirichlet(np.full(n_components, 5.0))
    model = GaussianMixture(weights, centres(recipe, rng), VVV(covariances))
    return model.sample(n_rows, rng)


def _unbalanced(
    n_rows: int, recipe: Recipe, rng: np.random.Generator
) -> tuple[FloatArray, IntArray]:
    weights = 10.0 ** -np.arange(recipe.n_components)
    spread = VVI(np.ones((recipe.n_components, recipe.n_features)))
    return GaussianMixture(weights / weights.sum(), centres(recipe, rng), spread).sample(
        n_rows, rng
    )


def _classification(
    n_rows: int, recipe: Recipe, rng: np.random.Generator
) -> tuple[FloatArray, IntArray]:
    """As Guyon (2003), Design of experiments for the NIPS 2003 variable selection benchmark.

    One cluster a class, on the corners of a cube, each with a random linear map; the other
    columns are noise.
    """
    needed = max(2, int(np.ceil(np.log2(recipe.n_components))))
    n_informative = recipe.n_informative or min(recipe.n_features, needed)
    if 2.0**n_informative < recipe.n_components:
        raise FitError(
            f"{recipe.n_components} classes need {needed} informative columns, not {n_informative}",
            f"choose --informative {needed} or more, and as many features",
        )
    chosen: set[int] = set()
    while len(chosen) < recipe.n_components:
        chosen.add(int(rng.integers(2 ** min(n_informative, 62))))
    corners = np.array(
        [[(corner >> i) & 1 for i in range(n_informative)] for corner in sorted(chosen)]
    )
    labels = rng.integers(recipe.n_components, size=n_rows)
    rows = rng.standard_normal((n_rows, recipe.n_features))
    for k, corner in enumerate(corners):
        mix = rng.uniform(-1, 1, (n_informative, n_informative))
        members = labels == k
        inner = rows[members, :n_informative] @ mix
        rows[members, :n_informative] = inner + recipe.separation * (corner - 0.5)
    return rows, labels.astype(np.int64)


KINDS: dict[
    str,
    tuple[
        Callable[[int, Recipe, np.random.Generator], tuple[FloatArray, IntArray]],
        str,
    ],
] = {
    "blobs": (_blobs, "round clusters of one size"),
    "stretched": (_stretched, "round clusters multiplied by one random matrix"),
    "classification": (_classification, "classes on the corners of a cube, and noise columns"),
    "random": (_random, "clusters with shapes, directions and weights of their own"),
    "unbalanced": (_unbalanced, "round clusters, each a tenth of the one before"),
}
"""The kinds by name: how to draw them, and what they are."""
