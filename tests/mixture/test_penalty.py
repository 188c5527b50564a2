"""The penalty of Chen & Tan: its value, its M-step, and their agreement."""

import numpy as np
import pytest
from effort import starts_of
from mixture.problems import (
    NAMES,
    ONE_SCALE,
    fitted,
    model_of_partition,
    overlapping,
    problem_of,
    random_model,
    table,
)
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.penalty import Penalty

every_structure = pytest.mark.parametrize("name", NAMES)
STRENGTH = 3.0


def penalty_by_definition(model, S, strength):
    """-a sum_k [tr(S Sigma_k^-1) + ln det Sigma_k]."""
    covariances = model.covariance.full()
    traces = np.trace(S @ np.linalg.inv(covariances), axis1=1, axis2=2)
    return -strength * float(np.sum(traces + np.linalg.slogdet(covariances)[1]))


def log_likelihood(model, X):
    joint = [
        np.log(w) + multivariate_normal(m, s).logpdf(X)
        for w, m, s in zip(model.weights, model.means, model.covariance.full(), strict=True)
    ]
    return float(logsumexp(joint, axis=0).sum())


@every_structure
def test_the_value_is_the_definition(name):
    rng = np.random.default_rng(0)
    X = overlapping(rng)
    problem = problem_of(X, name, strength=STRENGTH)
    model = random_model(rng, name)
    correlation = np.cov(X.T, bias=True)
    deviations = np.sqrt(np.diag(correlation))
    scale = np.full(3, np.sqrt(np.mean(deviations**2))) if name in ONE_SCALE else deviations
    S = correlation / np.outer(scale, scale)
    expected = penalty_by_definition(model, S, STRENGTH)
    assert problem.penalty.value(model.covariance) == pytest.approx(expected, rel=1e-10)


def test_no_strength_no_penalty():
    rng = np.random.default_rng(1)
    problem = problem_of(overlapping(rng), "full", strength=0)
    assert problem.penalty.value(random_model(rng, "full").covariance) == 0


def test_the_m_step_is_the_formula_of_the_design():
    # Sigma_k = (2 a S + W_k) / (2 a + N_k)
    rng = np.random.default_rng(2)
    problem = problem_of(overlapping(rng), "full", strength=STRENGTH)
    S = problem.penalty.target
    masses, roots = rng.uniform(1, 50, 3), rng.standard_normal((3, 3, 9))
    W = roots @ roots.transpose(0, 2, 1)
    covariance = problem.penalty.covariance(
        STRUCTURES["full"], masses=masses, spreads=W / masses[:, None, None]
    )
    for k in range(3):
        expected = (2 * STRENGTH * S + W[k]) / (2 * STRENGTH + masses[k])
        np.testing.assert_allclose(covariance.full()[k], expected, rtol=1e-13)


@every_structure
def test_the_penalised_m_step_is_that_with_more_rows(name):
    # 2 a more rows with scatter 2 a S in each component, by the definition of the penalty
    rng = np.random.default_rng(3)
    problem = problem_of(overlapping(rng), name, strength=STRENGTH)
    penalty, structure = problem.penalty, STRUCTURES[name]
    masses, roots = rng.uniform(5, 50, 3), rng.standard_normal((3, 3, 9))
    matrices = roots @ roots.transpose(0, 2, 1)
    scatters = np.stack([structure.form.of_matrix(m) for m in matrices])
    spreads = scatters / masses.reshape((3,) + (1,) * (scatters.ndim - 1))
    best = penalty.covariance(structure, masses=masses, spreads=spreads)

    def objective(covariance):
        full = covariance.full()
        log_det = np.linalg.slogdet(full)[1]
        traces = np.einsum("kij,kji->k", matrices, np.linalg.inv(full))
        return -0.5 * float(np.sum(masses * log_det + traces)) + penalty.value(covariance)

    top = objective(best)
    for _ in range(50):
        # the M-step of other scatters has the structure, and is near or far
        noise = rng.standard_normal((3, 3, 9)) * 10 ** rng.uniform(-3, 0)
        other = matrices + noise @ noise.transpose(0, 2, 1)
        near = structure.from_scatter(
            masses * rng.uniform(0.9, 1.1, 3),
            np.stack([structure.form.of_matrix(m) for m in other]),
            best,
        )
        assert objective(near) < top


@pytest.mark.heavy(cases=5)
@every_structure
def test_the_fit_maximises_the_penalised_likelihood_in_the_users_units(name):
    rng = np.random.default_rng(4)
    X = overlapping(rng, 200, 2) * np.array([1.0, 1.0 if name in ONE_SCALE else 50.0])
    options = {"reg_covar": STRENGTH, "tol": 1e-14, "max_iter": 5000, **starts_of(name)}
    result = fitted(X, 2, covariance_type=name, **options)
    S = np.cov(X.T, bias=True)
    model = result.model

    def objective(candidate):
        return log_likelihood(candidate, X) + penalty_by_definition(candidate, S, STRENGTH)

    top = objective(model)
    assert log_likelihood(model, X) == pytest.approx(result.log_likelihood, rel=1e-11)
    for _ in range(30):
        step = 1e-3 * rng.standard_normal((4, 2))
        weights = model.weights * np.exp(step[0])
        deviations = np.sqrt(np.einsum("kii->ki", model.covariance.full()))
        means = model.means + deviations * step[1][:, None]
        values = model.covariance.values
        factors = np.exp(step[2])
        if STRUCTURES[name].code[0] == "V":
            values = values * factors.reshape((2,) + (1,) * (values.ndim - 1))
        else:
            values = values * factors[0]
        candidate = GaussianMixture.from_arrays(
            weights / weights.sum(), means, values, covariance_type=name
        )
        assert objective(candidate) < top


