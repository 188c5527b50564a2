"""How many components: the grid, the criteria, and the seeds of the project."""

import os

import numpy as np
import pytest
from mixture.problems import NAMES, fitted, mistakes, rows, table, two_clusters
from sklearn.datasets import make_blobs, make_classification
from sklearn.mixture import GaussianMixture as ScikitMixture
from sklearn.utils import check_random_state

from gmmcli.errors import FitError
from gmmcli.mixture.fitting import FitOptions
from gmmcli.mixture.selection import CRITERIA, Cell, best, grid

THOROUGH = "GMMCLI_TEST_SEEDS" in os.environ


def cells_of(X, counts, names, **options):
    return list(grid(rows(X), counts, covariance_types=names, options=FitOptions(**options)))


def test_the_grid_is_every_cell_once_in_order():
    X, _ = two_clusters(np.random.default_rng(0), (60, 60))
    cells = cells_of(X, [1, 3, 2], ["diag", "full"])
    found = [(cell.covariance_type, cell.n_components) for cell in cells]
    assert found == [(n, K) for n in ("diag", "full") for K in (1, 3, 2)]
    for cell in cells:
        assert cell.reason == ""
        assert cell.result.model.n_components == cell.n_components
        assert cell.result.model.covariance.name == cell.covariance_type


def test_a_cell_is_what_fit_gives_alone():
    X = table("faithful")
    for cell in cells_of(X, [2, 4], NAMES, max_iter=50):
        alone = fitted(X, cell.n_components, covariance_type=cell.covariance_type, max_iter=50)
        assert np.array_equal(cell.result.model.means, alone.model.means)
        assert cell.result.bic == alone.bic


def test_a_cell_that_cannot_be_fitted_does_not_stop_the_rest():
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]).repeat(5, axis=0)
    cells = cells_of(X, [2, 4, 3], ["full", "diag"])
    assert [cell.result is None for cell in cells] == [False, True, False] * 2
    assert all("3 distinct" in cell.reason for cell in cells if cell.result is None)
    assert best(cells, "bic").result is not None


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


@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_best_is_the_lowest(criterion):
    cells = cells_of(table("faithful"), range(1, 5), ["full", "tied"])
    values = [CRITERIA[criterion](cell.result) for cell in cells]
    assert best(cells, criterion) is cells[int(np.argmin(values))]
    assert set(CRITERIA) == {"bic", "aic", "icl"}


def test_criteria_have_the_sign_of_scikit_learn():
    X = table("faithful")
    theirs = ScikitMixture(1).fit(X)
    ours = fitted(X, 1, reg_covar=0)
    assert ours.bic == pytest.approx(theirs.bic(X), rel=1e-6)
    assert ours.aic == pytest.approx(theirs.aic(X), rel=1e-6)


def test_icl_is_never_below_bic():
    for cell in cells_of(table("iris"), range(1, 5), NAMES):
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
    counts = range(1, 10) if THOROUGH else (4, 5, 6)
    cells = cells_of(X, counts, ["full"])
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
    counts = range(1, 11) if THOROUGH else range(2, 7)
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
    ours = {K: fitted(X, K, n_init=10 if THOROUGH else 3, reg_covar=0) for K in (3, 4, 5)}
    for K, result in ours.items():
        assert result.log_likelihood >= theirs[K].score(X) * len(X) - 0.01
    chosen = min(ours, key=lambda K: ours[K].aic)
    if chosen != 4:
        # a higher likelihood at that K, which scikit-learn did not find, moves AIC
        gain = ours[chosen].log_likelihood - theirs[chosen].score(X) * len(X)
        assert 2 * gain > aic[chosen] - aic[4] - 1e-6
