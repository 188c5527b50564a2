"""Standard errors by the weighted likelihood bootstrap.

A replicate is the fit, taken up at the estimate, to the same rows with random weights:
independent exponential ones, brought to the sum n, so n times a Dirichlet(1, ..., 1). The spread of
the replicates is the standard error. As no weight is 0, no small cluster loses all of its rows,
which happens to rows drawn with replacement. A row of frequency weight w stands for w rows, and the
sum of w exponentials is Gamma(w).

Sources: Newton & Raftery (1994), Approximate Bayesian inference with the weighted likelihood
bootstrap, JRSS B 56; O'Hagan, Murphy, Scrucca & Gormley (2019), Investigation of parameter
uncertainty in clustering using a Gaussian mixture model via jackknife, bootstrap and weighted
likelihood bootstrap, Computational Statistics 34.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.mixture.assignment import assign
from gmmcli.mixture.batches import ArrayBatches, Batch, Batches
from gmmcli.mixture.em import Step, climb
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.sampling import in_memory
from gmmcli.mixture.search import Observer
from gmmcli.mixture.standardise import Standardisation, are_in_memory
from gmmcli.mixture.streams import Purpose, stream
from gmmcli.mixture.workers import Serial, called


@dataclass(frozen=True, kw_only=True, eq=False)
class StandardErrors:
    """Standard errors of a mixture's parameters, component by component, in user units.

    n_replicates : on which they rest.
    weights : (K,).
    means, deviations : (K, D), of the means and of the standard deviations.
    covariances : in the shape of the covariance's `values`.
    in_columns : of means and standard deviations in the columns, where the mixture is in the
        space of a projection, which is taken as given.
    n_lost : replicates in which a component collapsed, left out.
    """

    n_replicates: int
    weights: FloatArray
    means: FloatArray
    deviations: FloatArray
    covariances: FloatArray
    in_columns: tuple[FloatArray, FloatArray] | None = None
    n_lost: int = 0


@dataclass(frozen=True, eq=False)
class Units:
    """The way from EM's coordinates to the numbers whose standard errors are wanted."""

    standardisation: Standardisation
    projection: Projection | None = None

    def measure(self, model: GaussianMixture) -> list[FloatArray]:
        """Weights, means, deviations and covariances; with a projection, those of the columns."""
        user = self.standardisation.to_user(model)
        numbers = [user.weights, user.means, _deviations(user.covariance.full())]
        numbers.append(user.covariance.values)
        if self.projection is not None:
            means, covariances = self.projection.to_user(user)
            numbers += [means, _deviations(covariances)]
        return numbers


def standard_errors(
    fitting: Fitting,
    result: FitResult,
    options: FitOptions,
    *,
    size: int,
    projection: Projection | None = None,
) -> StandardErrors:
    """The standard errors of a fit, from `size` replicates; see `bootstrap`.

    Parameters
    ----------
    fitting, options : as for the fit.
    projection : that the rows have gone through, for those of the columns.
    """
    standardisation, problem = fitting.problem(options, result.model.n_components)
    return bootstrap(
        problem,
        standardisation.from_user(result.model),
        Units(standardisation, projection),
        options=options,
        size=size,
        observe=fitting.observe,
    )


def bootstrap(
    problem: Problem,
    estimate: GaussianMixture,
    units: Units,
    *,
    options: FitOptions,
    size: int,
    observe: Observer,
) -> StandardErrors:
    """The standard errors of a fit.

    Parameters
    ----------
    problem : of the fit.
    estimate : where the fit ended, in EM's coordinates.
    options : of the fit; the seed is also that of the weights.
    size : replicates.
    observe : called with the name of each replicate and the step in which it ended.

    Raises
    ------
    FitError : fewer than two replicates kept all components.
    """
    run, shared = partial(_replicate, problem, estimate, options), are_in_memory(problem.batches)
    if shared:
        # the replicates are shared; of a file each replicate's passes, to the same bits
        alone = replace(problem, batches=in_memory(problem.batches), workers=Serial())
        run = partial(_replicate, alone, estimate, options)
    spread, numbers = Spread(units.measure(estimate)), range(size)
    steps = problem.workers.map_over(run, called, numbers) if shared else map(run, numbers)
    for number, step in enumerate(steps):
        observe(f"replicate {number + 1} of {size}", step)
        if not step.notes:
            order = matching(estimate, step.model)
            spread.add(units.measure(step.model.taken(order.tolist())))
    if spread.n < 2:
        message = f"{size - spread.n} of {size} replicates lost a component: no standard errors"
        raise FitError(message, "choose fewer components, or leave --reg-covar at its default")
    weights, means, deviations, covariances, *columns = spread.deviations()
    return StandardErrors(
        n_replicates=spread.n,
        weights=weights,
        means=means,
        deviations=deviations,
        covariances=covariances,
        in_columns=(columns[0], columns[1]) if columns else None,
        n_lost=size - spread.n,
    )


