"""Own directions, or common ones: a structure along axes that are not the columns.

In its own axes a component's scatter is diagonal, so what the components share beside the axes
is one of the structures along the columns.

Source: Celeux & Govaert (1995), sections 3.3.1 (EEV, VEV) and 3.2.3 (EVE, VVE); for the turns of
common axes see `axes`.
"""

from typing import ClassVar, NamedTuple, Self

import numpy as np

from gmmcli.mixture.arrays import BoolArray, FloatArray
from gmmcli.mixture.covariance.axes import (
    best_angles,
    common_axes,
    newton_turn,
    rotation_of,
    rounds_of_pairs,
)
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


class _Place(NamedTuple):
    """Where the search for common axes has come to.

    axes : (D, D), a column each.
    turned : the scatters in their coordinates, (K, D, D).
    variances : the best along them, (K, D).
    value : the expected log-likelihood, in nats, but a constant; infinite where a component has
        collapsed.
    """

    axes: FloatArray
    turned: FloatArray
    variances: FloatArray
    value: float


class _CommonAxes(_Oriented):
    @classmethod
    def from_scatter(
        cls, masses: FloatArray, scatters: FloatArray, previous: Covariance | None = None
    ) -> Self:
        """The best variances along the axes, and axes that turn uphill.

        The maximum need not be unique: the axes go on from those of `previous`, or from the
        best of those of the scatters and their sum.
        """
        if previous is not None:
            starts = common_axes(previous.matrices)[None]
        else:
            pooled = scatters.sum(axis=0, keepdims=True)
            starts = np.linalg.eigh(np.concatenate([pooled, scatters]))[1]
        places = [cls._place(masses, axes, axes.T @ scatters @ axes) for axes in starts]
        place = cls._climb(masses, max(places, key=lambda place: place.value))
        return cls._turned_back(place.axes, place.variances)

    @classmethod
    def _climb(cls, masses: FloatArray, place: _Place) -> _Place:
        """By Newton's steps where they lead uphill, and by sweeps over all planes elsewhere."""
        n_rows = float(masses.sum())
        rest = STILL * n_rows
        n_sweeps = next_try = 0
        for _ in range(MOST_SWEEPS):
            # one axis cannot turn; and where one has no spread a component has collapsed
            if len(place.axes) == 1 or place.value == np.inf:
                break
            before, step = place, None
            if n_sweeps >= next_try:
                step = newton_turn(place.turned, place.variances, one_size=cls.code[0] == "E")
                # with many columns a try costs several sweeps: they become rare where they fail
                next_try = 2 * n_sweeps + 1
            if step is not None:
                rotation = step.rotation
                turned = rotation.T @ place.turned @ rotation
                place = cls._place(masses, place.axes @ rotation, turned)
                gain = place.value - before.value
                if gain >= 0:
                    if step.left(gain, n_rows) <= rest:
                        break
                    next_try = n_sweeps
                    continue
            place = cls._swept(masses, before)
            n_sweeps += 1
            if not place.value - before.value > rest:
                break
        return place

    @classmethod
    def _swept(cls, masses: FloatArray, place: _Place) -> _Place:
        """Each plane turned by its best angle for variances that stay."""
        axes, turned = place.axes, place.turned
        for pairs in rounds_of_pairs(len(axes)):
            angles = best_angles(turned, 1 / place.variances, pairs)
            rotation = rotation_of(pairs, angles, len(axes))
            axes, turned = axes @ rotation, rotation.T @ turned @ rotation
        return cls._place(masses, axes, turned)

    @classmethod
    def _place(cls, masses: FloatArray, axes: FloatArray, turned: FloatArray) -> _Place:
        spreads = np.maximum(np.einsum("kii->ki", turned), 0)
        variances = cls.along_axes.from_scatter(masses, spreads).matrices
        if _flat(variances).any():
            return _Place(axes, turned, variances, np.inf)
        value = -0.5 * float(masses @ np.log(variances).sum(axis=1))
        return _Place(axes, turned, variances, value)


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
