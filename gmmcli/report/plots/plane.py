"""The one or two axes of a picture, and mixture and rows in them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gmmcli.errors import OutputError
from gmmcli.mixture.arrays import BoolArray, FloatArray
from gmmcli.mixture.discriminant import Directions
from gmmcli.mixture.marginal import marginal, radius
from gmmcli.mixture.merging import by_cluster
from gmmcli.mixture.model import GaussianMixture, Posterior
from gmmcli.report.plots.names import direction, shown
from gmmcli.report.plots.subject import Subject

MOST_UNEQUAL = 4.0
"""Columns whose spreads differ by more are drawn in standard deviations, not in their units."""
_REACH = 3.0
_FAR = 1.5
_MARGIN = 0.04
_FEWEST_STEPS = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """A mixture, and rows, in J = 1 or 2 coordinates.

    subject : what it is a view of.
    mixture : of the J coordinates.
    labels : J names of axes.
    rows : (N, J), or None.
    posterior : of the rows, by cluster, by the mixture of all features; None without rows.
    directions : whether the coordinates are discriminant directions.
    """

    subject: Subject
    mixture: GaussianMixture
    labels: tuple[str, ...]
    rows: FloatArray | None
    posterior: Posterior | None
    directions: bool

    @property
    def n_axes(self) -> int:
        """J."""
        return self.mixture.n_features

    @cached_property
    def spread(self) -> FloatArray:
        """Standard deviation of the whole mixture along each axis: (J,)."""
        weights, means = self.mixture.weights, self.mixture.means
        within = np.einsum("k,kjj->j", weights, self.mixture.covariance.full())
        spread: FloatArray = np.sqrt(within + weights @ (means - weights @ means) ** 2)
        return spread

    @cached_property
    def deviations(self) -> FloatArray:
        """Standard deviation of each component along each axis: (K, J)."""
        deviations: FloatArray = np.sqrt(np.einsum("kjj->kj", self.mixture.covariance.full()))
        return deviations

    @property
    def same_units(self) -> bool:
        """Whether a unit is as long on both axes; else a standard deviation of all rows is.

        Round clusters are round in the units of the columns, so those are kept where they can.
        """
        return bool(self.spread.max() <= MOST_UNEQUAL * self.spread.min())

    @cached_property
    def inside(self) -> BoolArray:
        """Which rows the picture has room for; others would make it a picture of emptiness."""
        if self.rows is None:
            return np.zeros(0, dtype=bool)
        low, high = self._reach()
        room = _FAR * (high - low)
        return np.asarray(((self.rows >= low - room) & (self.rows <= high + room)).all(axis=1))

    @cached_property
    def limits(self) -> FloatArray:
        """The ends of each axis: (J, 2)."""
        low, high = self._reach()
        if self.rows is not None and self.inside.any():
            rows = self.rows[self.inside]
            low, high = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))
        margin = _MARGIN * (high - low)
        return np.stack([low - margin, high + margin], axis=1)

    def _reach(self) -> tuple[FloatArray, FloatArray]:
        reach = (_REACH if self.n_axes == 1 else radius(0.95, 2)) * self.deviations
        means = self.mixture.means
        return (means - reach).min(axis=0), (means + reach).max(axis=0)

    def grid(self, axis: int, limits: FloatArray, n_lines: int = 100) -> FloatArray:
        """Places along an axis, closer together where a component is narrow: ascending."""
        low, high = limits
        n_each = int(np.clip(240 // self.mixture.n_components, 7, 25))
        steps = np.linspace(-4, 4, n_each)
        near = self.mixture.means[:, axis, None] + self.deviations[:, axis, None] * steps
        places = np.concatenate([np.linspace(low, high, n_lines), near.ravel()])
        return np.unique(places[(places >= low) & (places <= high)])

    def remarks(self, inside: BoolArray | None = None) -> list[str]:
        """What a reader has to know of the rows and of the axes.

        Parameters
        ----------
        inside : which rows are in the picture, where it has other axes too.
        """
        remarks = []
        if self.rows is not None:
            n_shown, n_rows = len(self.rows), self.subject.n_rows
            remarks.append(f"{n_shown:,} {'row' if n_shown == 1 else 'rows'}")
            if n_shown < n_rows:
                remarks = [f"{n_shown:,} of {n_rows:,} rows, taken at random"]
            n_outside = int(np.count_nonzero(~(self.inside if inside is None else inside)))
            if n_outside:
                remarks.append(f"{n_outside:,} of them far outside the picture")
        if self.directions:
            remarks.append("directions: standardised sums in which the clusters differ most")
        elif self.n_axes == 2 and not self.same_units:
            remarks.append("one standard deviation of all rows is as long on both axes")
        return remarks


def plane(subject: Subject) -> Plane:
    """The axes that were chosen; else one or both features, or two discriminant directions."""
    mixture, rows = subject.mixture, subject.rows
    chosen = subject.chosen or subject.names
    if len(chosen) > 2:
        directions = Directions.of(mixture, 2)
        image = directions.image(mixture)
        along = None if rows is None else directions.apply(rows)
        labels = tuple(
            direction(j + 1, coefficients, subject.names)
            for j, coefficients in enumerate(directions.coefficients)
        )
    else:
        places = [subject.names.index(name) for name in chosen]
        image = marginal(mixture, places)
        along = None if rows is None else rows[:, places]
        labels = tuple(map(shown, chosen))
    flat = Plane(
        subject=subject,
        mixture=image,
        labels=labels,
        rows=along,
        posterior=_posterior(subject),
        directions=len(chosen) > 2,
    )
    _check_steps(flat)
    return flat


def _check_steps(flat: Plane) -> None:
    """Raise OutputError where floating point has too few numbers between the ends of an axis."""
    for label, (low, high) in zip(flat.labels, flat.limits, strict=True):
        largest = float(np.maximum(abs(low), abs(high)))
        if not (np.isfinite(largest) and high - low >= _FEWEST_STEPS * np.spacing(largest)):
            message = f"the picture cannot be drawn: numbers as large as {largest:g} ({label}) are"
            raise OutputError(
                f"{message} too coarse for how near they lie",
                "take a constant off the column, and fit again",
            )


def _posterior(subject: Subject) -> Posterior | None:
    if subject.rows is None or subject.posterior is not None:
        return subject.posterior
    return by_cluster(subject.mixture.posterior(subject.rows), subject.groups)
