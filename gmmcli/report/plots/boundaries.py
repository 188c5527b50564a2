"""The decision regions: which cluster is the most probable at each place."""

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.marginal import component_log_densities
from gmmcli.report.plots.canvas import legend, linear, mark, planar, points
from gmmcli.report.plots.curves import curves
from gmmcli.report.plots.palette import pale
from gmmcli.report.plots.plane import Plane, plane
from gmmcli.report.plots.subject import Subject

_PIXELS = 500


def figure(subject: Subject) -> Figure:
    """The picture; of one column, bands under the curves of the clusters."""
    flat = plane(subject)
    n_features = subject.mixture.n_features
    remarks = []
    if flat.n_axes < n_features:
        what = (
            "directions"
            if flat.directions
            else "columns shown"
            if flat.n_axes == 2
            else "column shown"
        )
        remarks.append(
            f"regions of the marginal mixture in the {what}, not of the model of all {n_features}"
        )
        if flat.rows is not None:
            remarks.append("rows in the colours that the whole model gives them")
    if flat.n_axes == 1:
        return _bands(flat, remarks)
    sheet, axes, limits = planar(flat, f"Regions of {subject.title}", remarks)
    x, y = (np.linspace(low, high, _PIXELS) for low, high in limits)
    winners = _log_densities(flat, _places(x, y)).argmax(axis=0)
    n_clusters = subject.n_clusters
    axes.imshow(
        winners.reshape(_PIXELS, _PIXELS),
        extent=(*limits[0], *limits[1]),
        origin="lower",
        aspect=axes.get_aspect(),
        cmap=ListedColormap([pale(k) for k in range(n_clusters)]),
        vmin=-0.5,
        vmax=n_clusters - 0.5,
        interpolation="nearest",
        zorder=0,
    )
    x, y = (flat.grid(axis, limits[axis]) for axis in range(2))
    for lead in _leads(flat, _places(x, y)):
        field = lead.reshape(len(y), len(x))
        if field.min() < 0 < field.max():
            axes.contour(x, y, field, levels=[0.0], colors="0.2", linewidths=0.8, zorder=1)
    if flat.rows is not None and flat.posterior is not None:
        labels = flat.posterior.labels[flat.inside]
        points(axes, flat.rows[flat.inside], labels)
    for k, mean in zip(subject.groups, flat.mixture.means, strict=True):
        mark(axes, mean, k, numbered=True)
    legend(sheet, subject)
    return sheet


def _places(x: FloatArray, y: FloatArray) -> FloatArray:
    """The points of a grid, row by row: (len(y) * len(x), 2)."""
    return np.stack([axis.ravel() for axis in np.meshgrid(x, y)], axis=1)


def _log_densities(flat: Plane, places: FloatArray) -> FloatArray:
    """ln of what rows are shared out by, the sum over each cluster's components: (clusters, N)."""
    joint = component_log_densities(flat.mixture, places)
    if flat.subject.assigning is not None:
        joint = joint + np.log(flat.subject.assigning / flat.mixture.weights)[:, None]
    groups = np.asarray(flat.subject.groups)
    parts = [joint[groups == k] for k in range(flat.subject.n_clusters)]
    return np.stack([np.logaddexp.reduce(part, axis=0) for part in parts])


def _leads(flat: Plane, places: FloatArray) -> FloatArray:
    """By how many nats each cluster leads the best of the others."""
    joint = _log_densities(flat, places)
    winners = joint.argmax(axis=0)
    first = joint.max(axis=0)
    rest = joint.copy()
    rest[winners, np.arange(len(winners))] = -np.inf
    second = rest.max(axis=0)
    leads: FloatArray = joint - first
    leads[winners, np.arange(len(winners))] = first - second
    return leads


def _bands(flat: Plane, remarks: list[str]) -> Figure:
    sheet, axes = linear(flat, f"Regions of {flat.subject.title}", remarks)
    low, high = flat.limits[0]
    x = np.linspace(low, high, 4001)
    winners = _log_densities(flat, x[:, None]).argmax(axis=0)
    edges = np.flatnonzero(np.diff(winners)) + 1
    middles = (x[edges - 1] + x[edges]) / 2
    ends = np.concatenate([[x[0]], middles, [x[-1]]])
    for i, k in enumerate(winners[np.concatenate([[0], edges])]):
        axes.axvspan(ends[i], ends[i + 1], color=pale(int(k)), linewidth=0, zorder=0)
    curves(axes, flat)
    axes.set_ylabel("density")
    legend(sheet, flat.subject, marked=False)
    return sheet
