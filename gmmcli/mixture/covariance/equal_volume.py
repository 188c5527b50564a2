"""One volume, own shapes: determinants are the same, all else is each component's own.

Source: Celeux & Govaert (1995), sections 3.1.3 (EVI) and 3.3.2 (EVV).
"""

from typing import Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.covariance.structure import Covariance, each
from gmmcli.mixture.moments import DiagonalMoments, FullMoments


class _EqualVolume(Covariance):
    scales_by_column = True

    @classmethod
    def from_scatter(
        cls, masses: FloatArray, scatters: FloatArray, previous: Covariance | None = None
    ) -> Self:
        """Sigma_k = lambda W_k / det(W_k)^(1/D), lambda = sum_k det(W_k)^(1/D) / n."""
        del previous
        if scatters.shape[1] == 1:
            # without a shape, a component on one point has the size of the others
            return cls(np.broadcast_to(scatters.sum(axis=0) / masses.sum(), scatters.shape))
        log_det = cls.form.log_determinants(cls.form.factors(scatters))
        roots = np.exp(log_det / scatters.shape[1])
        # a component in a plane has no volume; it has collapsed, and must not take others along
        solid = roots > 0
        volume = roots[solid].sum() / masses.sum()
        sizes = np.divide(volume, roots, out=np.zeros_like(roots), where=solid)
        return cls(each(sizes, scatters) * scatters)


class EVI(_EqualVolume):
    """One volume, each its own shape along the columns."""

    code = "EVI"
    form = DiagonalMoments


class EVV(_EqualVolume):
    """One volume, each its own shape and directions."""

    code = "EVV"
    form = FullMoments
