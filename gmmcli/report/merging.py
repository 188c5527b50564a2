"""How components become clusters, step by step, as a person reads it."""

from collections.abc import Iterator

import numpy as np

from gmmcli.mixture.merging import Merging
from gmmcli.report.layout import Grid, Line, text
from gmmcli.report.models import listed
from gmmcli.report.numerals import count, percent, sizes


def merging_table(merging: Merging, chosen: int, width: int) -> list[Line]:
    """The entropy of each number of clusters, the chosen one marked, and the clusters it gives.

    Parameters
    ----------
    chosen : the number of clusters that is taken.
    width : cells of a line.
    """
    numbers = range(merging.n_components, 0, -1)
    grid = Grid(
        heading=("", "clusters", "entropy", "drop", "joined"),
        rows=[(">" if c == chosen else "", str(c), *_step(merging, c)) for c in numbers],
        left=frozenset({0, 4}),
        styles={merging.n_components - chosen: "good"},
    )
    return [
        *grid.lines(width, stub=2),
        [],
        *_verdict(merging, chosen),
        [],
        *_clusters(merging, chosen, width),
    ]


def joined(merging: Merging, n_clusters: int) -> str:
    """The two clusters whose union left n_clusters, as components: `0,2 + 1`."""
    if n_clusters == merging.n_components:
        return ""
    return " + ".join(map(listed, merging.merges[merging.n_components - n_clusters - 1]))


def _step(merging: Merging, n_clusters: int) -> list[str]:
    entropy = merging.entropies[n_clusters - 1]
    if n_clusters == merging.n_components:
        return [f"{entropy:.3f}"]
    drop = merging.entropies[n_clusters] - entropy
    return [f"{entropy:.3f}", f"{drop:.3f}", joined(merging, n_clusters)]


def _verdict(merging: Merging, chosen: int) -> Iterator[Line]:
    suggested = merging.suggested
    all_apart = merging.apart == merging.n_components
    if all_apart:
        why = "the components hardly overlap"
    elif merging.apart > 1:
        why = "so many hardly overlap"
    elif merging.elbow is not None:
        why = "the elbow of the entropy"
    else:
        why = "all overlap, and the entropy has no elbow"
    suggestion = f"{count(suggested, 'cluster')}: {why}"
    if chosen != suggested:
        yield text(f"> as asked for: {count(chosen, 'cluster')}", "good")
        yield text(f"  suggested: {suggestion}")
        return
    yield text(f"> suggested: {suggestion}", "good")
    if suggested == merging.n_components and not all_apart:
        yield text(
            "  nothing is joined; where a drop is large, the two are one cluster: -k joins them"
        )
    elif not all_apart:
        yield text("  one cluster is never suggested; where the last drop is large too: -k 1")


def _clusters(merging: Merging, chosen: int, width: int) -> list[Line]:
    labels = merging.clusters(chosen)
    weights = [float(merging.weights[labels == c].sum()) for c in range(chosen)]
    columns = (
        [str(c) for c in range(chosen)],
        percent(weights),
        sizes([weight * merging.n_rows for weight in weights]),
        [listed(np.flatnonzero(labels == c).tolist()) for c in range(chosen)],
    )
    heading = ("cluster", "weight", "size", "components")
    rows = list(zip(*columns, strict=True))
    return Grid(heading=heading, rows=rows, left=frozenset({3})).lines(width)
