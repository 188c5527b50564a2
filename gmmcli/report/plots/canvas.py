"""A figure with its axes, title, legend and remarks; what the kinds draw on."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D
from matplotlib.typing import LegendLocType

from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.mixture.marginal import radius
from gmmcli.report.numerals import percent
from gmmcli.report.plots.palette import color, marker
from gmmcli.report.plots.plane import Plane
from gmmcli.report.plots.subject import Subject

WIDTH = 6.4
MOST_VECTOR_POINTS = 1000
"""More of them are drawn as an image inside an SVG or a PDF, which else takes megabytes."""
PROBABILITIES = (0.5, 0.95)

_MOST_IN_LEGEND = 48
LEGEND_ROWS = 16
_FLATTEST, _STEEPEST = 0.5, 1.2
_WIDEST, _HIGHEST = 4.9, 5.2
_HALO = [withStroke(linewidth=2, foreground="white")]


def sheet(
    title: str, remarks: Sequence[str], *, height: float = 4.2, width: float = WIDTH
) -> Figure:
    """An empty figure with a title above and remarks below."""
    figure = Figure(figsize=(width, height), layout="compressed")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    if remarks:
        lines = textwrap.wrap("; ".join(remarks), int(16.5 * width))
        figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7.5, color="0.35")
    return figure


def planar(
    plane: Plane, title: str, remarks: Sequence[str], *, beside: float | None = None
) -> tuple[Figure, Axes, FloatArray]:
    """A figure with two axes on which shapes can be judged, and the ends of these (2, 2).

    Parameters
    ----------
    beside : inches for a legend, unless it is that of the clusters.
    """
    limits, unit = plane.limits.copy(), np.ones(2)
    if not plane.same_units:
        unit = plane.spread
    spans = np.diff(limits)[:, 0] / unit
    ratio = float(np.clip(spans[1] / spans[0], _FLATTEST, _STEEPEST))
    wanted = np.array([max(spans[0], spans[1] / ratio), max(spans[1], spans[0] * ratio)])
    limits += np.outer((wanted - spans) * unit / 2, [-1, 1])
    across = min(_WIDEST, _HIGHEST / ratio)
    size = {
        "width": across + 0.7 + (legend_width(plane.subject) if beside is None else beside),
        "height": across * ratio + 1.1,
    }
    figure = sheet(title, [*plane.remarks(), *remarks], **size)
    axes = figure.add_subplot(aspect=unit[0] / unit[1], xlim=limits[0], ylim=limits[1])
    axes.set_xlabel(textwrap.fill(plane.labels[0], int(12.5 * across)))
    axes.set_ylabel(textwrap.fill(plane.labels[1], int(12.5 * across * ratio)))
    return figure, axes, limits


def linear(
    plane: Plane, title: str, remarks: Sequence[str], *, height: float = 3.8
) -> tuple[Figure, Axes]:
    """A figure with one axis of data, the horizontal one."""
    width = WIDTH - 1 + legend_width(plane.subject)
    figure = sheet(title, [*plane.remarks(), *remarks], height=height, width=width)
    axes = figure.add_subplot(xlim=plane.limits[0])
    axes.set_xlabel(plane.labels[0])
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def point_size(n_rows: int) -> float:
    """The area of a point, in square points, when there are so many."""
    return float(np.clip(6000 / max(n_rows, 1), 4, 22))


def emptiest_corner(xy: FloatArray, limits: FloatArray) -> LegendLocType:
    """The corner of a picture with the fewest rows (N, 2) in it."""
    across, up = ((xy - limits[:, 0]) / np.diff(limits)[:, 0]).T
    corners: dict[LegendLocType, int] = {
        "upper left": int(np.count_nonzero((across < 0.25) & (up > 0.7))),
        "upper right": int(np.count_nonzero((across > 0.75) & (up > 0.7))),
        "lower left": int(np.count_nonzero((across < 0.25) & (up < 0.3))),
        "lower right": int(np.count_nonzero((across > 0.75) & (up < 0.3))),
    }
    return min(corners, key=lambda place: corners[place])


def points(axes: Axes, xy: FloatArray, labels: IntArray, *, size: float = 1.0) -> None:
    """Rows (N, 2) in the colours and markers of their clusters, of so many times the usual size."""
    n_total = len(xy)
    opacity = float(np.interp(np.log10(max(n_total, 1)), [2.5, 4.3], [0.8, 0.35]))
    for k in np.unique(labels):
        x, y = xy[labels == k].T
        axes.scatter(
            x,
            y,
            s=size * point_size(n_total),
            c=color(int(k)),
            marker=marker(int(k)),
            alpha=opacity,
            linewidths=0,
            rasterized=n_total > MOST_VECTOR_POINTS,
            zorder=2,
        )


def ellipse(mean: FloatArray, covariance: FloatArray, probability: float) -> Path:
    """The ellipse that holds this share of a Gaussian of two features.

    The circle of radius r = sqrt(chi2 quantile) through the Cholesky factor: its semi-axes are
    r times the roots of the eigenvalues, whatever the units.
    """
    factor = np.linalg.cholesky(covariance) * radius(probability, 2)
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = factor, mean
    return Path.unit_circle().transformed(Affine2D(matrix))


def components(axes: Axes, plane: Plane, *, numbered: bool = False, size: float = 1.0) -> None:
    """Means, and ellipses at PROBABILITIES, of the components in two coordinates."""
    mixture = plane.mixture
    for k, mean, covariance in zip(
        plane.subject.groups, mixture.means, mixture.covariance.full(), strict=True
    ):
        for probability, width in zip(PROBABILITIES, (1.4, 0.8), strict=True):
            outline = PathPatch(
                ellipse(mean, covariance, probability),
                facecolor="none",
                edgecolor=color(k),
                linewidth=width,
                path_effects=_HALO if width > 1 else None,
                zorder=3,
            )
            axes.add_patch(outline)
        mark(axes, mean, k, numbered=numbered, size=size)


def mark(axes: Axes, mean: FloatArray, number: int, *, numbered: bool, size: float = 1.0) -> None:
    """A cross at a mean, or the number of its cluster."""
    if numbered:
        axes.text(
            mean[0],
            mean[1],
            str(number),
            ha="center",
            va="center",
            fontsize=8,
            fontweight="bold",
            color=color(number),
            path_effects=_HALO,
            zorder=5,
            clip_on=True,
        )
    else:
        for shade, across, width in (("white", 9, 3.0), ("black", 8, 1.2)):
            axes.plot(*mean, "+", color=shade, markersize=size * across, mew=size * width, zorder=4)


def legend_width(subject: Subject) -> float:
    """Inches that the legend of its clusters takes."""
    if subject.n_clusters > _MOST_IN_LEGEND:
        return 0.0
    return 0.2 + 0.8 * -(-subject.n_clusters // LEGEND_ROWS)


def legend(
    figure: Figure,
    subject: Subject,
    *,
    marked: bool = True,
    place: LegendLocType = "outside right upper",
) -> None:
    """Say which cluster is which, and how large it is, unless there are too many."""
    n_clusters = subject.n_clusters
    if n_clusters > _MOST_IN_LEGEND:
        return
    handles = [
        Line2D(
            [],
            [],
            color=color(k),
            marker=marker(k) if marked else "",
            markersize=4.5,
            linestyle="none" if marked else "-",
        )
        for k in range(n_clusters)
    ]
    texts = [f"{k}  {share}" for k, share in enumerate(percent(subject.weights_of_clusters))]
    figure.legend(
        handles,
        texts,
        title="cluster, weight",
        loc=place,
        ncols=-(-n_clusters // LEGEND_ROWS),
        columnspacing=1.0,
        handletextpad=0.4,
        labelspacing=0.35,
        alignment="left",
    )
