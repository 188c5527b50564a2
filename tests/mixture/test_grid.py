"""The grid of fits: its order, what its cells take from each other, and who fits them."""

from functools import cache

import numpy as np
import pytest
from effort import some
from mixture.problems import WORDS, cells_of, fitted, rows, table, two_clusters
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture as ScikitMixture

from gmmcli import processes
from gmmcli.errors import FitError
from gmmcli.execution import executor
from gmmcli.mixture import shapes
from gmmcli.mixture.fitting import FitOptions, Fitting
from gmmcli.mixture.grid import _Grid, grid
from gmmcli.mixture.selection import Cell, best
from gmmcli.mixture.shapes import MEANINGS, nested_in

SOME = some((*WORDS, "VEI", "EVE", "VEV"), tuple(MEANINGS))
STEPS = some(20, 50)


def test_the_grid_is_every_cell_once_in_order():
    X, _ = two_clusters(np.random.default_rng(0), (60, 60))
    cells = cells_of(X, [1, 3, 2], ["diag", "full"])
    found = [(cell.covariance_type, cell.n_components) for cell in cells]
    assert found == [(n, K) for n in ("diag", "full") for K in (1, 3, 2)]
    for cell in cells:
        assert cell.reason == ""
        assert cell.result.model.n_components == cell.n_components
        assert cell.result.covariance_type == cell.covariance_type
        assert cell.result.model.covariance.name == cell.covariance_type


@cache
def cells_of_faithful():
    return cells_of(table("faithful"), [2, 3], SOME, max_iter=STEPS)


@pytest.mark.heavy
def test_a_cell_is_what_fit_gives_alone_unless_a_smaller_one_is_higher():
    X, cells, same = table("faithful"), cells_of_faithful(), 0
    assert len(cells) == 2 * len(SOME)
    for cell in cells:
        alone = fitted(X, cell.n_components, covariance_type=cell.covariance_type, max_iter=STEPS)
        assert cell.result.log_likelihood >= alone.log_likelihood
        same += np.array_equal(cell.result.model.means, alone.model.means)
        assert cell.result.n_starts == alone.n_starts
        assert cell.result.init == alone.init
    assert same > len(cells) / 2


def test_no_larger_model_is_below_a_smaller_one():
    X = table("iris")[::2]
    # one random start a cell, so that many end too low
    options = {"init": "random", "reg_covar": 0}
    cells = {
        (cell.covariance_type, cell.n_components): cell.result
        for cell in cells_of(X, range(1, 7), SOME, **options)
        if cell.result is not None
    }
    alone = {
        (name, K): fitted(X, K, covariance_type=name, **options).log_likelihood for name, K in cells
    }
    raised = 0
    for (name, K), result in cells.items():
        smaller = [(name, K - 1), *[(other, K) for other in nested_in(name)]]
        words = {code: word for word, code in shapes.WORDS.items()}
        for other, count in smaller:
            lower = cells.get((words.get(other, other), count))
            if lower is not None:
                fallen = lower.log_likelihood - result.log_likelihood
                assert fallen <= 1e-9, (name, K, other, count)
        raised += result.log_likelihood > alone[name, K]
    assert raised > 0


@pytest.mark.heavy
def test_no_larger_model_is_below_a_smaller_one_where_rows_are_tied():
    # the penalty keeps EM from where the smaller one is
    X = np.random.default_rng(0).integers(0, [5, 4], (120, 2))
    cells = cells_of(X, range(1, 6), ["tied", "full"])
    for name in ("tied", "full"):
        found = [c.result.log_likelihood for c in cells if c.covariance_type == name and c.result]
        assert len(found) == 5
        assert np.all(np.diff(found) >= -1e-9)


@pytest.mark.heavy
def test_icl_is_never_below_bic():
    data = table("iris")
    cells = some(cells_of_faithful, lambda: cells_of(data, range(1, 5), SOME))()
    cells = [*cells, *cells_of(data, [1], ["tied"])]
    assert len(cells) > 2 * len(SOME)
    for cell in cells:
        assert cell.result.icl >= cell.result.bic - 1e-9


