"""Input at the edge: a clear word or a sound result, never a traceback, never a NaN."""

import numpy as np
import pytest
from effort import in_turn, some, starts_of
from mixture.problems import NAMES, ONE_SCALE, fitted, mistakes, two_clusters

from gmmcli.errors import FitError
from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.fitting import FitOptions
from gmmcli.mixture.model import GaussianMixture

every_structure = pytest.mark.parametrize("name", NAMES)
every_strength = pytest.mark.parametrize("reg_covar", [None, 0.0])
THREE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


def sound(result, X, n_components=None):
    """Assert that nothing in a result is NaN, and that a missing component was spoken of."""
    model = result.model
    for values in (model.weights, model.means, model.covariance.full()):
        assert np.isfinite(values).all()
    for value in (result.log_likelihood, result.bic, result.aic, result.icl):
        assert np.isfinite(value)
    assert model.weights.sum() == pytest.approx(1, rel=1e-12)
    assert np.all(model.weights > 0)
    assert np.isfinite(model.covariance.factors).all()
    posterior = model.posterior(np.asarray(X, dtype=np.float64))
    for values in posterior:
        assert np.isfinite(values).all()
    if n_components is not None and model.n_components != n_components:
        assert model.n_components < n_components
        assert result.notes, "components were lost without a word"
    return result


def sound_or_refused(X, K, **options):
    """A sound result, or a FitError in words."""
    try:
        result = fitted(X, K, **options)
    except FitError as error:
        refusal = error
    else:
        return sound(result, X, K)
    assert refusal.message
    # what the engine itself calls a defect is not the fault of the data
    assert "defect" not in refusal.advice
    return None


@every_structure
@every_strength
def test_one_row(name, reg_covar):
    result = sound_or_refused([[1.0, 2.0]], 1, covariance_type=name, reg_covar=reg_covar)
    if result is not None:
        assert result.model.means.tolist() == [[1.0, 2.0]]
    with pytest.raises(FitError, match="only 1 distinct"):
        fitted([[1.0, 2.0]], 2, covariance_type=name, reg_covar=reg_covar)


@in_turn(NAMES, reg_covar=[None, 0.0], shape=[(2, 3), (4, 9), (8, 20)], K=[1, 2])
def test_fewer_rows_than_columns(name, reg_covar, K, shape):
    X = np.random.default_rng(0).standard_normal(shape)
    result = sound_or_refused(X, K, covariance_type=name, reg_covar=reg_covar)
    # the default penalty is there so that this is no error
    assert result is not None or reg_covar == 0


@in_turn(NAMES, repeats=[1, 10, 7000])
def test_more_components_than_distinct_rows(name, repeats):
    X = np.repeat(THREE, repeats, axis=0)
    with pytest.raises(FitError, match="only 3 distinct") as caught:
        fitted(X, 5, covariance_type=name)
    assert "3" in caught.value.advice
    result = sound(fitted(X, 3, covariance_type=name), X, 3)
    assert mistakes(result.model.posterior(X).labels, np.repeat([0, 1, 2], repeats)) == 0


@every_structure
@pytest.mark.parametrize("weight", [0.1, 1.0, 10.0, 1e5])
def test_more_components_than_distinct_weighted_rows(name, weight):
    with pytest.raises(FitError, match="only 3 distinct"):
        fitted(THREE, 5, covariance_type=name, weights=np.full(3, weight))
    with pytest.raises(FitError, match="only 2 distinct"):
        fitted(THREE, 3, covariance_type=name, weights=np.array([weight, 0, weight]))


@every_structure
@every_strength
def test_all_rows_equal(name, reg_covar):
    X = np.full((50, 2), 3.25)
    result = sound_or_refused(X, 1, covariance_type=name, reg_covar=reg_covar)
    if result is not None:
        assert np.all(result.model.means == 3.25)
    with pytest.raises(FitError, match="only 1 distinct"):
        fitted(X, 2, covariance_type=name, reg_covar=reg_covar)


@pytest.mark.heavy(cases=6)
@in_turn(NAMES, reg_covar=[None, 0.0], K=[2, 3])
def test_a_spike_of_equal_values(name, reg_covar, K):
    rng = np.random.default_rng(1)
    X = np.concatenate([np.zeros((300, 2)), rng.standard_normal((300, 2)) + 3])
    options = {"covariance_type": name, "reg_covar": reg_covar, **starts_of(name)}
    result = sound_or_refused(X, K, **options)
    # a shape that all share is that of the spike, and collapses with it
    assert result is not None or (reg_covar == 0 and name in {"VEI", "VEE", "VEV"})
    if reg_covar is None and STRUCTURES[name].code[0] == "V" and K == 2:
        assert mistakes(result.model.posterior(X).labels, np.repeat([0, 1], 300)) == 0
        assert not result.notes


