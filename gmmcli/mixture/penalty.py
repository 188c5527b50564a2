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
    """

    strength: float
    target: FloatArray
    floor: FloatArray

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
        return cls(strength, target, floor)

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

    def credit(self, masses: FloatArray, covariance: Covariance) -> float:
        """Nats of log-likelihood that are the penalty's work, not the data's.

        Where the rows of a light component all have one value in a column, as a few of rounded
        data will, its variance there is the penalty's, and the likelihood as high as that is
        small. Light is less than half an even share of the rows.

        Parameters
        ----------
        masses : (K,), N_k; 0 for a component that is not to be looked at.
        """
        # with one size for all, what is narrow in one direction is wide in another
        if self.strength == 0 or covariance.code[0] == "E":
            return 0.0
        target, variances = self.target, covariance.matrices
        if target.ndim == 2:
            target, variances = np.diag(target), np.einsum("kdd->kd", variances)
        shares = variances[:, target > 0] / target[target > 0]
        # the target's part of a covariance is 2a / (2a + N_k)
        bound = 2 * 2 * self.strength / (2 * self.strength + masses)
        tied = shares < bound[:, None]
        # equal rows are a cluster, and so are many with one value; few are chance
        partly = tied.any(axis=1) & ~tied.all(axis=1)
        light = masses < masses.sum() / (2 * len(masses))
        gained = np.where(tied, -np.log(np.minimum(shares, 1)), 0).sum(axis=1)
        return float(0.5 * masses[partly & light] @ gained[partly & light])

    def value(self, covariance: Covariance) -> float:
        """-a sum_k [tr(S Sigma_k^-1) + ln det Sigma_k], in nats."""
        if self.strength == 0:
            return 0.0
        traces = covariance.traces(self.target)
        return -self.strength * float((traces + covariance.log_determinants).sum())
