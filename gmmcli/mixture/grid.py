"""The grid of fits: every K under every structure, and no larger model below a smaller one.

With one component more, or with a structure that leaves more freedom, a mixture can do whatever
the smaller one does. Where its own starts end lower it is started once more, from the smaller.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.covariance import structure_of
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.repair import split
from gmmcli.mixture.selection import Cell
from gmmcli.mixture.shapes import nested_in

ROUNDING = 1e-12
"""Nats a row by which equal log-likelihoods may differ."""
MOST_SPLITS = 3
"""Components that are split in turn, the heaviest first."""


def grid(
    fitting: Fitting,
    component_counts: Sequence[int],
    *,
    covariance_types: Sequence[str],
    options: FitOptions,
    tell: Callable[[Cell], None] | None = None,
) -> list[Cell]:
    """Fit every K under every structure; a cell that cannot be fitted does not stop the rest.

    Parameters
    ----------
    fitting : the rows.
    options : as for `fit`; its covariance_type is not looked at.
    tell : called with each cell when it is done, those of few components and little freedom first.

    Returns
    -------
    The cells, structure by structure, in the order of the arguments.

    Raises
    ------
    FitError : the name of a structure is not for that many columns.
    """
    n_features = fitting.batches.n_features
    codes = {name: structure_of(name, n_features).code for name in covariance_types}
    by_freedom = sorted(codes, key=lambda name: len(nested_in(name)))
    cells: dict[tuple[str, int], Cell] = {}
    for n_components in sorted(component_counts):
        for name in by_freedom:
            chosen = replace(options, covariance_type=name)
            cell = _cell(fitting, n_components, chosen)
            if cell.result is not None:
                smaller = [
                    other.result
                    for other in cells.values()
                    if other.result is not None and _is_smaller(other, cell, codes)
                ]
                cell = replace(cell, result=_raised(fitting, cell.result, smaller, chosen))
            cells[name, n_components] = cell
            if tell is not None:
                tell(cell)
    return [cells[name, count] for name in covariance_types for count in component_counts]


def _is_smaller(other: Cell, cell: Cell, codes: dict[str, str]) -> bool:
    """Whether the other's mixtures are among those that the cell chooses from."""
    one, code = codes[other.covariance_type], codes[cell.covariance_type]
    within = one == code or one in nested_in(code)
    return within and other.n_components <= cell.n_components


def _cell(fitting: Fitting, n_components: int, options: FitOptions) -> Cell:
    name = options.covariance_type
    try:
        result = fitting.fit(n_components, options)
    except FitError as error:
        return Cell(n_components, name, None, error.message)
    left = result.model.n_components
    if left < n_components:
        reason = f"only {left} components are left; the others collapsed"
        return Cell(n_components, name, None, reason)
    return Cell(n_components, name, result)


def _raised(
    fitting: Fitting, result: FitResult, smaller: Iterable[FitResult], options: FitOptions
) -> FitResult:
    """The result, or one from the best of the smaller models where that is higher."""
    highest = max(smaller, key=lambda other: other.log_likelihood, default=result)
    n_components, n_passes = result.model.n_components, result.n_passes
    told = {"init": result.init, "n_starts": result.n_starts, "n_agreeing": 0}
    for start in _enlarged(highest.model, n_components):
        if result.log_likelihood >= highest.log_likelihood - ROUNDING * result.n_rows:
            return replace(result, n_passes=n_passes)
        with suppress(FitError):
            again = fitting.fit(n_components, options, start)
            n_passes += again.n_passes
            kept = again.model.n_components == n_components
            if kept and again.log_likelihood > result.log_likelihood:
                result = replace(again, **told)
    if result.log_likelihood < highest.log_likelihood - ROUNDING * result.n_rows:
        # EM climbs what the penalty leaves of the likelihood, which is no higher from there
        same = _repeated(highest.model, n_components)
        result = fitting.fit(n_components, replace(options, max_iter=0), same)
        result = replace(result, **told, converged=highest.converged)
        n_passes += result.n_passes
    return replace(result, n_passes=n_passes)


def _enlarged(model: GaussianMixture, n_components: int) -> Iterator[GaussianMixture]:
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