@every_structure
def test_a_spike_in_one_column_only(name):
    # a half of a column is 0, as in rainfall or income
    rng = np.random.default_rng(2)
    X = rng.standard_normal((400, 2))
    X[:200, 1] = 0
    X[200:, 1] += 6
    result = sound(fitted(X, 2, covariance_type=name, **starts_of(name)), X, 2)
    assert mistakes(result.model.posterior(X).labels, np.repeat([0, 1], 200)) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_component_that_is_out_of_reach_of_all_of_many_rows_is_placed_anew(name):
    rng = np.random.default_rng(14)
    X = rng.standard_normal((10_500, 2)) + np.repeat([[0, 0], [15, 0], [30, 0]], 3_500, axis=0)
    means = [[0, 0], [15, 0], [30, 0], [15, 18]]
    structure = STRUCTURES[name]
    covariance = structure(np.stack([structure.form.of_matrix(np.eye(2))] * 4))
    start = GaussianMixture(np.array([0.32, 0.32, 0.32, 0.04]), np.array(means, float), covariance)
    result = fitted(X, 4, covariance_type=name, reg_covar=0.0, start=start, max_iter=20)
    assert result.model.n_components == 4
    assert any("placed anew" in note for note in result.notes)
    assert result.model.weights.min() > 1e-4


@pytest.mark.heavy(cases=3)
@in_turn(NAMES, reg_covar=[None, 0.0])
def test_a_few_rows_beside_a_great_heap_of_equal_ones(name, reg_covar):
    # more than the starts are tried on
    X = np.zeros((some(12_000, 21_000), 2))
    X[5], X[7], X[9] = [1, 0], [0, 1], [2, 2]
    result = sound_or_refused(X, 4, covariance_type=name, reg_covar=reg_covar)
    if result is None:
        assert reg_covar == 0
    else:
        # one component, or several that are the same
        on_the_heap = np.abs(result.model.means).max(axis=1) < 0.01
        assert result.model.weights[on_the_heap].sum() > 0.999


@in_turn(NAMES, reg_covar=[None, 0.0])
def test_every_row_twice(name, reg_covar):
    X, truth = two_clusters(np.random.default_rng(3))
    X, truth = np.repeat(X, 2, axis=0), np.repeat(truth, 2)
    options = {"covariance_type": name, "reg_covar": reg_covar, **starts_of(name)}
    result = sound(fitted(X, 2, **options), X, 2)
    assert mistakes(result.model.posterior(X).labels, truth) == 0


@in_turn(NAMES, K=[2, 1], reg_covar=[None, 0.0])
def test_a_constant_column(name, reg_covar, K):
    X, truth = two_clusters(np.random.default_rng(4))
    X = np.c_[X, np.full(len(X), 5.0)]
    result = sound(fitted(X, K, covariance_type=name, reg_covar=reg_covar), X, K)
    np.testing.assert_allclose(result.model.means[:, 2], 5.0, rtol=1e-12)
    if K == 2:
        assert mistakes(result.model.posterior(X).labels, truth) <= 1


@pytest.mark.heavy(cases=5)
@in_turn(NAMES, each=2, reg_covar=[None, 0.0], K=[1, 2, 3], unit=[1.0, 1e4])
def test_collinear_columns(name, reg_covar, K, unit):
    rng = np.random.default_rng(5)
    truth = rng.integers(K, size=600)
    X = rng.standard_normal((600, 2)) + np.array([[0, 0], [9, 0], [0, 9]])[truth]
    collinear = np.c_[X, X @ [1.0, 2.0] * (1 if name in ONE_SCALE else unit)]
    options = {"covariance_type": name, "reg_covar": reg_covar}
    result = sound(fitted(collinear, K, **options), collinear, K)
    assert result.converged
    assert not result.notes
    assert mistakes(result.model.posterior(collinear).labels, truth) == 0
    if name in {"full", "tied"}:
        # what is known of the two columns is what a fit of them alone says
        alone = fitted(X, K, **options)
        np.testing.assert_allclose(result.model.weights, alone.model.weights, atol=1e-4)
        np.testing.assert_allclose(result.model.means[:, :2], alone.model.means, atol=1e-3)
        np.testing.assert_allclose(
            result.model.covariance.full()[:, :2, :2],
            alone.model.covariance.full(),
            atol=2e-3,
        )
        # and the third follows from them
        third = result.model.means[:, :2] @ [unit, 2 * unit]
        np.testing.assert_allclose(result.model.means[:, 2], third, atol=1e-4 * unit)


@pytest.mark.heavy
@in_turn(["full", "tied"], each=4, K=[1, 3], noise=[1e-3, 1e-4, 1e-5, 1e-8])
def test_nearly_collinear_columns(name, noise, K):
    rng = np.random.default_rng(6)
    X, _ = two_clusters(rng)
    X = np.c_[X, X.sum(axis=1) + noise * rng.standard_normal(len(X))]
    for reg_covar in (None, 0.0):
        result = sound(fitted(X, K, covariance_type=name, reg_covar=reg_covar), X, K)
        assert result.model.n_components == K


