"""Runs of EM abreast: one step of several mixtures at once, where rows are few.

On a sample NumPy's calls take longer than their arithmetic, and a race has many runs. So the
components of all mixtures stand side by side: what is done component by component, moments,
factors and coefficients, is one call for all of them, and each half of the E-step one matrix
product. A run is what it would be by itself but for the last digits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import ArrayBatches, Block
from gmmcli.mixture.covariance import VVI, VVV
from gmmcli.mixture.e_step import WIDEST, EStep
from gmmcli.mixture.em import Coming
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.statistics import Estimates, SufficientStatistics
from gmmcli.mixture.workers import T

MOST_NUMBERS = 300_000
"""Numbers in the T(x) of all rows, up to which calls take longer than their arithmetic."""

MOST_COMPONENTS = 256
"""Of all mixtures that are taken together: the more they are, the more memory and the less gain."""

EStepOf = tuple[GaussianMixture, SufficientStatistics | None]
"""A mixture, and the E-step under it; None where it was not taken together with others."""


def look_ahead(comings: Sequence[Coming]) -> None:
    """Take the M-steps that follow the steps of several runs of one problem, and E-steps there.

    A run that has lost a component goes by itself, and so does one of a structure with one
    covariance for all that has leapt: its statistics are in the short form from then on.
    """
    problem, most = comings[0].problem, max(coming.model.n_components for coming in comings)
    rows = _few_rows(problem)
    alike = [
        coming
        for coming in comings
        if coming.model.n_components == most and not coming.statistics.shared
    ]
    for group in _groups(alike, most):
        if len(group) > 1 and rows is not None:
            _look_ahead(problem, rows, group)


def _look_ahead(problem: Problem, rows: ArrayBatches, abreast: Sequence[Coming]) -> None:
    """The same for runs of as many components each, whose statistics are in the long form."""
    n = len(abreast)
    together = replace(
        abreast[0].statistics,
        totals=np.concatenate([coming.statistics.totals for coming in abreast]),
        origins=np.concatenate([coming.statistics.origins for coming in abreast]),
    ).estimates()
    n_rows, *arrays = together
    own = [Estimates(n_rows, *parts) for parts in zip(*(_parts(a, n) for a in arrays), strict=True)]
    if problem.structure.shared:
        # as they are where a run goes by itself, since leaps are measured by them
        own = list(map(_pooled, own))
    if problem.structure.is_own:
        found = _e_steps(problem, rows, problem.m_step(together), n)
    else:
        pairs = zip(own, abreast, strict=True)
        mixtures = [problem.m_step(estimates, coming.model) for estimates, coming in pairs]
        found = _e_steps(problem, rows, _side_by_side(mixtures), n)
    for coming, estimates, (mixture, known) in zip(abreast, own, found, strict=True):
        coming.estimates, coming.mixture, coming.known = estimates, mixture, known


def e_steps(problem: Problem, mixtures: Sequence[GaussianMixture]) -> list[EStepOf]:
    """The mixtures, and the E-steps under them if it pays to take these together."""
    n_components = {mixture.n_components for mixture in mixtures}
    rows = _few_rows(problem)
    if len(mixtures) < 2 or len(n_components) > 1 or rows is None:
        return [(mixture, None) for mixture in mixtures]
    groups = _groups(mixtures, *n_components)
    return [
        found
        for group in groups
        for found in _e_steps(problem, rows, _side_by_side(group), len(group))
    ]


def _groups(runs: Sequence[T], n_components: int) -> list[Sequence[T]]:
    """The runs, so many in a group as may be taken together."""
    size = max(MOST_COMPONENTS // n_components, 1)
    return [runs[start : start + size] for start in range(0, len(runs), size)]


def _pooled(estimates: Estimates) -> Estimates:
    """The estimates with the spread of all rows about their components in each."""
    pooled = np.tensordot(estimates.weights, estimates.spreads, axes=1)
    return estimates._replace(spreads=np.broadcast_to(pooled, estimates.spreads.shape))


def _few_rows(problem: Problem) -> ArrayBatches | None:
    """The problem's rows, if they are so few that it pays."""
    batches = problem.batches
    if not isinstance(batches, ArrayBatches) or not problem.is_of_mixture:
        return None
    n_numbers = problem.structure.form.width(batches.n_features) * batches.n_rows
    return batches if n_numbers <= MOST_NUMBERS and batches.n_features <= WIDEST else None


