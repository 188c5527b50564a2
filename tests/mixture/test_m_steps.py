"""The M-steps against optimisers that know nothing of them."""

import numpy as np
import pytest
from mixture.problems import NAMES, random_covariance
from scipy.linalg import expm
from scipy.optimize import minimize

from gmmcli.mixture.covariance import (
    EVE,
    STRUCTURES,
    VEE,
    VEI,
    VVE,
    axes,
    orientation,
    proportional,
)

every_structure = pytest.mark.parametrize("name", NAMES)
common_axes = pytest.mark.parametrize("structure", [EVE, VVE])
K, D = 3, 3


def scatters_of(rng, structure, n_components=K, n_features=D):
    """Random masses, and scatters as matrices and in the structure's form."""
    masses = rng.uniform(5, 50, n_components)
    sizes = masses * rng.uniform(0.2, 3, n_components)
    roots = rng.standard_normal((n_components, n_features, 2 * n_features))
    matrices = sizes[:, None, None] * (roots @ roots.transpose(0, 2, 1))
    return masses, matrices, np.stack([structure.form.of_matrix(m) for m in matrices])


def expected_log_likelihood(covariances, masses, matrices):
    """-1/2 sum_k [N_k ln det Sigma_k + tr(W_k Sigma_k^-1)]."""
    log_det = np.linalg.slogdet(covariances)[1]
    traces = np.einsum("kij,kji->k", matrices, np.linalg.inv(covariances))
    return -0.5 * float(np.sum(masses * log_det + traces))


def unconstrained(code, parameters):
    """Sigma_k = lambda_k D_k A_k D_k^T from numbers without constraints: (K, D, D).

    A factor that is E takes one set of numbers for all, V one for each, I none.
    """
    volume, shape, direction = code
    n_planes = D * (D - 1) // 2
    given = list(parameters)

    def take(letter, n):
        sets = {"I": 0, "E": 1, "V": K}[letter]
        numbers = np.array([given.pop(0) for _ in range(sets * n)]).reshape(sets, n)
        return np.broadcast_to(numbers if sets else np.zeros((1, n)), (K, n))

    log_sizes = take(volume, 1)
    log_shapes = take(shape, D - 1)
    log_shapes = np.concatenate([log_shapes, -log_shapes.sum(axis=1, keepdims=True)], axis=1)
    skew = np.zeros((K, D, D))
    skew[:, *np.triu_indices(D, 1)] = take(direction, n_planes)
    turns = np.stack([expm(one - one.T) for one in skew])
    assert not given, "the number of free parameters is the structure's own count"
    return (turns * np.exp(log_sizes + log_shapes)[:, None, :]) @ turns.transpose(0, 2, 1)


@pytest.mark.heavy(cases=3)
@every_structure
def test_the_m_step_maximises_the_expected_log_likelihood(name):
    rng = np.random.default_rng(0)
    structure = STRUCTURES[name]
    masses, matrices, scatters = scatters_of(rng, structure)
    best = expected_log_likelihood(
        structure.from_scatter(masses, scatters).full(), masses, matrices
    )
    n_free = structure.n_parameters(K, D)

    def negative(parameters):
        return -expected_log_likelihood(unconstrained(structure.code, parameters), masses, matrices)

    starts = [rng.standard_normal(n_free) for _ in range(3)]
    found = [minimize(negative, start, method="BFGS").fun for start in starts]
    # no start leads the optimiser higher, and the best of them leads it there
    assert best >= -min(found) - 1e-8
    assert best == pytest.approx(-min(found), abs=1e-4)


@every_structure
@pytest.mark.parametrize(("n_components", "n_features"), [(1, 1), (3, 1), (1, 4), (5, 2)])
def test_it_is_what_is_known_for_one_component_and_for_one_column(name, n_components, n_features):
    rng = np.random.default_rng(1)
    structure = STRUCTURES[name]
    masses, matrices, scatters = scatters_of(rng, structure, n_components, n_features)
    found = structure.from_scatter(masses, scatters).full()
    volume, shape, direction = structure.code
    if n_features == 1:
        pooled = matrices.sum(axis=0) / masses.sum()
        own = matrices / masses[:, None, None]
        expected = own if volume == "V" else np.broadcast_to(pooled, own.shape)
    elif n_components == 1:
        expected = matrices / masses[0]
        if direction == "I":
            expected = expected * np.eye(n_features)
        if shape == "I":
            expected = np.trace(expected[0]) / n_features * np.eye(n_features)[None]
    else:
        # what every maximum has: sum_k tr(W_k Sigma_k^-1) = n D, since a size is free
        traces = np.einsum("kij,kji->k", matrices, np.linalg.inv(found))
        assert traces.sum() == pytest.approx(masses.sum() * n_features, rel=1e-8)
        return
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)


