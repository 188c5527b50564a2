"""The Gaussian as an exponential family: one matrix product for each half of EM.

The log-density of a Gaussian is linear in T(x), a vector of the row's monomials,

    ln N(x; mu, Sigma) = coefficients · T(x) - (D ln 2 pi + ln det Sigma) / 2,

so the log-densities of a block under all components are one product, (K, P) by (P, B), and
the expected sufficient statistics, sum over rows of r · T(x), are another, (K, B) by (B, P).

That form subtracts large numbers when a component is tight and far from the origin. Then the
centred one is taken, component by component: z = L^-1 (x - mu) is linear in x, and the moments
are taken about the component's own mean. `rounding_error` tells which of the two is safe.

The two forms, `FullMoments` (T = 1, x, x_i x_j) and `DiagonalMoments` (T = 1, x, x_i^2), hold
what a covariance structure needs of the data. A *factor* is the inverse Cholesky factor of a
covariance, (D, D), or the inverse standard deviations, (D,).

Source: Bishop (2006), Pattern Recognition and Machine Learning, sections 2.3 and 9.2;
Higham & Mary (2019), A new approach to probabilistic rounding error analysis.
"""

from collections.abc import Callable
from functools import cache
from typing import Protocol

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray

LOG_2PI = float(np.log(2 * np.pi))

Write = Callable[[FloatArray, FloatArray], object]
"""Writes the coordinates of rows X (D, B) to an array of that shape."""


def write_same(X: FloatArray, out: FloatArray) -> None:
    """The rows are in their coordinates."""
    out[:] = X


