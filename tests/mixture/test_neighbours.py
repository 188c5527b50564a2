"""A fit from its neighbours in a grid of large data: from a mixture of more components."""

from dataclasses import replace

import numpy as np
import pytest
from mixture.problems import WORDS, cells_of, rows, two_clusters
from sklearn.mixture import GaussianMixture as ScikitMixture

from gmmcli.errors import FitError
from gmmcli.mixture.fitting import FitOptions, Fitting
from gmmcli.mixture.neighbours import _led, raised, thinned
from gmmcli.mixture.partition import joined
from gmmcli.mixture.synthesis import Recipe, generate


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize(("seed", "name"), [(2, "spherical"), (6, "full"), (7, "full")])
def test_where_components_overlap_a_larger_mixture_shows_what_starts_missed(
    seed, name, monkeypatch
):
    recipe = Recipe(n_features=8, n_components=8, separation=1.8, seed=seed)
    X, _ = generate("blobs", 12_000, recipe)
    other = ScikitMixture(3, covariance_type=name, random_state=0).fit(X).score(X) * len(X)
    three, four = cells_of(X, [3, 4], [name])
    assert other < three.result.log_likelihood < four.result.log_likelihood
    assert three.result.n_agreeing == 0
    monkeypatch.setattr("gmmcli.mixture.neighbours.OVERLAP", 1.0)
    before, _ = cells_of(X, [3, 4], [name])
    assert before.result.log_likelihood < other
    assert before.result.n_passes < three.result.n_passes


@pytest.mark.heavy
def test_a_larger_mixture_that_collapses_on_the_way_ends_no_grid(monkeypatch):
    X, _ = two_clusters(np.random.default_rng(15), (7_000, 5_000), distance=1.0)
    expected = [cell.result.model.n_components for cell in cells_of(X, [2, 3], ["full"])]
    tried = []

    def collapsed(*way):
        tried.append(way)
        raise FitError("every component collapsed onto a few equal rows")

    monkeypatch.setattr("gmmcli.mixture.neighbours._led", collapsed)
    found = cells_of(X, [2, 3], ["full"])
    assert [cell.result.model.n_components for cell in found] == expected == [2, 3]
    assert tried


def test_without_iterations_no_cell_is_tried_from_a_larger_one(monkeypatch):
    X, _ = two_clusters(np.random.default_rng(15), (7_000, 5_000), distance=1.0)
    expected = [cell.result.log_likelihood for cell in cells_of(X, [2, 3], ["full"], max_iter=0)]
    monkeypatch.setattr("gmmcli.mixture.neighbours.OVERLAP", 1.0)
    found = [cell.result.log_likelihood for cell in cells_of(X, [2, 3], ["full"], max_iter=0)]
    assert found == expected


def overlapping():
    recipe = Recipe(n_features=8, n_components=8, separation=1.8, seed=2)
    return generate("blobs", 12_000, recipe)[0]


def test_one_way_that_collapses_leaves_the_others(monkeypatch):
    X = overlapping()
    expected = cells_of(X, [3, 4], ["spherical"])[0].result
    collapsed = []

    def ways(*arguments):
        found = joined(*arguments)
        return [found[0], *found]

    def led(model, *others):
        # the first call is for the cell at hand
        collapsed.append(len(collapsed) == 1)
        if collapsed[-1]:
            raise FitError("every component collapsed onto a few equal rows")
        return _led(model, *others)

    monkeypatch.setattr("gmmcli.mixture.neighbours.joined", ways)
    monkeypatch.setattr("gmmcli.mixture.neighbours._led", led)
    found = cells_of(X, [3, 4], ["spherical"])[0].result
    assert any(collapsed)
    assert found.log_likelihood == expected.log_likelihood
    assert found.n_agreeing == 0


@pytest.mark.parametrize(
    ("counts", "failed", "pairs"),
    [
        ([3, 4, 5], 4, [(3, 5)]),
        ([5, 3, 3], None, [(3, 5)]),
        ([5, 3, 4], None, [(4, 5), (3, 4)]),
    ],
)
def test_a_cell_is_tried_from_the_next_larger_one_that_was_found(
    counts, failed, pairs, monkeypatch
):
    tried, searched = [], Fitting.fit

    def fails(self, n_components, *arguments, **options):
        if n_components == failed:
            raise FitError("every component collapsed")
        return searched(self, n_components, *arguments, **options)

    def watched(_fitting, result, larger, _options):
        tried.append((result.model.n_components, larger.model.n_components))
        return result

    monkeypatch.setattr(Fitting, "fit", fails)
    monkeypatch.setattr("gmmcli.mixture.grid.thinned", watched)
    cells_of(overlapping(), counts, ["spherical"])
    assert tried == pairs


def test_a_much_larger_mixture_tells_little(monkeypatch):
    X = overlapping()
    fitting, options = Fitting(rows(X)), FitOptions(covariance_type="spherical", rough=True)
    fits = {K: fitting.fit(K, options) for K in (3, 4, 9)}
    assert thinned(fitting, fits[3], fits[9], options) is fits[3]
    assert thinned(fitting, fits[3], fits[4], options) is not fits[3]
    monkeypatch.setattr("gmmcli.mixture.neighbours.MOST_JOINED", 6)
    assert thinned(fitting, fits[3], fits[9], options) is not fits[3]


@pytest.mark.parametrize(("gap", "n_agreeing"), [(5e-4, 2), (2e-3, 0)])
def test_a_little_higher_is_farther_up_the_same_optimum_where_fits_are_rough(gap, n_agreeing):
    X = overlapping()
    fitting, options = Fitting(rows(X)), FitOptions(covariance_type="spherical", rough=True)
    result = fitting.fit(3, options)
    lower = result.log_likelihood - gap * len(X)
    first = replace(result, log_likelihood=lower, n_agreeing=2, n_starts=3, n_passes=7)
    smaller = replace(result, log_likelihood=lower + 1)
    found = raised(fitting, first, [smaller], options, n_tried=0)
    assert found.log_likelihood >= result.log_likelihood
    assert (found.n_starts, found.n_agreeing) == (3, n_agreeing)
    again = fitting.fit(3, options, result.model)
    # the rows were described for the first one
    assert found.n_passes == 7 + again.n_passes - 1


@pytest.mark.heavy
def test_where_clusters_stand_apart_no_cell_is_tried_again(monkeypatch):
    X, _ = two_clusters(np.random.default_rng(14), (9_000, 6_000), distance=9.0)
    expected = [cell.result.log_likelihood for cell in cells_of(X, [2, 3], WORDS)]
    monkeypatch.delattr("gmmcli.mixture.grid.thinned")
    assert [cell.result.log_likelihood for cell in cells_of(X, [2, 3], WORDS)] == expected
