"""Rows whose component is beyond doubt: no later E-step needs to look at them.

Where clusters stand apart, all but a few rows belong to one component, to more digits than a
number has. While the mixture moves little, they go on doing so, and then what they add to the
moments stays the same, and what they add to the log-likelihood follows from these moments. So an
E-step goes over the other rows alone. Whether the mixture has moved little enough is computed, and
where it has moved farther an E-step goes over all rows again.

Source: Neal & Hinton (1998), a view of the EM algorithm that justifies incremental, sparse, and
other variants; Thiesson, Meek & Heckerman (2001), Accelerating EM for large databases, Machine
Learning 45 (lazy EM). The bound is ours.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.e_step import SAFE_ERROR
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.sampling import in_memory
from gmmcli.mixture.statistics import (
    FAINT,
    NOT_KEPT,
    SufficientStatistics,
    expected_log_likelihood,
    typical_density,
)


@dataclass(frozen=True, eq=False)
class Decided:
    """The rows that were beyond doubt under one mixture, and the others.

    model : that mixture.
    everything : statistics of all rows, under that mixture.
    statistics : those of the decided rows.
    others : the rows in doubt; None if there are none.
    """

    model: GaussianMixture
    everything: SufficientStatistics
    statistics: SufficientStatistics
    others: ArrayBatches | None

    @classmethod
    def of(
        cls, problem: Problem, model: GaussianMixture, statistics: SufficientStatistics
    ) -> Self | None:
        """What a lazy problem's E-step has found; None if it leaves too many rows in doubt."""
        if statistics.doubt.n_numbers == np.inf:
            return None
        everything = replace(statistics, doubt=NOT_KEPT)
        if not statistics.doubt.rows:
            return cls(model, everything, everything, None)
        others = in_memory(statistics.doubt.rows)
        in_doubt = _over(problem, others).e_step(model)
        return cls(model, everything, everything.without(in_doubt), others)

    def e_step(self, problem: Problem, model: GaussianMixture) -> SufficientStatistics | None:
        """The E-step of all rows under a mixture near by; None where it is not near enough."""
        if model.is_same(self.model):
            return self.everything
        if not self.error(model) <= SAFE_ERROR:
            return None
        gained = expected_log_likelihood(model, self.statistics)
        gained -= expected_log_likelihood(self.model, self.statistics)
        known = replace(self.statistics, log_likelihood=self.statistics.log_likelihood + gained)
        if self.others is None:
            return known
        in_doubt = _over(problem, self.others).e_step(model)
        if in_doubt.shared != known.shared:
            return None
        return known.about(in_doubt.origins) + in_doubt

    def error(self, model: GaussianMixture) -> float:
        """Bound on the nats by which a decided row's log-density may be taken too low.

        It is what the other components add to its own one's part. With z_k = L_k^-1 (x - mu_k) and
        a_k = ln w_k - (D ln 2 pi + ln det Sigma_k) / 2 the log-density of a component is
        a_k - |z_k|^2 / 2. Of a decided row of component k it is known that |z_k| <= t_k, since it
        is typical, and that component j is at least FAINT below, so that

            |z_j|^2 >= |z_k|^2 + 2 (FAINT + a_j - a_k).

        Under the other mixture |z'_k| <= s_k |z_k| + h_k and |z'_j| >= s_j |z_j| - h_j, where s are
        the extreme singular values of L'^-1 L, those above and below 1, and h = |L'^-1 (mu - mu')|.
        What is between the two is least where |z_k| = t_k.
        """
        before = self.model
        if model.n_components != before.n_components:
            return np.inf
        form = self.statistics.form
        factors, scale = model.covariance.factors, before.log_scale
        least, most = form.stretches(factors, before.covariance.factors)
        moved = np.array(
            [
                np.linalg.norm(form.whiten(mean[:, None], other, factor))
                for mean, other, factor in zip(before.means, model.means, factors, strict=True)
            ]
        )
        squared = np.maximum(2 * (scale - typical_density(before)), 0)
        own = np.maximum(most, 1) * np.sqrt(squared) + moved
        # rows: the decided row's component; columns: another one
        apart = squared[:, None] + 2 * (FAINT + scale - scale[:, None])
        others = np.minimum(least, 1) * np.sqrt(np.maximum(apart, 0)) - moved
        gaps: FloatArray = model.log_scale[:, None] - model.log_scale
        gaps = gaps + 0.5 * (np.maximum(others, 0) ** 2 - own[:, None] ** 2)
        np.fill_diagonal(gaps, np.inf)
        return float(np.exp(-np.maximum(gaps, 0)).sum(axis=1).max())


def _over(problem: Problem, rows: ArrayBatches) -> Problem:
    return replace(problem, batches=rows, is_lazy=False)