class Moments(Protocol):
    """What a form of moments has to offer; shapes as in the two classes below."""

    @staticmethod
    def width(n_features: int) -> int:
        """Length P of T(x)."""

    @staticmethod
    def of_matrix(matrix: FloatArray) -> FloatArray:
        """What the form keeps of one matrix (D, D)."""

    @staticmethod
    def features(X: FloatArray, write: Write = write_same) -> FloatArray:
        """T(x) of each row of a block X (D, B): (P, B), as precise as X; `write` brings X to x."""

    @staticmethod
    def quadratic(X: FloatArray, coefficients: FloatArray) -> FloatArray:
        """What the products in T(x) add to coefficients · T(x), block X (D, B): (B,).

        Parameters
        ----------
        coefficients : (P - 1 - D,), those of the products.
        """

    @staticmethod
    def products(X: FloatArray, weights: FloatArray | None) -> FloatArray:
        """Sum over a block of w times the products in T(x): (P - 1 - D,)."""

    @staticmethod
    def coefficients(means: FloatArray, factors: FloatArray) -> FloatArray:
        """Coefficients (K, P) of T(x) in -(x - mu_k)^T Sigma_k^-1 (x - mu_k) / 2."""

    @staticmethod
    def whiten(X: FloatArray, mean: FloatArray, factor: FloatArray) -> FloatArray:
        """z = L^-1 (x - mu) for a block X (D, B): (D, B)."""

    @staticmethod
    def about(X: FloatArray, r: FloatArray, origin: FloatArray) -> FloatArray:
        """Sum over a block of r · T(x - origin): (P,)."""

    @staticmethod
    def mean_and_scatter(totals: FloatArray, origins: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Means (K, D) and scatters about them from sums of r · T(x - origin) (K, P)."""

    @staticmethod
    def totals(masses: FloatArray, means: FloatArray, scatters: FloatArray) -> FloatArray:
        """Sums of r · T(x) (K, P) from their masses (K,), means (K, D) and scatters about them."""

    @staticmethod
    def stretches(factors: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Least and largest ratio of a length under `factors` to that under `others`: (K,) each.

        The length of a vector v is that of L^-1 v.
        """

    @staticmethod
    def factors(covariances: FloatArray) -> FloatArray:
        """Factors of the covariances; NaN for one that is not positive definite."""

    @staticmethod
    def log_determinants(factors: FloatArray) -> FloatArray:
        """ln det Sigma_k from the factors: (K,)."""


def _constant(whitened_means: FloatArray) -> FloatArray:
    constant: FloatArray = -0.5 * np.einsum("kd,kd->k", whitened_means, whitened_means)
    return constant


def _mean_about(totals: FloatArray, n_features: int) -> FloatArray:
    mass = totals[:, :1]
    first = totals[:, 1 : 1 + n_features]
    return np.divide(first, mass, out=np.zeros(first.shape), where=mass > 0)


@cache
def upper_triangle(n_features: int) -> tuple[IntArray, IntArray]:
    """Rows and columns of the upper triangle, in the order of T(x): by diagonals."""
    rows = np.concatenate([np.arange(n_features - offset) for offset in range(n_features)])
    offsets = np.repeat(np.arange(n_features), np.arange(n_features, 0, -1))
    return rows, rows + offsets


def _inverse_cholesky(matrices: FloatArray) -> FloatArray:
    """Inverses of the lower Cholesky factors of (K, D, D); NaN where there is none."""
    try:
        lower = np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full_like(matrices, np.nan)
        return np.concatenate([_inverse_cholesky(one[None]) for one in matrices])
    reciprocals = 1 / np.einsum("kii->ki", lower)[:, :, None]
    inverse: FloatArray = np.zeros_like(lower)
    np.einsum("kii->ki", inverse)[:] = reciprocals[:, :, 0]
    scaled = -lower * reciprocals
    for i in range(1, lower.shape[1]):
        np.matmul(scaled[:, i, None, :i], inverse[:, :i, :i], out=inverse[:, i, None, :i])
    return inverse


class FullMoments:
    """T(x) = (1, x_i, x_i x_j for i <= j); covariances (K, D, D), factors lower triangular.

    The products stand by diagonals, those of j = i first: the ones of a diagonal are two runs of
    neighbouring rows of a block, multiplied, which is twice as fast as row by row.
    """

    @staticmethod
    def width(n_features: int) -> int:
        """Length P of T(x)."""
        return 1 + n_features + n_features * (n_features + 1) // 2

    @staticmethod
    def of_matrix(matrix: FloatArray) -> FloatArray:
        """The matrix itself: (D, D)."""
        return matrix

    @staticmethod
    def features(X: FloatArray, write: Write = write_same) -> FloatArray:
        """T(x) of each row of a block X (D, B): (P, B); `write` brings X to x."""
        n_features, n_rows = X.shape
        block = np.empty((FullMoments.width(n_features), n_rows), X.dtype)
        block[0] = 1
        start = 1 + n_features
        rows = block[1:start]
        write(X, rows)
        for offset in range(n_features):
            stop = start + n_features - offset
            np.multiply(rows[: n_features - offset], rows[offset:], out=block[start:stop])
            start = stop
        return block

    @staticmethod
    def quadratic(X: FloatArray, coefficients: FloatArray) -> FloatArray:
        """What the products in T(x) add to coefficients · T(x), block X (D, B): (B,)."""
        matrix = np.zeros((len(X), len(X)))
        matrix[upper_triangle(len(X))] = coefficients
        added: FloatArray = np.einsum("db,db->b", matrix @ X, X)
        return added

    @staticmethod
    def products(X: FloatArray, weights: FloatArray | None) -> FloatArray:
        """Sum over a block of w times the products in T(x): (P - 1 - D,)."""
        second = (X if weights is None else X * weights) @ X.T
        upper: FloatArray = second[upper_triangle(len(X))]
        return upper

    @staticmethod
    def coefficients(means: FloatArray, factors: FloatArray) -> FloatArray:
        """Coefficients (K, P) of T(x) in -(x - mu_k)^T Sigma_k^-1 (x - mu_k) / 2."""
        n_features = means.shape[1]
        whitened_means = np.einsum("kij,kj->ki", factors, means)
        precisions = factors.transpose(0, 2, 1) @ factors
        rows, columns = upper_triangle(n_features)
        quadratic = -0.5 * precisions[:, rows, columns]
        # the cross term x_i x_j stands once in T and twice in the quadratic form
        quadratic[:, n_features:] *= 2
        linear = np.einsum("kji,kj->ki", factors, whitened_means)
        constant = _constant(whitened_means)
        return np.concatenate([constant[:, None], linear, quadratic], axis=1)

    @staticmethod
    def whiten(X: FloatArray, mean: FloatArray, factor: FloatArray) -> FloatArray:
        """z = L^-1 (x - mu) for a block X (D, B): (D, B)."""
        return factor @ (X - mean[:, None])

    @staticmethod
    def about(X: FloatArray, r: FloatArray, origin: FloatArray) -> FloatArray:
        """Sum over a block of r · T(x - origin): (P,)."""
        Y = X - origin[:, None]
        weighted = Y * r
        second = weighted @ Y.T
        upper = second[upper_triangle(len(second))]
        return np.concatenate([[r.sum()], weighted.sum(axis=1), upper])

    @staticmethod
    def mean_and_scatter(totals: FloatArray, origins: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Means (K, D) and scatters about them (K, D, D) from sums of r · T(x - origin) (K, P)."""
        n_features = origins.shape[1]
        shift = _mean_about(totals, n_features)
        rows, columns = upper_triangle(n_features)
        upper = totals[:, 1 + n_features :] - totals[:, :1] * shift[:, rows] * shift[:, columns]
        scatter = np.empty((len(totals), n_features, n_features))
        scatter[:, rows, columns] = upper
        scatter[:, columns, rows] = upper
        return origins + shift, scatter

    @staticmethod
    def totals(masses: FloatArray, means: FloatArray, scatters: FloatArray) -> FloatArray:
        """Sums of r · T(x) (K, P) from their masses (K,), means (K, D) and scatters about them."""
        first = masses[:, None] * means
        rows, columns = upper_triangle(means.shape[1])
        second = scatters[:, rows, columns] + first[:, rows] * means[:, columns]
        return np.concatenate([masses[:, None], first, second], axis=1)

    @staticmethod
    def stretches(factors: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Least and largest ratio of a length under `factors` to that under `others`: (K,) each."""
        maps = factors @ np.linalg.inv(others)
        squared = np.linalg.eigvalsh(maps.transpose(0, 2, 1) @ maps)
        return np.sqrt(np.maximum(squared[:, 0], 0)), np.sqrt(squared[:, -1])

    @staticmethod
    def factors(covariances: FloatArray) -> FloatArray:
        """Inverse Cholesky factors (K, D, D); NaN for one that is not positive definite."""
        # scaled to unit diagonal first, so that columns of very different units do no harm
        variances = np.einsum("kii->ki", covariances)
        deviations = np.sqrt(np.where(variances > 0, variances, np.nan))
        correlations = covariances / deviations[:, :, None] / deviations[:, None, :]
        inverse: FloatArray = _inverse_cholesky(correlations) / deviations[:, None, :]
        return inverse

    @staticmethod
    def log_determinants(factors: FloatArray) -> FloatArray:
        """ln det Sigma_k from the factors: (K,)."""
        diagonal = np.einsum("kii->ki", factors)
        log_det: FloatArray = -2 * np.log(diagonal).sum(axis=1)
        return log_det


class DiagonalMoments:
    """T(x) = (1, x_i, x_i^2); covariances (K, D), factors the inverse standard deviations."""

    @staticmethod
    def width(n_features: int) -> int:
        """Length P of T(x)."""
        return 1 + 2 * n_features

    @staticmethod
    def of_matrix(matrix: FloatArray) -> FloatArray:
        """Its diagonal: (D,)."""
        return np.diag(matrix).copy()

    @staticmethod
    def features(X: FloatArray, write: Write = write_same) -> FloatArray:
        """T(x) of each row of a block X (D, B): (P, B); `write` brings X to x."""
        n_features, n_rows = X.shape
        block = np.empty((1 + 2 * n_features, n_rows), X.dtype)
        block[0] = 1
        rows = block[1 : 1 + n_features]
        write(X, rows)
        np.multiply(rows, rows, out=block[1 + n_features :])
        return block

    @staticmethod
    def quadratic(X: FloatArray, coefficients: FloatArray) -> FloatArray:
        """What the squares in T(x) add to coefficients · T(x), block X (D, B): (B,)."""
        added: FloatArray = coefficients @ (X * X)
        return added

    @staticmethod
    def products(X: FloatArray, weights: FloatArray | None) -> FloatArray:
        """Sum over a block of w times the squares in T(x): (D,)."""
        squares: FloatArray = np.einsum("db,db->d", X if weights is None else X * weights, X)
        return squares

    @staticmethod
    def coefficients(means: FloatArray, factors: FloatArray) -> FloatArray:
        """Coefficients (K, P) of T(x) in -(x - mu_k)^T Sigma_k^-1 (x - mu_k) / 2."""
        whitened_means = factors * means
        constant = _constant(whitened_means)
        linear = factors * whitened_means
        return np.concatenate([constant[:, None], linear, -0.5 * factors**2], axis=1)

    @staticmethod
    def whiten(X: FloatArray, mean: FloatArray, factor: FloatArray) -> FloatArray:
        """z = (x - mu) / sd for a block X (D, B): (D, B)."""
        return (X - mean[:, None]) * factor[:, None]

    @staticmethod
    def about(X: FloatArray, r: FloatArray, origin: FloatArray) -> FloatArray:
        """Sum over a block of r · T(x - origin): (P,)."""
        Y = X - origin[:, None]
        weighted = Y * r
        second = np.einsum("db,db->d", weighted, Y)
        return np.concatenate([[r.sum()], weighted.sum(axis=1), second])

    @staticmethod
    def mean_and_scatter(totals: FloatArray, origins: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Means (K, D) and scatters about them (K, D) from sums of r · T(x - origin) (K, P)."""
        n_features = origins.shape[1]
        shift = _mean_about(totals, n_features)
        scatter = totals[:, 1 + n_features :] - totals[:, :1] * shift**2
        return origins + shift, scatter

    @staticmethod
    def totals(masses: FloatArray, means: FloatArray, scatters: FloatArray) -> FloatArray:
        """Sums of r · T(x) (K, P) from their masses (K,), means (K, D) and scatters about them."""
        first = masses[:, None] * means
        return np.concatenate([masses[:, None], first, scatters + first * means], axis=1)

    @staticmethod
    def stretches(factors: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Least and largest ratio of a length under `factors` to that under `others`: (K,) each."""
        ratios = factors / others
        return ratios.min(axis=1), ratios.max(axis=1)

    @staticmethod
    def factors(covariances: FloatArray) -> FloatArray:
        """Inverse standard deviations (K, D); NaN where a variance is not positive."""
        return 1 / np.sqrt(np.where(covariances > 0, covariances, np.nan))

    @staticmethod
    def log_determinants(factors: FloatArray) -> FloatArray:
        """ln det Sigma_k from the factors: (K,)."""
        log_det: FloatArray = -2 * np.log(factors).sum(axis=1)
        return log_det
