"""Principal components: a mixture of a few directions, where the columns are many.

Source: Jolliffe (2002), Principal Component Analysis, section 2.3 (of the correlation matrix,
so that the units of the columns do not matter).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import FloatArray, frozen
from gmmcli.mixture.batches import ArrayBatches, Batch, Batches
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.standardise import Description


@dataclass(frozen=True, eq=False)
class Projection:
    """y = components ((x - shift) / scale).

    shift, scale : (D,), means and standard deviations in user units.
    components : (N, D), orthonormal rows, the largest variance first; the entry of largest
        size in each is positive, so that the signs are the same tomorrow.
    explained_variance_ratio : (N,), share of the standardised variance along each.
    """

    shift: FloatArray
    scale: FloatArray
    components: FloatArray
    explained_variance_ratio: FloatArray

    def __post_init__(self) -> None:
        for name in ("shift", "scale", "components", "explained_variance_ratio"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @classmethod
    def of(cls, description: Description, n_components: int) -> Self:
        """The first principal components of rows of that description (user units).

        Raises
        ------
        FitError : more components than columns.
        """
        n_features = len(description.mean)
        if not 1 <= n_components <= n_features:
            raise FitError(
                f"{n_components} principal components were asked for, but there are "
                f"{n_features} columns",
                f"choose --pca between 1 and {n_features}",
            )
        values, vectors = np.linalg.eigh(description.correlation)
        order = np.argsort(-values)[:n_components]
        components = vectors[:, order].T
        largest = np.abs(components).argmax(axis=1)
        components *= np.sign(components[np.arange(len(components)), largest])[:, None]
        deviation = description.deviation
        return cls(
            description.location,
            np.where(deviation > 0, deviation, 1.0),
            components,
            np.maximum(values[order], 0) / max(values.sum(), np.finfo(np.float64).tiny),
        )

    @property
    def n_components(self) -> int:
        """N."""
        return len(self.components)

    def apply(self, X: FloatArray) -> FloatArray:
        """Project a block X (D, B): (N, B)."""
        projected: FloatArray = self.components @ ((X - self.shift[:, None]) / self.scale[:, None])
        return projected

    def batches(self, batches: Batches) -> Batches:
        """The projected rows: in memory if the rows are, else pass by pass."""
        projected = _ProjectedBatches(batches, self)
        if isinstance(batches, ArrayBatches):
            X = np.concatenate([batch.X for batch in projected], axis=1)
            return ArrayBatches(X, batches.weights)
        return projected

    def to_user(self, model: GaussianMixture) -> tuple[FloatArray, FloatArray]:
        """Images of a mixture of projected rows: means (K, D), covariances (K, D, D), user units.

        The covariances have rank N: of what was projected away, nothing is known.
        """
        back = self.components * self.scale
        means = self.shift + model.means @ back
        return means, back.T @ model.covariance.full() @ back


@dataclass(frozen=True, eq=False)
class _ProjectedBatches:
    source: Batches
    projection: Projection

    @property
    def n_features(self) -> int:
        return self.projection.n_components

    def __iter__(self) -> Iterator[Batch]:
        for X, weights in self.source:
            yield Batch(self.projection.apply(X), weights)
