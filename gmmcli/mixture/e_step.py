"""The E-step: responsibilities of blocks of rows under one mixture, summed as they are found."""

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import MOST_BLOCK, ArrayBatches, Batch, Block, in_blocks
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.moments import Moments, Write, write_same
from gmmcli.mixture.screening import Screening
from gmmcli.mixture.shares import relative_shares, sum_of_logs
from gmmcli.mixture.statistics import (
    NOT_KEPT,
    Doubt,
    SufficientStatistics,
    typical_density,
)

SAFE_ERROR = 1e-8
"""Nats of rounding in a row's log-density above which a component takes the centred form."""
WIDEST = 40
"""Features beyond which the centred form is the faster one."""
BLOCK_NUMBERS = 120_000
"""Numbers of a block and its features: few enough for the caches, and for BLAS not to copy them."""
LEAST_BLOCK = 1_400
"""Rows of a block, about so many at least."""


def rounding_error(coefficients: FloatArray, radius: FloatArray, form: type[Moments]) -> FloatArray:
    """Bound, in nats and per component, on the error of `coefficients` · T(x).

    Parameters
    ----------
    coefficients : (K, P).
    radius : (D,), a bound on abs(x) in each column.

    The sum of P terms is off by about sqrt(P) units in the last place of its largest partial
    sum (Higham & Mary 2019, with lambda = 4).
    """
    largest = form.features(radius[:, None])[:, 0]
    n_terms = coefficients.shape[1]
    magnitude = np.abs(coefficients) @ largest
    bound: FloatArray = 4 * np.sqrt(n_terms) * np.finfo(np.float64).eps * magnitude
    return bound


