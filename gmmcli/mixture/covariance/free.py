"""Nothing in common, or everything: the M-steps that are quotients.

Each is written once for axes along the columns, (K, D), and for any, (K, D, D).
"""

from typing import Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.covariance.structure import Covariance, each
from gmmcli.mixture.moments import DiagonalMoments, FullMoments


class _Free(Covariance):
    scales_by_column = True

    @classmethod
    def from_scatter(
        cls, masses: FloatArray, scatters: FloatArray, previous: Covariance | None = None
    ) -> Self:
        """Sigma_k = W_k / N_k."""
        del previous
        # one that has lost all its rows has no spread
        return cls(scatters / each(np.where(masses > 0, masses, 1), scatters))


class _Same(Covariance):
    scales_by_column = True

    @classmethod
    def from_scatter(
        cls, masses: FloatArray, scatters: FloatArray, previous: Covariance | None = None
    ) -> Self:
        """Sigma = sum_k W_k / n."""
        del previous
        return cls(np.broadcast_to(scatters.sum(axis=0) / masses.sum(), scatters.shape))


class VVI(_Free):
    """Each component its own variances, no correlations: diag(W_k) / N_k."""

    code = "VVI"
    form = DiagonalMoments


class VVV(_Free):
    """Each component its own matrix: W_k / N_k."""

    code = "VVV"
    form = FullMoments


class EEI(_Same):
    """The same variances for all, no correlations: sum diag(W_k) / n."""

    code = "EEI"
    form = DiagonalMoments


class EEE(_Same):
    """One matrix for all: sum W_k / n."""

    code = "EEE"
    form = FullMoments
