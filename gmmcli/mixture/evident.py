"""When a fit to a sample is so evidently right that further starts need not be tried.

No density has a higher expected log-likelihood than the true one (Gibbs' inequality). So where
the rows of a sample look in every respect as if they were drawn from the fitted mixture, another
optimum can only be higher by chance. That can be seen where clusters stand apart: then each
component has its own rows, and these have to look like a Gaussian's.
"""

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.model import GaussianMixture

DOUBT = 0.03
"""Mean probability, over the rows of a component, of being another's: more is overlap."""
FEWEST_ROWS = 30
"""Rows that tell of a component whether it is a Gaussian."""
LOW, HIGH = 3.5, 6.0
"""Standard errors by which a moment may be off. Two clusters in one lower the fourth moment along
the axis that joins them, and chance, which is not symmetric, rather raises it."""


def evident(model: GaussianMixture, sample: ArrayBatches) -> bool:
    """Whether components stand apart, and the rows of each look as if they were drawn from it."""
    posterior = model.posterior(np.ascontiguousarray(sample.X.T))
    matrices = model.covariance.full()
    for k in range(model.n_components):
        own = posterior.labels == k
        if own.sum() < FEWEST_ROWS or posterior.uncertainty[own].mean() > DOUBT:
            return False
        values, axes = np.linalg.eigh(matrices[k])
        centred = sample.X[:, own] - model.means[k][:, None]
        if not _gaussian(axes.T @ centred / np.sqrt(values)[:, None]):
            return False
    return True


def _gaussian(Y: FloatArray) -> bool:
    """Whether the rows of Y (D, N) have moments up to the fourth as standard Gaussians have them.

    The standard errors are those of N rows: 1 / N of a mean, 1 / N or 2 / N of the second moments,
    6 / N of the third and 24 / N of the fourth about the estimated mean and variance.
    """
    n_features, n_rows = Y.shape
    error = 1 / np.sqrt(n_rows)
    second = (Y @ Y.T) / n_rows - np.eye(n_features)
    second /= error * np.sqrt(1 + np.eye(n_features))
    squares = Y * Y
    third = (squares * Y).mean(axis=1) / (error * np.sqrt(6))
    fourth = ((squares * squares).mean(axis=1) - 3) / (error * np.sqrt(24))
    close = np.abs(second).max() <= HIGH and np.abs(third).max() <= HIGH
    return bool(close and fourth.min() >= -LOW and fourth.max() <= HIGH)
