"""How many components, by test: the parametric bootstrap of K against K + 1.

Under K components the likelihood ratio has no known distribution, chi-square least of all: the
regularity conditions fail. So it is simulated: rows are drawn from the fitted K components, both
numbers are fitted to them, and the ratio is compared with those of many such draws.

Source: McLachlan (1987), On bootstrapping the likelihood ratio test statistic for the number of
components in a normal mixture, Applied Statistics 36, 318-324.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.repair import split
from gmmcli.mixture.standardise import Standardisation

LEVEL = 0.05
"""A p-value above it keeps K components."""


@dataclass(frozen=True, eq=False)
class RatioTest:
    """K components against K + 1.

    null, alternative : the fits to the rows.
    replicates : (B,), the statistic of each draw from the null; infinite where the two could not
        be fitted to it, which counts against K + 1.
    """

    null: FitResult
    alternative: FitResult
    replicates: FloatArray

    @property
    def statistic(self) -> float:
        """LRTS = 2 (l_{K+1} - l_K), in nats; 0 where the search missed what K + 1 can do."""
        return max(2 * (self.alternative.log_likelihood - self.null.log_likelihood), 0.0)

    @property
    def p_value(self) -> float:
        """(1 + number of replicates that are no smaller) / (B + 1)."""
        return float(1 + np.sum(self.replicates >= self.statistic)) / (1 + len(self.replicates))

    @property
    def rejected(self) -> bool:
        """Whether K components are too few."""
        return self.p_value <= LEVEL

    @property
    def chosen(self) -> FitResult:
        """The fit that the test leaves standing."""
        return self.alternative if self.rejected else self.null


def ratio_tests(
    fitting: Fitting,
    component_counts: Sequence[int],
    *,
    n_replicates: int,
    options: FitOptions,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[RatioTest]:
    """Test each K of the counts against the next, until one is not rejected.

    K + 1 components are searched for in the draws as in the rows: less effort there would make
    the draws' statistics, and with them the p-value, too small.

    Parameters
    ----------
    fitting : the rows, in memory; its workers share the draws.
    component_counts : K, K + 1, K + 2 and so on.
    tell : is told how far the test is.

    Raises
    ------
    FitError : the rows cannot carry that many components, or are not in memory.
    """
    if not isinstance(fitting.batches, ArrayBatches):
        raise FitError(
            "the bootstrap draws as many rows as there are, and they are more than memory holds",
            "raise --memory, or choose by --cv or --criterion",
        )
    null = fitting.fit(component_counts[0], options)
    for n_components in component_counts[1:]:
        alternative = fitting.fit(n_components, options, also=_splits(fitting, null.model))
        if alternative.model.n_components < n_components:
            raise FitError(
                f"{n_components} components were asked for, "
                f"{alternative.model.n_components} are left; the others collapsed",
                f"test up to {n_components - 1}, or leave --reg-covar at its default",
            )
        draw = partial(_statistic_of_draw, null, options)
        replicates = np.empty(n_replicates)
        for i, statistic in enumerate(fitting.workers.map_ordered(draw, range(n_replicates))):
            replicates[i] = statistic
            tell(f"{n_components - 1} against {n_components}: {i + 1} of {n_replicates} draws")
        test = RatioTest(null, alternative, replicates)
        yield test
        if not test.rejected:
            return
        null = alternative


def _statistic_of_draw(null: FitResult, options: FitOptions, number: int) -> float:
    """The statistic of rows drawn from the null; the same for a number, whoever computes it."""
    n_components = null.model.n_components
    rng = np.random.default_rng([options.seed, n_components, number])
    rows, _ = null.model.sample(round(null.n_rows), rng)
    fitting = Fitting(ArrayBatches(np.ascontiguousarray(rows.T)))
    try:
        less = fitting.fit(n_components, options, null.model)
        also = _splits(fitting, less.model)
        more = fitting.fit(n_components + 1, options, also=also)
    except FitError:
        return np.inf
    return RatioTest(less, more, np.empty(0)).statistic


def _splits(fitting: Fitting, model: GaussianMixture) -> list[GaussianMixture]:
    """The mixtures with one component more: each component in turn split in two."""
    standardisation = Standardisation.of(fitting.description, type(model.covariance))
    standard = standardisation.from_user(model)
    K = model.n_components
    return [standardisation.to_user(split(standard, k, into=K)) for k in range(K)]
