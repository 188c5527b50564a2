"""`fit`: every option changes what it says it changes."""

import numpy as np
import pytest
from effort import some
from mixture.problems import (
    NAMES,
    ONE_SCALE,
    WORDS,
    fitted,
    mistakes,
    overlapping,
    random_model,
    rows,
    same_model,
    two_clusters,
)

from gmmcli.errors import FitError
from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.fitting import FitOptions, Fitting, fit
from gmmcli.mixture.shapes import nested_in
from gmmcli.mixture.stopping import RULES

every_structure = pytest.mark.parametrize("name", NAMES)


def hard():
    """Data on which EM is slow and has many optima."""
    return overlapping(np.random.default_rng(3), 300)


@pytest.mark.heavy
def test_the_covariance_type_is_that_of_the_model():
    X = hard()
    likelihoods = {}
    # these five take longest
    for name in some([n for n in NAMES if n not in {"VEE", "EVE", "VVE", "EEV", "EVV"}], NAMES):
        result = fitted(X, 3, covariance_type=name)
        assert result.model.covariance.name == name
        likelihoods[result.model.covariance.code] = result.log_likelihood
    # the nested ones can only be lower, where the optimum was found
    for name in WORDS:
        code = STRUCTURES[name].code
        lower = [likelihoods[other] for other in nested_in(code) if other in likelihoods]
        assert lower
        assert all(likelihoods[code] > other for other in lower)


def test_a_name_for_one_column_is_refused_for_more():
    X = hard()
    with pytest.raises(FitError, match="E is for data of one column, and there are 3") as caught:
        fitted(X, 2, covariance_type="E")
    assert "EII" in caught.value.advice
    one = fitted(X[:, :1], 2, covariance_type="E")
    assert one.covariance_type == "E"
    assert one.log_likelihood == fitted(X[:, :1], 2, covariance_type="EII").log_likelihood


def test_a_result_has_the_name_that_was_asked_for():
    for asked, held in (("VVV", "full"), ("full", "full"), ("VEE", "VEE")):
        result = fitted(hard(), 1, covariance_type=asked)
        assert (result.covariance_type, result.model.covariance.name) == (asked, held)


def test_a_smaller_tolerance_takes_longer_and_gets_further():
    X = hard()
    start = np.arange(300) % 4
    loose = fitted(X, 4, start=start, tol=1e-3)
    tight = fitted(X, 4, start=start, tol=1e-10)
    assert (loose.tol, tight.tol) == (1e-3, 1e-10)
    assert loose.n_iter < tight.n_iter
    assert loose.log_likelihood < tight.log_likelihood
    assert fitted(X, 2).tol == RULES["likelihood"][1]


@pytest.mark.parametrize("max_iter", [0, 1, 7])
def test_max_iter_is_not_exceeded_and_not_converging_is_said(max_iter):
    for start in (np.arange(300) % 4, None):
        result = fitted(hard(), 4, start=start, max_iter=max_iter, tol=0)
        assert result.n_iter == max_iter
        assert not result.converged


def test_more_starts_are_no_worse():
    X = hard()
    few, many = (fitted(X, 6, init="random", n_init=n, reg_covar=0.1, seed=1) for n in (1, 20))
    assert (few.n_starts, many.n_starts) == (1, 20)
    assert many.log_likelihood > few.log_likelihood


def test_the_seed_is_recorded_and_decides():
    X = hard()
    results = [fitted(X, 7, init="random", seed=seed, max_iter=30) for seed in (1, 1, 2)]
    assert [r.seed for r in results] == [1, 1, 2]
    assert np.array_equal(results[0].model.means, results[1].model.means)
    assert not np.array_equal(results[0].model.means, results[2].model.means)


def test_the_init_is_recorded_and_decides():
    X = hard()
    results = {init: fitted(X, 7, init=init, max_iter=3) for init in ("kmeans", "hierarchical")}
    assert [results[init].init for init in results] == list(results)
    assert not np.array_equal(*(r.model.means for r in results.values()))
    assert fitted(X, 2, start=np.arange(300) % 2, max_iter=1).init == "given"


def test_a_stronger_penalty_draws_the_covariances_together():
    X = hard()
    spreads = []
    for reg_covar in (0.0, 50.0, 1e6):
        result = fitted(X, 3, reg_covar=reg_covar)
        assert result.reg_covar == reg_covar
        spreads.append(result)
    assert spreads[0].log_likelihood > spreads[1].log_likelihood > spreads[2].log_likelihood
    S = np.cov(X.T, bias=True)
    np.testing.assert_allclose(spreads[2].model.covariance.full(), np.stack([S] * 3), atol=0.01)


def test_the_rule_is_recorded_and_decides():
    X, start = hard(), np.arange(300) % 4
    a = fitted(X, 4, start=start, converge_on="likelihood", tol=1e-3)
    b = fitted(X, 4, start=start, converge_on="parameters", tol=1e-3)
    assert (a.converge_on, b.converge_on) == ("likelihood", "parameters")
    assert a.n_iter != b.n_iter
    assert fitted(X, 2, converge_on="parameters").tol == RULES["parameters"][1]


