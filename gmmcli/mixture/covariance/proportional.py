"""One shape, own sizes: the covariances are multiples of one matrix.

With the best shape put in, what is left to minimise depends on u = ln lambda alone:

    f(u) = sum_k N_k D u_k + n ln det(sum_k S_k),    S_k = W_k exp(-u_k).

It is convex, since the determinant is a sum of products of 1 / lambda_k with weights that are
not negative. So the start does not matter but for speed.

Celeux & Govaert (1995), sections 3.1.2 (VEI) and 3.2.2 (VEE), take shape and sizes in turn. A turn
always lowers f, but they crawl near the minimum; Newton's method takes all that are to come at
once. The products have D factors, so f is self-concordant as in Bach (2010), Self-concordant
analysis for logistic regression, Electronic J. Statistics 4: along a step v it has

    |f'''| <= R f'',    R = D (max_k v_k - min_k v_k),

hence f(u + v) <= f(u) + f'v + v'f''v (e^R - R - 1) / R^2.
"""

from abc import abstractmethod
from typing import Self

import numpy as np

from gmmcli.mixture.arrays import BoolArray, FloatArray
from gmmcli.mixture.covariance.structure import Covariance, each
from gmmcli.mixture.moments import DiagonalMoments, FullMoments

STILL = 1e-10
"""Change of the sizes, as a share, below which they have come to rest."""
MOST_TURNS = 100
POINT = 1e-40
"""Size, as a share of the largest, of a component on one point."""
NEAR = 1.0
"""R up to which a step is sure to lower f if its first derivative says so."""
FAR = -float(np.log(POINT))
"""Change of ln lambda, of one component beside another, that takes it to one point."""
RIDGE = 1e-12
"""What keeps Newton's equations soluble where components have no axis in common, as a share."""
TINY = float(np.finfo(np.float64).tiny)


class _Proportional(Covariance):
    scales_by_column = True

    @classmethod
    def from_scatter(
        cls, masses: FloatArray, scatters: FloatArray, previous: Covariance | None = None
    ) -> Self:
        """Sigma_k = lambda_k C, by C = sum_k W_k / lambda_k / n, lambda_k = tr(W_k C^-1) / (N_k D).

        The sizes start from those of `previous`, or from one for all.
        """
        sizes = np.ones(len(masses))
        if previous is not None:
            sizes = np.exp(previous.log_determinants / scatters.shape[1])
        parts = cls.relative(each(1 / sizes, scatters) * scatters)
        if parts is not None:
            sized = _sized(masses, parts, sizes)
            sizes[sized] *= _growth(cls, masses[sized], parts[sized])
            sizes[~sized] = 0
        return cls(each(sizes, scatters) * _shape(masses, scatters, sizes))

    @staticmethod
    @abstractmethod
    def relative(scatters: FloatArray) -> FloatArray | None:
        """The scatters in coordinates in which their sum is the identity; None if singular."""


class VEI(_Proportional):
    """One shape along the columns, each its own size."""

    code = "VEI"
    form = DiagonalMoments

    @staticmethod
    def relative(scatters: FloatArray) -> FloatArray | None:
        """The scatters as shares of their sum: (K, D)."""
        total = scatters.sum(axis=0)
        return scatters / total if (total > 0).all() else None


class VEE(_Proportional):
    """One shape in the same directions, each its own size."""

    code = "VEE"
    form = FullMoments

    @staticmethod
    def relative(scatters: FloatArray) -> FloatArray | None:
        """L^-1 W_k L^-T, with L the Cholesky factor of the sum: (K, D, D)."""
        try:
            inverse = np.linalg.inv(np.linalg.cholesky(scatters.sum(axis=0)))
        except np.linalg.LinAlgError:
            return None
        return inverse @ scatters @ inverse.T


def _shape(masses: FloatArray, scatters: FloatArray, sizes: FloatArray) -> FloatArray:
    """The best shape for these sizes: (D,) or (D, D)."""
    # a component on one point has nothing to say of the shape
    sized = sizes > POINT * sizes.max()
    inverse = np.divide(1, sizes, out=np.zeros_like(sizes), where=sized)
    mass = max(float(masses @ sized), TINY)
    total = inverse @ scatters.reshape(len(sizes), -1)
    return (total / mass).reshape(scatters.shape[1:])


def _sized(masses: FloatArray, parts: FloatArray, sizes: FloatArray) -> BoolArray:
    """Which components will not sit on one point, when sizes have taken a turn: (K,)."""
    # one that has lost all its rows has no size either
    turned = np.divide(sizes * _traces(parts), masses, out=np.zeros_like(sizes), where=masses > 0)
    sized: BoolArray = turned > POINT * turned.max()
    return sized


def _growth(structure: type[_Proportional], masses: FloatArray, parts: FloatArray) -> FloatArray:
    """By how much the sizes grow to the minimum of f, from where the parts are relative: (K,)."""
    n_features = parts.shape[1]
    due = n_features * masses / masses.sum()
    logs = np.zeros(len(due))
    for _ in range(MOST_TURNS):
        step = _step(structure, due, parts)
        # the step that follows one of Newton's is of the order of its square
        if n_features * _range(step) ** 2 <= STILL:
            logs = logs + step
            break
        seen = structure.relative(each(np.exp(-step), parts) * parts)
        if seen is None:
            # what it would make the most of is a scatter that is rounding
            break
        logs, parts = logs + step, seen
        if _range(logs) > FAR:
            break
    growth: FloatArray = np.exp(logs)
    return growth


def _step(structure: type[_Proportional], due: FloatArray, parts: FloatArray) -> FloatArray:
    """A step of ln lambda that lowers f: (K,).

    Parameters
    ----------
    due : tr(P S_k), with P the inverse of sum_k S_k, at the minimum: N_k D / n.
    parts : S_k in coordinates in which their sum is the identity.
    """
    n_features = parts.shape[1]
    traces = _traces(parts)
    if min(traces.tolist()) <= 0:
        # so nearly singular that the parts are rounding
        return np.zeros(len(due))
    turn: FloatArray = np.log(traces / due)
    # With overlaps tr(P S_k P S_l), the derivative of a turn is the stochastic matrix of rows
    # overlaps / traces, and Newton's step the sum of all the turns to come. As with the
    # fundamental matrix of a Markov chain (Kemeny & Snell 1960, section 4.3), its stationary
    # shares, traces / D, stand in for what is free: one size for all.
    flat = parts.reshape(len(parts), -1)
    chain: FloatArray = traces / n_features - flat @ flat.T / traces[:, None]
    chain.flat[:: len(due) + 1] += 1 + RIDGE
    newton = np.asarray(np.linalg.solve(chain, turn), dtype=np.float64)
    reach = _range(newton)
    near = n_features * reach <= NEAR
    if near and newton @ (traces - due) >= (np.e - 2) * (newton @ (traces * turn)):
        return newton
    if reach <= FAR and _change(structure, due, parts, newton) < 0:
        return newton
    return turn


def _range(step: FloatArray) -> float:
    moves: list[float] = step.tolist()
    return max(moves) - min(moves)


def _change(
    structure: type[_Proportional], due: FloatArray, parts: FloatArray, step: FloatArray
) -> float:
    """What a step changes f / n by."""
    total = (each(np.exp(-step), parts) * parts).sum(axis=0)
    factors = structure.form.factors(total[None])
    return float(due @ step + structure.form.log_determinants(factors)[0])


def _traces(parts: FloatArray) -> FloatArray:
    traces: FloatArray = np.einsum("kii->k" if parts.ndim == 3 else "ki->k", parts)
    return traces