def test_duplicated_columns_with_a_far_outlier():
    rng = np.random.default_rng(7)
    X = rng.standard_normal((20_000, 2))
    X[0] = 1e5
    X = np.c_[X, X[:, 0]]
    for K in (1, 2):
        assert sound(fitted(X, K), X, K).model.n_components == K


@every_structure
@pytest.mark.parametrize("size", [1e300, 1e200, 1.7e308])
def test_huge_values_are_refused_in_words(name, size):
    X = np.random.default_rng(8).standard_normal((100, 2))
    X[0, 1], X[1, 1] = size, -size
    with pytest.raises(FitError, match="column 2"):
        fitted(X, 2, covariance_type=name)


@pytest.mark.heavy(cases=5)
@in_turn(NAMES, reg_covar=[None, 0.0], far=[1e3, 1e6, 1e9, 1e12, 1e100])
def test_one_far_outlier(name, reg_covar, far):
    X, truth = two_clusters(np.random.default_rng(9), (200, 200))
    X = np.concatenate([X, [[far, far]]])
    options = {"covariance_type": name, "reg_covar": reg_covar, "max_iter": 300}
    if far > 1e20:
        # beside such a number all others are one, to the last bit
        with pytest.raises(FitError, match="only 2 distinct"):
            fitted(X, 3, **options)
        return
    result = sound_or_refused(X, 3, **options)
    if result is None:
        assert reg_covar == 0
        return
    labels = result.model.posterior(X).labels
    if far <= 1e3 and STRUCTURES[name].code[0] == "V" and reg_covar is None:
        assert mistakes(labels, np.append(truth, 2)) <= 2


@in_turn(NAMES, size=[1e-300, 1e-10, 1e10, 1e300])
def test_weights_of_any_size_give_no_nan(name, size):
    X, truth = two_clusters(np.random.default_rng(10))
    weights = size * np.random.default_rng(11).uniform(0.5, 1, len(X))
    result = sound(fitted(X, 2, covariance_type=name, weights=weights), X, 2)
    assert result.model.n_components == 2
    if size > 1:
        assert mistakes(result.model.posterior(X).labels, truth) <= 2


@pytest.mark.heavy(cases=6)
@every_structure
def test_one_row_heavier_than_all_others(name):
    X, _ = two_clusters(np.random.default_rng(12))
    weights = np.ones(len(X))
    weights[3] = 1e15
    result = sound(fitted(X, 2, covariance_type=name, weights=weights), X, 2)
    assert result.model.means[0] == pytest.approx(X[3], abs=1e-9)


@pytest.mark.heavy(cases=1)
@in_turn(NAMES, reg_covar=[None, 0.0], K=[2, 4, 6])
def test_small_integers_as_data(name, reg_covar, K):
    # many ties, and fewer distinct rows in a cluster than columns
    X = np.random.default_rng(13).integers(0, 3, (3, 80, 3))[K // 2 - 1]
    result = sound_or_refused(X, K, covariance_type=name, reg_covar=reg_covar)
    # without a penalty a cluster of equal rows is a spike, and is given up
    assert reg_covar == 0 or result.model.n_components == K


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (np.zeros(10, dtype=np.int64), "labels|rows"),
        (np.full(600, 7), "labels"),
        (np.repeat([-1, 1], 300), "label"),
    ],
    ids=["too few", "too many kinds", "negative"],
)
def test_bad_start_labels_are_refused_in_words(start, words):
    X, _ = two_clusters(np.random.default_rng(14))
    with pytest.raises(FitError, match=words):
        fitted(X, 2, start=start)


def test_a_start_label_that_is_not_used():
    X, truth = two_clusters(np.random.default_rng(15))
    with pytest.raises(FitError, match="has the labels 0, 2, not 0 to 2"):
        fitted(X, 3, start=2 * truth)


def test_start_labels_belong_to_rows_whatever_their_weights():
    X, truth = two_clusters(np.random.default_rng(16), distance=3.0)
    weights = np.ones(len(X))
    weights[::3] = 0
    kept = weights > 0
    absent = fitted(X[kept], 2, start=truth[kept], max_iter=0, reg_covar=0)
    try:
        given = fitted(X, 2, start=truth, weights=weights, max_iter=0, reg_covar=0)
    except FitError:
        # to ask for labels of the rows that count is an answer; to misplace them is none
        return
    assert given.log_likelihood == pytest.approx(absent.log_likelihood, rel=1e-12)


def test_options_out_of_range_are_refused():
    for bad in (
        {"covariance_type": "round"},
        {"init": "best"},
        {"converge_on": "never"},
        {"n_init": 0},
        {"max_iter": -1},
        {"seed": -1},
        {"tol": -1e-3},
        {"tol": np.inf},
        {"tol": np.nan},
        {"reg_covar": -1.0},
        {"reg_covar": np.nan},
    ):
        with pytest.raises(ValueError, match=r".+"):
            FitOptions(**bad)
    with pytest.raises(FitError):
        fitted(THREE, 0)
