"""A Gaussian mixture as a value: weights, means and covariances, and what they say of rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from gmmcli.errors import ModelError
from gmmcli.mixture.arrays import FloatArray, IntArray, frozen
from gmmcli.mixture.covariance import STRUCTURES, Covariance
from gmmcli.mixture.moments import LOG_2PI

LOWEST = float(np.finfo(np.float64).min)
BLOCK_ROWS = 4096
SYMMETRY = 1e-8
ALIKE = 1e-3
"""Of standard deviations: how far what is in common may differ in a file written by hand."""
ROUNDING = 1e-12


class Posterior(NamedTuple):
    """What a mixture says of N rows.

    log_density : (N,), ln p(x) in nats.
    responsibilities : (N, K), p(component | x); each row sums to 1.
    uncertainty : (N,), 1 - max_k p(k | x), from the other components, so that 1e-20 stays 1e-20.
    """

    log_density: FloatArray
    responsibilities: FloatArray
    uncertainty: FloatArray

    @property
    def labels(self) -> IntArray:
        """The most probable component of each row: (N,)."""
        labels: IntArray = self.responsibilities.argmax(axis=1)
        return labels


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """p(x) = sum_k w_k N(x; mu_k, Sigma_k). Immutable; holds no data and no settings.

    Parameters
    ----------
    weights : (K,), positive, summing to 1.
    means : (K, D).
    covariance : the K covariances and their structure.
    """

    weights: FloatArray
    means: FloatArray
    covariance: Covariance

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", frozen(self.weights))
        object.__setattr__(self, "means", frozen(self.means))

    @classmethod
    def from_arrays(
        cls,
        weights: npt.ArrayLike,
        means: npt.ArrayLike,
        covariances: npt.ArrayLike,
        *,
        covariance_type: str,
    ) -> Self:
        """Check the numbers and make the mixture.

        Parameters
        ----------
        weights : (K,), positive, summing to 1 within 1e-6; made to sum to 1 exactly.
        means : (K, D).
        covariances : (K, D, D); (D, D) for tied; without correlations (K, D), for EEI (D,), for
            spherical (K,), for EII one number.
        covariance_type : a name in STRUCTURES.

        Raises
        ------
        ModelError : a number that is not finite, a wrong shape, weights that do not sum to 1,
            a covariance that is not symmetric or not positive definite, covariances that do not
            have in common what their structure says.
        """
        w, mu, sigma = (np.asarray(a, dtype=np.float64) for a in (weights, means, covariances))
        for name, array in (("weights", w), ("means", mu), ("covariances", sigma)):
            if not np.all(np.isfinite(array)):
                raise ModelError(f"{name} hold a number that is not finite")
        if w.ndim != 1 or len(w) == 0:
            raise ModelError(f"weights have shape {w.shape}, but one number a component is needed")
        if mu.ndim != 2 or len(mu) != len(w) or mu.shape[1] == 0:
            raise ModelError(f"means have shape {mu.shape}, but there are {len(w)} weights")
        if np.any(w <= 0):
            raise ModelError(f"weights[{int(np.argmin(w))}] is {w.min():g}, not positive")
        if abs(w.sum() - 1) > 1e-6:
            raise ModelError(f"weights sum to {w.sum():.9g}, not to 1")
        if covariance_type not in STRUCTURES:
            known = ", ".join(STRUCTURES)
            raise ModelError(f"there is no covariance type {covariance_type!r}", f"known: {known}")
        try:
            covariance = STRUCTURES[covariance_type].from_values(
                sigma, n_components=len(w), n_features=mu.shape[1]
            )
        except ValueError as error:
            raise ModelError(str(error)) from None
        _check_positive_definite(covariance)
        _check_structure(covariance)
        total = w.sum()
        # weights that sum to 1 but for rounding are kept to the last bit
        exact = abs(total - 1) <= len(w) * np.finfo(np.float64).eps
        return cls(w if exact else w / total, mu, covariance)

    @property
    def n_components(self) -> int:
        """K."""
        return len(self.weights)

    @property
    def n_features(self) -> int:
        """D."""
        return int(self.means.shape[1])

    @property
    def n_parameters(self) -> int:
        """Free parameters: K - 1 weights, K D means, and those of the covariances."""
        n_components, n_features = self.means.shape
        free = self.covariance.n_parameters(n_components, n_features)
        return int(n_components - 1 + n_components * n_features + free)

    def posterior(self, X: FloatArray) -> Posterior:
        """Log-density and responsibilities of the rows of X (N, D), by Bayes' rule.

        Distances are taken as z = L^-1 (x - mu), so a far row or a far origin does no harm; a
        row too far for floating point gets the lowest number as its log-density, and its
        nearest component.
        """
        n_rows = len(X)
        density = np.empty(n_rows)
        responsibilities = np.empty((n_rows, self.n_components))
        uncertainty = np.empty(n_rows)
        for rows, joint in self._blocks(X):
            top = joint.max(axis=0)
            relative = np.exp(joint - top)
            total = relative.sum(axis=0)
            density[rows] = top + np.log(total)
            responsibilities[rows] = (relative / total).T
            relative[joint.argmax(axis=0), np.arange(joint.shape[1])] = 0
            uncertainty[rows] = relative.sum(axis=0) / total
        return Posterior(density, responsibilities, uncertainty)

    def labels(self, X: FloatArray) -> IntArray:
        """The most probable component of each row of X (N, D): (N,).

        That of `posterior`, unless two are the same but for the last digit.
        """
        labels = np.empty(len(X), dtype=np.int64)
        for rows, joint in self._blocks(X):
            labels[rows] = joint.argmax(axis=0)
        return labels

    def _blocks(self, X: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
        """Rows of X (N, D), so many as suit the caches, and ln [w_k N(x; mu_k, Sigma_k)]."""
        for start in range(0, len(X), BLOCK_ROWS):
            rows = slice(start, min(start + BLOCK_ROWS, len(X)))
            yield rows, self._log_joint(np.ascontiguousarray(X[rows].T, dtype=np.float64))

    def _log_joint(self, X: FloatArray) -> FloatArray:
        """ln [w_k N(x; mu_k, Sigma_k)] of a block X (D, B): (K, B), one finite a row."""
        form, factors = self.covariance.form, self.covariance.factors
        joint = np.empty((self.n_components, X.shape[1]))
        with np.errstate(over="ignore", invalid="ignore"):
            for k in range(self.n_components):
                z = form.whiten(X, self.means[k], factors[k])
                joint[k] = self.log_scale[k] - 0.5 * np.einsum("db,db->b", z, z)
        finite = np.isfinite(joint)
        joint[~finite] = -np.inf
        far = ~finite.any(axis=0)
        if far.any():
            joint[:, far] = self._log_joint_far(X[:, far])
        return joint

    def _log_joint_far(self, X: FloatArray) -> FloatArray:
        """As `_log_joint` for rows whose squared distance overflows: nearest by distance."""
        form, factors = self.covariance.form, self.covariance.factors
        # a row shrunk to unit size keeps the order of its distances
        exponent = np.frexp(np.abs(X).max(axis=0))[1]
        distances = np.empty((self.n_components, X.shape[1]))
        for k in range(self.n_components):
            shrunk = np.ldexp(X, -exponent) - np.ldexp(self.means[k][:, None], -exponent)
            z = form.whiten(shrunk, np.zeros(len(X)), factors[k])
            scale = np.maximum(np.abs(z).max(axis=0), np.finfo(np.float64).tiny)
            distances[k] = np.log(scale) + 0.5 * np.log(((z / scale) ** 2).sum(axis=0))
        nearest = distances == distances.min(axis=0)
        return np.where(nearest, LOWEST, -np.inf)

    def is_same(self, other: Self) -> bool:
        """Whether all numbers are those of the other, too."""
        return (
            np.array_equal(self.weights, other.weights)
            and np.array_equal(self.means, other.means)
            and np.array_equal(self.covariance.matrices, other.covariance.matrices)
        )

    @cached_property
    def log_scale(self) -> FloatArray:
        """ln w_k - (D ln 2 pi + ln det Sigma_k) / 2: (K,)."""
        log_det = self.covariance.log_determinants
        # a component that has lost its rows has no weight, until it is placed anew
        with np.errstate(divide="ignore"):
            log_weights = np.log(self.weights)
        scale: FloatArray = log_weights - 0.5 * (self.n_features * LOG_2PI + log_det)
        return scale

    @cached_property
    def coefficients(self) -> FloatArray:
        """Those of T(x) in ln [w_k N(x; mu_k, Sigma_k)]: (K, P), see `moments`."""
        covariance = self.covariance
        coefficients = covariance.form.coefficients(self.means, covariance.factors)
        coefficients[:, 0] += self.log_scale
        return coefficients

    def sample(self, n_rows: int, rng: np.random.Generator) -> tuple[FloatArray, IntArray]:
        """Draw rows (N, D) and the components they came from (N,)."""
        labels = rng.choice(self.n_components, size=n_rows, p=self.weights)
        deviations = np.sqrt(np.einsum("kii->ki", self.covariance.full()))
        correlations = self.covariance.full() / deviations[:, :, None] / deviations[:, None, :]
        lower = np.linalg.cholesky(correlations) * deviations[:, :, None]
        noise = rng.standard_normal((n_rows, self.n_features))
        rows = np.empty_like(noise)
        for k in range(self.n_components):
            members = labels == k
            rows[members] = self.means[k] + noise[members] @ lower[k].T
        return rows, labels.astype(np.int64)

    def transformed(self, shift: FloatArray, scale: FloatArray) -> Self:
        """The mixture of x * scale + shift, column by column."""
        return type(self)(self.weights, self.means * scale + shift, self.covariance.scaled(scale))

    def taken(self, components: list[int], weights: FloatArray | None = None) -> Self:
        """These components in this order, their weights made to sum to 1."""
        chosen = self.weights[components] if weights is None else weights
        return type(self)(
            chosen / chosen.sum(), self.means[components], self.covariance.taken(components)
        )

    @property
    def order(self) -> IntArray:
        """The components by weight, the largest first, ties by mean: (K,)."""
        order: IntArray = np.lexsort((*self.means.T[::-1], -self.weights))
        return order

    def canonical(self) -> Self:
        """The same mixture with components in their order."""
        return self.taken(self.order.tolist(), np.sort(self.weights)[::-1])


def _check_positive_definite(covariance: Covariance) -> None:
    matrices = covariance.matrices
    for k, matrix in enumerate(matrices):
        # a structure that repeats one matrix has no component to name
        name = "covariances" if covariance.shared else f"covariances[{k}]"
        if matrix.ndim == 2:
            spread = np.sqrt(np.abs(np.outer(np.diag(matrix), np.diag(matrix))))
            if np.any(np.abs(matrix - matrix.T) > SYMMETRY * spread):
                raise ModelError(f"{name} is not symmetric")
        if not np.all(np.isfinite(covariance.form.factors(matrix[None]))):
            raise ModelError(f"{name} is not positive definite")


def _check_structure(covariance: Covariance) -> None:
    # the M-step leaves covariances of its own structure as they are
    masses = np.ones(covariance.n_components)
    nearest = covariance.from_scatter(masses, covariance.matrices, covariance).full()
    matrices = covariance.full()
    deviations = np.sqrt(np.einsum("kii->ki", matrices))
    spread = deviations[:, :, None] * deviations[:, None, :]
    # axes are known to the rounding of the largest spread along any
    rounding = ROUNDING * spread.max(axis=(1, 2), keepdims=True)
    if not np.all(np.abs(nearest - matrices) <= ALIKE * spread + rounding):
        raise ModelError(
            f"the covariances are not {covariance.name}: {covariance.description}",
            "choose another covariance_type, such as full or diag",
        )
