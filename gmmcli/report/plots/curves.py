"""A mixture in one column: its curve, those of its components, and a histogram of the rows."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from gmmcli.mixture.arrays import FloatArray
from gmmcli.report.plots.palette import color
from gmmcli.report.plots.plane import Plane

_FEWEST_BINS, _MOST_BINS = 8, 80
_STEPS = np.linspace(-4.5, 4.5, 91)


def curves(axes: Axes, flat: Plane) -> None:
    """Draw them; heights are densities, so that the areas compare."""
    if flat.rows is not None and flat.inside.any():
        row_weights = flat.subject.weights
        x = flat.rows[flat.inside, 0]
        weights = np.ones(len(x)) if row_weights is None else row_weights[flat.inside]
        axes.hist(
            x,
            _edges(x, weights, float(flat.spread[0])).tolist(),
            weights=weights,
            density=True,
            color="0.75",
            edgecolor="0.6",
            linewidth=0.4,
            alpha=0.5,
            zorder=1,
        )
    mixture = flat.mixture
    for i, k in enumerate(flat.subject.groups):
        mean, deviation = mixture.means[i, 0], flat.deviations[i, 0]
        places = mean + deviation * _STEPS
        density = np.exp(mixture.taken([i]).posterior(places[:, None]).log_density)
        density *= mixture.weights[i]
        shade = (*to_rgb(color(k)), 0.15)
        axes.fill(places, density, facecolor=shade, edgecolor=color(k), linewidth=1.3, zorder=2)
    if mixture.n_components > 1:
        places = flat.grid(0, flat.limits[0], 200)
        density = np.exp(mixture.posterior(places[:, None]).log_density)
        # in dashes, so that a component under it is seen
        axes.plot(places, density, "k", dashes=(4, 2.5), linewidth=1.1, zorder=3)
    axes.set_xlim(flat.limits[0])
    axes.set_ylim(bottom=0)


def _edges(x: FloatArray, weights: FloatArray, spread: float) -> FloatArray:
    """Bins by Freedman & Diaconis (1981): 2 IQR / n^(1/3) wide.

    Rows that lie together, or that are one, get bins as for half a standard deviation.
    """
    order = np.argsort(x)
    shares = np.cumsum(weights[order]) / weights.sum()
    quartiles = x[order][np.searchsorted(shares, [0.25, 0.75])]
    width = 2 * float(np.diff(quartiles)[0]) / float(weights.sum()) ** (1 / 3)
    low, high = float(x.min()), float(x.max())
    n_bins = (high - low) / width if width > 0 else _FEWEST_BINS
    lacking = max(spread / 2 - (high - low), 0) / 2
    low, high = low - lacking, high + lacking
    return np.linspace(low, high, int(np.clip(n_bins, _FEWEST_BINS, _MOST_BINS)) + 1)
