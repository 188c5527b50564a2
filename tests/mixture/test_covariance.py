"""The four structures: their M-steps, their counts, their shapes."""

import numpy as np
import pytest
from mixture.problems import NAMES, overlapping, random_model
from scipy.optimize import minimize
from sklearn.mixture import GaussianMixture as ScikitMixture

from gmmcli.mixture.covariance import STRUCTURES, Full, Spherical, Tied

every_structure = pytest.mark.parametrize("name", NAMES)


def scatters_of(rng, name, K=3, D=3):
    """Random masses, and scatters as matrices and in the structure's form."""
    masses = rng.uniform(5, 50, K)
    roots = rng.standard_normal((K, D, 2 * D))
    matrices = roots @ roots.transpose(0, 2, 1)
    form = STRUCTURES[name].form
    return masses, matrices, np.stack([form.of_matrix(m) for m in matrices])


def expected_log_likelihood(covariances, masses, matrices):
    """-1/2 sum_k [N_k ln det Sigma_k + tr(W_k Sigma_k^-1)]."""
    log_det = np.linalg.slogdet(covariances)[1]
    traces = np.einsum("kij,kji->k", matrices, np.linalg.inv(covariances))
    return -0.5 * float(np.sum(masses * log_det + traces))


def free(name, parameters, K, D):
    """The structure's covariances from unconstrained numbers."""
    if name in {"diag", "spherical"}:
        variances = np.exp(parameters.reshape(K, -1))
        return np.broadcast_to(variances, (K, D))[:, :, None] * np.eye(D)
    lower = np.zeros((1 if name == "tied" else K, D, D))
    lower[:, *np.tril_indices(D)] = parameters.reshape(len(lower), -1)
    return np.broadcast_to(lower @ lower.transpose(0, 2, 1), (K, D, D))


@every_structure
def test_the_m_step_maximises_the_expected_log_likelihood(name):
    rng = np.random.default_rng(0)
    K, D = 3, 3
    masses, matrices, scatters = scatters_of(rng, name)
    structure = STRUCTURES[name]
    ours = structure.from_scatter(masses, scatters).full()

    def negative(parameters):
        return -expected_log_likelihood(free(name, parameters, K, D), masses, matrices)

    # the number of free parameters is the structure's own count
    lower = np.tile(np.eye(D)[np.tril_indices(D)], 1 if name == "tied" else K)
    start = lower if name in {"full", "tied"} else np.zeros(structure.n_parameters(K, D))
    assert start.size == structure.n_parameters(K, D)
    found = minimize(negative, start, method="BFGS", options={"gtol": 1e-8})
    best = expected_log_likelihood(ours, masses, matrices)
    assert best >= -found.fun - 1e-9
    np.testing.assert_allclose(free(name, found.x, K, D), ours, rtol=2e-3, atol=2e-4)


@every_structure
@pytest.mark.parametrize(("K", "D"), [(1, 1), (1, 4), (3, 1), (3, 4), (7, 2)])
def test_parameter_counts(name, K, D):
    table = {
        "full": K * D * (D + 1) // 2,
        "tied": D * (D + 1) // 2,
        "diag": K * D,
        "spherical": K,
    }
    assert STRUCTURES[name].n_parameters(K, D) == table[name]
    model = random_model(np.random.default_rng(1), name, K, D)
    assert model.n_parameters == table[name] + K * D + K - 1
    theirs = ScikitMixture(K, covariance_type=name)
    theirs.means_ = model.means
    assert model.n_parameters == theirs._n_parameters()


@every_structure
@pytest.mark.parametrize(("K", "D"), [(1, 1), (2, 3), (3, 3), (3, 1)])
def test_values_have_the_shapes_of_scikit_learn_and_come_back(name, K, D):
    model = random_model(np.random.default_rng(2), name, K, D)
    shapes = {"full": (K, D, D), "tied": (D, D), "diag": (K, D), "spherical": (K,)}
    values = model.covariance.values
    assert values.shape == shapes[name]
    X = overlapping(np.random.default_rng(3), 60, D)
    theirs = ScikitMixture(K, covariance_type=name, random_state=0).fit(X)
    assert theirs.covariances_.shape == shapes[name]
    again = STRUCTURES[name].from_values(values, n_components=K, n_features=D)
    assert np.array_equal(again.full(), model.covariance.full())


@every_structure
def test_a_wrong_shape_is_refused(name):
    with pytest.raises(ValueError, match="shape"):
        STRUCTURES[name].from_values(np.ones((5, 4, 3)), n_components=2, n_features=3)


def test_full_with_one_component_or_one_dimension_is_the_others():
    rng = np.random.default_rng(4)
    masses, matrices, scatters = scatters_of(rng, "full", K=1)
    one, shared = Full.from_scatter(masses, scatters), Tied.from_scatter(masses, scatters)
    np.testing.assert_allclose(one.full(), shared.full(), rtol=1e-15)
    masses, matrices, _ = scatters_of(rng, "full", D=1)
    full = Full.from_scatter(masses, matrices).full()
    for name in ("diag", "spherical"):
        other = STRUCTURES[name].from_scatter(masses, matrices[:, :, 0]).full()
        np.testing.assert_allclose(other, full, rtol=1e-15)


@every_structure
def test_a_change_of_units_scales_the_matrices(name):
    rng = np.random.default_rng(5)
    covariance = random_model(rng, name).covariance
    scale = np.full(3, 2.5) if name == "spherical" else np.array([1e-3, 2.0, 1e4])
    expected = covariance.full() * np.outer(scale, scale)
    np.testing.assert_allclose(covariance.scaled(scale).full(), expected, rtol=1e-14)
    assert type(covariance.scaled(scale)) is type(covariance)


def test_only_spherical_needs_one_scale():
    assert [n for n in NAMES if not STRUCTURES[n].scales_by_column] == ["spherical"]
    assert Spherical.from_scatter(np.array([2.0]), np.array([[2.0, 6.0]])).values == [2.0]


@every_structure
def test_the_numbers_cannot_be_changed(name):
    covariance = random_model(np.random.default_rng(6), name).covariance
    with pytest.raises(ValueError, match="read-only"):
        covariance.matrices[0] = 0
    source = np.ones((2, 3))
    held = STRUCTURES["diag"](source)
    source[:] = 5
    assert np.all(held.matrices == 1)
