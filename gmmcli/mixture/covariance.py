"""The covariance structures: one class each, and the table of their names.

A structure says which second moments of the data it needs (its form), how they become
covariances (the M-step), how many free parameters it has, and which shape its numbers have in
a model file. To add one, write a class of twenty lines and put it in STRUCTURES.

Names and M-steps: Celeux & Govaert (1995), Gaussian parsimonious clustering models.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray, frozen
from gmmcli.mixture.moments import DiagonalMoments, FullMoments, Moments


@dataclass(frozen=True, eq=False)
class Covariance(ABC):
    """The covariances of K components that share a structure; immutable.

    Parameters
    ----------
    matrices : (K, D, D), or (K, D) for structures without correlations.
    """

    matrices: FloatArray

    name: ClassVar[str]
    description: ClassVar[str]
    form: ClassVar[type[Moments]]
    scales_by_column: ClassVar[bool] = True
    """Whether the structure survives a change of units of one column alone."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrices", frozen(self.matrices))

    @classmethod
    @abstractmethod
    def from_scatter(cls, masses: FloatArray, scatters: FloatArray) -> Self:
        """The M-step: maximise -1/2 sum_k [N_k ln det Sigma_k + tr(W_k Sigma_k^-1)].

        Parameters
        ----------
        masses : (K,), N_k.
        scatters : W_k about the component means, in the shape of `matrices`.
        """

    @staticmethod
    @abstractmethod
    def n_parameters(n_components: int, n_features: int) -> int:
        """Free parameters of the covariances alone."""

    @staticmethod
    @abstractmethod
    def rows_needed(n_features: int) -> int:
        """Rows below which a component's covariance is the penalty's work, not the data's."""

    @property
    @abstractmethod
    def values(self) -> FloatArray:
        """The numbers without repetition, in scikit-learn's shape."""

    @classmethod
    @abstractmethod
    def from_values(cls, values: FloatArray, *, n_components: int, n_features: int) -> Self:
        """The inverse of `values`; ValueError where the shape is not the structure's."""

    @property
    def n_components(self) -> int:
        """K."""
        return len(self.matrices)

    @cached_property
    def factors(self) -> FloatArray:
        """Inverse Cholesky factors (K, D, D), or inverse standard deviations (K, D)."""
        return self.form.factors(self.matrices)

    @cached_property
    def log_determinants(self) -> FloatArray:
        """ln det Sigma_k: (K,)."""
        return self.form.log_determinants(self.factors)

    def full(self) -> FloatArray:
        """Every covariance as a matrix: (K, D, D)."""
        if self.matrices.ndim == 3:
            return self.matrices
        return self.matrices[:, :, None] * np.eye(self.matrices.shape[1])

    def scaled(self, scale: FloatArray) -> Self:
        """The covariances when column j is multiplied by scale[j]; equal scales if spherical."""
        products = np.outer(scale, scale) if self.matrices.ndim == 3 else scale**2
        return type(self)(self.matrices * products)

    def taken(self, components: list[int]) -> Self:
        """The covariances of these components, in this order; one may be named twice."""
        return type(self)(self.matrices[components])


def _expect_shape(values: FloatArray, shape: tuple[int, ...], meaning: str) -> FloatArray:
    if values.shape != shape:
        raise ValueError(f"covariances have shape {values.shape}, but {meaning} needs {shape}")
    return values


class Full(Covariance):
    """Each component its own matrix (VVV): Sigma_k = W_k / N_k."""

    name = "full"
    description = "each cluster its own shape, size and direction"
    form = FullMoments

    @classmethod
    def from_scatter(cls, masses: FloatArray, scatters: FloatArray) -> Self:
        """Sigma_k = W_k / N_k."""
        return cls(scatters / masses[:, None, None])

    @staticmethod
    def n_parameters(n_components: int, n_features: int) -> int:
        """K D (D + 1) / 2."""
        return n_components * n_features * (n_features + 1) // 2

    @staticmethod
    def rows_needed(n_features: int) -> int:
        """D + 1: fewer lie in a plane."""
        return n_features + 1

    @property
    def values(self) -> FloatArray:
        """(K, D, D)."""
        return self.matrices

    @classmethod
    def from_values(cls, values: FloatArray, *, n_components: int, n_features: int) -> Self:
        """From (K, D, D)."""
        return cls(_expect_shape(values, (n_components, n_features, n_features), cls.name))