def test_the_default_strength_is_one_over_n():
    rng = np.random.default_rng(5)
    X = overlapping(rng, 100)
    weights = rng.integers(1, 5, 100).astype(float)
    assert fitted(X, 2).reg_covar == pytest.approx(1 / 100, rel=1e-15)
    assert fitted(X, 2, weights=weights).reg_covar == pytest.approx(1 / weights.sum(), rel=1e-15)
    assert fitted(X, 2, reg_covar=0).reg_covar == 0


def test_a_spike_keeps_its_likelihood_bounded():
    rng = np.random.default_rng(6)
    X = np.concatenate([np.zeros((50, 2)), rng.standard_normal((50, 2)) + 3])
    result = fitted(X, 2)
    spike = result.model.covariance.full()[np.argmin(np.abs(result.model.means).sum(axis=1))]
    S = np.cov(X.T, bias=True)
    a = 1 / 100
    np.testing.assert_allclose(spike, 2 * a * S / (2 * a + 50), rtol=1e-3)
    assert not result.notes


def test_directions_without_spread_get_the_floor_and_no_more():
    rng = np.random.default_rng(7)
    structure = STRUCTURES["full"]
    penalty = Penalty(0.0, np.zeros((2, 2)), np.diag([0.0, 1e-10]), np.zeros(2))
    spread = np.diag([2.0, 0.0])[None]
    covariance = penalty.covariance(structure, masses=np.array([4.0]), spreads=spread)
    np.testing.assert_allclose(covariance.full()[0], np.diag([2.0, 1e-10]))
    assert not problem_of(overlapping(rng), "full").penalty.floor.any()


@every_structure
def test_what_a_cluster_owes_to_rounding_is_told(name):
    def unresolved(X, n_tied, strength=1 / 400):
        problem = problem_of(X, name, strength=strength)
        labels = np.repeat([0, 1], [n_tied, 400 - n_tied])
        model = model_of_partition(problem, labels, 2)
        return problem.penalty.unresolved(model.weights * 400, model.covariance)

    # 60 of 400 rows have one value in the first column, which is given in steps of 0.1
    X = np.random.default_rng(4).standard_normal((400, 2))
    X[:60, 0] = 0.5
    rounded = X.round(1)
    if name in {"full", "diag", "VVV", "VVI"}:
        # its variance is 2a / (2a + N) of the data's, and the step leaves 0.1^2 / 12 unknown
        variance = rounded[:, 0].var() * (2 / 400) / (2 / 400 + 60)
        expected = 0.5 * 60 * np.log(0.1**2 / 12 / variance)
        assert unresolved(rounded, 60) == pytest.approx(expected, rel=1e-6)
    if STRUCTURES[name].shared or STRUCTURES[name].round:
        # a shared or a round covariance has spread from elsewhere
        assert unresolved(rounded, 60) == 0
    assert unresolved(rounded, 60, strength=0) == 0
    # where the other values are not rounded, one that is frequent is a cluster
    assert unresolved(X, 60) == 0


def test_what_is_compact_beside_far_values_is_a_cluster():
    # 4 wild values make the penalty wide, and a small cluster narrow beside it
    rng = np.random.default_rng(1)
    centres = np.repeat([[0, 0], [6, 0], [3, 4], [3, 1]], [200, 200, 25, 4], axis=0)
    X = (
        centres
        + rng.standard_normal((429, 2)) * np.repeat([1, 1, 0.5, 1], [200, 200, 25, 4])[:, None]
    )
    X[-4:, 1] += 500 * np.array([1, 0.8, 1.2, 0.9])
    labels = np.repeat([0, 1, 2, 3], [200, 200, 25, 4])
    meant = fitted(X, 4, start=labels)
    assert fitted(X, 4).log_likelihood >= meant.log_likelihood - 1e-3


def test_a_value_that_many_rows_have_is_a_cluster():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((500, 4))
    X[:75, 0] = rng.normal(1, 0.5, 75)
    X[:75, -1] = 0
    meant = fitted(X, 2, covariance_type="diag", start=np.repeat([1, 0], [75, 425]))
    found = fitted(X, 2, covariance_type="diag")
    # not stationary where the penalised one is
    assert found.log_likelihood >= meant.log_likelihood - 0.1


@pytest.mark.heavy
def test_tied_values_are_no_cluster_where_there_are_clusters():
    X = table("iris")[:, :2]
    for seed in range(3):
        model = fitted(X, 3, seed=seed).model
        assert np.sqrt(np.einsum("kdd->kd", model.covariance.full())).min() > 0.1
