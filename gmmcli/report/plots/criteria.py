"""The criteria of select-k over K: a line a structure, the best marked."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gmmcli.mixture.selection import CRITERIA, Cell
from gmmcli.report.criteria import heading
from gmmcli.report.plots.canvas import sheet
from gmmcli.report.plots.palette import color, line, marker

_ALWAYS = ("bic", "aic")


def figure(cells: Sequence[Cell], best: Cell, criterion: str) -> Figure:
    """A panel each for the chosen criterion and for those of BIC and AIC that it is not."""
    names = tuple(dict.fromkeys((criterion, *_ALWAYS)))
    remarks = ["lower is better; a ring marks the lowest of each criterion"]
    page = sheet(_title(best, criterion), remarks, height=3.9, width=3.1 * len(names) + 1.4)
    structures = tuple(dict.fromkeys(cell.covariance_type for cell in cells))
    panels = page.subplots(1, len(names), squeeze=False)[0]
    for name, axes in zip(names, panels, strict=True):
        _panel(axes, cells, structures, name)
    handles, texts = panels[0].get_legend_handles_labels()
    page.legend(handles, texts, title="covariance", loc="outside right upper", alignment="left")
    return page


def _title(best: Cell, criterion: str) -> str:
    k = best.n_components
    clusters = "1 cluster" if k == 1 else f"{k} clusters"
    return f"Best by {heading(criterion)}: {best.covariance_type}, {clusters}"


def _panel(axes: Axes, cells: Sequence[Cell], structures: Sequence[str], name: str) -> None:
    counts = sorted({cell.n_components for cell in cells})
    value = CRITERIA[name]
    lowest = (np.inf, 0, 0)
    for i, structure in enumerate(structures):
        values = dict.fromkeys(counts, np.nan)
        for cell in cells:
            if cell.covariance_type == structure and cell.result is not None:
                here = value(cell.result)
                # infinite is not defined
                values[cell.n_components] = here if np.isfinite(here) else np.nan
                lowest = min(lowest, (here, cell.n_components, i))
        axes.plot(
            counts,
            list(values.values()),
            color=color(i),
            linestyle=line(i),
            marker=marker(i),
            markersize=4,
            linewidth=1.1,
            label=structure,
        )
    least, k, winner = lowest
    axes.plot(
        k,
        least,
        "o",
        markersize=11,
        markerfacecolor="none",
        markeredgewidth=1.6,
        markeredgecolor=color(winner),
    )
    axes.annotate(
        f"{structures[winner]}, {k}",
        (k, least),
        (0, -9),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=8,
    )
    axes.set_xlabel("number of clusters")
    axes.set_title(heading(name), loc="left")
    axes.margins(y=0.12)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