def _side_by_side(mixtures: Sequence[GaussianMixture]) -> GaussianMixture:
    """All components as those of one mixture, whose weights sum to the number of mixtures."""
    covariances = [mixture.covariance for mixture in mixtures]
    free = VVI if covariances[0].matrices.ndim == 2 else VVV
    return GaussianMixture(
        np.concatenate([mixture.weights for mixture in mixtures]),
        np.concatenate([mixture.means for mixture in mixtures]),
        free(np.concatenate([covariance.matrices for covariance in covariances])),
    )


def _e_steps(
    problem: Problem, rows: ArrayBatches, together: GaussianMixture, n: int
) -> list[EStepOf]:
    """The n mixtures that stand side by side, and the E-steps under them.

    Not under one of which a component has no density: that is repaired before.
    """
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        e_step = EStep(together, problem.radius)
        finite = np.isfinite(together.coefficients).reshape(n, -1)
        sound = [bool(row.all()) for row in finite]
        covariances = together.covariance.parted(problem.structure, n)
        parts = _parts(together.weights, n), _parts(together.means, n), covariances
        mixtures = list(map(GaussianMixture, *parts))
    if all(sound):
        return list(zip(mixtures, _of_rows(e_step, rows, n), strict=True))
    others = [mixture for mixture, is_sound in zip(mixtures, sound, strict=True) if is_sound]
    known = iter(e_steps(problem, others))
    return [
        next(known) if is_sound else (mixture, None)
        for mixture, is_sound in zip(mixtures, sound, strict=True)
    ]


def _of_rows(e_step: EStep, batches: ArrayBatches, n: int) -> list[SufficientStatistics]:
    """The statistics of all rows under n mixtures side by side."""
    form = e_step.form if len(e_step.pooled) else None

    def found() -> Iterator[list[SufficientStatistics]]:
        for number in range(batches.n_batches):
            batch = batches.batch(number)
            features = None if form is None else batches.features(form, number)
            for rows in e_step.blocks(batch.X.shape[1]):
                yield _of_block(e_step, Block.of(batch, features, rows), n)

    return [reduce(add, of_blocks) for of_blocks in zip(*found(), strict=True)]


def _of_block(e_step: EStep, block: Block, n: int) -> list[SufficientStatistics]:
    """As `EStep.of_block`, of each of the n mixtures: axes are mixture, component and row."""
    X, features = e_step.read(block.X, block.features)
    n_rows = X.shape[1]
    weights = np.ones(n_rows) if block.weights is None else block.weights
    joint = e_step.log_joint(X, features).reshape(n, -1, n_rows)
    top = joint.max(axis=1, keepdims=True)
    shares = np.exp(np.subtract(joint, top, out=joint), out=joint)
    total = shares.sum(axis=1, keepdims=True)
    log_top = -(np.log(total) @ weights)
    log_likelihood = top @ weights - log_top
    shares *= weights / total
    totals = _parts(e_step.totals(X, features, shares.reshape(-1, n_rows)), n)
    origins = _parts(e_step.origins, n)
    return [
        SufficientStatistics(
            float(weights.sum()),
            float(log_likelihood[i, 0]),
            float(log_top[i, 0]),
            totals[i],
            origins[i],
            e_step.form,
        )
        for i in range(n)
    ]


def _parts(array: FloatArray, n: int) -> FloatArray:
    """An array (n K, ...) as n of (K, ...)."""
    parts: FloatArray = array.reshape(n, -1, *array.shape[1:])
    return parts
