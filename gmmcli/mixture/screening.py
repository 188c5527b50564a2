"""Rows that are one component's beyond doubt, told in single precision.

Where clusters stand apart, most rows are typical of one component and out of reach of all others:
their share of it is 1, to more digits than a number has. Which component that is, numbers of half
the length tell in half the time. The rows' log-densities need not be known one by one: they are
linear in T(x), so their sum follows from the sum of T(x), which is taken in full precision.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.mixture.batches import Batch, Block, in_one
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.moments import FullMoments, Write, upper_triangle
from gmmcli.mixture.statistics import (
    FAINT,
    NEXT_TO_NOTHING,
    Doubt,
    SufficientStatistics,
    typical_density,
)

FEWEST_FEATURES = 5
"""Columns from which it pays: of fewer T(x) is short, and without products it always is."""
MOST_DOUBTED = 0.15
"""Share of the rows in doubt up to which it pays: these are gone over twice."""
SAFE_SINGLE = 1.0
"""Nats of rounding in a row's log-density up to which single precision will do."""
LENGTHENED = float(np.finfo(np.float32).eps / np.finfo(np.float64).eps)
"""Times that rounding is larger in single precision."""
LOGISTIC = 1.7
"""Times that a standard normal variable is to be stretched to look like a logistic one."""


@dataclass(frozen=True, eq=False)
class Screening:
    """Tells which rows are beyond doubt under a mixture.

    model : the mixture, in coordinates where the data are near the origin.
    coefficients : (K, P), of T(x), in single precision.
    margin : nats that all other components have to be below the likeliest.
    least : log-density that a row has to have.
    """

    model: GaussianMixture
    coefficients: FloatArray
    margin: float
    least: float

    @classmethod
    def of(cls, model: GaussianMixture, error: FloatArray, threshold: float) -> Self | None:
        """For a mixture whose components stand apart; None where it would not pay.

        Parameters
        ----------
        error : (K,), bound on the nats of rounding of coefficients · T(x) in double precision.
        threshold : a log-density below which rows are to be in doubt, too.
        """
        is_long = model.covariance.form is FullMoments and model.n_features >= FEWEST_FEATURES
        rounding = LENGTHENED * float(error.max())
        if not (is_long and rounding <= SAFE_SINGLE and share_in_doubt(model) <= MOST_DOUBTED):
            return None
        least = max(typical_density(model), threshold) + rounding
        return cls(model, model.coefficients.astype(np.float32), FAINT + 2 * rounding, least)

    def statistics(
        self, blocks: Iterable[Block], write: Write
    ) -> tuple[SufficientStatistics, Batch]:
        """Those of the rows beyond doubt, and the others, in the mixture's coordinates.

        Each share is 1, so that the logarithms of the shares, `log_top`, add up to 0.
        """
        totals, others = np.zeros(self.coefficients.shape), list[Batch]()
        for block in blocks:
            linear = np.ones((1 + len(block.X), block.X.shape[1]))
            X = linear[1:]
            write(block.X, X)
            *own, rest = self.by_component(X)
            totals += _totals(linear, block.weights, own)
            others.append(Batch(X, block.weights).taken(rest))
        n_rows = float(totals[:, 0].sum())
        log_likelihood = float((self.model.coefficients * totals).sum())
        totals += NEXT_TO_NOTHING * totals.sum(axis=0)
        origins = np.zeros(self.model.means.shape)
        found = SufficientStatistics(
            n_rows, log_likelihood, 0.0, totals, origins, FullMoments, doubt=Doubt()
        )
        return found, in_one(others)

    def by_component(self, X: FloatArray) -> list[IntArray]:
        """The rows of a block X (D, B) by component, K arrays, and one more of those in doubt."""
        joint = self.coefficients @ FullMoments.features(X.astype(np.float32))
        top = joint.max(axis=0)
        near = joint > top - np.float32(self.margin)
        beyond = top >= self.least
        # in the shortest numbers that can count the components, which takes a fifth of the time
        beyond &= near.sum(axis=0, dtype=np.min_scalar_type(len(near))) == 1
        near &= beyond
        return [*map(np.flatnonzero, near), np.flatnonzero(~beyond)]


def share_in_doubt(model: GaussianMixture) -> float:
    """Share of rows that may be expected within reach of two components, about.

    Under component k the log-odds against j have a mean that is linear in the moments of k and,
    were the covariances equal, twice as large a variance. They are taken as normal.
    """
    # of all these matrices the columns are the components that rows come from
    ones = np.ones(model.n_components)
    moments = model.covariance.form.totals(ones, model.means, model.covariance.matrices)
    expected = model.coefficients @ moments.T
    log_odds = np.maximum(np.diag(expected) - expected, np.finfo(np.float64).tiny)
    within = np.exp(-np.logaddexp(0, LOGISTIC * (log_odds - FAINT) / np.sqrt(2 * log_odds)))
    np.fill_diagonal(within, 0)
    return float(model.weights @ np.minimum(within.sum(axis=0), 1))


def _totals(
    linear: FloatArray, weights: FloatArray | None, groups: Sequence[IntArray]
) -> FloatArray:
    """Sums of w T(x) over groups of rows, from 1 and x (1 + D, B): (K, P)."""
    products = np.empty((len(groups), len(linear), len(linear)))
    for rows, product in zip(groups, products, strict=True):
        Y = linear.take(rows, axis=1)
        np.matmul(Y if weights is None else Y * weights[rows], Y.T, out=product)
    return np.concatenate(
        [products[:, 0], products[:, 1:, 1:][:, *upper_triangle(len(linear) - 1)]], axis=1
    )
