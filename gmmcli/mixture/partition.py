"""A hard partition of the rows: its moments, and what joining two of its groups does to them."""

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import add
from typing import NamedTuple

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.mixture.batches import Batches
from gmmcli.mixture.covariance.structure import each
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.moments import Moments
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.repair import split
from gmmcli.mixture.statistics import Estimates, SufficientStatistics

LIKELY_PAIRS = 3
"""Pairs of groups that are joined on trial, by each of two measures that cost little."""
KEPT = 3
"""Partitions into the same number of groups that are joined on."""
SAME = 9
"""Decimals, in nats a row, beyond which two of them are one."""


def moments_of(batches: Batches, labels: IntArray, form: type[Moments]) -> Estimates:
    """Shares, means and spreads of the groups of rows.

    Parameters
    ----------
    labels : (N,); the groups are those of them that occur, in their order.
    """
    labels = np.unique(labels, return_inverse=True)[1]
    # a first pass for the means, so that the second can take scatters about them
    return _sums(batches, labels, _means(batches, labels), form).estimates()


def _labelled(
    batches: Batches, labels: IntArray
) -> Iterator[tuple[FloatArray, FloatArray, IntArray]]:
    """The batches' rows (D, B), their weights (B,) and labels (B,)."""
    start = 0
    for X, weights in batches:
        stop = start + X.shape[1]
        yield X, np.ones(X.shape[1]) if weights is None else weights, labels[start:stop]
        start = stop


def _means(batches: Batches, labels: IntArray) -> FloatArray:
    n_groups = int(labels.max()) + 1
    masses, sums = np.zeros(n_groups), np.zeros((batches.n_features, n_groups))
    for X, weights, here in _labelled(batches, labels):
        masses += np.bincount(here, weights, n_groups)
        sums += [np.bincount(here, x, n_groups) for x in X * weights]
    means: FloatArray = (sums / masses).T
    return means


def _sums(
    batches: Batches, labels: IntArray, origins: FloatArray, form: type[Moments]
) -> SufficientStatistics:
    def of_batches() -> Iterator[SufficientStatistics]:
        for X, weights, here in _labelled(batches, labels):
            groups = [here == k for k in range(len(origins))]
            pairs = zip(groups, origins, strict=True)
            totals = np.stack([form.about(X[:, g], weights[g], origin) for g, origin in pairs])
            yield SufficientStatistics(float(weights.sum()), 0, 0, totals, origins, form)

    return reduce(add, of_batches())


def model_of(
    problem: Problem, moments: Estimates, n_components: int, *, softened: bool = False
) -> GaussianMixture:
    """The M-step from the moments of a partition of the problem's rows.

    Parameters
    ----------
    n_components : at least so many; where there are fewer groups, the largest are split.
    softened : add D + 1 rows of the data's own spread to each component, so that a cluster of
        one row is a start and not a spike.
    """
    if softened:
        problem = _softened(problem, len(moments.weights))
    model = problem.m_step(moments)
    while model.n_components < n_components:
        model = split(model, int(np.argmax(model.weights)), into=model.n_components)
    return model


def _softened(problem: Problem, n_groups: int) -> Problem:
    n_features = problem.batches.n_features
    target = problem.penalty.target * n_groups ** (-2 / n_features)
    penalty = replace(problem.penalty, strength=(n_features + 1) / 2, target=target)
    return replace(problem, penalty=penalty)


def joined(problem: Problem, moments: Estimates, n_groups: int) -> list[Estimates]:
    """The moments with groups made one until so many are left, the likeliest few, best first.

    Likely is what has a high classification log-likelihood, as in model-based clustering (Fraley
    1998), under the problem's structure: which clusters are best described as one depends on the
    shapes that clusters may have. The best two to be joined first may not be those that lead to
    the best of fewer groups, so of each number of groups some partitions are kept.
    """
    kept = [moments]
    for _ in range(len(moments.weights) - n_groups):
        found = dict(union for one in kept for union in _with_two_joined(problem, one))
        kept = [found[value] for value in sorted(found, reverse=True)[:KEPT]]
    return kept


def _with_two_joined(problem: Problem, moments: Estimates) -> Iterator[tuple[float, Estimates]]:
    """The moments with two groups made one, and their classification log-likelihood a row.

    It is rounded, since one partition is reached in several ways.
    """
    problem = _softened(problem, len(moments.weights))
    apart = problem.m_step(moments)
    first, second = np.triu_indices(len(moments.weights), 1)
    unions = _unions(moments, first, second)
    for pair in _likely(problem, moments, (first, second), unions):
        left = [k for k in range(len(moments.weights)) if k != second[pair]]
        here = left.index(first[pair])
        kept = [array[left] for array in (moments.weights, moments.means, moments.spreads)]
        for array, union in zip(kept, unions, strict=True):
            array[here] = union[pair]
        estimates = Estimates(moments.n_rows, *kept)
        log_determinants = problem.m_step(estimates, apart.taken(left)).covariance.log_determinants
        value = estimates.weights @ (np.log(estimates.weights) - 0.5 * log_determinants)
        yield float(np.round(value, SAME)), estimates


class _Groups(NamedTuple):
    """Shares (G,), means (G, D) and spreads of groups."""

    weights: FloatArray
    means: FloatArray
    spreads: FloatArray


def _unions(moments: Estimates, first: IntArray, second: IntArray) -> _Groups:
    """Each of the first groups together with its second."""
    weights = moments.weights[first] + moments.weights[second]
    share = moments.weights[second] / weights
    gap = moments.means[second] - moments.means[first]
    flat = moments.spreads.ndim == 2
    within = moments.spreads[first] + each(share, moments.spreads) * (
        moments.spreads[second] - moments.spreads[first]
    )
    between = gap**2 if flat else gap[:, :, None] * gap[:, None, :]
    spreads = within + each(share * (1 - share), between) * between
    return _Groups(weights, moments.means[first] + share[:, None] * gap, spreads)


def _likely(
    problem: Problem, moments: Estimates, pairs: tuple[IntArray, IntArray], unions: _Groups
) -> list[int]:
    """The pairs whose union costs least if clusters are spheres, or may have any shape."""
    first, second = pairs
    form, penalty = problem.structure.form, problem.penalty

    def cost(weights: FloatArray, spreads: FloatArray) -> FloatArray:
        masses = weights * moments.n_rows + 2 * penalty.strength
        extra = 2 * penalty.strength * penalty.target + penalty.floor
        scatters = each(weights * moments.n_rows, spreads) * spreads + extra
        factors = form.factors(scatters / each(masses, scatters))
        cost: FloatArray = masses * form.log_determinants(factors)
        return cost

    own = cost(moments.weights, moments.spreads)
    free = cost(unions.weights, unions.spreads) - own[first] - own[second]
    gap = moments.means[second] - moments.means[first]
    share = moments.weights[first] * moments.weights[second] / unions.weights
    round_ = share * np.einsum("pd,pd->p", gap, gap)
    chosen = [np.argsort(costs, kind="stable")[:LIKELY_PAIRS] for costs in (free, round_)]
    return list(dict.fromkeys(np.concatenate(chosen).tolist()))
