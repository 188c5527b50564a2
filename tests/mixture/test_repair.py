"""Collapsed components: recognised, placed anew, dropped, told of."""

import numpy as np
import pytest
from mixture.problems import NAMES, fitted, random_model, two_clusters

from gmmcli.errors import FitError
from gmmcli.mixture.covariance import VII, VVV
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.repair import Repairs, collapsed_components, split

every_structure = pytest.mark.parametrize("name", NAMES)


def test_collapsed_components_are_recognised():
    point, plane, sound = np.zeros((2, 2)), np.ones((2, 2)), np.diag([1e-8, 1.0])
    thin = np.array([[1.0, 1 - 1e-9], [1 - 1e-9, 1.0]])
    model = GaussianMixture(
        np.full(4, 0.25), np.zeros((4, 2)), VVV(np.stack([point, plane, sound, thin]))
    )
    assert collapsed_components(model, 100).tolist() == [True, True, False, False]
    spheres = VII(np.array([[1e-30] * 2, [1e-20] * 2, [1.0] * 2]))
    model = GaussianMixture(np.array([0.5, 0.5, 0.0]), np.zeros((3, 2)), spheres)
    assert collapsed_components(model, 100).tolist() == [True, False, True]


def test_a_component_without_rows_has_collapsed():
    sound = random_model(np.random.default_rng(5), "full")

    def empty(smallest, n_rows):
        weights = np.array([0.6, 0.4 - smallest, smallest])
        model = GaussianMixture(weights, sound.means, sound.covariance)
        return collapsed_components(model, n_rows).tolist() == [False, False, True]

    assert empty(0.4 / 300, n_rows=300)
    assert not empty(0.6 / 300, n_rows=300)
    # of rows that are half a row in all, a tenth is a component
    assert not empty(0.1, n_rows=0.5)
    assert empty(0.003, n_rows=0.5)


def test_more_components_than_clusters_are_none_that_are_empty():
    rng = np.random.default_rng(6)
    X = rng.standard_normal((300, 2)) + 60 * rng.permutation(6)[rng.integers(0, 6, 300), None]
    result = fitted(X, 8)
    assert (result.model.weights * 300 >= 0.5).all()
    assert result.model.n_components == 8 or result.notes


@every_structure
def test_a_split_keeps_the_mass_and_the_centre(name):
    rng = np.random.default_rng(3)
    model = random_model(rng, name)
    after = split(model, 0, into=2)
    assert after.weights.sum() == pytest.approx(1, rel=1e-14)
    assert after.weights[0] == after.weights[2]
    np.testing.assert_allclose((after.means[0] + after.means[2]) / 2, model.means[0], atol=1e-14)
    assert not np.allclose(after.means[0], after.means[2])
    assert not collapsed_components(after, 100).any()


@pytest.mark.parametrize("name", ["full", "diag", "spherical"])
def test_a_collapse_without_penalty_is_told_and_stays_finite(name):
    rng = np.random.default_rng(4)
    X, truth = two_clusters(rng)
    X[truth == 1] = 8.0
    result = fitted(X, 2, covariance_type=name, reg_covar=0, start=truth)
    assert result.notes
    assert "collapsed" in result.notes[0]
    assert np.isfinite(result.log_likelihood)
    assert np.isfinite(result.model.covariance.full()).all()
    assert result.model.n_components in {1, 2}


def test_when_every_component_collapses_it_is_an_error_in_words():
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(FitError, match="collapsed") as caught:
        fitted(X, 3, reg_covar=0, start=np.array([0, 1, 2]))
    assert caught.value.advice


def test_the_budget_is_spent_before_a_component_is_dropped():
    sound = random_model(np.random.default_rng(6), "full")
    matrices = sound.covariance.full().copy()
    matrices[1] = 0
    broken = GaussianMixture(sound.weights, sound.means, VVV(matrices))
    repairs = Repairs(budget=1)
    assert repairs.apply(sound, 100) is sound
    assert repairs.notes == ()
    first = repairs.apply(broken, 100)
    assert first.n_components == 3
    assert "placed anew" in repairs.notes[-1]
    second = repairs.apply(broken, 100)
    assert second.n_components == 2
    assert "dropped" in repairs.notes[-1]
    np.testing.assert_array_equal(second.means, sound.means[[0, 2]])
