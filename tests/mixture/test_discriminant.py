"""Discriminant directions against mclust's MclustDR, scipy's generalised problem and principle."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.decomposition import PCA

from gmmcli.mixture.discriminant import Directions
from gmmcli.mixture.model import GaussianMixture

REFERENCE = Path(__file__).parents[1] / "reference" / "iris_directions.json"


def overall(mixture):
    """Mean, pooled covariance and overall covariance."""
    mean = mixture.weights @ mixture.means
    pooled = np.average(mixture.covariance.full(), axis=0, weights=mixture.weights)
    return mean, pooled, pooled + np.cov(mixture.means.T, aweights=mixture.weights, ddof=0)


def random_mixture(n_components, n_features, structure="full", seed=0):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((n_components, n_features, n_features))
    matrices = roots @ roots.transpose(0, 2, 1)
    return GaussianMixture.from_arrays(
        rng.dirichlet(np.full(n_components, 5.0)),
        rng.uniform(-3, 3, (n_components, n_features)),
        {"full": matrices, "tied": matrices[0], "spherical": np.ones(n_components)}[structure],
        covariance_type=structure,
    )


def test_mclust_finds_the_same_directions():
    known = json.loads(REFERENCE.read_text())
    mixture = GaussianMixture.from_arrays(
        known["weights"], known["means"], known["covariances"], covariance_type="full"
    )
    directions = Directions.of(mixture, 4)
    assert directions.eigenvalues == pytest.approx(known["eigenvalues"], rel=1e-9)
    for ours, theirs in zip(directions.coefficients, np.array(known["directions"]), strict=True):
        in_user_units = ours / directions.scale
        sign = np.sign(in_user_units @ theirs)
        assert in_user_units == pytest.approx(sign * theirs, rel=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_they_solve_the_generalised_eigenproblem(seed):
    mixture = random_mixture(4, 5, seed=seed)
    _, pooled, total = overall(mixture)
    between = total - pooled
    kernel = between @ np.linalg.solve(total, between)
    for weight, matrix in zip(mixture.weights, mixture.covariance.full(), strict=True):
        kernel += weight * (matrix - pooled) @ np.linalg.solve(total, matrix - pooled)
    values, vectors = eigh(kernel, total)
    directions = Directions.of(mixture, 5)
    assert directions.eigenvalues == pytest.approx(values[::-1], rel=1e-8, abs=1e-10)
    for ours, theirs in zip(directions.coefficients, vectors.T[::-1], strict=True):
        assert abs(ours / directions.scale @ total @ theirs) == pytest.approx(1, rel=1e-8)


def test_units_do_not_matter():
    mixture = random_mixture(3, 4)
    scale, shift = np.array([1e-6, 1, 1e4, 3e9]), np.array([5.0, -1e3, 1e7, 0])
    before = Directions.of(mixture, 2)
    after = Directions.of(mixture.transformed(shift, scale), 2)
    assert after.coefficients == pytest.approx(before.coefficients, rel=1e-7)
    X = np.random.default_rng(0).standard_normal((20, 4))
    assert after.apply(X * scale + shift) == pytest.approx(before.apply(X), abs=1e-6)


def test_two_round_clusters_differ_along_the_line_between_them():
    mixture = GaussianMixture.from_arrays(
        [0.5, 0.5], [[0, 0, 0], [3, 0, 4]], [1, 1], covariance_type="spherical"
    )
    directions = Directions.of(mixture, 2)
    first = directions.coefficients[0] / directions.scale
    assert np.abs(first) / np.linalg.norm(first) == pytest.approx([0.6, 0, 0.8], abs=1e-9)
    assert directions.eigenvalues[1] == 0


def test_clusters_that_differ_in_spread_alone_are_told_apart():
    spreads = np.array([[1.0, 1, 1], [1, 25, 1]])
    mixture = GaussianMixture.from_arrays(
        [0.5, 0.5], np.zeros((2, 3)), spreads, covariance_type="diag"
    )
    first = Directions.of(mixture, 2).coefficients[0]
    assert np.abs(first) / np.linalg.norm(first) == pytest.approx([0, 1, 0], abs=1e-9)


def test_of_one_cluster_they_are_the_principal_components():
    mixture = random_mixture(1, 4)
    rows = mixture.sample(4000, np.random.default_rng(0))[0]
    deviations = np.sqrt(np.diag(mixture.covariance.full()[0]))
    correlations = mixture.covariance.full()[0] / np.outer(deviations, deviations)
    # rows whose covariance is that of the mixture, not nearly
    white = (rows - rows.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(rows.T))).T
    exact = white @ np.linalg.cholesky(correlations).T
    expected = PCA(2).fit(exact).components_
    assert len(expected) == 2
    for ours, theirs in zip(Directions.of(mixture, 2).coefficients, expected, strict=True):
        assert abs(ours @ theirs) / np.linalg.norm(ours) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("structure", ["full", "tied", "spherical"])
def test_the_image_is_the_mixture_of_the_rows_along_the_directions(structure):
    mixture = random_mixture(3, 4, structure)
    directions = Directions.of(mixture, 2)
    image = directions.image(mixture)
    mean, _, total = overall(image)
    assert mean == pytest.approx(np.zeros(2), abs=1e-12)
    assert total == pytest.approx(np.eye(2), abs=1e-9)
    matrix = directions.coefficients / directions.scale
    assert image.covariance.full()[1] == pytest.approx(
        matrix @ mixture.covariance.full()[1] @ matrix.T
    )
    assert directions.apply(mixture.means) == pytest.approx(image.means)


def test_a_column_that_follows_from_others_does_no_harm():
    mixture = random_mixture(3, 3)
    copy = np.eye(4, 3)
    copy[3, 0] = 2
    matrices = copy @ mixture.covariance.full() @ copy.T + 1e-13 * np.eye(4)
    doubled = GaussianMixture.from_arrays(
        mixture.weights, mixture.means @ copy.T, matrices, covariance_type="full"
    )
    X = mixture.sample(50, np.random.default_rng(1))[0]
    along = Directions.of(doubled, 2).apply(X @ copy.T)
    expected = Directions.of(mixture, 2).apply(X)
    assert expected.shape == (50, 2)
    for ours, theirs in zip(along.T, expected.T, strict=True):
        assert abs(np.corrcoef(ours, theirs)[0, 1]) == pytest.approx(1, abs=1e-3)