@pytest.mark.heavy
def test_of_large_data_the_best_is_followed_and_the_others_are_near():
    rng = np.random.default_rng(1)
    X, _ = two_clusters(rng, (9_000, 6_000), n_features=3, distance=4.0)
    X @= rng.standard_normal((3, 3))
    cells = cells_of(X, [1, 2, 3], WORDS)
    assert (best(cells, "bic").n_components, best(cells, "bic").covariance_type) == (2, "tied")
    for cell in cells:
        alone = fitted(X, cell.n_components, covariance_type=cell.covariance_type)
        short = alone.log_likelihood - cell.result.log_likelihood
        assert short <= 1e-3 * len(X)
        if cell is best(cells, "bic"):
            assert short == pytest.approx(0, abs=0.01)
    for name in WORDS:
        found = [c.result.log_likelihood for c in cells if c.covariance_type == name]
        assert np.all(np.diff(found) >= -1e-6)


def test_a_cell_that_came_below_a_smaller_one_later_is_fitted_from_it():
    # the spheres are followed to convergence, and come above what the diagonal ones were
    rng = np.random.default_rng(18)
    X = rng.normal(size=(12_000, 6))
    X += 1.1 * rng.normal(size=(7, 6))[rng.integers(0, 7, len(X))]
    cells = cells_of(X, [3, 4, 5], ["EII", "spherical", "diag"])
    found = {(cell.covariance_type, cell.n_components): cell.result for cell in cells}
    assert found["diag", 5].log_likelihood > found["spherical", 5].log_likelihood + 0.01 * len(X)
    assert all(result.n_iter > 0 for result in found.values())
    # and it is followed itself, since it is the best by then
    chosen = best(cells, "aic")
    assert chosen.covariance_type == "diag"
    assert chosen.result.converged
    again = fitted(X, 5, covariance_type="diag", start=chosen.result.model)
    assert again.log_likelihood == pytest.approx(chosen.result.log_likelihood, abs=0.1)


@pytest.mark.heavy
def test_of_large_data_tight_clusters_that_overlap_are_told_apart():
    # readings about two far places: shortcuts in precision show here first
    rng = np.random.default_rng(0)
    place, side = rng.choice([-1.0, 1.0], (2, 20_000))
    X = rng.normal(place[:, None], 0.01, (20_000, 2))
    X[:, 0] += 0.013 * side
    cells = cells_of(X, [2, 3, 4], WORDS)
    chosen = best(cells, "bic")
    assert (chosen.n_components, chosen.covariance_type) == (4, "tied")
    for cell in cells:
        name, K = cell.covariance_type, cell.n_components
        other = ScikitMixture(K, covariance_type=name, reg_covar=0, random_state=0).fit(X)
        # those that cannot be the best are not followed to their ends
        assert cell.result.mean_log_likelihood >= other.score(X) - 1e-3


@pytest.mark.parametrize("weight", [1.0, 1e-36])
def test_of_large_data_zeros_and_ones_are_fitted(weight):
    X = (np.random.default_rng(0).random((12_000, 4)) < 0.4) * 1.0
    fitting = Fitting(rows(X, np.full(len(X), weight)))
    cells = grid(fitting, [1, 2], covariance_types=["tied", "diag"], options=FitOptions())
    for cell in cells:
        model = cell.result.model
        assert model.n_components == cell.n_components
        parts = zip(model.weights, model.means, model.covariance.full(), strict=True)
        density = sum(w * multivariate_normal(mean, matrix).pdf(X) for w, mean, matrix in parts)
        expected = float(np.log(density).mean())
        assert cell.result.mean_log_likelihood == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("weight", [None, 0.5])
