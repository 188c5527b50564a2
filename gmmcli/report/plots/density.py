"""The density of the mixture: contours in two columns, in one its curve."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gmmcli.mixture.marginal import density_levels
from gmmcli.report.plots.canvas import MOST_VECTOR_POINTS, legend, linear, planar, point_size
from gmmcli.report.plots.curves import curves
from gmmcli.report.plots.palette import DATA
from gmmcli.report.plots.plane import plane
from gmmcli.report.plots.subject import Subject

_SHARES = (0.95, 0.75, 0.5, 0.25)
_BLUES = ("#deebf7", "#b3d0e8", "#74a9cf", "#2b7bba")
_LINE = "#08519c"


def figure(subject: Subject) -> Figure:
    """The picture; contours hold 25, 50, 75 and 95 % of the probability."""
    flat = plane(subject)
    title = f"Density of {subject.title}"
    if flat.n_axes == 1:
        remarks = ["dashes: the mixture; colours: its components"]
        sheet, axes = linear(flat, title, remarks if flat.mixture.n_components > 1 else [])
        curves(axes, flat)
        axes.set_ylabel("density")
        legend(sheet, subject, marked=False)
        return sheet
    remark = "the smallest regions that hold 25, 50, 75 and 95 % of the probability"
    sheet, axes, limits = planar(flat, title, [remark], beside=1.0)
    x, y = (flat.grid(axis, limits[axis]) for axis in range(2))
    places = np.stack([axis.ravel() for axis in np.meshgrid(x, y)], axis=1)
    field = flat.mixture.posterior(places).log_density.reshape(len(y), len(x))
    levels = density_levels(flat.mixture, _SHARES)
    contours = axes.contourf(x, y, field, levels=[*levels, np.inf], colors=_BLUES, zorder=0)
    contours.set(edgecolor=_LINE, linewidth=0.7)
    if flat.rows is not None:
        inside = flat.rows[flat.inside]
        axes.scatter(
            inside[:, 0],
            inside[:, 1],
            s=0.5 * point_size(len(inside)),
            c=DATA,
            linewidths=0,
            alpha=0.6,
            rasterized=len(inside) > MOST_VECTOR_POINTS,
            zorder=2,
        )
    handles = [Patch(facecolor=blue, edgecolor=_LINE, linewidth=0.7) for blue in _BLUES]
    texts = [f"{100 * share:.0f} %" for share in _SHARES]
    sheet.legend(
        handles[::-1], texts[::-1], title="probability", loc="outside right upper", alignment="left"
    )
    return sheet