@every_structure
def test_scatters_that_have_the_structure_are_met_exactly(name):
    rng = np.random.default_rng(2)
    covariance = random_covariance(rng, name, 4, 5)
    masses = rng.uniform(5, 50, 4)
    scatters = covariance.matrices * masses.reshape((4,) + (1,) * (covariance.matrices.ndim - 1))
    found = type(covariance).from_scatter(masses, scatters)
    np.testing.assert_allclose(found.full(), covariance.full(), rtol=1e-5, atol=1e-6)


@every_structure
def test_a_step_from_before_is_no_lower_than_before(name):
    # also when what was before is the better hill for other scatters
    rng = np.random.default_rng(3)
    structure = STRUCTURES[name]
    for _ in range(20):
        masses, matrices, scatters = scatters_of(rng, structure, 4, 4)
        before = random_covariance(rng, name, 4, 4)
        after = structure.from_scatter(masses, scatters, before)
        assert expected_log_likelihood(after.full(), masses, matrices) >= (
            expected_log_likelihood(before.full(), masses, matrices) - 1e-9
        )
        again = structure.from_scatter(masses, scatters, after)
        gain = expected_log_likelihood(again.full(), masses, matrices) - expected_log_likelihood(
            after.full(), masses, matrices
        )
        # what rest means: 1e-10 nats a row, and the rate at which the last ones came
        assert -1e-9 <= gain <= 1e-7 * masses.sum()


@common_axes
def test_no_sweep_of_the_axes_lowers_the_expected_log_likelihood(structure, monkeypatch):
    rng = np.random.default_rng(4)
    masses, matrices, _ = scatters_of(rng, structure, 4, 5)
    before = random_covariance(rng, structure.name, 4, 5)
    values = []
    for n_sweeps in range(1, 30):
        monkeypatch.setattr(orientation, "MOST_SWEEPS", n_sweeps)
        found = structure.from_scatter(masses, matrices, before)
        # stopped on the way the variances are those of the axes before the last sweep
        values.append(found.log_determinants @ masses)
    gains = -np.diff(values)
    assert np.all(gains >= -1e-9)
    assert gains[0] > 1e-3


@pytest.mark.parametrize("structure", [VEI, VEE])
def test_no_turn_of_sizes_and_shape_lowers_the_expected_log_likelihood(structure, monkeypatch):
    rng = np.random.default_rng(5)
    masses, matrices, scatters = scatters_of(rng, structure, 4, 5)
    values = []
    for n_turns in range(1, 20):
        monkeypatch.setattr(proportional, "MOST_TURNS", n_turns)
        found = structure.from_scatter(masses, scatters).full()
        values.append(expected_log_likelihood(found, masses, matrices))
    gains = np.diff(values)
    assert np.all(gains >= -1e-9)
    assert gains[0] > 1e-4
    # it is convex: any start ends in the same place
    monkeypatch.undo()
    ends = [
        structure.from_scatter(masses, scatters, random_covariance(rng, structure.name, 4, 5))
        for _ in range(3)
    ]
    for end in ends[1:]:
        np.testing.assert_allclose(end.full(), ends[0].full(), rtol=1e-8)


@pytest.mark.parametrize("structure", [VEI, VEE])
@pytest.mark.parametrize(("n_components", "n_features"), [(2, 2), (3, 10), (9, 4), (30, 6)])
@pytest.mark.parametrize("far", [1.0, 1e4])
def test_sizes_come_to_rest_whatever_their_start(structure, n_components, n_features, far):
    rng = np.random.default_rng(9)
    masses, _, scatters = scatters_of(rng, structure, n_components, n_features)
    sizes = (far ** rng.uniform(-1, 1, n_components)).reshape((-1,) + (1,) * (scatters.ndim - 1))
    scatters = scatters * sizes
    for previous in (None, random_covariance(rng, structure.name, n_components, n_features)):
        found = structure.from_scatter(masses, scatters, previous)
        # where f is least each component has tr(W_k Sigma_k^-1) = N_k D
        traces = np.array([found.traces(one)[k] for k, one in enumerate(scatters)])
        np.testing.assert_allclose(traces, masses * n_features, rtol=1e-9)


def test_sizes_without_an_axis_in_common_are_no_error():
    # nothing compares them, so Newton's equations have no solution or many
    scatters = np.array([[3.0, 0.0], [0.0, 5.0]])
    for masses in (np.array([10.0, 10.0]), np.array([10.0, 20.0])):
        for structure, given in ((VEI, scatters), (VEE, scatters[:, :, None] * np.eye(2))):
            found = structure.from_scatter(masses, given).matrices
            assert np.isfinite(found).all()


@pytest.mark.parametrize("n", range(1, 10))
def test_a_sweep_turns_every_pair_once_and_none_twice_at_a_time(n):
    rounds = orientation.rounds_of_pairs(n)
    turned = [tuple(sorted(p)) for first, second in rounds for p in zip(first, second, strict=True)]
    assert sorted(turned) == [(i, j) for i in range(n) for j in range(i + 1, n)]
    for first, second in rounds:
        assert len({*first, *second}) == 2 * len(first)