def test_of_large_data_one_that_was_behind_may_become_the_best(monkeypatch, weight):
    monkeypatch.setattr("gmmcli.mixture.grid.REACH", 1.0)
    X, _ = two_clusters(np.random.default_rng(12), (9_000, 6_000), distance=4.0)
    poor = (X[:, 0] > np.quantile(X[:, 0], 0.97)).astype(int)
    weights = None if weight is None else np.full(len(X), weight)
    fits = {
        1: fitted(X, 1, weights=weights),
        2: fitted(X, 2, weights=weights, start=poor, max_iter=0),
    }
    assert fits[2].bic > fits[1].bic
    cells = _Grid(Fitting(rows(X, weights)), {"full": "VVV"}, FitOptions(rough=True))
    cells.done = {("full", K): Cell(K, "full", result) for K, result in fits.items()}
    cells.follow("bic", FitOptions())
    found = cells.done["full", 2].result
    alone = fitted(X, 2, weights=weights)
    assert found.log_likelihood == pytest.approx(alone.log_likelihood, abs=0.01)


@pytest.mark.heavy
def test_of_large_data_those_that_cannot_become_the_best_are_not_followed_for_long(monkeypatch):
    # of a million rows models with too many components are within reach by nats a row
    monkeypatch.setattr("gmmcli.mixture.grid.REACH", 1e-2)
    X, _ = two_clusters(np.random.default_rng(13), (9_000, 6_000), distance=4.0)
    two, four = cells_of(X, [2, 4], ["full"])
    assert best([two, four], "bic") is two
    assert four.result.bic - two.result.bic < 2e-2 * len(X)
    alone = fitted(X, 4)
    assert four.result.n_iter < 50 < alone.n_iter / 2
    assert 0 <= alone.log_likelihood - four.result.log_likelihood < 1e-3 * len(X)


@pytest.mark.heavy
def test_a_rare_cluster_is_found_in_a_grid_of_large_data_too():
    X, _ = two_clusters(np.random.default_rng(9), (29_980, 20), distance=9)
    X = X[np.random.default_rng(10).permutation(len(X))]
    _, two = cells_of(X, [1, 2], ["full"])
    assert two.result.model.weights.min() == pytest.approx(20 / len(X), rel=0.1)
    assert two.result.log_likelihood == pytest.approx(fitted(X, 2).log_likelihood, abs=0.1)


def test_a_candidate_that_collapses_on_its_last_steps_ends_no_grid(monkeypatch):
    X, _ = two_clusters(np.random.default_rng(2), (7_000, 5_000), distance=6.0)
    searched = Fitting.fit

    def collapses_at_last(self, n_components, options, start=None, **more):
        if not options.rough:
            raise FitError("every component collapsed")
        return searched(self, n_components, options, start, **more)

    monkeypatch.setattr(Fitting, "fit", collapses_at_last)
    cells = cells_of(X, [1, 2], ["diag"])
    assert [cell.reason for cell in cells] == ["", ""]
    assert best(cells, "bic").n_components == 2


@pytest.mark.heavy
def test_a_start_that_collapses_ends_no_grid():
    X = table("iris")[:4]
    cells = cells_of(X, range(1, 5), list(MEANINGS), reg_covar=0)
    assert len(cells) == 4 * 14
    assert all(cell.result is not None or cell.reason for cell in cells)


def test_cells_are_told_when_they_are_done_and_given_in_order():
    X, _ = two_clusters(np.random.default_rng(0), (60, 60))
    told = []
    fitting, options = Fitting(rows(X)), FitOptions(init="kmeans")
    cells = grid(
        fitting, [2, 1], covariance_types=["full", "VII"], options=options, tell=told.append
    )
    assert [(c.covariance_type, c.n_components) for c in cells] == [
        ("full", 2),
        ("full", 1),
        ("VII", 2),
        ("VII", 1),
    ]
    # the smaller ones first, from which the larger may be started
    assert [(c.covariance_type, c.n_components) for c in told] == [
        ("VII", 1),
        ("full", 1),
        ("VII", 2),
        ("full", 2),
    ]


