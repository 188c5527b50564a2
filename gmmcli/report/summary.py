"""A fitted model as a person reads it: how good it is, then what its clusters are."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitResult
from gmmcli.mixture.projection import Projection
from gmmcli.report.layout import Grid, Line, phrases, text, title
from gmmcli.report.numerals import count, fixed, percent, significant, sizes, total

MATRIX_COLUMNS = 5
MATRIX_LINES = 40
"""Covariance matrices are printed while they are few and small, else pointed to."""


def summary(
    result: FitResult, columns: Sequence[str], *, projection: Projection | None, width: int
) -> list[Line]:
    """Weights, sizes, means, spreads, covariances, convergence, log-likelihood and criteria.

    Parameters
    ----------
    columns : the D columns that were clustered by.
    projection : from the columns to the space of the mixture, where there is one.
    width : cells of a line; only a name or a number that is wider makes a wider line.
    """
    mixture = result.model
    lines = [
        *phrases(_headline(result, columns, projection), width, separator=", ", style="title"),
        *_fit_lines(result, width),
        [],
        *_clusters(result, width),
    ]
    if projection is None:
        return [
            *lines,
            *_moments(columns, mixture.means, mixture.full_covariances(), width),
            *_covariances(mixture, columns, width),
        ]
    axes = tuple(f"PC{i + 1}" for i in range(mixture.n_features))
    shares = percent(projection.explained_variance_ratio.tolist())
    return [
        *lines,
        *_moments(columns, *projection.to_user(mixture), width),
        [],
        title("in the space of the principal components"),
        *Grid(heading=("", *axes), rows=[("variance", *shares)], left=frozenset({0})).lines(width),
        *_moments(axes, mixture.means, mixture.full_covariances(), width),
        *_covariances(mixture, axes, width),
    ]


def _headline(
    result: FitResult, columns: Sequence[str], projection: Projection | None
) -> list[str]:
    mixture = result.model
    space = count(len(columns), "column")
    if projection is not None:
        explained = percent([float(projection.explained_variance_ratio.sum())])[0]
        axes = count(mixture.n_features, "principal component")
        space += f" on {axes} ({explained} of the variance)"
    return [
        count(mixture.n_components, "cluster"),
        f"{mixture.covariance.name} covariance",
        space,
        count(result.n_rows, "row"),
    ]


def _fit_lines(fit: FitResult, width: int) -> Iterator[Line]:
    if fit.converged:
        ended = f"converged after {count(fit.n_iter, 'iteration')}"
        starts = f"{fit.n_agreeing} of {count(fit.n_starts, 'start')} reached this optimum"
        passes = [f"{count(fit.n_passes, 'pass', 'passes')} over the rows"] if fit.n_passes else []
        yield from phrases((ended, starts, *passes), width, separator="; ", style="good")
    else:
        yield text(f"not converged: stopped after {count(fit.n_iter, 'iteration')}", "bad")
    yield []
    values = {
        "log-likelihood": (total(fit.log_likelihood), f"{fit.mean_log_likelihood:.6g} per row"),
        "free parameters": (str(fit.n_parameters), ""),
        "BIC": (total(fit.bic), "lower is better"),
        "AIC": (total(fit.aic), "lower is better"),
        "ICL": (total(fit.icl), "lower is better"),
    }
    wide = max(len(number) for number, _ in values.values())
    for name, (number, remark) in values.items():
        yield text(f"{name:<15}  {number:>{wide}}  {remark}".rstrip())


def _clusters(result: FitResult, width: int) -> list[Line]:
    weights = result.model.weights.tolist()
    rows = zip(
        _numbers(len(weights)),
        percent(weights),
        sizes([weight * result.n_rows for weight in weights]),
        strict=True,
    )
    return Grid(heading=("cluster", "weight", "size"), rows=list(rows)).lines(width)


def _moments(
    names: Sequence[str], means: NDArray[np.float64], covariances: NDArray[np.float64], width: int
) -> Iterator[Line]:
    """Means and standard deviations: a table each."""
    deviations = np.sqrt(np.einsum("kdd->kd", covariances))
    columns = [_aligned(*moments) for moments in zip(means.T, deviations.T, strict=True)]
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
    shared = covariance.values.ndim == 2
    matrices = covariance.values[None] if shared else covariance.values
    if len(names) > MATRIX_COLUMNS or len(matrices) * (len(names) + 1) > MATRIX_LINES:
        many = "1 matrix" if shared else f"{len(matrices)} matrices"
        yield text(f"{many} of {len(names)} x {len(names)}, in the model (-m, --json)")
        return
    for k, matrix in enumerate(matrices):
        corner = "all clusters" if shared else f"cluster {k}"
        rows = [
            (name, *(significant(value) for value in matrix[i, : i + 1].tolist()))
            for i, name in enumerate(names)
        ]
        yield from Grid(heading=(corner, *names), rows=rows, left=frozenset({0})).lines(width)


def _numbers(n: int) -> list[str]:
    return [str(k) for k in range(n)]