def test_one_turn_is_the_best_in_its_plane():
    rng = np.random.default_rng(6)
    _, matrices, _ = scatters_of(rng, VVE)
    precisions = rng.uniform(0.1, 10, (K, D))
    pairs = (np.array([0]), np.array([2]))

    def cost(angle):
        axes = orientation.rotation_of(pairs, np.array([angle]), D)
        np.testing.assert_allclose(axes.T @ axes, np.eye(D), atol=1e-15)
        turned = axes.T @ matrices @ axes
        return float(np.sum(np.einsum("kii->ki", turned) * precisions))

    (best,) = orientation.best_angles(matrices, precisions, pairs)
    angles = np.linspace(-np.pi / 2, np.pi / 2, 2001)
    assert cost(best) <= min(map(cost, angles)) + 1e-12


@common_axes
def test_the_turn_of_newton_solves_for_the_derivatives_of_the_cost(structure):
    rng = np.random.default_rng(11)
    masses, matrices, _ = scatters_of(rng, structure, 3, 4)
    # nearly diagonal, so that the cost is convex here
    matrices = matrices * (0.1 + 0.9 * np.eye(4)) * np.outer(range(1, 5), range(1, 5))
    planes = np.triu_indices(4, 1)

    def place(angles):
        skew = np.zeros((4, 4))
        skew[planes] = angles
        rotation = expm(skew - skew.T)
        return structure._place(masses, rotation, rotation.T @ matrices @ rotation)

    def slopes(angles):
        steps = 1e-4 * np.eye(6)
        values = [place(angles - e).value - place(angles + e).value for e in steps]
        return np.array(values) / 2e-4

    start = place(np.zeros(6))
    hessian = [(slopes(e) - slopes(-e)) / 2e-3 for e in 1e-3 * np.eye(6)]
    angles = -np.linalg.solve(hessian, slopes(np.zeros(6)))
    assert 0.01 < np.abs(angles).max() < axes.LARGEST_TURN
    skew = np.zeros((4, 4))
    skew[planes] = angles / 2
    skew -= skew.T
    turn = axes.newton_turn(start.turned, start.variances, one_size=structure is EVE)
    expected = np.linalg.solve(np.eye(4) - skew, np.eye(4) + skew)
    np.testing.assert_allclose(turn.rotation, expected, atol=1e-5)
    np.testing.assert_allclose(turn.rotation @ turn.rotation.T, np.eye(4), atol=1e-14)
    assert turn.promise == pytest.approx(-0.5 * slopes(np.zeros(6)) @ angles, rel=1e-4)


@common_axes
@pytest.mark.parametrize(("n_components", "n_features"), [(2, 2), (9, 2), (3, 4), (6, 7)])
def test_axes_at_rest_have_nothing_left_to_gain(structure, n_components, n_features, monkeypatch):
    rng = np.random.default_rng(12)
    for _ in range(10):
        masses, matrices, _ = scatters_of(rng, structure, n_components, n_features)
        found = structure.from_scatter(masses, matrices)
        with monkeypatch.context() as patch:
            patch.setattr(orientation, "STILL", 0.0)
            further = structure.from_scatter(masses, matrices, found)
        gain = (found.log_determinants - further.log_determinants) @ masses / 2
        assert -1e-12 <= gain / masses.sum() <= 1e-9


def test_no_turn_where_the_cost_is_not_convex():
    # nearly the same variance along both axes is the worst
    turned = np.array([[[2.1, 0.9], [0.9, 1.9]], [[2.0, -0.5], [-0.5, 2.0]]])
    variances = np.einsum("kii->ki", turned)
    assert axes.newton_turn(turned, variances, one_size=False) is None
    # and a sweep leads away from there
    along = VVE(np.array([np.diag([2.0, 1.0])] * 2))
    found = VVE.from_scatter(np.ones(2), turned, along)
    assert found.log_determinants.sum() < np.log(variances).sum() - 0.1


def test_common_axes_are_found_though_their_sum_hides_them():
    turn = np.linalg.qr(np.random.default_rng(7).standard_normal((2, 2)))[0]
    matrices = np.stack([(turn * v) @ turn.T for v in ([1.0, 2.0], [2.0, 1.0])])
    np.testing.assert_allclose(matrices.sum(axis=0), 3 * np.eye(2), atol=1e-14)
    axes = orientation.common_axes(matrices)
    for matrix in matrices:
        assert abs((axes.T @ matrix @ axes)[0, 1]) < 1e-14


@every_structure
def test_a_component_on_one_point_does_not_take_the_others_along(name):
    rng = np.random.default_rng(8)
    structure = STRUCTURES[name]
    masses, _, scatters = scatters_of(rng, structure)
    scatters[1] = 0
    found = structure.from_scatter(masses, scatters).matrices
    assert np.isfinite(found[[0, 2]]).all()
    assert np.isfinite(found).all()
