"""Variational Bayes: the posterior of a mixture's parameters, and EM's loop that climbs to it.

The model is the Gaussian-Wishart mixture of Bishop (2006), section 10.2:

    z | pi ~ pi,   mu_k | Lambda_k ~ N(m_0, (beta_0 Lambda_k)^-1),   Lambda_k ~ W(P_0^-1, nu_0),

with pi from a weight prior. The posterior is sought among those that factorise,

    q(z) q(pi) prod_k N(mu_k; m_k, (beta_k Lambda_k)^-1) W(Lambda_k; (nu_k C_k)^-1, nu_k),

and a covariance structure says which C_k = E[Lambda_k]^-1 are to be had: any (full), one for all
(tied, with one nu too), diagonal, or round. The best of them is the structure's own M-step, from
nu_0 + N_k rows with scatter P_k = P_0 + W_k + (beta_0 N_k / beta_k) (x_k - m_0)(x_k - m_0)^T, with
x_k the mean of component k's rows and W_k their scatter about it. These are the updates of
scikit-learn's BayesianGaussianMixture too; its bound leaves out constants, ours does not.

So a run's state is a mixture as in EM: the shares N_k / n, the means m_k and the covariances C_k,
from which all other numbers of the posterior follow (`inference.VariationalProblem`). Its E-step
is EM's under `VariationalPosterior.surrogate`, a mixture whose responsibilities are the
variational ones.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.covariance import Covariance
from gmmcli.mixture.gamma import digamma, log_gamma
from gmmcli.mixture.model import LOWEST, GaussianMixture, Posterior
from gmmcli.mixture.weight_prior import WeightPrior

LOG_2 = float(np.log(2))


@dataclass(frozen=True, eq=False)
class Prior:
    """What is believed before the rows are seen.

    weights : of the mixing weights.
    mean : m_0, (D,).
    mean_precision : beta_0, the rows that the belief in m_0 is worth.
    degrees_of_freedom : nu_0, at least D.
    scatter : P_0, as a covariance of one component, in the structure of the posterior.
    """

    weights: WeightPrior
    mean: FloatArray
    mean_precision: float
    degrees_of_freedom: float
    scatter: Covariance

    def transformed(self, shift: FloatArray, scale: FloatArray) -> Self:
        """The prior of x * scale + shift, column by column."""
        return replace(self, mean=self.mean * scale + shift, scatter=self.scatter.scaled(scale))


class Surrogate(NamedTuple):
    """ln rho_nk = ln [w_k N(x_n; m_k, C_k)] + constant, Bishop's equation 10.46.

    mixture : the one on the right; its weights sum to 1.
    constant : in nats.
    """

    mixture: GaussianMixture
    constant: float


@dataclass(frozen=True, eq=False)
class VariationalPosterior:
    """What is believed of T components after the rows were seen.

    weight_concentration : of q(pi), in the shape that the weight prior gives it.
    mean_precision : beta_k, (T,).
    degrees_of_freedom : nu_k, (T,).
    means : m_k, (T, D).
    covariance : C_k = E[Lambda_k]^-1.
    """

    prior: Prior
    weight_concentration: FloatArray
    mean_precision: FloatArray
    degrees_of_freedom: FloatArray
    means: FloatArray
    covariance: Covariance

    @property
    def n_features(self) -> int:
        """D."""
        return int(self.means.shape[1])

    @cached_property
    def mixture(self) -> GaussianMixture:
        """The expected weights and means, and the covariances C_k."""
        weights = self.prior.weights.weights(self.weight_concentration)
        return GaussianMixture(weights, self.means, self.covariance)

    @cached_property
    def surrogate(self) -> Surrogate:
        """The mixture whose responsibilities are the variational ones."""
        log_weights = self.prior.weights.log_weights(self.weight_concentration)
        spread = self.n_features * np.log(self.degrees_of_freedom) - self._digammas
        joint = log_weights - 0.5 * (spread + self.n_features / self.mean_precision)
        top = joint.max()
        total = np.exp(joint - top).sum()
        # a weight too small for floating point is the smallest there is
        weights = np.maximum(np.exp(joint - top) / total, np.finfo(np.float64).tiny)
        mixture = GaussianMixture(weights, self.means, self.covariance)
        return Surrogate(mixture, float(top + np.log(total)))

    @property
    def _digammas(self) -> FloatArray:
        """E[ln det Lambda_k] + ln det C_k + D ln nu_k: (T,)."""
        halves = _halves(self.degrees_of_freedom, self.n_features)
        digammas: FloatArray = digamma(halves).sum(axis=-1) + self.n_features * LOG_2
        return digammas

    def divergence(self) -> float:
        """Kullback-Leibler divergence of the weights', means' and precisions' q from the prior."""
        prior, D = self.prior, self.n_features
        beta, beta_0 = self.mean_precision, prior.mean_precision
        nu, nu_0 = self.degrees_of_freedom, prior.degrees_of_freedom
        covariance = self.covariance
        form, factors = covariance.form, covariance.factors
        moved = [
            form.whiten(prior.mean[:, None], mean, factor)
            for mean, factor in zip(self.means, factors, strict=True)
        ]
        distances = np.square(moved).sum(axis=(1, 2))
        means = 0.5 * (D * (beta_0 / beta - 1 - np.log(beta_0 / beta)) + beta_0 * distances)
        # the Wishart's scale is (nu C)^-1
        log_scale = -covariance.log_determinants - D * np.log(nu)
        log_precision = log_scale + self._digammas
        traces = covariance.traces(prior.scatter.matrices[0])
        precisions = 0.5 * ((nu - nu_0) * log_precision - D * nu + traces)
        precisions -= _log_wishart(log_scale, nu, D)
        precisions += _log_wishart(-prior.scatter.log_determinants, np.array([nu_0]), D)
        weights = prior.weights.divergence(self.weight_concentration)
        return float(means.sum() + precisions.sum()) + weights

    def transformed(self, shift: FloatArray, scale: FloatArray) -> Self:
        """The posterior of x * scale + shift, column by column."""
        return replace(
            self,
            prior=self.prior.transformed(shift, scale),
            means=self.means * scale + shift,
            covariance=self.covariance.scaled(scale),
        )

    def posterior(self, X: FloatArray) -> Posterior:
        """Responsibilities of the rows of X (N, D), and the predictive log-density.

        The responsibilities are those of the E-step. The density of a new row is a mixture of
        Student's t, Bishop's equation 10.81.
        """
        return self.surrogate.mixture.posterior(X)._replace(log_density=self.log_density(X))

    def log_density(self, X: FloatArray) -> FloatArray:
        """ln p(x | all rows seen) of the rows of X (N, D): (N,)."""
        D, nu, beta = self.n_features, self.degrees_of_freedom, self.mean_precision
        freedom = nu + 1 - D
        # Student's scale matrix is C_k widened by so much
        widening = nu * (1 + beta) / (beta * freedom)
        covariance, mixture = self.covariance, self.mixture
        constant = log_gamma((freedom + D) / 2) - log_gamma(freedom / 2)
        constant = constant - 0.5 * (
            D * np.log(np.pi * freedom * widening) + covariance.log_determinants
        )
        joint = np.empty((len(nu), len(X)))
        for k, (mean, factor) in enumerate(zip(mixture.means, covariance.factors, strict=True)):
            with np.errstate(over="ignore", invalid="ignore"):
                z = covariance.form.whiten(X.T, mean, factor) / np.sqrt(widening[k] * freedom[k])
            # hypot, since the square of a far row is beyond floating point
            far = np.log(np.hypot(1, np.hypot.reduce(z, axis=0)))
            joint[k] = np.log(mixture.weights[k]) + constant[k] - (freedom[k] + D) * far
        density = np.logaddexp.reduce(joint, axis=0)
        return np.where(np.isfinite(density), density, LOWEST)


@dataclass(frozen=True, eq=False)
class VariationalFit:
    """The posterior that a fit ended in.

    lower_bound : of the log evidence ln p(rows), in nats; no constant is left out.
    """

    posterior: VariationalPosterior
    lower_bound: float


def _halves(degrees: FloatArray, n_features: int) -> FloatArray:
    """(nu - j) / 2, j = 0 ... D - 1: (T, D)."""
    return (degrees[:, None] - np.arange(n_features)) / 2


def _log_wishart(log_scale: FloatArray, degrees: FloatArray, n_features: int) -> FloatArray:
    """ln of the Wishart's normaliser, but for D (D - 1) / 4 ln pi, from ln det of its scale."""
    gammas = log_gamma(_halves(degrees, n_features)).sum(axis=-1)
    normaliser: FloatArray = 0.5 * degrees * (log_scale + n_features * LOG_2) + gammas
    return normaliser
