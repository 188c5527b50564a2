"""Round clusters: one variance for all columns."""

from typing import Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.covariance.structure import Covariance
from gmmcli.mixture.moments import DiagonalMoments


class EII(Covariance):
    """One variance for all: Sigma = lambda I, lambda = sum tr(W_k) / (n D)."""

    code = "EII"
    form = DiagonalMoments
    scales_by_column = False

    @classmethod
    def from_scatter(
        cls, masses: FloatArray, scatters: FloatArray, previous: Covariance | None = None
    ) -> Self:
        """Lambda = sum_k tr(W_k) / (n D)."""
        del previous
        variance = scatters.mean(axis=1).sum() / masses.sum()
        return cls(np.full_like(scatters, variance))


class VII(Covariance):
    """One variance a component: Sigma_k = lambda_k I, lambda_k = tr(W_k) / (N_k D)."""

    code = "VII"
    form = DiagonalMoments
    scales_by_column = False

    @classmethod
    def from_scatter(
        cls, masses: FloatArray, scatters: FloatArray, previous: Covariance | None = None
    ) -> Self:
        """lambda_k = tr(W_k) / (N_k D)."""
        del previous
        # one that has lost all its rows has no spread
        variances = scatters.mean(axis=1) / np.where(masses > 0, masses, 1)
        return cls(np.broadcast_to(variances[:, None], scatters.shape))
