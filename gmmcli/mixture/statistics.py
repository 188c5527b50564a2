"""The E-step, and the sufficient statistics that it gives: a sum over rows.

Statistics of two blocks are added, so a fit in memory, on threads or from a file larger than
memory is the same map over batches and the same reduce, in batch order.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import Batch, in_one
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.moments import Moments

RARE_ROWS = 5_000
"""Rows that are kept as unlikely: more of them than this are no rarity."""
FAINT = 53 * float(np.log(2))
"""Nats below the likeliest component, beyond which others do not show in the sum of all."""
NEXT_TO_NOTHING = 1e-60
"""The share of those that are, so that a component without any rows has a mean all the same; large
enough for squares of its inverse."""
MARGIN = 2.0
"""Beyond sqrt(D) standard deviations, as far as most rows are from the centre of a component."""
MOST_IN_DOUBT = 1_000_000
"""Numbers of the rows in doubt that are kept, at most."""


class Doubt(NamedTuple):
    """The rows whose component is in doubt.

    rows : in blocks; none if there are so many that not all were kept.
    n_numbers : in these blocks; infinite if not all were kept.
    """

    rows: tuple[Batch, ...] = ()
    n_numbers: float = 0

    def joined(self, other: Self) -> Self:
        """Those of both."""
        n_numbers = self.n_numbers + other.n_numbers
        if n_numbers > MOST_IN_DOUBT:
            return type(self)(n_numbers=np.inf)
        return type(self)(self.rows + other.rows, n_numbers)

    def packed(self) -> Self:
        """The same in one block."""
        return self if len(self.rows) < 2 else self._replace(rows=(in_one(self.rows),))


NOT_KEPT = Doubt(n_numbers=np.inf)


@dataclass(frozen=True, eq=False)
class SufficientStatistics:
    """What the M-step needs of the rows seen so far; a commutative monoid under `+`.

    n_rows : the sum of the row weights.
    log_likelihood : sum of w ln p(x), in nats.
    log_top : sum of w ln max_k r_k, from which ICL follows.
    totals : (K, P), sums of w r_k T(x - origin_k).
    origins : (K, D).
    form : what T is.
    shared : the first component has the totals of the products for all of them; that is all
        that one covariance for all needs.
    unlikely : the rows below the E-step's threshold, if they are few.
    doubt : the rows that are not beyond doubt, where the E-step was asked to keep them.
    """

    n_rows: float
    log_likelihood: float
    log_top: float
    totals: FloatArray
    origins: FloatArray
    form: type[Moments]
    shared: bool = False
    unlikely: tuple[Batch, ...] = ()
    doubt: Doubt = NOT_KEPT

    def __add__(self, other: Self) -> Self:
        """Statistics of the rows of both, which must come from one E-step."""
        # named one by one: `replace` takes as long as a hundred rows
        return type(self)(
            self.n_rows + other.n_rows,
            self.log_likelihood + other.log_likelihood,
            self.log_top + other.log_top,
            self.totals + other.totals,
            self.origins,
            self.form,
            self.shared,
            self.unlikely if self.many_unlikely else self.unlikely + other.unlikely,
            self.doubt.joined(other.doubt),
        )

    def without(self, other: Self) -> Self:
        """Statistics of the rows that are not among the others, under the same mixture."""
        return replace(
            self,
            n_rows=self.n_rows - other.n_rows,
            log_likelihood=self.log_likelihood - other.log_likelihood,
            log_top=self.log_top - other.log_top,
            totals=self.totals - other.totals,
        )

    def about(self, origins: FloatArray) -> Self:
        """The same with moments about other origins."""
        if np.array_equal(origins, self.origins):
            return self
        means, scatters = self.form.mean_and_scatter(self.totals, self.origins)
        totals = self.form.totals(self.masses, means - origins, scatters)
        return replace(self, totals=totals, origins=origins)

    @property
    def many_unlikely(self) -> bool:
        """Whether so many rows are unlikely that not all of them were kept."""
        return sum(int(batch.X.shape[1]) for batch in self.unlikely) > RARE_ROWS

    @property
    def masses(self) -> FloatArray:
        """N_k, the sums of the responsibilities: (K,)."""
        return self.totals[:, 0]

    def estimates(self) -> "Estimates":
        """Weights, means and spreads: all that the M-step needs."""
        means, scatters = self.form.mean_and_scatter(self.totals, self.origins)
        if self.shared:
            spreads = np.broadcast_to(scatters.sum(axis=0) / self.n_rows, scatters.shape)
            return Estimates(self.n_rows, self.masses / self.n_rows, means, spreads)
        masses = self.masses.reshape((-1,) + (1,) * (scatters.ndim - 1))
        spreads = np.divide(scatters, masses, out=np.zeros_like(scatters), where=masses > 0)
        return Estimates(self.n_rows, self.masses / self.n_rows, means, spreads)


def classification_entropy(model: GaussianMixture, statistics: SufficientStatistics) -> float:
    """-sum of w r_k ln r_k, in nats, from the E-step's statistics under the same model.

    The log-likelihood is the expected one of rows and components together plus this entropy
    (Hathaway 1986). So it needs no pass.
    """
    return max(statistics.log_likelihood - expected_log_likelihood(model, statistics), 0.0)


def expected_log_likelihood(model: GaussianMixture, statistics: SufficientStatistics) -> float:
    """Sum of w r_k ln [w_k N(x; mu_k, Sigma_k)], in nats, under the E-step's responsibilities.

    It is linear in the statistics, whatever the model.
    """
    if np.all(model.weights > 0) and not statistics.origins.any():
        return float((model.coefficients * statistics.totals).sum())
    factors, means = model.covariance.factors, model.means - statistics.origins
    coefficients = statistics.form.coefficients(means, factors)
    # a component that has lost its rows adds nothing
    coefficients[:, 0] += np.where(model.weights > 0, model.log_scale, 0)
    return float((coefficients * statistics.totals).sum())


def typical_density(model: GaussianMixture) -> float:
    """The log-density that nearly all rows of every component reach."""
    farthest = np.sqrt(model.n_features) + MARGIN
    return float(model.log_scale.min() - 0.5 * farthest**2)


class Estimates(NamedTuple):
    """The E-step's moments of the components.

    n_rows : the sum of the row weights.
    weights : (K,), N_k / n.
    means : (K, D).
    spreads : W_k / N_k about the means, in the shape of the form.
    """

    n_rows: float
    weights: FloatArray
    means: FloatArray
    spreads: FloatArray

    def vector(self) -> FloatArray:
        """All numbers in a row."""
        return np.concatenate([self.weights, self.means.ravel(), self.spreads.ravel()])

    def of_vector(self, vector: FloatArray) -> Self:
        """The inverse of `vector`, with weights made positive and to sum to 1."""
        first, second = self.weights.size, self.weights.size + self.means.size
        weights = np.maximum(vector[:first], self.weights / 2)
        return self._replace(
            weights=weights / weights.sum(),
            means=vector[first:second].reshape(self.means.shape),
            spreads=vector[second:].reshape(self.spreads.shape),
        )
