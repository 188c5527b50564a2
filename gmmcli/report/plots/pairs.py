"""Each column with each other: ellipses and rows, and on the diagonal the curves of each."""

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from gmmcli.report.plots.canvas import LEGEND_ROWS, components, legend, legend_width, points, sheet
from gmmcli.report.plots.curves import curves
from gmmcli.report.plots.names import shown
from gmmcli.report.plots.plane import plane
from gmmcli.report.plots.subject import MOST_PAIRS, Subject


def figure(subject: Subject) -> Figure:
    """The picture, a triangle of panels; more than MOST_PAIRS columns are not all drawn."""
    names = subject.chosen or subject.names[:MOST_PAIRS]
    n = len(names)
    panel = {2: 2.6, 3: 2.2, 4: 1.8}.get(n, 1.55)
    longest = int(11 * panel)
    inside = subject.n_clusters <= LEGEND_ROWS
    singles = [plane(replace(subject, chosen=(name,))) for name in names]
    remarks = singles[0].remarks(np.logical_and.reduce([one.inside for one in singles]))
    if not subject.chosen and len(subject.names) > n:
        remarks.append(f"the first {n} of {len(subject.names)} columns")
    remarks.append(f"ellipses hold 50 % and 95 % of a {subject.part}")
    beside = 0.0 if inside else legend_width(subject)
    size = {"width": panel * n + 0.6 + beside, "height": panel * n + 0.8}
    page = sheet(f"{subject.title}, by pairs", remarks, **size)
    grid = page.subplots(n, n, squeeze=False, sharex="col")
    for i, across in enumerate(names):
        for j, along in enumerate(names):
            axes = grid[i, j]
            if j > i:
                axes.remove()
                continue
            flat = singles[i] if i == j else plane(replace(subject, chosen=(along, across)))
            axes.set_xlim(flat.limits[0])
            if i == j:
                curves(axes, flat)
                axes.set_yticks([])
                axes.spines[["top", "right", "left"]].set_visible(False)
            else:
                axes.set_ylim(flat.limits[1])
                if flat.rows is not None and flat.posterior is not None:
                    labels = flat.posterior.labels[flat.inside]
                    points(axes, flat.rows[flat.inside], labels, size=0.5)
                components(axes, flat, size=0.6)
            if i == n - 1:
                axes.set_xlabel(shown(along, longest))
            if j == 0 and i:
                axes.set_ylabel(shown(across, longest))
            axes.tick_params(labelbottom=i == n - 1, labelleft=j == 0 and i > 0)
    page.align_ylabels()
    # in the free corner, while there is room
    legend(page, subject, place="upper right" if inside else "outside right upper")
    return page
