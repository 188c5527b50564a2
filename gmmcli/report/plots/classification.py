"""Rows by cluster, with the means and the ellipses that hold 50 % and 95 % of each."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gmmcli.mixture.marginal import radius
from gmmcli.report.plots.canvas import (
    MOST_VECTOR_POINTS,
    PROBABILITIES,
    components,
    legend,
    linear,
    planar,
    points,
)
from gmmcli.report.plots.palette import color, marker
from gmmcli.report.plots.plane import Plane, plane
from gmmcli.report.plots.subject import Subject

MOST_CROSSES = 8
"""More clusters have their numbers at their means, since no legend tells so many apart."""


def figure(subject: Subject) -> Figure:
    """The picture; of one column, a line of points a cluster."""
    flat = plane(subject)
    if flat.n_axes == 1:
        return _rows_of_points(flat)
    remark = f"ellipses hold 50 % and 95 % of a {subject.part}"
    sheet, axes, _ = planar(flat, subject.title, [remark])
    if flat.rows is not None and flat.posterior is not None:
        labels = flat.posterior.labels[flat.inside]
        points(axes, flat.rows[flat.inside], labels)
    components(axes, flat, numbered=subject.n_clusters > MOST_CROSSES)
    legend(sheet, subject, marked=flat.rows is not None)
    return sheet


def _rows_of_points(flat: Plane) -> Figure:
    subject = flat.subject
    remark = f"bars hold 50 % and 95 % of a {subject.part}"
    height = min(1.3 + 0.45 * subject.n_clusters, 8.0)
    sheet, axes = linear(flat, subject.title, [remark], height=height)
    if flat.rows is not None and flat.posterior is not None:
        for k in range(subject.n_clusters):
            x = flat.rows[flat.inside & (flat.posterior.labels == k), 0]
            axes.scatter(
                x,
                [k - 0.22] * len(x),
                s=50,
                c=color(k),
                marker="|",
                linewidths=0.6,
                rasterized=len(flat.rows) > MOST_VECTOR_POINTS,
            )
    for k, mean, deviation in zip(
        subject.groups, flat.mixture.means[:, 0], flat.deviations[:, 0], strict=True
    ):
        for probability, width in zip(PROBABILITIES, (4.0, 1.4), strict=True):
            reach = radius(probability, 1) * deviation
            axes.plot(
                [mean - reach, mean + reach],
                [k + 0.12] * 2,
                color=color(k),
                linewidth=width,
                solid_capstyle="butt",
            )
        axes.plot(
            mean, k + 0.12, marker=marker(k), color="white", markeredgecolor=color(k), markersize=5
        )
    axes.set_ylim(subject.n_clusters - 0.4, -0.6)
    axes.set_ylabel("cluster")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    legend(sheet, subject)
    return sheet
