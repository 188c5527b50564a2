"""The criteria of select-k over K."""

from dataclasses import replace

import numpy as np
import pytest
from report.pictures import remarks, texts

from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.grid import grid
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.selection import Cell, best
from gmmcli.report.plots import draw_criteria, render


@pytest.fixture(scope="module")
def cells():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2, 120)) + 6 * (np.arange(120) % 3) * np.array([[1], [-1]])
    fitted = grid(
        Fitting(ArrayBatches(X)),
        [4, 1, 2, 3],
        covariance_types=["full", "spherical"],
        options=FitOptions(init="kmeans"),
    )
    return list(fitted)


def curves(figure):
    """Panel -> structure -> (K, value)."""
    return {
        axes.get_title(loc="left"): {
            line.get_label(): line.get_xydata()
            for line in axes.lines
            if not line.get_label().startswith("_")
        }
        for axes in figure.axes
    }


@pytest.mark.parametrize(
    ("criterion", "panels"),
    [("bic", ["BIC", "AIC"]), ("aic", ["AIC", "BIC"]), ("icl", ["ICL", "BIC", "AIC"])],
)
def test_each_criterion_has_a_panel_the_chosen_one_first(cells, criterion, panels):
    chosen = best(cells, criterion)
    figure = draw_criteria(cells, chosen, criterion)
    assert list(curves(figure)) == panels
    title = f"Best by {criterion.upper()}: {chosen.covariance_type}, {chosen.n_components} clusters"
    assert title in texts(figure)
    assert "lower is better" in remarks(figure)


def test_lines_are_the_values_by_k(cells):
    drawn = curves(draw_criteria(cells, best(cells, "bic"), "bic"))
    for structure in ("full", "spherical"):
        by_k = {c.n_components: c.result for c in cells if c.covariance_type == structure}
        for name in ("BIC", "AIC"):
            expected = [(k, getattr(by_k[k], name.lower())) for k in (1, 2, 3, 4)]
            assert drawn[name][structure].tolist() == [list(pair) for pair in expected]


def test_the_best_has_a_ring(cells):
    for criterion in ("bic", "icl"):
        chosen = best(cells, criterion)
        axes = draw_criteria(cells, chosen, criterion).axes[0]
        (ring,) = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
        place = [chosen.n_components, getattr(chosen.result, criterion)]
        assert ring.get_xydata().tolist() == [place]
        assert f"{chosen.covariance_type}, {chosen.n_components}" in [
            text.get_text() for text in axes.texts
        ]


def test_a_cell_without_a_fit_is_a_gap(cells):
    (lost,) = [c for c in cells if (c.n_components, c.covariance_type) == (2, "full")]
    rest = [Cell(2, "full", None, "why") if c is lost else c for c in cells]
    drawn = curves(draw_criteria(rest, best(rest, "bic"), "bic"))["BIC"]["full"]
    assert np.isnan(drawn[:, 1]).tolist() == [False, True, False, False]
    assert drawn[:, 0].tolist() == [1, 2, 3, 4]


def test_a_criterion_that_is_not_defined_is_a_gap(cells):
    full = [c for c in cells if c.covariance_type == "full"]
    few = [Cell(c.n_components, "full", replace(c.result, n_rows=16.0)) for c in full]
    drawn = curves(draw_criteria(few, best(few, "aicc"), "aicc"))
    assert list(drawn) == ["AICc", "BIC", "AIC"]
    # 5, 11, 17 and 23 parameters
    assert np.isnan(drawn["AICc"]["full"][:, 1]).tolist() == [False, False, True, True]
    assert not np.isnan(drawn["BIC"]["full"]).any()


def test_fourteen_structures_are_fourteen_lines(cells):
    full = [c for c in cells if c.covariance_type == "full"]
    many = [Cell(c.n_components, f"S{i}", c.result) for i in range(14) for c in full]
    figure = draw_criteria(many, best(many, "bic"), "bic")
    styles = {
        (line.get_color(), line.get_linestyle())
        for line in figure.axes[0].lines
        if line.get_label().startswith("S")
    }
    assert len(styles) == 14
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 14
    assert render(figure, "svg") == render(draw_criteria(many, best(many, "bic"), "bic"), "svg")


def test_one_number_of_clusters_is_a_column_of_points(cells):
    one = [c for c in cells if c.n_components == 3]
    axes = draw_criteria(one, best(one, "bic"), "bic").axes[0]
    assert axes.get_xlim()[0] < 3 < axes.get_xlim()[1]
    assert all(line.get_marker() != "None" for line in axes.lines)