def matching(model: GaussianMixture, other: GaussianMixture) -> IntArray:
    """Which component of `other` is which of `model`: their densities overlap most in all.

    The overlap of two weighted Gaussians is the integral of sqrt(w f · v g) (Bhattacharyya 1943).
    Means alone would not tell a narrow component from the wide one around it, and labels of rows
    would take a pass over them.
    """
    overlaps = np.empty((model.n_components, other.n_components))
    theirs = other.covariance.full()
    log_det = np.linalg.slogdet(theirs)[1]
    for k, covariance in enumerate(model.covariance.full()):
        middle = (theirs + covariance) / 2
        difference = (other.means - model.means[k])[:, :, None]
        distance = np.sum(difference * np.linalg.solve(middle, difference), axis=(1, 2))
        volume = 2 * np.linalg.slogdet(middle)[1] - log_det - np.linalg.slogdet(covariance)[1]
        shares = np.sqrt(model.weights[k] * other.weights)
        overlaps[k] = shares * np.exp(-distance / 8 - volume / 4)
    return assign(-overlaps)


class Spread:
    """Standard deviations of several arrays, one replicate after the other.

    Parameters
    ----------
    origin : numbers near those that come, so that sums of squares lose no digits.
    """

    def __init__(self, origin: Sequence[FloatArray]) -> None:
        self.n = 0
        self._origin = origin
        # squares of large units are beyond floating point
        self._units = [float(np.abs(values).max()) or 1.0 for values in origin]
        self._sums = [np.zeros_like(values) for values in origin]
        self._squares = [np.zeros_like(values) for values in origin]

    def add(self, numbers: Sequence[FloatArray]) -> None:
        """Count one replicate."""
        self.n += 1
        for i, values in enumerate(numbers):
            difference = (values - self._origin[i]) / self._units[i]
            self._sums[i] += difference
            self._squares[i] += difference**2

    def deviations(self) -> list[FloatArray]:
        """About the replicates' own mean, with divisor n - 1."""
        everything = zip(self._squares, self._sums, self._units, strict=True)
        return [
            np.sqrt(np.maximum(squares - sums**2 / self.n, 0) / (self.n - 1)) * unit
            for squares, sums, unit in everything
        ]


def _replicate(
    problem: Problem, estimate: GaussianMixture, options: FitOptions, number: int
) -> Step:
    batches: Batches = _Reweighted(problem.batches, options.seed, number)
    if isinstance(problem.batches, ArrayBatches):
        drawn = [batch.weights for batch in batches if batch.weights is not None]
        batches = ArrayBatches(problem.batches.X, np.concatenate(drawn))
    run = climb(
        estimate,
        replace(problem, batches=batches),
        options.rule(),
        # a fit that was cut short must not look certain
        max_iter=max(options.max_iter, FitOptions.max_iter),
        observe=lambda _: None,
    )
    return run.step


class _Reweighted:
    """The same rows with random weights that sum to n, the same in every pass."""

    def __init__(self, source: Batches, seed: int, number: int) -> None:
        self._source = source
        self._seed = seed
        self._number = number
        totals = np.sum([(times.sum(), drawn.sum()) for _, times, drawn in self._draws()], axis=0)
        self._factor = totals[0] / totals[1]

    @property
    def n_features(self) -> int:
        return self._source.n_features

    def __iter__(self) -> Iterator[Batch]:
        for X, _, drawn in self._draws():
            yield Batch(X, drawn * self._factor)

    def _draws(self) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Rows, how often each counts, and the draw of that many exponentials."""
        for i, (X, weights) in enumerate(self._source):
            times = np.ones(X.shape[1]) if weights is None else weights
            rng = stream(self._seed, Purpose.STANDARD_ERRORS, self._number, i)
            drawn = rng.standard_gamma(times)
            # a draw of a small fraction of a row may underflow, and no row is to vanish
            yield X, times, np.maximum(drawn, np.finfo(np.float64).tiny)


def _deviations(covariances: FloatArray) -> FloatArray:
    deviations: FloatArray = np.sqrt(np.einsum("kdd->kd", covariances))
    return deviations
