"""How many components: the grid, the criteria, and the seeds of the project."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from effort import some
from mixture.problems import NAMES, WORDS, fitted, mistakes, rows, table, two_clusters
from scipy.stats import entropy as scipy_entropy
from scipy.stats import multivariate_normal
from sklearn.datasets import make_blobs, make_classification
from sklearn.mixture import GaussianMixture as ScikitMixture
from sklearn.utils import check_random_state

from gmmcli import processes
from gmmcli.errors import FitError
from gmmcli.execution import executor
from gmmcli.mixture import shapes
from gmmcli.mixture.fitting import FitOptions, Fitting
from gmmcli.mixture.grid import _Grid, grid
from gmmcli.mixture.neighbours import _led, raised, thinned
from gmmcli.mixture.partition import joined
from gmmcli.mixture.selection import CRITERIA, Cell, best, on_edge
from gmmcli.mixture.shapes import MEANINGS, nested_in
from gmmcli.mixture.synthesis import Recipe, generate

SOME = some((*WORDS, "VEI", "EVE", "VEV"), tuple(MEANINGS))
STEPS = some(20, 50)


def cells_of(X, counts, names, **options):
    chosen = FitOptions(**options)
    return grid(Fitting(rows(X)), counts, covariance_types=names, options=chosen)


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


def test_no_larger_model_is_below_a_smaller_one_where_rows_are_tied():
    # the penalty keeps EM from where the smaller one is
    X = np.random.default_rng(0).integers(0, [5, 4], (120, 2))
    cells = cells_of(X, range(1, 6), ["tied", "full"])
    for name in ("tied", "full"):
        found = [c.result.log_likelihood for c in cells if c.covariance_type == name and c.result]
        assert len(found) == 5
        assert np.all(np.diff(found) >= -1e-9)


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


def test_where_clusters_stand_apart_no_cell_is_tried_again(monkeypatch):
    X, _ = two_clusters(np.random.default_rng(14), (9_000, 6_000), distance=9.0)
    expected = [cell.result.log_likelihood for cell in cells_of(X, [2, 3], WORDS)]
    monkeypatch.delattr("gmmcli.mixture.grid.thinned")
    assert [cell.result.log_likelihood for cell in cells_of(X, [2, 3], WORDS)] == expected


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


def test_no_fitted_cell_is_an_error():
    for cells in ([], [Cell(3, "full", None, "too few rows")]):
        with pytest.raises(FitError, match="no model") as caught:
            best(cells, "bic")
        assert caught.value.advice


def test_of_equal_cells_the_first_is_the_best():
    result = fitted(two_clusters(np.random.default_rng(1), (50, 50))[0], 1)
    cells = [Cell(1, "full", result), Cell(1, "tied", result)]
    for criterion in CRITERIA:
        assert best(cells, criterion) is cells[0]
        assert best(cells[::-1], criterion) is cells[1]


@cache
def two_structures_of_faithful():
    return cells_of(table("faithful"), range(1, 5), ["full", "tied"])


@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_best_is_the_lowest(criterion):
    cells = two_structures_of_faithful()
    assert len(cells) == 8
    values = [CRITERIA[criterion](cell.result) for cell in cells]
    assert best(cells, criterion) is cells[int(np.argmin(values))]
    assert set(CRITERIA) == {"bic", "aic", "aicc", "icl", "sabic", "entropy"}


def test_criteria_have_the_sign_of_scikit_learn():
    X = table("faithful")
    theirs = ScikitMixture(1).fit(X)
    ours = fitted(X, 1, reg_covar=0)
    assert ours.bic == pytest.approx(theirs.bic(X), rel=1e-6)
    assert ours.aic == pytest.approx(theirs.aic(X), rel=1e-6)


def scikit_copy(model):
    """The same mixture as scikit-learn's."""
    theirs = ScikitMixture(model.n_components, covariance_type="full")
    theirs.weights_, theirs.means_ = model.weights, model.means
    covariances = model.covariance.full()
    theirs.precisions_cholesky_ = np.linalg.inv(np.linalg.cholesky(covariances)).swapaxes(1, 2)
    return theirs


