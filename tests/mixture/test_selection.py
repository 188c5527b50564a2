"""How many components: the criteria, and the seeds of the project."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from effort import some
from mixture.problems import NAMES, cells_of, fitted, mistakes, rows, table, two_clusters
from scipy.stats import entropy as scipy_entropy
from scipy.stats import multivariate_normal
from sklearn.datasets import make_blobs, make_classification
from sklearn.mixture import GaussianMixture as ScikitMixture
from sklearn.utils import check_random_state

from gmmcli.errors import FitError
from gmmcli.mixture.fitting import FitOptions, Fitting
from gmmcli.mixture.selection import CRITERIA, Cell, best, on_edge
from gmmcli.mixture.synthesis import Recipe, generate


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


@pytest.mark.heavy
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


@pytest.mark.heavy(cases=3)
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


@pytest.mark.heavy
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


@pytest.mark.heavy
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


@pytest.mark.heavy
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
