"""The clusters on the page: how large each is, where it lies and how wide it is."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.report.models import DOUBT, Model, listed, members_of, part_of, shares_of
from gmmcli.report.numerals import count, fixed, percent, sizes
from gmmcli.report.page.account import Account
from gmmcli.report.page.markup import Html, element, together
from gmmcli.report.page.tables import bar, cell, number, row, table

BAND = 4
"""Clusters beside each other in a table, so that it can be printed."""
MOST_CELLS = 2000
"""More numbers would make the page megabytes, and nobody reads them."""
_READING = (
    "Mean ± standard deviation, in the units of the columns; below, how many overall standard "
    "deviations the mean is from the overall mean. Coloured from 1 on."
)
FAR = 1.0
"""Standard deviations from the overall mean from which a cell is marked."""


class Places(NamedTuple):
    """Where clusters lie: means and deviations (K, D), of each and (D,) of them all together."""

    means: FloatArray
    deviations: FloatArray
    overall_mean: FloatArray
    overall_deviation: FloatArray

    @property
    def distances(self) -> FloatArray:
        """(K, D), from the overall mean, in overall standard deviations."""
        distances: FloatArray = (self.means - self.overall_mean) / self.overall_deviation
        return distances


def places(model: Model) -> Places:
    """Means and deviations in the user's units, for the columns."""
    mixture, projection = model.mixture, model.projection
    means, covariances = mixture.means, mixture.covariance.full()
    if projection is not None:
        means, covariances = projection.to_user(mixture)
    variances = np.einsum("kdd->kd", covariances)
    if projection is not None:
        overall, deviation = projection.shift, projection.scale
    else:
        overall = mixture.weights @ means
        deviation = np.sqrt(mixture.weights @ (variances + (means - overall) ** 2))
    return Places(means, np.sqrt(variances), overall, deviation)


def cluster_tables(account: Account) -> Html:
    """How large the clusters are, and their means and spreads."""
    model = account.model
    found = places(model)
    shown = _telling(found, between(model))
    sizes_told = [_sizes(account), *([] if model.clusters is None else [_components(model)])]
    return together(*sizes_told, *_means(model, found, shown), _omitted(model, shown))


def between(model: Model) -> FloatArray:
    """(D,), how much the clusters differ in each column: their variance as a share of all."""
    share: FloatArray = model.mixture.weights @ places(model).distances ** 2
    return share


def _sizes(account: Account) -> Html:
    model, census = account.model, account.census
    heading, columns = _weights(model, shares_of(model))
    if model.clusters is not None:
        heading.append("components")
        columns.append([listed(members) for members in members_of(model)])
    told = "Weight is the share of a cluster."
    if census is not None:
        heading += ["rows", "in doubt"]
        columns += [
            [f"{size:.10g}" for size in part.tolist()] for part in (census.sizes, census.doubtful)
        ]
        told += (
            " Rows are those most probably of the cluster; in doubt are those of them that are of"
            f" another one with a probability of {100 * DOUBT:.0f} % or more."
        )
    return together(
        element("p", told, class_="faint"), _numbered("Sizes", ["cluster", *heading], columns)
    )


def _components(model: Model) -> Html:
    """The Gaussians that merged clusters are made of."""
    heading, columns = _weights(model, model.mixture.weights.tolist())
    heading = ["component", "cluster", *heading]
    return _numbered("Components", heading, [list(map(str, model.clusters or ())), *columns])


def _weights(model: Model, weights: Sequence[float]) -> tuple[list[str], list[Sequence[str]]]:
    """The columns of weights, with bars, and of sizes; their headings first."""
    heading = ["weight"]
    columns: list[Sequence[str]] = [
        [
            together(share, " ", bar(weight / max(weights)))
            for share, weight in zip(percent(weights), weights, strict=True)
        ]
    ]
    if model.fit is not None:
        heading.append("size in the fit")
        columns.append(sizes([weight * model.fit.n_rows for weight in weights]))
    return heading, columns


def _numbered(caption: str, heading: Sequence[str], columns: Sequence[Sequence[str]]) -> Html:
    rows = [row(str(k), map(cell, cells)) for k, cells in enumerate(zip(*columns, strict=True))]
    return table(caption, heading, rows)


def _means(model: Model, found: Places, shown: tuple[IntArray, IntArray]) -> list[Html]:
    numbers, features = shown
    part = part_of(model)
    texts = {int(d): _aligned(found, int(d)) for d in features}
    parts = [element("p", _READING, class_="faint")]
    for start in range(0, len(numbers), BAND):
        band = numbers[start : start + BAND].tolist()
        heading = ["column", "overall", *(f"{part} {k}" for k in band)]
        rows = [
            row(model.columns[d], _cells(texts[d], band, found.distances[:, d]), name=True)
            for d in features.tolist()
        ]
        which = "" if len(numbers) <= BAND else f", {part}s {band[0]} to {band[-1]}"
        parts.append(table(f"Means and spreads{which}", heading, rows))
    return parts


def _aligned(found: Places, d: int) -> list[tuple[str, str]]:
    """Mean and deviation of one column, to the same decimals, by cluster; overall last."""
    means = [*found.means[:, d].tolist(), float(found.overall_mean[d])]
    deviations = [*found.deviations[:, d].tolist(), float(found.overall_deviation[d])]
    resolution = float(np.median(deviations)) or float(np.abs(means).max()) or 1.0
    texts = fixed([*means, *deviations], resolution=resolution)
    return list(zip(texts[: len(means)], texts[len(means) :], strict=True))


def _cells(
    texts: Sequence[tuple[str, str]], band: Sequence[int], distances: FloatArray
) -> Iterator[Html]:
    """One column of the data: overall, then by cluster."""
    yield cell(number(" ± ".join(texts[-1])))
    for k in band:
        distance = float(distances[k])
        mark = "" if abs(distance) < FAR else "high" if distance > 0 else "low"
        where = element("small", number(f"{distance:+.2f} SD"))
        yield cell(number(" ± ".join(texts[k])), where, class_=mark)


def _telling(found: Places, differing: FloatArray) -> tuple[IntArray, IntArray]:
    """The clusters and columns that are shown: all, or the largest and those that differ most."""
    n_clusters, n_features = found.means.shape
    clusters = np.arange(min(n_clusters, MOST_CELLS // BAND))
    most = max(MOST_CELLS // len(clusters), 1)
    if n_features <= most:
        return clusters, np.arange(n_features)
    return clusters, np.sort(np.argsort(-differing, kind="stable")[:most])


def _omitted(model: Model, shown: tuple[IntArray, IntArray]) -> Html:
    n_parts, n_features = model.mixture.n_components, len(model.columns)
    left_out = []
    if len(shown[1]) < n_features:
        left_out.append(
            f"Of {count(n_features, 'column')}, the {len(shown[1])} in which the clusters differ "
            "most are shown."
        )
    if len(shown[0]) < n_parts:
        left_out.append(f"Of {count(n_parts, part_of(model))}, the {len(shown[0])} largest.")
    if not left_out:
        return together()
    return element("p", " ".join(left_out), " All are in the model file.", class_="faint")
