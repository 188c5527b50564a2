"""Components that collapse: onto one point, into a plane, or to nothing.

Under maximum likelihood such a component has an unbounded density and EM follows it down. It is
placed elsewhere, and dropped if that does not help; the user is told.
"""

from dataclasses import dataclass, field

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import BoolArray, FloatArray
from gmmcli.mixture.model import GaussianMixture

SINGULAR = 1e-12
"""Share of a column's variance below which what the others leave of it counts as nothing."""
POINT = 1e-26
"""Variance, in standardised units, that is rounding: the component sits on one point."""
EMPTY_ROWS = 0.5
"""Rows that a component has to hold, unless they are few in all."""
EMPTY_SHARE = 0.01
"""The same, as a share of an even one."""


@dataclass
class Repairs:
    """Puts a collapsed component elsewhere while the budget lasts, then drops it."""

    budget: int
    notes: tuple[str, ...] = field(default=())

    def needed(self, model: GaussianMixture, n_rows: float) -> bool:
        """Whether the model has a collapsed component."""
        return bool(collapsed_components(model, n_rows).any())

    def apply(self, model: GaussianMixture, n_rows: float) -> GaussianMixture:
        """The model without collapsed components; the same object if it has none."""
        collapsed = collapsed_components(model, n_rows)
        while collapsed.any():
            healthy = np.flatnonzero(~collapsed)
            k = int(np.flatnonzero(collapsed)[0])
            if len(healthy) == 0:
                raise FitError(
                    "every component collapsed onto a few equal rows",
                    "choose fewer components, or leave --reg-covar at its default",
                )
            if self.budget > 0:
                # one that has lost its rows is not needed, and will slowly lose them again
                self.budget -= len(collapsed) if empty(model, n_rows)[k] else 1
                largest = int(healthy[np.argmax(model.weights[healthy])])
                model = split(model, largest, into=k)
                self.notes += ("a component that collapsed was placed anew",)
            else:
                model = model.taken([j for j in range(model.n_components) if j != k])
                self.notes += ("a component that collapsed was dropped",)
            collapsed = collapsed_components(model, n_rows)
        return model


def collapsed_components(model: GaussianMixture, n_rows: float) -> BoolArray:
    """Which components are empty, sit on one point or in a plane: (K,).

    Under the penalty an empty one is a sound Gaussian all the same, and no rows come back to it.

    Parameters
    ----------
    n_rows : what the weights are shares of; infinite where a component may do with no rows.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        variances, shares = pivots(model)
        sound = (variances > POINT * np.maximum(1, model.means**2)) & (shares > SINGULAR)
    return ~sound.all(axis=1) | empty(model, n_rows)


def empty(model: GaussianMixture, n_rows: float) -> BoolArray:
    """Which components hold less than half a row: (K,)."""
    # rows of small weights may be less than one in all
    fewest = min(EMPTY_ROWS / n_rows, EMPTY_SHARE / model.n_components)
    return np.asarray(~(model.weights > fewest))


def pivots(model: GaussianMixture) -> tuple[FloatArray, FloatArray]:
    """Variances (K, D), and what the columns before it leave of each, as a share (K, D)."""
    matrices, factors = model.covariance.matrices, model.covariance.factors
    if matrices.ndim == 2:
        return matrices, np.ones_like(matrices)
    variances = np.einsum("kii->ki", matrices)
    return variances, 1 / (np.einsum("kii->ki", factors) ** 2 * variances)


def split(model: GaussianMixture, source: int, *, into: int) -> GaussianMixture:
    """Component `into`, old or new, placed beside `source`, along its widest spread."""
    matrix = model.covariance.full()[source]
    values, vectors = np.linalg.eigh(matrix)
    step = np.sqrt(values[-1]) * vectors[:, -1]
    components = list(range(model.n_components))
    components[into : into + 1] = [source]
    means, weights = model.means[components], model.weights[components]
    means[into], means[source] = means[source] + step, means[source] - step
    weights[into] = weights[source] = weights[source] / 2
    covariance = model.covariance.taken(components)
    return GaussianMixture(weights / weights.sum(), means, covariance)
