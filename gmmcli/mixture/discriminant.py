"""The directions along which the components of a mixture differ most: GMMDR.

Source: Scrucca (2010), Dimension reduction for model-based clustering, Statistics and Computing
20, 471-484, section 3: the eigenvectors of the kernel M relative to the overall covariance Sigma,

    M v = l Sigma v,    M = M_I Sigma^-1 M_I + M_II,
    M_I = sum_k w_k (mu_k - mu)(mu_k - mu)',
    M_II = sum_k w_k (Sigma_k - S) Sigma^-1 (Sigma_k - S),    S = sum_k w_k Sigma_k,

so that differences of means and of covariances count alike. Sigma = S + M_I is the mixture's own.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray, frozen
from gmmcli.mixture.covariance import VVV
from gmmcli.mixture.model import GaussianMixture

NULL = 1e-8
"""Eigenvalues below it are rounding: along such directions the components do not differ."""
FLAT = 1e-12
"""Share of the largest eigenvalue of the correlations below which they are rounding."""


@dataclass(frozen=True, eq=False)
class Directions:
    """y = coefficients ((x - centre) / scale).

    centre, scale : (D,), mean and standard deviation of the mixture, user units.
    coefficients : (J, D), of standardised features; y has variance 1. The entry of largest size
        in each is positive, so that the signs are the same tomorrow.
    eigenvalues : (J,), how much the components differ along each, the most first.
    """

    centre: FloatArray
    scale: FloatArray
    coefficients: FloatArray
    eigenvalues: FloatArray

    def __post_init__(self) -> None:
        for name in ("centre", "scale", "coefficients", "eigenvalues"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @classmethod
    def of(cls, mixture: GaussianMixture, n_directions: int) -> Self:
        """The first directions of a mixture of at least as many features.

        Directions along which the components do not differ come last, and among them the one
        with the largest variance first: with one component, the principal components.
        """
        weights = mixture.weights
        centre = weights @ mixture.means
        offsets = mixture.means - centre
        within = np.einsum("k,kij->ij", weights, mixture.covariance.full())
        variances = np.diag(within) + weights @ offsets**2
        scale = np.sqrt(variances)
        offsets = offsets / scale
        matrices = mixture.covariance.full() / np.outer(scale, scale)
        pooled = within / np.outer(scale, scale)
        between = np.einsum("k,ki,kj->ij", weights, offsets, offsets)

        values, vectors = np.linalg.eigh(pooled + between)
        # columns that follow from others leave directions with next to no variance: the last
        root = (vectors / np.sqrt(np.maximum(values, FLAT * values[-1]))) @ vectors.T
        means_kernel = root @ between @ root
        shapes = root @ (matrices - pooled) @ root
        kernel = means_kernel @ means_kernel + np.einsum("k,kij,kjl->il", weights, shapes, shapes)
        eigenvalues, white = np.linalg.eigh(kernel)
        eigenvalues, white = eigenvalues[::-1], white[:, ::-1]
        null = eigenvalues < NULL
        # of equal variance, hence the shorter, the larger the variance along a unit of length
        rest = white[:, null]
        white[:, null] = rest @ np.linalg.eigh(rest.T @ root @ root @ rest)[1]

        coefficients = (root @ white[:, :n_directions]).T
        largest = np.abs(coefficients).argmax(axis=1)
        coefficients *= np.sign(coefficients[np.arange(len(coefficients)), largest])[:, None]
        return cls(centre, scale, coefficients, np.where(null, 0, eigenvalues)[:n_directions])

    def apply(self, X: FloatArray) -> FloatArray:
        """The rows of X (N, D) along the directions: (N, J)."""
        along: FloatArray = ((X - self.centre) / self.scale) @ self.coefficients.T
        return along

    def image(self, mixture: GaussianMixture) -> GaussianMixture:
        """The mixture along the directions: that of J linear combinations of its features."""
        matrices = mixture.covariance.full() / np.outer(self.scale, self.scale)
        images = self.coefficients @ matrices @ self.coefficients.T
        return GaussianMixture(mixture.weights, self.apply(mixture.means), VVV(images))