def test_converging_on_parameters_leaves_them_still():
    X, start = hard(), np.arange(300) % 4
    result = fitted(X, 4, start=start, converge_on="parameters", tol=1e-5, reg_covar=0.5)
    again = fitted(X, 4, start=result.model, max_iter=1, reg_covar=0.5)
    assert result.converged
    same_model(result.model, again.model, rtol=0, atol=1.1e-5)


@every_structure
def test_a_start_in_the_users_units_is_taken_as_it_is(name):
    rng = np.random.default_rng(5)
    X = hard() * [1, 1, 1 if name in ONE_SCALE else 1e4] + [1e3, 0, -5]
    model = random_model(rng, name).transformed(
        np.array([1e3, 0, -5]), np.array([1, 1, 1 if name in ONE_SCALE else 1e4])
    )
    result = fitted(X, 3, start=model, max_iter=0, covariance_type=name)
    same_model(result.model, model.canonical(), rtol=1e-9, atol=1e-9)
    expected = model.posterior(X).log_density.sum()
    assert result.log_likelihood == pytest.approx(expected, rel=1e-9)


@every_structure
@pytest.mark.parametrize("other", NAMES)
def test_a_start_of_another_structure_is_projected(name, other):
    rng = np.random.default_rng(6)
    X, model = hard(), random_model(rng, other)
    result = fitted(X, 3, start=model, max_iter=0, covariance_type=name)
    assert result.model.covariance.name == name
    np.testing.assert_allclose(result.model.means, model.canonical().means, rtol=1e-8, atol=1e-8)
    if STRUCTURES[other].code in nested_in(STRUCTURES[name].code):
        # nothing is lost
        same_model(result.model, model.canonical(), rtol=1e-9, atol=1e-9)


@pytest.mark.heavy(cases=2)
@pytest.mark.parametrize("name", some((*WORDS, "EVI", "EVE", "VEV"), NAMES))
def test_a_warm_start_goes_on_where_the_model_was(name):
    X = hard()
    first = fitted(X, 3, covariance_type=name, max_iter=20, reg_covar=0.1, tol=0)
    more = fitted(X, 3, covariance_type=name, start=first.model, max_iter=1, reg_covar=0.1)
    assert more.log_likelihood >= first.log_likelihood - 0.5
    done = fitted(X, 3, covariance_type=name, reg_covar=0.1)
    again = fitted(X, 3, covariance_type=name, start=done.model, reg_covar=0.1)
    assert again.n_iter <= max(8, done.n_iter // 2)
    same_model(done.model, again.model, rtol=0, atol=0.02)


def test_starts_that_do_not_fit_are_refused():
    X = hard()
    model = random_model(np.random.default_rng(7), "full")
    with pytest.raises(FitError, match="3 components, not 2"):
        fitted(X, 2, start=model)
    with pytest.raises(FitError, match=r"column|feature"):
        fitted(X[:, :2], 3, start=model)


@pytest.mark.heavy
def test_one_description_serves_many_fits():
    X = hard()
    shared = Fitting(rows(X))
    for i, name in enumerate(NAMES):
        for K in some((1 + i % 3,), (1, 3, 2)):
            options = FitOptions(covariance_type=name, max_iter=some(10, 30))
            together = shared.fit(K, options, None)
            alone = fit(rows(X), K, options=options)
            assert np.array_equal(together.model.means, alone.model.means)
            assert together.log_likelihood == alone.log_likelihood
            assert together.n_agreeing == alone.n_agreeing


def test_the_observer_sees_every_start_and_the_last_step():
    X, seen = hard(), []
    result = fit(
        rows(X), 3, options=FitOptions(), observe=lambda phase, step: seen.append((phase, step))
    )
    phases = {phase for phase, _ in seen}
    starts = {phase for phase in phases if phase.startswith("start")}
    assert phases - starts <= {"split and merge"}
    assert len(starts) == result.n_starts
    assert all(f"of {result.n_starts} (" in phase for phase in starts)
    assert seen[-1][1].n_iter == result.n_iter or result.n_iter in {s.n_iter for _, s in seen}


def test_the_default_is_the_documented_one():
    options = FitOptions()
    assert options.covariance_type == "full"
    assert options.init == "auto"
    assert options.n_init == 1
    assert options.converge_on == "likelihood"
    assert options.seed == 0
    assert options.tol is None
    assert options.reg_covar is None


@every_structure
def test_one_component_is_the_mean_and_the_covariance(name):
    X = hard()
    result = fitted(X, 1, covariance_type=name)
    sigma = np.cov(X.T, bias=True)
    shape, orientation = STRUCTURES[name].code[1:]
    expected = np.diag(np.diag(sigma)) if orientation == "I" else sigma
    if shape == "I":
        expected = np.eye(3) * np.trace(sigma) / 3
    # S is the data's own covariance, so the penalty does not move it
    np.testing.assert_allclose(result.model.means[0], X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(result.model.covariance.full()[0], expected, rtol=1e-10, atol=1e-12)
    assert result.n_starts == result.n_agreeing == 1
    assert result.icl == result.bic


def test_labels_separate_two_clusters():
    X, truth = two_clusters(np.random.default_rng(8), (300, 200))
    result = fitted(X, 2)
    assert mistakes(result.model.posterior(X).labels, truth) == 0
    assert result.model.weights == pytest.approx([0.6, 0.4], abs=0.001)
