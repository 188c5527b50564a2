"""What EM maximises: the penalised likelihood of rows under one structure, and its two steps."""

from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import chain, islice
from operator import add
from typing import ClassVar, NamedTuple, Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import ArrayBatches, Batches
from gmmcli.mixture.covariance import Covariance
from gmmcli.mixture.e_step import EStep
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.moments import LOG_2PI
from gmmcli.mixture.penalty import Penalty
from gmmcli.mixture.standardise import StandardisedBatches, are_in_memory
from gmmcli.mixture.statistics import Estimates, SufficientStatistics, expected_log_likelihood
from gmmcli.mixture.variational import VariationalPosterior
from gmmcli.mixture.workers import Workers

MANY_BATCHES = 16
"""Batches in memory up to which not they are shared, but their blocks."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What EM maximises: rows in standardised coordinates, a structure and a penalty.

    radius : (D,), a bound on abs(x) in each column.
    log_volume : nats that a row's log-density loses on the way back to user units.
    is_sample : the rows are some of many, and a component without any may hold some of the others.
    is_lazy : these are all rows, and so many that it pays to leave out of an E-step those whose
        component is beyond doubt (`decided`).
    mean : (D,), of all rows; 0 but for rounding.
    """

    batches: Batches
    structure: type[Covariance]
    penalty: Penalty
    radius: FloatArray
    workers: Workers
    log_volume: float = 0.0
    is_sample: bool = False
    is_lazy: bool = False
    mean: FloatArray | float = 0.0

    charges_spurious: ClassVar[bool] = True
    """Whether components on too few rows are held against a run, since the objective does not."""
    is_of_mixture: ClassVar[bool] = True
    """Whether its E-step is that of the mixture itself."""

    def e_step(self, model: GaussianMixture, *, threshold: float = -np.inf) -> SufficientStatistics:
        """Responsibilities of all rows under the model, summed to what the M-step needs.

        Parameters
        ----------
        threshold : as for `EStep`.
        """
        e_step = EStep(model, self.radius, threshold=threshold, is_whole=self.is_lazy)
        batches, of_part = self.batches, e_step.of_part
        if isinstance(batches, StandardisedBatches) and are_in_memory(batches):
            of_part = partial(of_part, write=batches.standardisation.apply)
            batches = batches.source
        if not isinstance(batches, ArrayBatches):
            statistics = self.workers.map_reduce(e_step, batches)
            return e_step.completed(statistics, self.mean, self.penalty.target)
        # few batches do not share out evenly; their blocks do, and are added in the same order,
        # unless rows in doubt of several blocks are gone over together
        whole = batches.n_batches > MANY_BATCHES or e_step.screening is not None
        parts = [
            [(i, None)] if whole else [(i, rows) for rows in e_step.blocks(batches.n_rows_of(i))]
            for i in range(batches.n_batches)
        ]
        sums = self.workers.map_over(batches, of_part, list(chain.from_iterable(parts)))
        statistics = reduce(add, [reduce(add, islice(sums, len(part))) for part in parts])
        return e_step.completed(statistics, self.mean, self.penalty.target)

    def m_step(
        self, estimates: Estimates, previous: GaussianMixture | None = None
    ) -> GaussianMixture:
        """The mixture that maximises the expected penalised log-likelihood.

        Where the maximum is not unique, it is one uphill of `previous` (generalised EM).
        """
        masses = estimates.weights * estimates.n_rows
        covariance = self.penalty.covariance(
            self.structure,
            masses=masses,
            spreads=estimates.spreads,
            previous=None if previous is None else previous.covariance,
        )
        return GaussianMixture(estimates.weights, estimates.means, covariance)

    def log_likelihood_of_one(self, n_rows: float) -> float:
        """Log-likelihood of the rows under the best single Gaussian, in user units, in nats."""
        covariance = self.penalty.covariance(
            self.structure, masses=np.array([n_rows]), spreads=self.penalty.target[None]
        )
        # -a [tr(S Sigma^-1) + ln det Sigma] is what 2a rows of covariance S make of it
        quadratic = replace(self.penalty, strength=n_rows / 2).value(covariance)
        return quadratic - n_rows * (0.5 * self.batches.n_features * LOG_2PI + self.log_volume)

    def over(self, sample: ArrayBatches) -> Self:
        """The same over a sample, under the sample's own penalty, so that no run hits a spike."""
        strength = max(self.penalty.strength, 1 / sample.total_weight)
        penalty = replace(self.penalty, strength=strength)
        return replace(self, batches=sample, penalty=penalty, is_lazy=False)

    def objective(self, model: GaussianMixture, statistics: SufficientStatistics) -> float:
        """The penalised log-likelihood, in nats."""
        return statistics.log_likelihood + self.penalty.value(model.covariance)

    def expected_gain(
        self, statistics: SufficientStatistics, before: GaussianMixture, after: GaussianMixture
    ) -> float:
        """Nats that the penalised expected log-likelihood of rows and components gains.

        Parameters
        ----------
        statistics : the E-step under the mixture `before`.
        """
        gained = expected_log_likelihood(after, statistics)
        gained -= expected_log_likelihood(before, statistics)
        penalty = self.penalty.value(after.covariance) - self.penalty.value(before.covariance)
        return gained + penalty

    def reported(self, model: GaussianMixture, statistics: SufficientStatistics) -> "Reported":
        """What a run that has come to this mixture and its E-step is to report."""
        return Reported(model, statistics)


class Reported(NamedTuple):
    """A mixture of standardised rows, and the E-step under it.

    posterior : of the parameters, where the fit was Bayesian.
    """

    model: GaussianMixture
    statistics: SufficientStatistics
    posterior: VariationalPosterior | None = None
