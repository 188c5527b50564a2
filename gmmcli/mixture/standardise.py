"""Standardised coordinates: EM works on columns with mean 0 and standard deviation 1.

So the user's units cannot matter: a column shifted by 1.6e9 or multiplied by 1e-8 gives the same
labels. A structure that does not survive a change of units of one column alone (spherical) gets
one scale for all columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from typing import Any, Self

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import ArrayBatches, Batch, Batches, summed
from gmmcli.mixture.covariance import Covariance
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.workers import Workers

COLLINEAR = 1e-10
"""Share of a column's variance below which the others are said to determine it."""
LARGEST_EXPONENT = 1_000
FIRST_ROWS = 2_000
"""Rows that tell how a column is rounded."""
NULL = 1e-12
"""The same for a direction in which the data have no spread at all, but for rounding."""


@dataclass(frozen=True, eq=False)
class Description:
    """Moments and extremes of the columns; descriptions of two blocks are added.

    All but the extremes are in units of 2**exponent about `pilot`, so that neither a far origin
    nor a large unit costs digits. Merging: Chan, Golub & LeVeque (1983), equation 2.1.

    n_rows : sum of the row weights.
    n_lines : rows, whatever their weights.
    mean : (D,).
    scatter : (D, D), about the mean.
    minimum, maximum : (D,), in user units.
    resolution : (D,), in user units: the step in which the values are given, as far as the first
        rows tell; next to nothing for a column that is not rounded.
    """

    n_rows: float
    n_lines: int
    mean: FloatArray
    scatter: FloatArray
    minimum: FloatArray
    maximum: FloatArray
    pilot: FloatArray
    exponent: FloatArray
    resolution: FloatArray

    def __add__(self, other: Self) -> Self:
        """The description of both blocks' rows."""
        n_rows = self.n_rows + other.n_rows
        delta = other.mean - self.mean
        between = np.outer(delta, delta) * (self.n_rows * other.n_rows / n_rows)
        return replace(
            self,
            n_rows=n_rows,
            n_lines=self.n_lines + other.n_lines,
            mean=self.mean + delta * (other.n_rows / n_rows),
            scatter=self.scatter + other.scatter + between,
            minimum=np.minimum(self.minimum, other.minimum),
            maximum=np.maximum(self.maximum, other.maximum),
        )

    def fingerprint(self) -> dict[str, Any]:
        """What tells these rows from others, for a snapshot of a fit to them."""
        digest = sha256()
        for part in (self.mean, self.scatter, self.minimum, self.maximum, self.pilot):
            digest.update(np.ascontiguousarray(part).tobytes())
        return {"number of rows": self.n_rows, "set of values": digest.hexdigest()[:16]}

    @cached_property
    def location(self) -> FloatArray:
        """Column means in user units: (D,)."""
        return self.pilot + np.ldexp(self.mean, self.exponent.astype(np.int64))

    @cached_property
    def deviation(self) -> FloatArray:
        """Column standard deviations (divisor n) in user units, 0 for a constant column: (D,)."""
        deviation = np.sqrt(np.diag(self.scatter) / self.n_rows)
        return np.where(self.constant, 0, np.ldexp(deviation, self.exponent.astype(np.int64)))

    @cached_property
    def constant(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which columns hold one value only: (D,)."""
        return np.asarray(self.minimum == self.maximum)

    @cached_property
    def correlation(self) -> FloatArray:
        """Correlation matrix, zeros for a constant column: (D, D)."""
        variance = np.where(self.constant, 0, np.diag(self.scatter))
        unit = np.where(variance > 0, 1 / np.sqrt(np.where(variance > 0, variance, 1)), 0)
        correlation: FloatArray = self.scatter * np.outer(unit, unit)
        return correlation

    @cached_property
    def null_space(self) -> FloatArray:
        """Orthonormal directions (D, J) in which the standardised data do not spread."""
        values, vectors = np.linalg.eigh(self.correlation)
        return vectors[:, values < NULL * len(values)]

    def collinear(self) -> list[tuple[int, tuple[int, ...]]]:
        """Columns that earlier ones determine: (column, the columns that determine it).

        Empty where rows are fewer than columns, since then some always do.
        """
        if self.n_rows <= len(self.mean):
            return []
        found: list[tuple[int, tuple[int, ...]]] = []
        kept: list[int] = []
        for j in np.flatnonzero(~self.constant):
            beta = np.linalg.lstsq(
                self.correlation[np.ix_(kept, kept)], self.correlation[kept, j], rcond=None
            )[0]
            left = 1 - beta @ self.correlation[kept, j] if kept else 1.0
            if left < COLLINEAR * len(self.correlation):
                sources = [i for i, b in zip(kept, beta, strict=True) if abs(b) > 1e-6]
                found.append((int(j), tuple(sources)))
            else:
                kept.append(int(j))
        return found


def describe(batches: Batches, *, workers: Workers | None = None) -> Description:
    """One pass: moments and extremes of the columns.

    Raises
    ------
    FitError : no rows, a value that is not finite, or a spread beyond floating point.
    """
    first = next(iter(batches), None)
    if first is None or first.X.shape[1] == 0:
        raise FitError("there are no rows to fit")
    with np.errstate(over="ignore", invalid="ignore"):
        pilot = first.X[:, 0]
        spread = np.abs(first.X - pilot[:, None]).max(axis=1)
        exponent = np.where(spread > 0, np.frexp(spread)[1], np.frexp(pilot)[1])
        # so that the unit and its inverse can be written
        exponent = np.clip(exponent, -LARGEST_EXPONENT, LARGEST_EXPONENT)
        resolution = np.array([_step(x[:FIRST_ROWS]) for x in first.X])
        describe_one = partial(
            _describe_batch, pilot=pilot, exponent=exponent, resolution=resolution
        )
        total = summed(describe_one, batches, workers)
        # squares are to be representable in user units, since covariances are reported in them
        if not np.isfinite(total.n_rows):
            raise FitError(
                "the row weights add up to more than floating point can hold",
                "divide them by their largest",
            )
        variance = total.deviation**2
        wide = ~np.isfinite(variance * total.n_rows)
        narrow = ~total.constant & (variance < np.finfo(np.float64).tiny)
        for j in np.flatnonzero(wide | narrow):
            raise FitError(
                f"column {j + 1} runs from {total.minimum[j]:.3g} to {total.maximum[j]:.3g}, and "
                "its variance is beyond floating point",
                "rescale the column by a power of ten",
            )
    return total


def _step(values: FloatArray) -> float:
    """The step of rounded values, which most neighbours are apart; 0 where all are equal."""
    gaps = np.diff(np.unique(values))
    return float(np.median(gaps)) if len(gaps) else 0.0


def _describe_batch(
    batch: Batch, pilot: FloatArray, exponent: FloatArray, resolution: FloatArray
) -> Description:
    X, weights = batch
    # on a thread of its own, so the caller's settings do not reach here
    with np.errstate(over="ignore", invalid="ignore"):
        Y = X - pilot[:, None]
        Y *= np.ldexp(1.0, -exponent[:, None].astype(np.int64))
        n_rows = float(X.shape[1]) if weights is None else float(weights.sum())
        mean = Y.mean(axis=1) if weights is None else Y @ weights / n_rows
        Y -= mean[:, None]
        scatter = (Y if weights is None else Y * weights) @ Y.T
    return Description(
        n_rows,
        X.shape[1],
        mean,
        scatter,
        X.min(axis=1),
        X.max(axis=1),
        pilot,
        exponent,
        resolution,
    )


@dataclass(frozen=True, eq=False)
class Standardisation:
    """x -> (x - shift) / scale, and its way back.

    shift, scale : (D,), user units.
    """

    shift: FloatArray
    scale: FloatArray

    @classmethod
    def of(cls, description: Description, structure: type[Covariance]) -> Self:
        """Mean 0 and standard deviation 1, or one scale where the structure needs it."""
        if structure.scales_by_column:
            return cls.by_column(description)
        deviation = description.deviation
        largest = deviation.max()
        common = largest * np.sqrt(np.mean((deviation / largest) ** 2)) if largest else 1.0
        return cls(description.location, np.full_like(deviation, common))

    @classmethod
    def by_column(cls, description: Description) -> Self:
        """Mean 0 and standard deviation 1 in each column; constant ones are only moved."""
        deviation = description.deviation
        return cls(description.location, np.where(deviation > 0, deviation, 1.0))

    @property
    def log_volume(self) -> float:
        """Sum of ln scale: what a row's log-density loses on the way back to user units."""
        return float(np.log(self.scale).sum())

    def apply(self, X: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """Standardised rows of a block X (D, B), written to `out` if given."""
        # rows that lie apart in X are to stand in order, which is what later products want
        out = np.subtract(X, self.shift[:, None], out=out, order="C")
        out *= self._reciprocal
        return out

    @cached_property
    def _reciprocal(self) -> FloatArray:
        # to divide takes several times as long; scales have squares, so neither end is near
        return 1 / self.scale[:, None]

    def copied(self, batches: ArrayBatches) -> ArrayBatches:
        """The standardised rows, in memory once more: for rows that are gone over often."""
        return ArrayBatches(self.apply(batches.X), batches.weights)

    def mean(self, description: Description) -> FloatArray:
        """Of the standardised rows: (D,); not 0 where the columns' means had to be rounded."""
        about_pilot = np.ldexp(description.mean, description.exponent.astype(np.int64))
        mean: FloatArray = ((description.pilot - self.shift) + about_pilot) / self.scale
        return mean

    def radius(self, description: Description) -> FloatArray:
        """Bound on abs(x) in standardised coordinates: (D,)."""
        ends = np.stack([description.minimum, description.maximum], axis=1)
        radius: FloatArray = np.abs(self.apply(ends)).max(axis=1)
        return radius

    def whitening(self, description: Description) -> FloatArray:
        """W (D, D) that makes standardised rows white, zero in directions without spread."""
        values, vectors = np.linalg.eigh(description.correlation)
        spread = values > COLLINEAR * len(values)
        unit = np.where(spread, 1 / np.sqrt(np.where(spread, values, 1)), 0)
        ratio = np.where(description.constant, 1, description.deviation / self.scale)
        whitening: FloatArray = (vectors * unit) @ vectors.T / ratio
        return whitening

    def to_user(self, model: GaussianMixture) -> GaussianMixture:
        """A mixture of standardised columns as one of the user's columns."""
        return model.transformed(self.shift, self.scale)

    def from_user(self, model: GaussianMixture) -> GaussianMixture:
        """A mixture of the user's columns as one of standardised columns."""
        return model.transformed(-self.shift / self.scale, 1 / self.scale)


@dataclass(frozen=True, eq=False)
class StandardisedBatches:
    """The standardised rows, made anew in each pass.

    source : the rows in the user's units.
    """

    source: Batches
    standardisation: Standardisation

    @property
    def n_features(self) -> int:
        """D."""
        return self.source.n_features

    def __iter__(self) -> Iterator[Batch]:
        """Start a new pass."""
        for X, weights in self.source:
            yield Batch(self.standardisation.apply(X), weights)


def are_in_memory(batches: Batches) -> bool:
    """Whether the rows are, standardised or not."""
    source = batches.source if isinstance(batches, StandardisedBatches) else batches
    return isinstance(source, ArrayBatches)
