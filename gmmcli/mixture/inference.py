"""Bayesian inference as a problem for EM's loop: another M-step, another objective.

Source: Bishop (2006), section 10.2, equations 10.46 and 10.58 to 10.63.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.covariance import EEE, VII, VVI, VVV, Covariance
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.problem import Problem, Reported
from gmmcli.mixture.statistics import Estimates, SufficientStatistics
from gmmcli.mixture.variational import Prior, VariationalPosterior
from gmmcli.mixture.weight_prior import WEIGHT_PRIORS, WeightPrior

PRIOR_STRENGTH = 0.5
"""a of the prior scatter 2a S where nothing else is said: the scatter of one row."""
MEAN_PRECISION = 1.0
FEWEST_ROWS = 0.5
"""A component that holds fewer rows than this is let go."""

STRUCTURES_WITH_POSTERIOR: tuple[type[Covariance], ...] = (VVV, EEE, VVI, VII)


@dataclass(frozen=True, eq=False, kw_only=True)
class VariationalProblem(Problem):
    """What variational Bayes maximises: the lower bound of the log evidence.

    The priors are relative to the data, which are standardised: m_0 = 0, the mean of all rows;
    beta_0 = 1; nu_0 = D; P_0 = 2a S, with S the covariance of all rows (divisor n), in the
    structure's shape, and a the strength of the penalty, 1/2 by default.

    n_rows : the sum of the row weights.
    weight_prior : of the mixing weights.
    """

    n_rows: float
    weight_prior: WeightPrior

    charges_spurious: ClassVar[bool] = False
    is_of_mixture: ClassVar[bool] = False

    def over(self, sample: ArrayBatches) -> Self:
        """The problem of a sample."""
        return replace(self, batches=sample, n_rows=sample.total_weight, is_lazy=False)

    @cached_property
    def prior(self) -> Prior:
        """The priors, in standardised coordinates."""
        penalty, n_features = self.penalty, self.batches.n_features
        scatter = 2 * penalty.strength * penalty.target + penalty.floor
        return Prior(
            weights=self.weight_prior,
            mean=np.zeros(n_features),
            mean_precision=MEAN_PRECISION,
            degrees_of_freedom=float(n_features),
            scatter=self.structure.from_scatter(np.ones(1), scatter[None]),
        )

    def posterior(self, model: GaussianMixture) -> VariationalPosterior:
        """The posterior that a run's state stands for."""
        prior, masses = self.prior, model.weights * self.n_rows
        return VariationalPosterior(
            prior=prior,
            weight_concentration=prior.weights.posterior(masses),
            mean_precision=prior.mean_precision + masses,
            degrees_of_freedom=prior.degrees_of_freedom + self._shared(masses),
            means=model.means,
            covariance=model.covariance,
        )

    def _shared(self, masses: FloatArray) -> FloatArray:
        if issubclass(self.structure, EEE):
            return np.full_like(masses, masses.mean())
        return masses

    def e_step(self, model: GaussianMixture, *, threshold: float = -np.inf) -> SufficientStatistics:
        """Variational responsibilities of all rows, summed; its log-likelihood is the bound."""
        posterior = self.posterior(model)
        statistics = super().e_step(posterior.surrogate.mixture, threshold=threshold)
        constant = statistics.n_rows * posterior.surrogate.constant - posterior.divergence()
        return replace(statistics, log_likelihood=statistics.log_likelihood + constant)

    def m_step(
        self, estimates: Estimates, previous: GaussianMixture | None = None
    ) -> GaussianMixture:
        """The posterior that maximises the bound, of the components that hold rows.

        They stand in the order of their masses, in which the stick-breaking prior likes them
        best (Kurihara, Welling & Teh 2007). It has a closed form, wherever the run was before.
        """
        del previous
        return self.update(_needed(estimates))

    def update(self, estimates: Estimates) -> GaussianMixture:
        """The posterior that maximises the bound, component by component as they stand."""
        prior, masses = self.prior, estimates.weights * estimates.n_rows
        precisions = prior.mean_precision + masses
        degrees = prior.degrees_of_freedom + masses
        shape = (-1,) + (1,) * self.penalty.target.ndim
        form = self.structure.form
        # m_0 is 0
        between = np.stack([form.of_matrix(np.outer(mean, mean)) for mean in estimates.means])
        pull = prior.mean_precision * masses / precisions
        scatters = masses.reshape(shape) * estimates.spreads + pull.reshape(shape) * between
        scatters = scatters + prior.scatter.matrices + degrees.reshape(shape) * self.penalty.floor
        return GaussianMixture(
            estimates.weights,
            estimates.means * (masses / precisions)[:, None],
            self.structure.from_scatter(degrees, scatters),
        )

    def objective(self, model: GaussianMixture, statistics: SufficientStatistics) -> float:
        """The bound, in nats."""
        del model
        return statistics.log_likelihood

    def expected_gain(
        self, statistics: SufficientStatistics, before: GaussianMixture, after: GaussianMixture
    ) -> float:
        """Not known without a pass."""
        del statistics, before, after
        return np.inf

    def reported(self, model: GaussianMixture, statistics: SufficientStatistics) -> Reported:
        """The expected mixture, the E-step under it, and the posterior."""
        del statistics
        posterior = self.posterior(model)
        return Reported(posterior.mixture, super().e_step(posterior.mixture), posterior)


def bayesian(
    problem: Problem, options: FitOptions, *, n_components: int, n_rows: float
) -> VariationalProblem:
    """The problem of EM as one of Bayesian inference, with at most K components."""
    concentration = options.weight_concentration or 1 / n_components
    weight_prior = WEIGHT_PRIORS[str(options.weight_prior)](concentration, n_components)
    return VariationalProblem(
        **vars(replace(problem, is_lazy=False)), n_rows=n_rows, weight_prior=weight_prior
    )


def _needed(estimates: Estimates) -> Estimates:
    """The components that hold rows, the largest first, ties by mean."""
    masses = estimates.weights * estimates.n_rows
    order = np.lexsort((*estimates.means.T[::-1], -masses))
    kept = order[masses[order] >= min(FEWEST_ROWS, masses.max())]
    weights = estimates.weights[kept]
    return Estimates(
        estimates.n_rows, weights / weights.sum(), estimates.means[kept], estimates.spreads[kept]
    )
