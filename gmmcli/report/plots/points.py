"""Rows alone: what there is to see before any cluster is."""

from matplotlib.figure import Figure

from gmmcli.report.plots.canvas import MOST_VECTOR_POINTS, linear, planar, point_size
from gmmcli.report.plots.palette import DATA
from gmmcli.report.plots.plane import plane
from gmmcli.report.plots.subject import Subject


def figure(subject: Subject) -> Figure:
    """The picture; of one column, a tick a row."""
    flat = plane(subject)
    if flat.rows is None:
        raise ValueError("points are of rows")
    rows = flat.rows[flat.inside]
    rasterized = len(rows) > MOST_VECTOR_POINTS
    if flat.n_axes == 1:
        sheet, axes = linear(flat, "Rows", [], height=1.6)
        axes.vlines(rows[:, 0], 0, 1, color=DATA, linewidth=0.5, alpha=0.6, rasterized=rasterized)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        return sheet
    sheet, axes, _ = planar(flat, "Rows", [], beside=0.0)
    axes.scatter(
        rows[:, 0],
        rows[:, 1],
        s=point_size(len(rows)),
        c=DATA,
        alpha=0.7,
        linewidths=0,
        rasterized=rasterized,
    )
    return sheet
