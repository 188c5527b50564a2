"""A fitted model as a person reads it: how good it is, then what its clusters are."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.uncertainty import StandardErrors
from gmmcli.mixture.variational import VariationalFit
from gmmcli.report.fits import Fit, ending, headline, qualities
from gmmcli.report.glyphs import BAR_CELLS, bar
from gmmcli.report.layout import Grid, Line, phrases, text, title
from gmmcli.report.numerals import fixed, percent, significant, sizes
from gmmcli.report.uncertainty import legend, percent_with_errors, with_errors

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]

MATRIX_COLUMNS = 5
MATRIX_LINES = 40
"""Covariance matrices are printed while they are few and small, else pointed to."""
LEAST_BAR = 5
"""Bars that would be shorter say nothing."""


def summary(
    mixture: GaussianMixture,
    fit: Fit | None,
    columns: Sequence[str],
    *,
    projection: Projection | None,
    beside: StandardErrors | VariationalFit | None = None,
    width: int,
) -> list[Line]:
    """Weights, sizes, means, spreads, covariances, convergence, log-likelihood and criteria.

    Parameters
    ----------
    fit : None for a mixture of which nothing else is known: there are then no sizes.
    columns : the D columns that were clustered by.
    projection : from the columns to the space of the mixture, where there is one.
    beside : standard errors, shown beside weights, means and standard deviations; or what a
        Bayesian fit has instead of a maximum of the likelihood. No model has both.
    width : cells of a line; only a name or a number that is wider makes a wider line.
    """
    errors = beside if isinstance(beside, StandardErrors) else None
    bayes = beside if isinstance(beside, VariationalFit) else None
    own = None if errors is None else (errors.means, errors.deviations)
    named = headline(mixture, fit, columns, projection, bayes=bayes)
    lines = [
        *phrases(named, width, separator=", ", style="title"),
        *_fit_lines(mixture, fit, bayes, width),
        [],
        *_clusters(mixture, fit, None if errors is None else errors.weights, width),
        *([] if errors is None else [text(legend(errors))]),
    ]
    if projection is None:
        return [
            *lines,
            *_moments(columns, (mixture.means, mixture.covariance.full()), own, width),
            *_covariances(mixture, columns, width),
        ]
    axes = tuple(f"PC{i + 1}" for i in range(mixture.n_features))
    shares = percent(projection.explained_variance_ratio.tolist())
    return [
        *lines,
        *_moments(
            columns,
            projection.to_user(mixture),
            None if errors is None else errors.in_columns,
            width,
        ),
        [],
        title("in the space of the principal components"),
        *Grid(heading=("", *axes), rows=[("variance", *shares)], left=frozenset({0})).lines(width),
        *_moments(axes, (mixture.means, mixture.covariance.full()), own, width),
        *_covariances(mixture, axes, width),
    ]


def _fit_lines(
    mixture: GaussianMixture, fit: Fit | None, bayes: VariationalFit | None, width: int
) -> Iterator[Line]:
    if fit is None:
        yield text("not known how it was fitted")
        yield []
        yield text(f"free parameters  {mixture.n_parameters}")
        return
    style = "good" if fit.converged else "bad"
    yield from phrases(ending(fit), width, separator="; ", style=style)
    yield []
    values = qualities(fit, bayes)
    wide = max(len(number) for number, _ in values.values())
    for name, (number, remark) in values.items():
        yield text(f"{name:<15}  {number:>{wide}}  {remark}".rstrip())
    if bayes is not None:
        remarks = ("empty clusters are left out", "the others are shown by expected values")
        yield from phrases(remarks, width, separator="; ")


def _clusters(
    mixture: GaussianMixture, fit: Fit | None, errors: NDArray[np.float64] | None, width: int
) -> list[Line]:
    """A row a cluster, with a bar beside it where there is room: the largest is of full length."""
    weights = mixture.weights.tolist()
    shares = percent(weights) if errors is None else percent_with_errors(weights, errors)
    table = {"cluster": _numbers(len(weights)), "weight": shares}
    if fit is not None:
        table["size"] = sizes([weight * fit.n_rows for weight in weights])
    grid = Grid(heading=list(table), rows=list(zip(*table.values(), strict=True)))
    cells = min(width - grid.breadth - 2, BAR_CELLS)
    if cells >= LEAST_BAR:
        bars = [bar(weight / max(weights), cells) for weight in weights]
        last = len(grid.heading)
        grid = replace(
            grid,
            heading=[*grid.heading, ""],
            rows=[[*row, drawn] for row, drawn in zip(grid.rows, bars, strict=True)],
            left=frozenset({last}),
            glyphs=frozenset({last}),
        )
    return grid.lines(width)


def _moments(
    names: Sequence[str], moments: Pair, errors: Pair | None, width: int
) -> Iterator[Line]:
    """Means and standard deviations: a table each. Moments: means and covariances."""
    means, deviations = moments[0], np.sqrt(np.einsum("kdd->kd", moments[1]))
    if errors is None:
        columns = [_aligned(*both) for both in zip(means.T, deviations.T, strict=True)]
    else:
        both = zip(means.T, deviations.T, errors[0].T, errors[1].T, strict=True)
        columns = [(with_errors(m, s), with_errors(d, t)) for m, d, s, t in both]
    for which, heading in enumerate(("means", "standard deviations")):
        numbers = [column[which] for column in columns]
        clusters = _numbers(len(means))
        by_cluster = Grid(
            heading=["cluster", *names], rows=list(zip(clusters, *numbers, strict=True))
        )
        by_column = Grid(
            heading=["cluster", *clusters],
            rows=[(name, *row) for name, row in zip(names, numbers, strict=True)],
            left=frozenset({0}),
        )
        yield from ([], title(heading))
        lines = by_cluster.lines(width)
        if len(lines) > len(clusters) + 1:
            # not in one piece: perhaps it is in the other orientation
            lines = min(lines, by_column.lines(width), key=len)
        yield from lines


def _aligned(
    means: NDArray[np.float64], deviations: NDArray[np.float64]
) -> tuple[list[str], list[str]]:
    """The means and deviations of one column, to the same decimals."""
    least, middle = float(deviations.min()), float(np.median(deviations))
    # digits for a typical cluster, and at least one for the narrowest
    resolution = min(middle, 100 * least) or middle or float(np.abs(means).max()) or 1.0
    texts = fixed([*means.tolist(), *deviations.tolist()], resolution=resolution)
    return texts[: len(means)], texts[len(means) :]


def _covariances(mixture: GaussianMixture, names: Sequence[str], width: int) -> Iterator[Line]:
    covariance = mixture.covariance
    yield from ([], title("covariances"))
    if covariance.matrices.ndim == 2 or len(names) == 1:
        squares = "variances are the squares of the standard deviations"
        parts = (squares,) if len(names) == 1 else ("none between columns", squares)
        yield from phrases(parts, width, separator="; ")
        return
    matrices = covariance.values[None] if covariance.shared else covariance.values
    if len(names) > MATRIX_COLUMNS or len(matrices) * (len(names) + 1) > MATRIX_LINES:
        many = "1 matrix" if covariance.shared else f"{len(matrices)} matrices"
        yield text(f"{many} of {len(names)} x {len(names)}, in the model (-m, --json)")
        return
    for k, matrix in enumerate(matrices):
        corner = "all clusters" if covariance.shared else f"cluster {k}"
        rows = [
            (name, *(significant(value) for value in matrix[i, : i + 1].tolist()))
            for i, name in enumerate(names)
        ]
        yield from Grid(heading=(corner, *names), rows=rows, left=frozenset({0})).lines(width)


def _numbers(n: int) -> list[str]:
    return [str(k) for k in range(n)]
