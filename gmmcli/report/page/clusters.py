"""The clusters on the page: how large each is, where it lies and how wide it is."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.report.numerals import count, fixed, percent, sizes
from gmmcli.report.page.account import DOUBT, Account
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


def places(account: Account) -> Places:
    """Means and deviations in the user's units, for the columns."""
    mixture, projection = account.mixture, account.projection
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
    found = places(account)
    shown = _telling(found, between(account))
    return together(_sizes(account), *_means(account.columns, found, shown), _omitted(found, shown))


def between(account: Account) -> FloatArray:
    """(D,), how much the clusters differ in each column: their variance as a share of all."""
    share: FloatArray = account.mixture.weights @ places(account).distances ** 2
    return share


def _sizes(account: Account) -> Html:
    weights = account.mixture.weights.tolist()
    merged = account.clusters
    heading = ["cluster" if merged is None else "component", "weight"]
    columns: list[Sequence[str]] = [
        [
            together(share, " ", bar(weight / max(weights)))
            for share, weight in zip(percent(weights), weights, strict=True)
        ]
    ]
    if merged is not None:
        heading.append("cluster")
        columns.append([str(c) for c in merged])
    if account.fit is not None:
        heading.append("size in the fit")
        columns.append(sizes([weight * account.fit.n_rows for weight in weights]))
    if account.census is not None:
        heading += ["rows", "in doubt"]
        columns += [
            [f"{size:.10g}" for size in part.tolist()]
            for part in (account.census.sizes, account.census.doubtful)
        ]
    told = "Weight is the share of a cluster."
    if account.census is not None:
        told += (
            " Rows are those most probably of the cluster; in doubt are those of them that are of"
            f" another one with a probability of {100 * DOUBT:.0f} % or more."
        )
    rows = [row(str(k), map(cell, cells)) for k, cells in enumerate(zip(*columns, strict=True))]
    return together(element("p", told, class_="faint"), table("Sizes", heading, rows))


def _means(columns: Sequence[str], found: Places, shown: tuple[IntArray, IntArray]) -> list[Html]:
    clusters, features = shown
    texts = {int(d): _aligned(found, int(d)) for d in features}
    parts = [element("p", _READING, class_="faint")]
    for start in range(0, len(clusters), BAND):
        band = clusters[start : start + BAND].tolist()
        heading = ["column", "overall", *(f"cluster {k}" for k in band)]
        rows = [
            row(columns[d], _cells(texts[d], band, found.distances[:, d]), name=True)
            for d in features.tolist()
        ]
        which = "" if len(clusters) <= BAND else f", clusters {band[0]} to {band[-1]}"
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


def _omitted(found: Places, shown: tuple[IntArray, IntArray]) -> Html:
    n_clusters, n_features = found.means.shape
    left_out = []
    if len(shown[1]) < n_features:
        left_out.append(
            f"Of {count(n_features, 'column')}, the {len(shown[1])} in which the clusters differ "
            "most are shown."
        )
    if len(shown[0]) < n_clusters:
        left_out.append(f"Of {count(n_clusters, 'cluster')}, the {len(shown[0])} largest.")
    if not left_out:
        return together()
    return element("p", " ".join(left_out), " All are in the model file.", class_="faint")
