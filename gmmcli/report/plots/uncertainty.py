"""Rows, the larger and darker the less certain their cluster is."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import LegendLocType

from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.report.models import DOUBT, in_doubt
from gmmcli.report.plots.canvas import (
    MOST_VECTOR_POINTS,
    emptiest_corner,
    legend,
    linear,
    mark,
    planar,
    point_size,
)
from gmmcli.report.plots.palette import color
from gmmcli.report.plots.plane import Plane, plane
from gmmcli.report.plots.subject import Subject

_STEP = 0.02
_EXAMPLES = (0.0, 0.1, 0.3, 0.5)


def figure(subject: Subject) -> Figure:
    """The picture; of one column, a stem a row, as high as its cluster is uncertain."""
    flat = plane(subject)
    if flat.rows is None or flat.posterior is None:
        raise ValueError("uncertainty is of rows")
    doubtful = int(np.count_nonzero(in_doubt(flat.posterior)))
    n_rows = len(flat.rows)
    remark = (
        f"{doubtful:,} of {n_rows:,} have a probability of {100 * DOUBT:.0f} % or more of "
        "being in another cluster than the one given"
    )
    if flat.n_axes == 1:
        return _stems(flat, remark)
    sheet, axes, limits = planar(flat, f"Uncertainty of {subject.title}", [remark])
    _bubbles(
        axes,
        flat.rows[flat.inside],
        flat.posterior.labels[flat.inside],
        flat.posterior.uncertainty[flat.inside],
    )
    for k, mean in zip(subject.groups, flat.mixture.means, strict=True):
        mark(axes, mean, k, numbered=True)
    _sizes(axes, emptiest_corner(flat.rows, limits), n_rows)
    legend(sheet, subject)
    return sheet


def _bubbles(axes: Axes, xy: FloatArray, labels: IntArray, doubt: FloatArray) -> None:
    """Rows (N, 2), the certain ones first, so that they cover nobody."""
    # in steps: an SVG spells out each size anew
    steps = np.round(doubt / _STEP).astype(np.int64)
    for step in np.unique(steps):
        here = steps == step
        size = np.array([_STEP * step])
        for k in np.unique(labels[here]):
            axes.scatter(
                xy[here & (labels == k), 0],
                xy[here & (labels == k), 1],
                s=_area(size, len(xy)),
                color=color(int(k)),
                alpha=float(_opacity(size)[0]),
                linewidths=0,
                rasterized=len(xy) > MOST_VECTOR_POINTS,
                zorder=2,
            )


def _area(doubt: FloatArray, n_rows: int) -> FloatArray:
    return 0.25 * point_size(n_rows) + 110 * np.minimum(doubt, 0.6)


def _opacity(doubt: FloatArray) -> FloatArray:
    return np.minimum(0.35 + 1.1 * doubt, 0.9)


def _sizes(axes: Axes, place: LegendLocType, n_rows: int) -> None:
    examples = np.array(_EXAMPLES)
    handles = [
        axes.scatter([], [], s=area, color=(0, 0, 0, opacity), linewidths=0)
        for area, opacity in zip(_area(examples, n_rows), _opacity(examples), strict=True)
    ]
    axes.legend(
        handles,
        [f"{100 * doubt:.0f} %" for doubt in _EXAMPLES],
        title="uncertainty",
        loc=place,
        alignment="left",
        frameon=True,
        framealpha=0.85,
        edgecolor="0.8",
    )


def _stems(flat: Plane, remark: str) -> Figure:
    sheet, axes = linear(flat, f"Uncertainty of {flat.subject.title}", [remark])
    if flat.rows is not None and flat.posterior is not None:
        for k in range(flat.subject.n_clusters):
            here = flat.inside & (flat.posterior.labels == k)
            axes.vlines(
                flat.rows[here, 0],
                0,
                flat.posterior.uncertainty[here],
                color=color(k),
                linewidth=1.0,
                rasterized=len(flat.rows) > MOST_VECTOR_POINTS,
            )
            axes.scatter(
                flat.rows[here, 0],
                np.zeros(np.count_nonzero(here)),
                s=4,
                color=color(k),
                linewidths=0,
                clip_on=False,
            )
    # as uncertain as can be: all clusters alike
    axes.set_ylim(0, max(1 - 1 / flat.subject.n_clusters, 0.5))
    axes.set_ylabel("probability of another cluster")
    legend(sheet, flat.subject, marked=False)
    return sheet