def test_a_cell_that_cannot_be_fitted_does_not_stop_the_rest():
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]).repeat(5, axis=0)
    cells = cells_of(X, [2, 4, 3], ["full", "diag"])
    assert [cell.result is None for cell in cells] == [False, True, False] * 2
    assert all("3 distinct" in cell.reason for cell in cells if cell.result is None)
    assert best(cells, "bic").result is not None


@pytest.mark.heavy(cases=6)
@pytest.mark.parametrize("name", MEANINGS)
def test_a_structure_that_cannot_be_fitted_says_why(name):
    # few rows for so many columns, and no penalty
    reasons = []
    cases = (((4, 3), 2), ((6, 4), 3), ((8, 5), 3))
    for shape, K in some(cases[:2], cases):
        X = np.random.default_rng(0).standard_normal(shape)
        (cell,) = cells_of(X, [K], [name], reg_covar=0)
        assert (cell.result is None) == ("collapsed" in cell.reason)
        reasons.append(cell.reason)
    if name[2] == "V":
        assert all(reasons), "own directions need more rows"
    if name in {"EII", "EEI"}:
        assert not any(reasons)


def test_names_for_one_column_are_refused_before_any_fit():
    X, _ = two_clusters(np.random.default_rng(0), (60, 60))
    with pytest.raises(FitError, match="one column"):
        cells_of(X, [1], ["full", "V"])
    cells = cells_of(X[:, :1], [2], ["V", "full", "E"])
    assert cells[0].result.log_likelihood == pytest.approx(cells[1].result.log_likelihood)
    assert cells[2].result.n_parameters == 4


def of_all_who_may_fit(X, names, monkeypatch, threads):
    """A grid fitted by so many processes: its cells, what was told, and how many were made."""
    monkeypatch.setattr("gmmcli.execution.WORTH", 0.0)
    monkeypatch.setattr("gmmcli.execution.SHORT", 0.0)
    monkeypatch.setattr("gmmcli.execution.FIRST_ITEMS", 1)
    made, fork = [], processes._fork
    monkeypatch.setattr(processes, "_fork", lambda: made.append(None) or fork())
    for n_threads in threads:
        made.clear()
        told = []
        with executor(n_threads) as workers:
            cells = grid(
                Fitting(rows(X), workers=workers),
                (1, 2, 3),
                covariance_types=names,
                options=FitOptions(),
                tell=lambda cell, told=told: told.append((cell.n_components, cell.covariance_type)),
            )
        found = [
            (
                cell.covariance_type,
                cell.n_components,
                cell.result.log_likelihood,
                cell.result.n_iter,
                cell.result.n_passes,
            )
            for cell in cells
        ]
        yield found, told, len(made)


@pytest.mark.heavy
def test_a_grid_of_few_rows_is_the_same_whoever_fits_its_cells(monkeypatch):
    names = ("full", "VEI", "tied")
    (alone, told, none), (shared, told_too, made) = of_all_who_may_fit(
        table("faithful"), names, monkeypatch, (1, 2)
    )
    assert shared == alone
    assert (none, made) == (0, 1)
    # few components first, whoever was ready first
    assert told == told_too == sorted(told, key=lambda key: key[0])


@pytest.mark.heavy
@pytest.mark.parametrize("distance", [1.0, 3.0])
def test_a_grid_of_large_data_is_the_same_whether_cells_are_shared_or_rows(distance, monkeypatch):
    X, _ = two_clusters(np.random.default_rng(3), (7_000, 5_000), n_features=2, distance=distance)
    names = ("full", "diag", "tied", "spherical")
    # two processes share cells, five have to share rows
    runs = list(of_all_who_may_fit(X, names, monkeypatch, (1, 2, 5)))
    (alone, told, none), (shared, told_too, made), (by_rows, told_last, more) = runs
    assert shared == by_rows == alone
    assert (none, made >= 1, more >= 4) == (0, True, True)
    assert told == told_too == told_last == sorted(told, key=lambda key: key[0])
