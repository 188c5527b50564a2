"""One shape, own sizes: the covariances are multiples of one matrix.

Source: Celeux & Govaert (1995), sections 3.1.2 (VEI) and 3.2.2 (VEE): sizes and shape in turn.
With the shape put in, what is left to minimise,

    sum_k N_k D ln lambda_k + n ln det(sum_k W_k / lambda_k),

is convex in ln lambda, since the determinant is a sum of products of 1 / lambda_k with weights
that are not negative. So the start does not matter but for speed.
"""

from typing import Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.covariance.structure import Covariance, each
from gmmcli.mixture.moments import DiagonalMoments, FullMoments

STILL = 1e-10
"""Change of the sizes, as a share, below which they have come to rest."""
MOST_TURNS = 100
POINT = 1e-40
"""Size, as a share of the largest, of a component on one point."""


class _Proportional(Covariance):
    scales_by_column = True

    @classmethod
    def from_scatter(
        cls, masses: FloatArray, scatters: FloatArray, previous: Covariance | None = None
    ) -> Self:
        """Sigma_k = lambda_k C, by C = sum_k W_k / lambda_k / n, lambda_k = tr(W_k C^-1) / (N_k D).

        The sizes start from those of `previous`, or from one for all.
        """
        n_features = scatters.shape[1]
        sizes = np.ones_like(masses)
        if previous is not None:
            sizes = np.exp(previous.log_determinants / n_features)
        for _ in range(MOST_TURNS):
            shape = cls._shape(masses, scatters, sizes)
            factor = cls.form.factors(shape[None])[0]
            if not np.isfinite(factor).all():
                break
            before, sizes = sizes, cls._traces(scatters, factor) / (masses * n_features)
            if np.all(np.abs(sizes - before) <= STILL * before):
                break
        return cls(each(sizes, scatters) * cls._shape(masses, scatters, sizes))

    @staticmethod
    def _shape(masses: FloatArray, scatters: FloatArray, sizes: FloatArray) -> FloatArray:
        # a component on one point has nothing to say of the shape
        sized = sizes > POINT * sizes.max()
        inverse = np.divide(1, sizes, out=np.zeros_like(sizes), where=sized)
        mass = max(float(masses[sized].sum()), np.finfo(np.float64).tiny)
        shape: FloatArray = (each(inverse, scatters) * scatters).sum(axis=0) / mass
        return shape

    @staticmethod
    def _traces(scatters: FloatArray, factor: FloatArray) -> FloatArray:
        """tr(W_k C^-1) from the factor of C: (K,)."""
        if factor.ndim == 1:
            return scatters @ factor**2
        traces: FloatArray = np.einsum("kij,ij->k", scatters, factor.T @ factor)
        return traces


class VEI(_Proportional):
    """One shape along the columns, each its own size."""

    code = "VEI"
    form = DiagonalMoments


class VEE(_Proportional):
    """One shape in the same directions, each its own size."""

    code = "VEE"
    form = FullMoments
