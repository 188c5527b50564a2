"""A fitted model as a person reads it: how good it is, then what its clusters are."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gmmcli.report.fits import ending, headline, qualities
from gmmcli.report.glyphs import BAR_CELLS, bar
from gmmcli.report.layout import Grid, Line, phrases, text, title
from gmmcli.report.models import Model, axes_of, listed, members_of, part_of, shares_of
from gmmcli.report.numerals import fixed, percent, significant, sizes
from gmmcli.report.uncertainty import legend, percent_with_errors, with_errors

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]

MATRIX_COLUMNS = 5
MATRIX_LINES = 40
"""Covariance matrices are printed while they are few and small, else pointed to."""
LEAST_BAR = 5
"""Bars that would be shorter say nothing."""


def summary(model: Model, width: int) -> list[Line]:
    """Weights, sizes, means, spreads, covariances, convergence, log-likelihood and criteria.

    Of a model of which nothing else is known there are no sizes. Standard errors stand beside
    weights, means and standard deviations, where there are some.

    Parameters
    ----------
    width : cells of a line; only a name or a number that is wider makes a wider line.
    """
    mixture, projection, errors = model.mixture, model.projection, model.standard_errors
    moments = mixture.means, mixture.covariance.full()
    own = None if errors is None else (errors.means, errors.deviations)
    axes, part = axes_of(model), part_of(model)
    lines = [
        *phrases(headline(model), width, separator=", ", style="title"),
        *_fit_lines(model, width),
        [],
        *_sizes(model, width),
        *([] if errors is None else [text(legend(errors))]),
    ]
    if projection is not None:
        in_columns = projection.to_user(mixture)
        beside = None if errors is None else errors.in_columns
        shares = ("variance", *percent(projection.explained_variance_ratio.tolist()))
        lines += [
            *_moments(model.columns, in_columns, beside, part=part, width=width),
            [],
            title("in the space of the principal components"),
            *Grid(heading=("", *axes), rows=[shares], left=frozenset({0})).lines(width),
        ]
    return [
        *lines,
        *_moments(axes, moments, own, part=part, width=width),
        *_covariances(model, width),
    ]


def _fit_lines(model: Model, width: int) -> Iterator[Line]:
    fit = model.fit
    if fit is None:
        yield text("not known how it was fitted")
    else:
        style = "good" if fit.converged else "bad"
        yield from phrases(ending(fit), width, separator="; ", style=style)
    yield []
    values = qualities(model)
    wide = max(len(number) for number, _ in values.values())
    for name, (number, remark) in values.items():
        yield text(f"{name:<15}  {number:>{wide}}  {remark}".rstrip())
    if model.bayes is not None:
        remarks = ("empty clusters are left out", "the others are shown by expected values")
        yield from phrases(remarks, width, separator="; ")


def _sizes(model: Model, width: int) -> list[Line]:
    """The weights of the clusters; of merged ones, those of their components below."""
    weights = model.mixture.weights.tolist()
    errors = model.standard_errors
    told = percent(weights) if errors is None else percent_with_errors(weights, errors.weights)
    numbers = _numbers(len(weights))
    if model.clusters is None:
        return _shares({"cluster": numbers, "weight": told}, weights, model, width)
    shares, members = shares_of(model), [listed(one) for one in members_of(model)]
    clusters = {"cluster": _numbers(len(shares)), "weight": percent(shares)}
    components = {"component": numbers, "cluster": list(map(str, model.clusters)), "weight": told}
    return [
        *_shares(clusters, shares, model, width, components=members),
        [],
        *_shares(components, weights, model, width),
    ]


def _shares(
    table: dict[str, list[str]],
    shares: Sequence[float],
    model: Model,
    width: int,
    **last: list[str],
) -> list[Line]:
    """A row a share, with a bar beside it where there is room: the largest is of full length.

    Parameters
    ----------
    table : the columns before the size, by heading.
    last : the columns after it.
    """
    if model.fit is not None:
        table = table | {"size": sizes([share * model.fit.n_rows for share in shares])}
    left = frozenset(range(len(table), len(table) + len(last)))
    table = table | last
    grid = Grid(heading=list(table), rows=list(zip(*table.values(), strict=True)), left=left)
    cells = min(width - grid.breadth - 2, BAR_CELLS)
    if cells >= LEAST_BAR:
        bars = [bar(share / max(shares), cells) for share in shares]
        place = len(grid.heading)
        grid = replace(
            grid,
            heading=[*grid.heading, ""],
            rows=[[*row, drawn] for row, drawn in zip(grid.rows, bars, strict=True)],
            left=left | {place},
            glyphs=frozenset({place}),
        )
    return grid.lines(width)


def _moments(
    names: Sequence[str], moments: Pair, errors: Pair | None, *, part: str, width: int
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
        parts = _numbers(len(means))
        by_part = Grid(heading=[part, *names], rows=list(zip(parts, *numbers, strict=True)))
        by_column = Grid(
            heading=[part, *parts],
            rows=[(name, *row) for name, row in zip(names, numbers, strict=True)],
            left=frozenset({0}),
        )
        yield from ([], title(heading))
        lines = by_part.lines(width)
        if by_part.breadth > width:
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


def _covariances(model: Model, width: int) -> Iterator[Line]:
    covariance, names, part = model.mixture.covariance, axes_of(model), part_of(model)
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
        corner = f"all {part}s" if covariance.shared else f"{part} {k}"
        rows = [
            (name, *(significant(value) for value in matrix[i, : i + 1].tolist()))
            for i, name in enumerate(names)
        ]
        yield from Grid(heading=(corner, *names), rows=rows, left=frozenset({0})).lines(width)


def _numbers(n: int) -> list[str]:
    return [str(k) for k in range(n)]