class Tied(Covariance):
    """One matrix for all components (EEE): Sigma = sum W_k / sum N_k."""

    name = "tied"
    description = "all clusters the same shape, size and direction"
    form = FullMoments

    @classmethod
    def from_scatter(cls, masses: FloatArray, scatters: FloatArray) -> Self:
        """Sigma = sum_k W_k / sum_k N_k."""
        shared = scatters.sum(axis=0) / masses.sum()
        return cls(np.broadcast_to(shared, scatters.shape))

    @staticmethod
    def n_parameters(n_components: int, n_features: int) -> int:
        """D (D + 1) / 2."""
        del n_components
        return n_features * (n_features + 1) // 2

    @staticmethod
    def rows_needed(n_features: int) -> int:
        """One: the others carry the shape."""
        del n_features
        return 1

    @property
    def values(self) -> FloatArray:
        """(D, D)."""
        shared: FloatArray = self.matrices[0]
        return shared

    @classmethod
    def from_values(cls, values: FloatArray, *, n_components: int, n_features: int) -> Self:
        """From (D, D)."""
        shared = _expect_shape(values, (n_features, n_features), cls.name)
        return cls(np.broadcast_to(shared, (n_components, n_features, n_features)))


class Diagonal(Covariance):
    """Each component its own variances, no correlations (VVI): diag(W_k) / N_k."""

    name = "diag"
    description = "each cluster its own spread along each column, no correlations"
    form = DiagonalMoments

    @classmethod
    def from_scatter(cls, masses: FloatArray, scatters: FloatArray) -> Self:
        """diag(Sigma_k) = diag(W_k) / N_k."""
        return cls(scatters / masses[:, None])

    @staticmethod
    def n_parameters(n_components: int, n_features: int) -> int:
        """K D."""
        return n_components * n_features

    @staticmethod
    def rows_needed(n_features: int) -> int:
        """Two: one has no spread."""
        del n_features
        return 2

    @property
    def values(self) -> FloatArray:
        """(K, D)."""
        return self.matrices

    @classmethod
    def from_values(cls, values: FloatArray, *, n_components: int, n_features: int) -> Self:
        """From (K, D)."""
        return cls(_expect_shape(values, (n_components, n_features), cls.name))


class Spherical(Covariance):
    """Each component one variance for all columns (VII): tr(W_k) / (N_k D)."""

    name = "spherical"
    description = "each cluster round, with its own size"
    form = DiagonalMoments
    scales_by_column = False

    @classmethod
    def from_scatter(cls, masses: FloatArray, scatters: FloatArray) -> Self:
        """sigma_k^2 = tr(W_k) / (N_k D)."""
        variances = scatters.mean(axis=1) / masses
        return cls(np.broadcast_to(variances[:, None], scatters.shape))

    @staticmethod
    def n_parameters(n_components: int, n_features: int) -> int:
        """K."""
        del n_features
        return n_components

    @staticmethod
    def rows_needed(n_features: int) -> int:
        """Two: one has no spread."""
        del n_features
        return 2

    @property
    def values(self) -> FloatArray:
        """(K,)."""
        return self.matrices[:, 0]

    @classmethod
    def from_values(cls, values: FloatArray, *, n_components: int, n_features: int) -> Self:
        """From (K,)."""
        variances = _expect_shape(values, (n_components,), cls.name)
        return cls(np.broadcast_to(variances[:, None], (n_components, n_features)))


STRUCTURES: dict[str, type[Covariance]] = {
    structure.name: structure for structure in (Full, Tied, Diagonal, Spherical)
}
