"""Components that were merged are drawn as the clusters that predict gives."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.patches import PathPatch
from report.pictures import picture, remarks, subject, texts

from gmmcli.mixture.model import GaussianMixture
from gmmcli.report.plots import KINDS, draw, render
from gmmcli.report.plots.palette import color

CLUSTERS = (0, 1, 0)


@pytest.fixture
def mixture():
    """The first and the last component are one cluster, with 70 % of the rows."""
    return GaussianMixture.from_arrays(
        [0.5, 0.3, 0.2], [[0, 0], [9, 0], [0, 4]], [1, 1, 1], covariance_type="spherical"
    )


def test_clusters_are_in_the_legend_and_in_the_title(mixture):
    figure = picture("classification", mixture, 100, clusters=CLUSTERS)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["0  70.0 %", "1  30.0 %"]
    assert "2 clusters of 3 components, spherical covariance" in texts(figure)
    assert "ellipses hold 50 % and 95 % of a component" in remarks(figure)


def test_each_component_has_ellipses_in_the_colour_of_its_cluster(mixture):
    axes = picture("classification", mixture, 100, clusters=CLUSTERS).axes[0]
    colors = [p.get_edgecolor() for p in axes.patches if isinstance(p, PathPatch)][::2]
    assert colors[0] == colors[2] != colors[1]
    assert len(axes.collections) == 2


def test_there_is_no_boundary_inside_a_cluster(mixture):
    def winners(clusters):
        (image,) = picture("boundaries", mixture, clusters=clusters).axes[0].images
        return np.asarray(image.get_array())

    merged, apart = winners(CLUSTERS), winners(None)
    assert set(np.unique(merged)) == {0, 1}
    # the sum of two components reaches a little farther than either
    assert np.mean(merged == np.array(CLUSTERS)[apart]) > 0.99
    assert np.mean(merged == apart) < 0.8


def test_regions_are_by_the_weights_that_share_rows_out(mixture):
    def regions(about):
        (image,) = draw("boundaries", about).axes[0].images
        return np.asarray(image.get_array())

    about = subject(mixture)
    assert (regions(replace(about, assigning=mixture.weights)) == regions(about)).all()
    weights = np.array([0.05, 0.05, 0.9])
    other = GaussianMixture(weights, mixture.means, mixture.covariance)
    shared = regions(replace(about, assigning=weights))
    assert (shared == regions(subject(other))).all()
    assert np.mean(shared == 2) > np.mean(regions(about) == 2)


def test_between_two_components_of_one_cluster_nothing_is_uncertain(mixture):
    middle = picture("uncertainty", mixture, 300, clusters=CLUSTERS)
    apart = picture("uncertainty", mixture, 300)
    assert "0 of 300 have" in remarks(middle)
    assert "0 of 300 have" not in remarks(apart)


@pytest.mark.heavy(cases=3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chosen", [(), ("x1",)], ids=["two", "one"])
def test_every_kind_knows_of_clusters(mixture, kind, chosen):
    if len(chosen) == 1 and kind == "pairs":
        chosen = ("x1", "x0")
    merged = picture(kind, mixture, 60, chosen=chosen, clusters=CLUSTERS)
    assert (render(merged, "png") == render(picture(kind, mixture, 60, chosen=chosen), "png")) == (
        kind == "points"
    )
    assert color(2) not in str([line.get_color() for line in merged.axes[0].lines])
