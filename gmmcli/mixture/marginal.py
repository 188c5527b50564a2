"""What a mixture says of fewer coordinates: marginals, linear images, components one by one.

Source: Bishop (2006), Pattern Recognition and Machine Learning, section 2.3.2 (the marginal of a
Gaussian is the sub-block of its covariance).
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.covariance import VVV
from gmmcli.mixture.model import GaussianMixture


def marginal(mixture: GaussianMixture, features: Sequence[int]) -> GaussianMixture:
    """The mixture of these J features, in this order: means (K, J), covariances (K, J, J)."""
    chosen = list(features)
    blocks = mixture.covariance.full()[:, chosen][:, :, chosen]
    return GaussianMixture(mixture.weights, mixture.means[:, chosen], VVV(blocks))


def component_log_densities(mixture: GaussianMixture, X: FloatArray) -> FloatArray:
    """ln [w_k N(x; mu_k, Sigma_k)] of the rows of X (N, D): (K, N)."""
    return np.stack(
        [
            np.log(weight) + mixture.taken([k]).posterior(X).log_density
            for k, weight in enumerate(mixture.weights)
        ]
    )


def radius(probability: float, n_features: int) -> float:
    """How far from its mean, in standard deviations, a Gaussian of 1 or 2 features has this share.

    The root of the quantile of chi-squared, in closed form: 1.960 and 2.448 for 95 %.
    """
    if n_features == 1:
        return NormalDist().inv_cdf((1 + probability) / 2)
    return float(np.sqrt(-2 * np.log1p(-probability)))


def density_levels(
    mixture: GaussianMixture, probabilities: Sequence[float], *, n_draws: int = 100_000
) -> FloatArray:
    """ln of the density levels above which the mixture has these shares of its probability.

    By simulation, from a seed of its own: the share above a level is that of the draws whose
    density is higher, with a standard error below 0.002 (Hyndman 1996, Computing and graphing
    highest density regions, section 3.2).
    """
    draws, _ = mixture.sample(n_draws, np.random.default_rng(0))
    levels: FloatArray = np.quantile(
        mixture.posterior(draws).log_density, 1 - np.asarray(probabilities)
    )
    return levels
