"""Turns of axes that several scatters share: plane by plane, and by Newton's method.

What is to be lowered is the cost of common axes Q, (D, D), a column each: minus the expected
log-likelihood when the variances along them are the best. It depends on the diagonals of the
scatters in the coordinates of the axes, W_k = Q^T (scatter) Q, alone.

Sources: Flury & Gautschi (1986), SIAM J. Scientific and Statistical Computing 7, for rotations in
one plane; Brent & Luk (1985), same journal 6, for planes that are turned at once; Edelman, Arias
& Smith (1998), SIAM J. Matrix Analysis and Applications 20, for Newton's method among
orthogonal matrices.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray

LARGEST_TURN = 0.3
"""Angle beyond which Newton's step, which sees only two derivatives, is cut short."""


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


def rotation_of(pairs: tuple[IntArray, IntArray], angles: FloatArray, n: int) -> FloatArray:
    """The matrix (D, D) that turns axes, a column each, in the planes of the pairs."""
    first, second = pairs
    rotation, sines = np.eye(n), np.sin(angles)
    rotation[first, first] = rotation[second, second] = np.cos(angles)
    rotation[first, second], rotation[second, first] = -sines, sines
    return rotation


class Turn(NamedTuple):
    """A rotation of the axes (D, D), and the nats that the two derivatives promise of it."""

    rotation: FloatArray
    promise: float

    def left(self, gain: float, n_rows: float) -> float:
        """Nats that are left to gain after it, to leading order.

        In one plane, with cost g x + h x^2 / 2 + c x^3 / 6, the step is x = -g / h, the promise
        p = h x^2 / 2, and gain and promise differ by c x^3 / 6. The gradient after the step is
        c x^2 / 2, so (c x^2 / 2)^2 / 2h = 9/4 (gain - p)^2 / p is left. Several planes may hide
        the difference; with c about h, and h a hundredth of the rows, 50 p^2 / n_rows is left.
        """
        if self.promise <= 0:
            # at a maximum already, to rounding
            return 0.0
        difference = gain - self.promise
        # products, since powers of floats raise where they overflow
        return max(
            2.25 * difference * (difference / self.promise),
            50 * self.promise * (self.promise / n_rows),
        )


def newton_turn(turned: FloatArray, variances: FloatArray, *, one_size: bool) -> Turn | None:
    """Newton's step for the cost of the axes; None where that is not convex.

    Parameters
    ----------
    turned : W_k, (K, D, D), in the coordinates of the axes.
    variances : (K, D), the best ones along the axes.
    one_size : whether they are the best of those with the same product in all components.
    """
    precisions = 1 / variances
    planes = _planes(variances.shape[1])
    first, second = planes.axes
    slopes = turned[:, first, second] * (precisions[:, second] - precisions[:, first])
    gradient = slopes.sum(axis=0)
    hessian = _hessian(turned, precisions, planes)
    if one_size:
        hessian += _through_the_size(turned, precisions, slopes)
    try:
        # fails unless it is positive definite
        np.linalg.cholesky(hessian)
    except np.linalg.LinAlgError:
        return None
    angles = -np.linalg.solve(hessian, gradient)
    largest = float(np.abs(angles).max(initial=0))
    promise = -0.5 * float(gradient @ angles)
    if largest > LARGEST_TURN:
        angles *= LARGEST_TURN / largest
    return Turn(_rotation(angles, planes), promise)


class _Planes(NamedTuple):
    """The planes of D axes, P = D (D - 1) / 2, and where the numbers of a Hessian go.

    axes : first and second axis of each plane, (P,).
    target : places in the Hessian (P, P) of planes that have just one axis in common.
    source : for each, the place in the forms R (D, D, D) of that axis, see `_hessian`.
    signs : of X for the one times that for the other.
    """

    axes: tuple[IntArray, IntArray]
    target: IntArray
    source: IntArray
    signs: FloatArray


@cache
def _planes(n: int) -> _Planes:
    first, second = np.triu_indices(n, 1)
    index = np.zeros((n, n), dtype=np.int64)
    index[first, second] = index[second, first] = np.arange(len(first))
    sign = np.sign(np.arange(n) - np.arange(n)[:, None]).astype(np.float64)
    i, j, k = np.indices((n, n, n)).reshape(3, -1)
    differ = (i != j) & (i != k) & (j != k)
    i, j, k = i[differ], j[differ], k[differ]
    target = index[i, j] * len(first) + index[i, k]
    return _Planes((first, second), target, (i * n + j) * n + k, sign[i, j] * sign[i, k])


def _hessian(turned: FloatArray, precisions: FloatArray, planes: _Planes) -> FloatArray:
    """Second derivatives of the cost in the angles, sizes aside: (P, P).

    The axes go to Q exp(X), with X skew and the angles above its diagonal. With p the precisions
    and w_ki row i of W_k, the second derivative is a form in each row x_i of X,

        sum_i x_i^T R_i x_i,   R_i = sum_k p_ki W_k - S - 2 sum_k p_ki / W_kii w_ki w_ki^T,

    where row i of S is sum_k p_ki w_ki, made symmetric. The first two terms are those of
    variances that stay, the third is what they follow.
    """
    n_components, n_features = precisions.shape
    n_planes = len(planes.axes[0])
    cube = (n_features,) * 3
    weighted = (precisions.T @ turned.reshape(n_components, -1)).reshape(cube)
    rows = np.einsum("iij->ij", weighted)
    ratios = 2 * precisions / np.einsum("kii->ki", turned)
    follow = (ratios[:, :, None] * turned).transpose(1, 2, 0) @ turned.transpose(1, 0, 2)
    forms = weighted - 0.5 * (rows + rows.T) - follow
    # planes without a common axis have nothing to do with each other
    hessian = np.zeros((n_planes, n_planes))
    hessian.ravel()[planes.target] = planes.signs * forms.ravel()[planes.source]
    first, second = planes.axes
    hessian.ravel()[:: n_planes + 1] = forms[first, second, second] + forms[second, first, first]
    return hessian


def _through_the_size(turned: FloatArray, precisions: FloatArray, slopes: FloatArray) -> FloatArray:
    """What the second derivatives are more where all components have one size: (P, P).

    The cost is n D / 2 times the log of the sum of the components' sizes, and slopes (K, P) are
    the gradients of its terms: 2 / D (sum_k s_k s_k^T / m_k - s s^T / n), with m_k the rows that
    a component has for the size, and n their sum.
    """
    n_features = precisions.shape[1]
    counts = np.einsum("kii,ki->k", turned, precisions) / n_features
    gradient = slopes.sum(axis=0)
    spread = (slopes.T / counts) @ slopes - np.outer(gradient, gradient / counts.sum())
    through: FloatArray = 2 / n_features * spread
    return through


def _rotation(angles: FloatArray, planes: _Planes) -> FloatArray:
    """Cayley's (I - X/2)^-1 (I + X/2), which is exp(X) to the second order: (D, D)."""
    n_features = planes.axes[1].max(initial=0) + 1
    half = np.zeros((n_features, n_features))
    half[planes.axes] = angles / 2
    half -= half.T
    identity = np.eye(n_features)
    rotation: FloatArray = np.linalg.inv(identity - half) @ (identity + half)
    return rotation