@pytest.mark.parametrize("K", [1, 2, 5])
@pytest.mark.parametrize("weighted", [False, True])
def test_each_criterion_is_its_formula_on_what_scikit_learn_computes(K, weighted):
    X = table("faithful")
    counts = np.arange(len(X)) % 3 + 1 if weighted else np.ones(len(X), dtype=int)
    ours = fitted(X, K, weights=counts.astype(float))
    X = np.repeat(X, counts, axis=0)
    theirs, n, p = scikit_copy(ours.model), len(X), ours.n_parameters
    assert p == theirs._n_parameters()
    log_likelihood = theirs.score(X) * n
    aic, bic = theirs.aic(X), theirs.bic(X)
    entropy = scipy_entropy(theirs.predict_proba(X), axis=1).sum()
    one = multivariate_normal(X.mean(axis=0), np.cov(X.T, bias=True)).logpdf(X).sum()
    expected = {
        "bic": bic,
        "aic": aic,
        "aicc": aic + 2 * p * (p + 1) / (n - p - 1),
        "icl": bic - 2 * np.log(theirs.predict_proba(X).max(axis=1)).sum(),
        "sabic": bic - p * np.log(n) + p * np.log((n + 2) / 24),
        "entropy": 1.0 if K == 1 else entropy / (log_likelihood - one),
    }
    for name, value in expected.items():
        assert CRITERIA[name](ours) == pytest.approx(value, rel=1e-9), name
    assert ours.classification_entropy == pytest.approx(entropy, abs=1e-8)
    assert ours.log_likelihood_of_one == pytest.approx(one, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("data", ["iris", "galaxies"])
def test_one_gaussian_is_what_a_fit_of_one_component_finds(name, data):
    X = table(data)
    one = fitted(X, 1, covariance_type=name)
    more = fitted(X, 3, covariance_type=name, init="kmeans", max_iter=5)
    assert more.log_likelihood_of_one == pytest.approx(one.log_likelihood, rel=1e-12)
    assert one.classification_entropy == pytest.approx(0, abs=1e-10)
    assert one.entropy == 1


def test_a_criterion_that_is_not_defined_is_infinite_and_never_the_best():
    X = np.random.default_rng(0).standard_normal((12, 2))
    one, two = cells_of(X, [1, 2], ["full"])
    # 11 parameters: one more row would do
    assert two.result.aicc == math.inf
    assert fitted(np.vstack([X, [[0.0, 1.0]]]), 2, reg_covar=1).aicc < math.inf
    assert best([two, one], "aicc") is one
    with pytest.raises(FitError, match="aicc is not defined"):
        best([two], "aicc")
    worse = replace(two.result, log_likelihood=two.result.log_likelihood_of_one - 1)
    assert worse.entropy == math.inf


@pytest.mark.parametrize(
    ("chosen", "counts", "expected"),
    [
        (5, range(1, 6), True),
        (1, range(1, 6), False),
        (3, range(1, 6), False),
        (2, range(2, 6), True),
        (4, (4,), False),
        (8, (2, 8, 4), True),
    ],
)
def test_the_edge_of_the_range(chosen, counts, expected):
    assert on_edge(chosen, counts) == expected


def test_icl_is_never_below_bic():
    data = table("iris")
    cells = some(cells_of_faithful, lambda: cells_of(data, range(1, 5), SOME))()
    cells = [*cells, *cells_of(data, [1], ["tied"])]
    assert len(cells) > 2 * len(SOME)
    for cell in cells:
        assert cell.result.icl >= cell.result.bic - 1e-9


def test_five_classes_in_25_columns_are_counted():
    X, truth = make_classification(
        n_samples=5000,
        n_features=25,
        n_informative=5,
        n_redundant=0,
        n_clusters_per_class=1,
        n_classes=5,
        flip_y=0,
        random_state=4,
    )
    # the README has such a table by the whole search, from 1 to 9, which is a test too
    counts, search = some(((4, 5, 6), {"init": "kmeans", "n_init": 3}), (range(1, 10), {}))
    cells = cells_of(X, counts, ["full"], **search)
    chosen = best(cells, "bic")
    assert chosen.n_components == 5
    assert chosen.result.converged
    assert mistakes(chosen.result.model.posterior(X).labels, truth) < 0.2 * len(X)


def stretched():
    """The text's own data: stretched blobs."""
    X, truth = make_blobs(n_samples=1250, n_features=2, centers=4, cluster_std=0.60, random_state=0)
    return X[:, ::-1] @ check_random_state(15).randn(2, 2), truth


def test_stretched_blobs_are_four_by_bic():
    X, truth = stretched()
    counts = some(range(3, 6), range(1, 11))
    cells = cells_of(X, counts, ["full"])
    assert best(cells, "bic").n_components == 4
    assert mistakes(best(cells, "bic").result.model.posterior(X).labels, truth) < 0.1 * len(X)
    four = fitted(X, 4, n_init=10)
    assert four.converged
    assert four.n_iter > 0
    # round clusters are visibly worse
    assert fitted(X, 4, covariance_type="spherical").bic > four.bic + 100


def test_stretched_blobs_are_four_by_aic_unless_a_better_optimum_says_otherwise():
    X, _ = stretched()
    theirs = {K: ScikitMixture(K, n_init=10, random_state=0).fit(X) for K in (3, 4, 5)}
    aic = {K: model.aic(X) for K, model in theirs.items()}
    assert min(aic, key=aic.get) == 4
    ours = {K: fitted(X, K, n_init=some(3, 10), reg_covar=0) for K in (3, 4, 5)}
    for K, result in ours.items():
        assert result.log_likelihood >= theirs[K].score(X) * len(X) - 0.01
    chosen = min(ours, key=lambda K: ours[K].aic)
    if chosen != 4:
        # a higher likelihood at that K, which scikit-learn did not find, moves AIC
        gain = ours[chosen].log_likelihood - theirs[chosen].score(X) * len(X)
        assert 2 * gain > aic[chosen] - aic[4] - 1e-6


def test_entropy_that_is_rounding_is_none_and_bic_decides():
    X, _ = two_clusters(np.random.default_rng(1), (50, 50), distance=40)
    two, three = (fitted(X, K) for K in (2, 3))
    # rounding, and what is not
    apart = [replace(result, classification_entropy=1e-9) for result in (two, three)]
    assert [CRITERIA["entropy"](result) for result in apart] == [0, 0]
    cells = [Cell(result.model.n_components, "full", result) for result in apart[::-1]]
    cells[1] = replace(cells[1], result=replace(two, classification_entropy=2e-9))
    assert best(cells, "entropy") is min(cells, key=lambda cell: cell.result.bic) is cells[1]
    assert CRITERIA["entropy"](replace(two, classification_entropy=1e-5)) > 0
    # one cluster has none, and is no better for it
    assert CRITERIA["entropy"](fitted(X, 1)) == 1


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


def test_a_grid_of_few_rows_is_the_same_whoever_fits_its_cells(monkeypatch):
    names = ("full", "VEI", "tied")
    (alone, told, none), (shared, told_too, made) = of_all_who_may_fit(
        table("faithful"), names, monkeypatch, (1, 2)
    )
    assert shared == alone
    assert (none, made) == (0, 1)
    # few components first, whoever was ready first
    assert told == told_too == sorted(told, key=lambda key: key[0])


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


def test_of_optima_that_a_sample_cannot_tell_apart_the_better_is_taken():
    # five clusters as three spheres: a sample of 2,000 rows prefers others than all rows do
    X, labels = generate("random", 60_000, Recipe(n_features=10, n_components=5, seed=2))
    fitting = Fitting(rows(X))
    options = FitOptions(covariance_type="spherical", rough=True)
    reached = [
        fitting.fit(3, options, np.array(groups)[labels]).log_likelihood
        for groups in ((0, 1, 0, 0, 2), (0, 1, 2, 2, 2), (0, 0, 0, 1, 2))
    ]
    assert fitting.fit(3, options).log_likelihood >= max(reached) - 1e-3
