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
from gmmcli.mixture.inference import FEWEST_ROWS
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.repair import split
from gmmcli.mixture.search import TIE, Relatives
from gmmcli.mixture.standardise import Standardisation
from gmmcli.mixture.streams import Purpose, stream
from gmmcli.mixture.workers import called

LEVEL = 0.05
"""A p-value above it keeps K components."""


@dataclass(frozen=True, eq=False)
class RatioTest:
    """K components against K + 1.

    null, alternative : the fits to the rows; no alternative where it could not be fitted.
    replicates : (B,), the statistic of each draw from the null; infinite where the two could not
        be fitted to it, which counts against K + 1.
    reason : why there is no alternative.
    """

    null: FitResult
    alternative: FitResult | None
    replicates: FloatArray
    reason: str = ""

    @property
    def resolution(self) -> float:
        """By how much statistics may differ, in nats, where fits have reached the same optimum."""
        left = self.null.tol if self.null.converge_on == "likelihood" else 0.0
        return 2 * max(left, 10.0**-TIE) * self.null.n_rows

    @property
    def statistic(self) -> float:
        """LRTS = 2 (l_{K+1} - l_K), in nats; 0 where that is negative, or rounding."""
        if self.alternative is None:
            return 0.0
        gain = 2 * (self.alternative.log_likelihood - self.null.log_likelihood)
        return gain if gain > self.resolution else 0.0

    @property
    def n_failed(self) -> int:
        """Draws that could not be fitted."""
        return int(np.sum(np.isinf(self.replicates)))

    @property
    def p_value(self) -> float:
        """(1 + number of replicates that are no smaller, but for rounding) / (B + 1)."""
        n_larger = np.sum(self.replicates >= self.statistic - self.resolution)
        return float(1 + n_larger) / (1 + len(self.replicates))

    @property
    def rejected(self) -> bool:
        """Whether K components are too few."""
        return self.alternative is not None and self.p_value <= LEVEL

    @property
    def chosen(self) -> FitResult:
        """The fit that the test leaves standing."""
        return self.alternative if self.alternative is not None and self.rejected else self.null


def ratio_tests(
    fitting: Fitting,
    component_counts: Sequence[int],
    *,
    n_replicates: int,
    options: FitOptions,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[RatioTest]:
    """Test each K of the counts against the next, until one is not rejected.

    Both numbers are searched for in the draws as in the rows, K also from the mixture that they
    were drawn from: were one of the two searched for less in the draws, its likelihood there would
    come out too low, and the p-value too large or too small.

    Where K + 1 cannot be fitted after earlier tests, the last of the tests has no alternative.

    Parameters
    ----------
    fitting : the rows, in memory; its workers share the draws.
    component_counts : K, K + 1, K + 2 and so on.
    tell : is told how far the test is.

    Raises
    ------
    FitError : the rows cannot carry the first two numbers, or are not in memory.
    """
    if not isinstance(fitting.batches, ArrayBatches):
        raise FitError(
            "the bootstrap draws as many rows as there are, and they are more than memory holds",
            "raise --memory, or choose by --cv or --criterion",
        )
    null = _whole_fit(fitting, component_counts[0], options)
    for n_tests, n_components in enumerate(component_counts[1:]):
        also = _splits(fitting, null.model)
        try:
            alternative = _whole_fit(fitting, n_components, options, also=also)
        except FitError as error:
            if n_tests == 0:
                raise
            yield RatioTest(null, None, np.empty(0), error.message)
            return
        draw = partial(_statistic_of_draw, null, options)
        replicates = np.empty(n_replicates)
        statistics = fitting.workers.map_over(draw, called, range(n_replicates))
        for i, statistic in enumerate(statistics):
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
    rng = stream(options.seed, Purpose.RATIO_TESTS, n_components, number)
    rows, _ = null.model.sample(round(null.n_rows), rng)
    fitting = Fitting(ArrayBatches(np.ascontiguousarray(rows.T)))
    try:
        less = _whole_fit(fitting, n_components, options, also=[null.model])
        also = _splits(fitting, less.model)
        more = _whole_fit(fitting, n_components + 1, options, also=also)
    except FitError:
        return np.inf
    return RatioTest(less, more, np.empty(0)).statistic


def _whole_fit(
    fitting: Fitting,
    n_components: int,
    options: FitOptions,
    *,
    also: Sequence[GaussianMixture] = (),
) -> FitResult:
    """The fit, if all of its components hold rows.

    Raises
    ------
    FitError : it cannot be made, or a component collapsed or is empty.
    """
    result = fitting.fit(n_components, options, relatives=Relatives(also))
    left = int(np.sum(result.model.weights * result.n_rows >= FEWEST_ROWS))
    if left < n_components:
        raise FitError(
            f"of {n_components} components only {left} hold rows",
            f"test up to {n_components - 1}, or leave --reg-covar at its default",
        )
    return result


def _splits(fitting: Fitting, model: GaussianMixture) -> list[GaussianMixture]:
    """The mixtures with one component more: each component in turn split in two."""
    standardisation = Standardisation.of(fitting.description, type(model.covariance))
    standard = standardisation.from_user(model)
    K = model.n_components
    return [standardisation.to_user(split(standard, k, into=K)) for k in range(K)]
