"""What is believed of the mixing weights, before the rows are seen and after.

Both priors speak of K components at most. A posterior has T <= K of them, the ones that hold rows;
under it no row is in another.

Source: Bishop (2006), section 10.2; Blei & Jordan (2006), Variational inference for Dirichlet
process mixtures, Bayesian Analysis 1; Kurihara, Welling & Teh (2007), Collapsed variational
Dirichlet process mixture models, IJCAI (components in the order of their masses).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.gamma import digamma, log_beta, log_gamma


@dataclass(frozen=True)
class WeightPrior(ABC):
    """The prior of the weights.

    concentration : gamma, positive; the smaller, the fewer components.
    n_components : K.
    """

    concentration: float
    n_components: int

    name: ClassVar[str]
    description: ClassVar[str]
    axes: ClassVar[tuple[int, ...]]
    """What stands before T in the shape of a posterior's concentrations."""

    @abstractmethod
    def posterior(self, masses: FloatArray) -> FloatArray:
        """The concentrations that N_k rows in each of T components (T,) lead to: (*axes, T)."""

    @abstractmethod
    def log_weights(self, posterior: FloatArray) -> FloatArray:
        """E[ln pi_k] under a posterior's concentrations: (T,)."""

    @abstractmethod
    def weights(self, posterior: FloatArray) -> FloatArray:
        """E[pi_k], made to sum to 1 over the T components: (T,)."""

    @abstractmethod
    def divergence(self, posterior: FloatArray) -> float:
        """Kullback-Leibler divergence of the posterior from the prior, in nats."""


class DirichletProcess(WeightPrior):
    """pi_k = v_k prod_{j<k} (1 - v_j), v_k ~ Beta(1, gamma): a row of a stick is broken off.

    The posterior is v_k ~ Beta(a_k, b_k) for the T components, the prior beyond. So the process
    itself is not cut short, and K only bounds T.
    """

    name = "dirichlet-process"
    description = "ever smaller weights, without an end"
    axes = (2,)

    def posterior(self, masses: FloatArray) -> FloatArray:
        """a_k = 1 + N_k, b_k = gamma + sum of the masses behind k: (2, T)."""
        behind = np.append(np.cumsum(masses[:0:-1])[::-1], 0.0)
        return np.stack([1 + masses, self.concentration + behind])

    def log_weights(self, posterior: FloatArray) -> FloatArray:
        """E[ln v_k] + sum_{j<k} E[ln (1 - v_j)]: (T,)."""
        broken, left = digamma(posterior) - digamma(posterior.sum(axis=0))
        log_weights: FloatArray = broken + np.append(0.0, np.cumsum(left[:-1]))
        return log_weights

    def weights(self, posterior: FloatArray) -> FloatArray:
        """E[v_k] prod_{j<k} E[1 - v_j], made to sum to 1: (T,)."""
        broken, left = posterior / posterior.sum(axis=0)
        weights: FloatArray = broken * np.append(1.0, np.cumprod(left[:-1]))
        return np.asarray(weights / weights.sum())

    def divergence(self, posterior: FloatArray) -> float:
        """Sum over the T sticks of KL(Beta(a_k, b_k) || Beta(1, gamma))."""
        broken, left = digamma(posterior) - digamma(posterior.sum(axis=0))
        a, b = posterior
        constants = log_beta(1.0, self.concentration) - log_beta(a, b)
        return float((constants + (a - 1) * broken + (b - self.concentration) * left).sum())


class Dirichlet(WeightPrior):
    """pi ~ Dirichlet(gamma, ..., gamma) over K components."""

    name = "dirichlet"
    description = "K weights, none before another"
    axes = ()

    def posterior(self, masses: FloatArray) -> FloatArray:
        """gamma + N_k: (T,); those of the other components stay gamma."""
        return self.concentration + masses

    def log_weights(self, posterior: FloatArray) -> FloatArray:
        """psi(a_k) - psi(sum over all K components): (T,)."""
        return digamma(posterior) - digamma(self._total(posterior))

    def weights(self, posterior: FloatArray) -> FloatArray:
        """a_k, made to sum to 1: (T,)."""
        weights: FloatArray = posterior / posterior.sum()
        return weights

    def divergence(self, posterior: FloatArray) -> float:
        """KL(Dirichlet(a) || Dirichlet(gamma, ..., gamma)) over all K components."""
        prior, total = self.concentration, self._total(posterior)
        constant = log_gamma(total) - log_gamma(prior * self.n_components)
        each = log_gamma(prior) - log_gamma(posterior)
        each = each + (posterior - prior) * self.log_weights(posterior)
        return float(constant + each.sum())

    def _total(self, posterior: FloatArray) -> float:
        n_empty = self.n_components - len(posterior)
        return float(posterior.sum()) + n_empty * self.concentration


WEIGHT_PRIORS: dict[str, type[WeightPrior]] = {
    prior.name: prior for prior in (DirichletProcess, Dirichlet)
}
