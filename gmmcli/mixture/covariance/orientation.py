"""Own directions, or common ones: a structure along axes that are not the columns.

In its own axes a component's scatter is diagonal, so what the components share beside the axes
is one of the structures along the columns.

Sources: Celeux & Govaert (1995), sections 3.3.1 (EEV, VEV) and 3.2.3 (EVE, VVE); Flury &
Gautschi (1986), SIAM J. Scientific and Statistical Computing 7, for rotations in one plane;
Brent & Luk (1985), same journal 6, for planes that are turned at once.
"""

from functools import cache
from typing import ClassVar, Self

import numpy as np

from gmmcli.mixture.arrays import BoolArray, FloatArray, IntArray
from gmmcli.mixture.covariance.equal_volume import EVI
from gmmcli.mixture.covariance.free import EEI, VVI
from gmmcli.mixture.covariance.proportional import VEI
from gmmcli.mixture.covariance.structure import Covariance
from gmmcli.mixture.moments import FullMoments

STILL = 1e-10
"""Gain of the expected log-likelihood, in nats a row, below which the axes have come to rest."""
MOST_SWEEPS = 100
FLAT = 1e-13
"""Share of its largest variance below which a component has none: axes are known to rounding."""


class _Oriented(Covariance):
    form = FullMoments
    scales_by_column = False

    along_axes: ClassVar[type[Covariance]]
    """The structure in the coordinates of the axes."""

    @classmethod
    def _turned_back(cls, axes: FloatArray, variances: FloatArray) -> Self:
        """From axes (D, D) or (K, D, D), a column each, and the variances along them (K, D).

        A component without spread along an axis has collapsed, and is left none at all, so that
        rounding in the axes cannot hide it.
        """
        variances = np.where(_flat(variances)[:, None], 0, variances)
        return cls((axes * variances[:, None, :]) @ np.swapaxes(axes, -1, -2))


class _OwnAxes(_Oriented):
    @classmethod
    def from_scatter(
        cls, masses: FloatArray, scatters: FloatArray, previous: Covariance | None = None
    ) -> Self:
        """The axes are those of W_k, the largest spread first, whatever the shape."""
        spreads, axes = np.linalg.eigh(scatters)
        along = cls.along_axes.from_scatter(masses, np.maximum(spreads, 0), previous)
        return cls._turned_back(axes, along.matrices)


class EEV(_OwnAxes):
    """One size and shape, each its own directions."""

    code = "EEV"
    along_axes = EEI


class VEV(_OwnAxes):
    """One shape, each its own size and directions."""

    code = "VEV"
    along_axes = VEI


class _CommonAxes(_Oriented):
    @classmethod
    def from_scatter(
        cls, masses: FloatArray, scatters: FloatArray, previous: Covariance | None = None
    ) -> Self:
        """Variances along the axes, and rotations of the axes, in turn.

        The maximum need not be unique: the axes go on from those of `previous`, or from the
        best of those of the scatters and their sum.
        """
        if previous is not None:
            axes = common_axes(previous.matrices)
        else:
            pooled = scatters.sum(axis=0, keepdims=True)
            starts = np.linalg.eigh(np.concatenate([pooled, scatters]))[1]
            values = [cls._along(masses, axes.T @ scatters @ axes)[1] for axes in starts]
            axes = starts[int(np.argmax(values))]
        axes = axes.copy()
        turned = axes.T @ scatters @ axes
        variances, value = cls._along(masses, turned)
        for _ in range(MOST_SWEEPS):
            if value == np.inf:
                # an axis without spread: a component has collapsed, and no axes help
                break
            for pairs in rounds_of_pairs(len(axes)):
                angles = best_angles(turned, 1 / variances, pairs)
                turn(axes, pairs, angles)
                turn(turned, pairs, angles)
                turn(np.swapaxes(turned, 1, 2), pairs, angles)
            before = value
            variances, value = cls._along(masses, turned)
            if not value - before > STILL * masses.sum():
                break
        return cls._turned_back(axes, variances)

    @classmethod
    def _along(cls, masses: FloatArray, turned: FloatArray) -> tuple[FloatArray, float]:
        """The best variances (K, D) along these axes, and the log-likelihood but a constant."""
        spreads = np.maximum(np.einsum("kii->ki", turned), 0)
        variances = cls.along_axes.from_scatter(masses, spreads).matrices
        if _flat(variances).any():
            return variances, np.inf
        return variances, -0.5 * float(masses @ np.log(variances).sum(axis=1))


class EVE(_CommonAxes):
    """One size, the same directions, each its own shape."""

    code = "EVE"
    along_axes = EVI


class VVE(_CommonAxes):
    """The same directions, each its own size and shape."""

    code = "VVE"
    along_axes = VVI


def _flat(variances: FloatArray) -> BoolArray:
    flat: BoolArray = variances.min(axis=1) <= FLAT * variances.max(axis=1)
    return flat


def common_axes(matrices: FloatArray) -> FloatArray:
    """The axes (D, D), a column each, of matrices (K, D, D) that share them."""
    # weights that differ, lest equal sums along two axes hide them
    shares = 1 / (np.trace(matrices, axis1=1, axis2=2) * np.arange(1, len(matrices) + 1))
    axes: FloatArray = np.linalg.eigh(np.einsum("k,kij->ij", shares, matrices))[1]
    return axes


@cache
def rounds_of_pairs(n: int) -> tuple[tuple[IntArray, IntArray], ...]:
    """Every pair of n things once, in rounds in which none occurs twice (a tournament)."""
    even = n + n % 2
    circle, rounds = list(range(even)), []
    for _ in range(even - 1):
        pairs = [(i, j) for i, j in zip(circle, circle[::-1], strict=True) if i < j < n]
        here = {frozenset(pair): pair for pair in pairs}
        first, second = np.array(list(here.values()), dtype=np.int64).reshape(-1, 2).T
        rounds.append((first, second))
        circle = [circle[0], circle[-1], *circle[1:-1]]
    return tuple(rounds)


def best_angles(
    turned: FloatArray, precisions: FloatArray, pairs: tuple[IntArray, IntArray]
) -> FloatArray:
    """By how much to turn each pair of axes: (P,).

    The turn minimises sum_k tr(W_k D diag(precisions_k) D^T), which in one plane is a quadratic
    form in (cos, sin); so it is the best whatever the spreads are.

    Parameters
    ----------
    turned : (K, D, D), the scatters in the coordinates of the axes.
    precisions : (K, D), inverse variances along the axes.
    """
    first, second = pairs
    weight = precisions[:, first] - precisions[:, second]
    along = np.einsum("kii->ki", turned)
    difference = np.sum(weight * (along[:, second] - along[:, first]), axis=0)
    cross = np.sum(weight * turned[:, first, second], axis=0)
    angles: FloatArray = 0.5 * np.arctan2(-2 * cross, difference)
    return angles


def turn(matrices: FloatArray, pairs: tuple[IntArray, IntArray], angles: FloatArray) -> None:
    """Turn the columns of (..., D, D) in the planes of the pairs, in place."""
    first, second = pairs
    cosines, sines = np.cos(angles), np.sin(angles)
    a, b = matrices[..., first], matrices[..., second]
    matrices[..., first] = a * cosines + b * sines
    matrices[..., second] = b * cosines - a * sines
