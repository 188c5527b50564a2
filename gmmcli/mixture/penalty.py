"""The penalty that keeps the likelihood bounded, and the M-step under it.

A Gaussian mixture's likelihood is unbounded: a component may shrink onto one row. Chen & Tan
(2009), Inference for multivariate normal mixtures, J. Multivariate Analysis 100, add

    -a sum_k [tr(S Sigma_k^-1) + ln det Sigma_k]

with S the covariance of the data and a = 1/n, which leaves the estimate consistent. In the
M-step that is 2a more rows with scatter 2a S in each component, so each structure takes it
without knowing:  Sigma_k = (2a S + W_k) / (2a + N_k)  for the full one.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.covariance import Covariance
from gmmcli.mixture.standardise import Description, Standardisation

FLOOR = 1e-10
"""Variance of the noise, in standardised units, where the data have no spread."""


@dataclass(frozen=True, eq=False)
class Penalty:
    """Strength and target of the penalty, in standardised coordinates.

    strength : a, in rows; 0 is maximum likelihood.
    target : S, (D, D) or (D,), in the form's shape.
    floor : variance that each component has in directions in which the data have none, (D, D)
        or (D,): the rows are taken as measured with that much noise. Zero unless columns are
        constant or collinear, since then no density exists.
    resolution : (D,), the step in which the values of a column are given.
    """

    strength: float
    target: FloatArray
    floor: FloatArray
    resolution: FloatArray

    @classmethod
    def of(
        cls,
        description: Description,
        standardisation: Standardisation,
        *,
        structure: type[Covariance],
        strength: float,
    ) -> Self:
        """The penalty for data of that description."""
        ratio = np.where(description.constant, 1, description.deviation / standardisation.scale)
        units = np.outer(ratio, ratio)
        null = description.null_space
        target = structure.form.of_matrix(description.correlation * units)
        floor = structure.form.of_matrix(FLOOR * (null @ null.T) * units)
        return cls(strength, target, floor, description.resolution / standardisation.scale)

    def covariance(
        self,
        structure: type[Covariance],
        *,
        masses: FloatArray,
        spreads: FloatArray,
        previous: Covariance | None = None,
    ) -> Covariance:
        """The M-step of the covariances under the penalty.

        Parameters
        ----------
        masses : (K,), N_k.
        spreads : W_k / N_k, in the form's shape.
        previous : those before, from which an iterative M-step goes on.
        """
        n = masses + 2 * self.strength
        extra = 2 * self.strength * self.target
        shape = (-1,) + (1,) * self.target.ndim
        scatters = masses.reshape(shape) * spreads + extra + n.reshape(shape) * self.floor
        return structure.from_scatter(n, scatters, previous)

    def unresolved(self, masses: FloatArray, covariance: Covariance) -> float:
        """Nats of log-likelihood that clusters owe to being narrower than the data's rounding.

        Rows with one value in a column have no spread there but the penalty's, and a density as
        high as that is small, though the value was only measured to the resolution h. Sheppard's
        correction (1898) says what spread that leaves unknown: h^2 / 12.

        Parameters
        ----------
        masses : (K,), N_k; 0 for a component that is not to be looked at.
        """
        # with one size for all, what is narrow in one direction is wide in another
        if self.strength == 0 or covariance.code[0] == "E":
            return 0.0
        variances, least = covariance.variances, self.resolution**2 / 12
        narrow = variances < least
        if not narrow.any():
            return 0.0
        # equal rows are a cluster
        narrow &= ~narrow.all(axis=1, keepdims=True)
        least = np.broadcast_to(least, variances.shape)
        lost = np.log(least, where=narrow, out=np.zeros_like(variances))
        lost -= np.log(variances, where=narrow, out=np.zeros_like(variances))
        return float(0.5 * masses @ lost.sum(axis=1))

    def value(self, covariance: Covariance) -> float:
        """-a sum_k [tr(S Sigma_k^-1) + ln det Sigma_k], in nats."""
        if self.strength == 0:
            return 0.0
        traces = covariance.traces(self.target)
        return -self.strength * float((traces + covariance.log_determinants).sum())