class EStep:
    """Responsibilities under one mixture, summed into sufficient statistics.

    Parameters
    ----------
    model : the mixture, in coordinates where the data are near the origin.
    radius : (D,), a bound on abs(x) in each column, which decides whether a component's
        log-density may be had from one matrix product or needs the centred form.
    threshold : the log-density below which rows are kept as unlikely.
    is_whole : the rows are so many, and all of those that there are, that it pays to keep those
        that are in doubt, unless they are many; the sum of their products is known; and it matters
        little where a component is that is faint to all of them, since it is empty.
    """

    def __init__(
        self,
        model: GaussianMixture,
        radius: FloatArray,
        *,
        threshold: float = -np.inf,
        is_whole: bool = False,
    ) -> None:
        covariance = model.covariance
        self.model = model
        self.form = covariance.form
        with np.errstate(over="ignore", divide="ignore"):
            coefficients = model.coefficients
            error = rounding_error(coefficients, radius, self.form)
        wide = covariance.matrices.ndim == 3 and model.n_features > WIDEST
        unsafe = ~(error <= SAFE_ERROR)
        # the products of one covariance for all add the same to every component's log-density
        self.shared = covariance.shared and not unsafe.any()
        centred = unsafe | (wide and not self.shared)
        self.coefficients = coefficients[~centred]
        (self.pooled,), (self.centred,) = (~centred).nonzero(), centred.nonzero()
        self.origins = np.where(centred[:, None], model.means, 0.0)
        numbers = model.n_features if wide else self.form.width(model.n_features)
        self.threshold = threshold
        self.is_whole = is_whole
        self.typical = typical_density(model) if is_whole else np.nan
        # only of T(x) and a single product for all components is there a shorter form
        is_pooled = is_whole and not self.shared and not centred.any()
        self.screening = Screening.of(model, error, threshold) if is_pooled else None
        self.is_completed = is_whole and self.shared
        if self.shared:
            numbers = 1 + 3 * model.n_features
        suited = BLOCK_NUMBERS // (numbers + 2 * len(error))
        self.block_rows = min(max(suited, LEAST_BLOCK), MOST_BLOCK)

    def __call__(self, batch: Batch, features: FloatArray | None = None) -> SufficientStatistics:
        """Sum of the statistics of a batch's rows.

        Parameters
        ----------
        features : T(x) of the rows (P, B), if it is known already.
        """
        return self._of_blocks(batch, features, self.blocks(batch.X.shape[1]), write_same)

    def of_part(
        self, batches: ArrayBatches, part: tuple[int, slice | None], *, write: Write = write_same
    ) -> SufficientStatistics:
        """Statistics of a batch, given by its number, or of one block of it.

        Parameters
        ----------
        write : what brings rows to the mixture's coordinates.
        """
        number, rows = part
        batch = batches.batch(number)
        is_product = len(self.pooled) > 0 and not self.shared and self.screening is None
        needed = is_product and write is write_same
        features = batches.features(self.form, number) if needed else None
        blocks = self.blocks(batch.X.shape[1]) if rows is None else [rows]
        return self._of_blocks(batch, features, blocks, write)

    def _of_blocks(
        self, batch: Batch, features: FloatArray | None, blocks: list[slice], write: Write
    ) -> SufficientStatistics:
        found = [Block.of(batch, features, rows) for rows in blocks]
        if self.screening is not None:
            return self._screened(self.screening, found, write)
        total = reduce(add, (self.of_block(block, write) for block in found))
        packed = total.doubt.packed()
        return total if packed is total.doubt else replace(total, doubt=packed)

    def _screened(
        self, screening: Screening, blocks: list[Block], write: Write
    ) -> SufficientStatistics:
        """Statistics of blocks most of whose rows are beyond doubt; the others go together."""
        total, others = screening.statistics(blocks, write)
        n_others = others.X.shape[1]
        if n_others == 0:
            return total
        for rows in in_blocks(n_others, self.block_rows):
            total += self.of_block(Block.of(others, None, rows))
        are_few = 2 * n_others <= sum(block.X.shape[1] for block in blocks)
        doubt = Doubt((others,), others.X.size) if are_few else NOT_KEPT
        return replace(total, doubt=doubt)

    def blocks(self, n_rows: int) -> list[slice]:
        """The rows of a batch in blocks of one size that suit the caches.

        Of rows that are screened a block holds more: their T(x) is half as long.
        """
        return in_blocks(n_rows, self.block_rows if self.screening is None else MOST_BLOCK)

    def of_block(self, block: Block, write: Write = write_same) -> SufficientStatistics:
        """Statistics of a block's rows."""
        weights = block.weights
        X, features = self.read(block.X, block.features, write)
        joint = self.log_joint(X, features)
        top = joint.max(axis=0)
        below = np.subtract(joint, top, out=joint)
        # one that is faint to all rows of a sample may hold others, and is to stay where it is
        responsibilities = relative_shares(below) if self.is_whole else np.exp(below, out=below)
        if not self.is_completed:
            top += self._in_common(X)
        total = responsibilities.sum(axis=0)

        def log_density() -> FloatArray:
            density: FloatArray = top + np.log(total)
            return density + self._in_common(X) if self.is_completed else density

        doubt = self._doubt(Batch(X, weights), total, log_density)
        if weights is None:
            n_rows = float(X.shape[1])
            log_top = -sum_of_logs(total)
            log_likelihood = float(top.sum()) - log_top
            responsibilities *= 1 / total
        else:
            n_rows = float(weights.sum())
            log_top = -float(weights @ np.log(total))
            log_likelihood = float(weights @ top) - log_top
            responsibilities *= weights / total
        totals = self.totals(X, features, responsibilities)
        if self.shared and not self.is_completed:
            totals[0, 1 + len(X) :] = self.form.products(X, weights)
        unlikely: tuple[Batch, ...] = ()
        if self.threshold > -np.inf:
            below = log_density() < self.threshold
            if below.any():
                unlikely = (Batch(X[:, below], None if weights is None else weights[below]),)
        return SufficientStatistics(
            n_rows,
            log_likelihood,
            log_top,
            totals,
            self.origins,
            self.form,
            self.shared,
            unlikely,
            doubt,
        )

    def completed(
        self, statistics: SufficientStatistics, mean: FloatArray | float, covariance: FloatArray
    ) -> SufficientStatistics:
        """Statistics of all rows, with what they have in common put in at once.

        Where one covariance is for all, it adds the same to every component's log-density of a row,
        and only the sum of the products is needed: both follow from the covariance of the rows.

        Parameters
        ----------
        mean, covariance : of all rows, the latter as the form keeps it.
        """
        if not self.is_completed:
            return statistics
        n_rows, start = statistics.n_rows, 1 + self.model.n_features
        means = np.full((1, self.model.n_features), mean)
        whole = self.form.totals(np.array([n_rows]), means, n_rows * covariance[None])
        totals = statistics.totals.copy()
        totals[0, start:] = whole[0, start:]
        added = float(self.coefficients[0, start:] @ totals[0, start:])
        log_likelihood = statistics.log_likelihood + added
        return replace(statistics, log_likelihood=log_likelihood, totals=totals)

    def _doubt(
        self, rows: Batch, total: FloatArray, log_density: Callable[[], FloatArray]
    ) -> Doubt:
        """The rows that are not typical of one component and out of reach of all others.

        Parameters
        ----------
        total : of the components' shares, relative to the likeliest (B,).
        """
        if not self.is_whole:
            return NOT_KEPT
        n_rows, kept = len(total), total > 1
        # most mixtures overlap, and then this much tells
        if 2 * np.count_nonzero(kept) > n_rows:
            return NOT_KEPT
        kept |= log_density() < self.typical
        chosen = np.flatnonzero(kept)
        if 2 * len(chosen) > n_rows:
            return NOT_KEPT
        if len(chosen) == 0:
            return Doubt()
        doubted = rows.taken(chosen)
        return Doubt((doubted,), doubted.X.size)

    def log_density(self, X: FloatArray) -> FloatArray:
        """ln p(x) of the rows of X (D, B): (B,)."""
        density = np.empty(X.shape[1])
        for start in range(0, X.shape[1], self.block_rows):
            rows = slice(start, start + self.block_rows)
            joint = self.log_joint(*self.read(X[:, rows]))
            top = joint.max(axis=0)
            density[rows] = top + np.log(np.exp(joint - top).sum(axis=0))
            density[rows] += self._in_common(X[:, rows])
        return density

    def read(
        self, X: FloatArray, features: FloatArray | None = None, write: Write = write_same
    ) -> tuple[FloatArray, FloatArray | None]:
        """Rows in the mixture's coordinates (D, B), and what one matrix product needs of them.

        That is T(x), or only 1 and x, or nothing.

        Parameters
        ----------
        X : (D, B); `write` brings them to these coordinates.
        features : T(x), if it is known already.
        """
        n_features = len(X)
        if self.shared:
            features = np.ones((1 + n_features, X.shape[1]))
            write(X, features[1:])
        elif len(self.pooled) == 0:
            here = np.empty(X.shape)
            write(X, here)
            return here, None
        elif features is None:
            features = self.form.features(X, write)
        return features[1 : 1 + n_features], features

    def _in_common(self, X: FloatArray) -> FloatArray | float:
        """What all components have in common of their log-densities, and `log_joint` leaves out."""
        return self.form.quadratic(X, self.coefficients[0, 1 + len(X) :]) if self.shared else 0.0

    def log_joint(self, X: FloatArray, features: FloatArray | None) -> FloatArray:
        """ln [w_k N(x; mu_k, Sigma_k)] of a block X (D, B), less what is in common: (K, B)."""
        if features is not None and len(self.centred) == 0:
            pooled: FloatArray = self.coefficients[:, : len(features)] @ features
            return pooled
        joint = np.empty((self.model.n_components, X.shape[1]))
        if features is not None:
            joint[self.pooled] = self.coefficients @ features
        factors = self.model.covariance.factors
        for k in self.centred:
            z = self.form.whiten(X, self.model.means[k], factors[k])
            joint[k] = self.model.log_scale[k] - 0.5 * np.einsum("db,db->b", z, z)
        return joint

    def totals(
        self, X: FloatArray, features: FloatArray | None, responsibilities: FloatArray
    ) -> FloatArray:
        """Sums of r · T(x - origin) over a block: (K, P)."""
        if features is not None and len(self.centred) == 0 and not self.shared:
            pooled: FloatArray = responsibilities @ features.T
            return pooled
        totals = np.zeros((len(responsibilities), self.form.width(len(X))))
        if self.shared and features is not None:
            np.matmul(responsibilities, features.T, out=totals[:, : len(features)])
            return totals
        if features is not None:
            totals[self.pooled] = responsibilities[self.pooled] @ features.T
        for k in self.centred:
            totals[k] = self.form.about(X, responsibilities[k], self.origins[k])
        return totals
