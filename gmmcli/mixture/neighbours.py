"""A fit from its neighbours in a grid: from one of fewer components, or of more.

With one component more a mixture can do whatever the smaller one does, so it is not to be less
likely. And a larger one, found from other starts, shows what a smaller one may have missed: where
components overlap, which optimum a few starts on a sample lead to is much chance.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.em import Step, iterate
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.partition import joined, model_of
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.repair import split
from gmmcli.mixture.search import SAME_OPTIMUM, given_start, merit
from gmmcli.mixture.statistics import Estimates

ROUNDING = 1e-12
"""Nats a row by which equal log-likelihoods may differ."""
MOST_SPLITS = 3
"""Components that are split in turn, the heaviest first."""
OVERLAP = 0.1
"""Mean of -ln max_k r_k over the rows, as a share of ln K, from which starts find by chance."""
REACH = 1e-3
"""Nats a row by which a log-likelihood may still rise where a step gains next to nothing."""
MOST_JOINED = 5
"""Components that a larger mixture has more, at most: to join many takes long and tells little."""
TRIAL_STEPS = 3
"""M-steps on a sample that tell where a mixture leads, beside another that has had them, too."""


def likeliest(results: Iterable[FitResult]) -> FitResult:
    """The one whose log-likelihood is highest."""
    return max(results, key=lambda result: result.log_likelihood)


def raised(
    fitting: Fitting,
    result: FitResult,
    smaller: Iterable[FitResult],
    options: FitOptions,
    *,
    n_tried: int,
) -> FitResult:
    """The result, or one from the best of the smaller models where that is higher.

    Parameters
    ----------
    n_tried : of the ways to enlarge the best of these models, how many the result is the best of.
    """
    highest = likeliest([*smaller, result])
    n_components = result.model.n_components
    least = highest.log_likelihood - ROUNDING * result.n_rows
    for start in islice(enlarged(highest.model, n_components), n_tried, None):
        if result.log_likelihood >= least:
            return result
        result = _better(fitting, result, start, options)
    if result.log_likelihood < least:
        # EM climbs what the penalty leaves of the likelihood, which is no higher from there
        same = fitting.fit(
            n_components, replace(options, max_iter=0), _repeated(highest.model, n_components)
        )
        result = replace(_found_elsewhere(same, result, options), converged=highest.converged)
    return result


def is_in_doubt(result: FitResult) -> bool:
    """Whether components overlap so much that starts on a sample find much by chance."""
    most = result.n_rows * np.log(result.model.n_components)
    return bool(-result.log_top > OVERLAP * most)


def thinned(
    fitting: Fitting, result: FitResult, larger: FitResult, options: FitOptions
) -> FitResult:
    """The result, or one from a mixture of more components where that leads higher.

    Some of its components are joined; a few steps on a sample tell whether it is worth to go on.
    """
    n_components, n_steps = result.model.n_components, min(TRIAL_STEPS, options.max_iter)
    if n_steps == 0 or larger.model.n_components - n_components > MOST_JOINED:
        return result
    standardisation, problem = fitting.problem(options, n_components)
    sample = fitting.sample(options, problem)
    model = given_start(larger.model, larger.model.n_components, standardisation, problem)
    at_hand = given_start(result.model, n_components, standardisation, problem)
    best = reached = _led(at_hand, sample, n_steps)
    moments = _moments(model, problem, result.n_rows)
    for way in joined(problem, moments, n_components):
        # one that collapses leads nowhere
        with suppress(FitError):
            step = _led(model_of(problem, way, n_components), sample, n_steps)
            if step.model.n_components == n_components:
                best = max(best, step, key=lambda step: merit(step, sample))
    if merit(best, sample) <= merit(reached, sample) + SAME_OPTIMUM:
        return result
    start = standardisation.to_user(best.coming.mixture)
    return _better(fitting, result, start, options)


def _moments(model: GaussianMixture, problem: Problem, n_rows: float) -> Estimates:
    """Those of rows that are as the components say."""
    of_matrix = problem.structure.form.of_matrix
    spreads = np.stack([of_matrix(matrix) for matrix in model.covariance.full()])
    return Estimates(n_rows, model.weights, model.means, spreads)


def _led(model: GaussianMixture, sample: Problem, n_steps: int) -> Step:
    """Where so many M-steps over the sample lead."""
    return next(islice(iterate(model, sample), n_steps, None))


def _better(
    fitting: Fitting, result: FitResult, start: GaussianMixture, options: FitOptions
) -> FitResult:
    """The result, or that of a fit from this start if it is higher; the passes of both."""
    n_components = result.model.n_components
    try:
        again = fitting.fit(n_components, options, start)
    except FitError:
        return result
    kept = again.model.n_components == n_components
    if kept and again.log_likelihood > result.log_likelihood:
        return _found_elsewhere(again, result, options)
    return replace(result, n_passes=passes_of_both(result, again))


def _found_elsewhere(result: FitResult, first: FitResult, options: FitOptions) -> FitResult:
    """A higher result than that of the first one's starts, with the passes of both."""
    # a rough fit's end is no optimum yet: the other may be no more than farther up the same one
    alike = REACH if options.rough else SAME_OPTIMUM
    is_same = result.log_likelihood - first.log_likelihood <= alike * result.n_rows
    return replace(
        result,
        init=first.init,
        n_starts=first.n_starts,
        n_agreeing=first.n_agreeing if is_same else 0,
        n_passes=passes_of_both(first, result),
    )


def passes_of_both(first: FitResult, again: FitResult) -> int:
    """Of a fit and of one from a given start; the rows were described once."""
    return first.n_passes + max(again.n_passes - 1, 0)


def enlarged(model: GaussianMixture, n_components: int) -> Iterator[GaussianMixture]:
    """The mixture with that many components: some of them split, at last one only repeated."""
    missing = n_components - model.n_components
    if missing == 0:
        yield model
        return
    for source in (-model.weights).argsort(kind="stable")[:MOST_SPLITS]:
        larger = split(model, int(source), into=model.n_components)
        while larger.n_components < n_components:
            larger = split(larger, int(larger.weights.argmax()), into=larger.n_components)
        yield larger
    yield _repeated(model, n_components)


def _repeated(model: GaussianMixture, n_components: int) -> GaussianMixture:
    """The same density with more components: the heaviest is there several times."""
    missing = n_components - model.n_components
    heaviest = int(model.weights.argmax())
    components = [*range(model.n_components), *[heaviest] * missing]
    weights = model.weights[components]
    weights[np.array(components) == heaviest] /= missing + 1
    return GaussianMixture(weights, model.means[components], model.covariance.taken(components))
