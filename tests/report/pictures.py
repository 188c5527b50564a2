"""Mixtures and pictures that the tests of pictures share."""

from dataclasses import replace

import numpy as np
from matplotlib.text import Text

from gmmcli.mixture.model import GaussianMixture
from gmmcli.report.plots import Subject, draw

SHAPES = ("full", "tied", "diag", "spherical")


def random_mixture(n_components, n_features, structure="full", *, width=6, seed=0):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((n_components, n_features, n_features))
    matrices = roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(n_features)
    covariances = {
        "full": matrices,
        "tied": matrices[0],
        "diag": np.einsum("kdd->kd", matrices),
        "spherical": matrices[:, 0, 0],
    }
    return GaussianMixture.from_arrays(
        rng.dirichlet(np.full(n_components, 5.0)),
        rng.uniform(-width, width, (n_components, n_features)),
        covariances[structure],
        covariance_type=structure,
    ).canonical()


def subject(mixture, n_rows=0, *, names=None, chosen=(), clusters=None):
    """A mixture with rows drawn from it, or without."""
    rows = mixture.sample(n_rows, np.random.default_rng(1))[0] if n_rows else None
    names = names or tuple(f"x{j}" for j in range(mixture.n_features))
    return Subject(
        mixture=mixture, names=names, rows=rows, n_rows=n_rows, chosen=chosen, clusters=clusters
    )


def with_rows(about, rows, weights=None):
    return replace(about, rows=rows, n_rows=len(rows), weights=weights)


def picture(kind, mixture, n_rows=0, **kwargs):
    return draw(kind, subject(mixture, n_rows, **kwargs))


def texts(figure):
    """All that there is to read."""
    figure.draw_without_rendering()
    found = figure.findobj(Text)
    return [artist.get_text() for artist in found if artist.get_visible() and artist.get_text()]


def remarks(figure):
    return figure.get_supxlabel().replace("\n", " ")
