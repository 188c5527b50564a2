"""Principal components beside scikit-learn's, and their images in user units."""

import numpy as np
import pytest
from mixture.problems import fitted, overlapping, random_model, rows
from sklearn.decomposition import PCA

from gmmcli.errors import FitError
from gmmcli.mixture.batches import BATCH_ROWS
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.standardise import describe
from gmmcli.mixture.workers import Serial


def correlated(rng, n_rows=400):
    return overlapping(rng, n_rows, 5) * [1e-6, 1, 1e3, 5, 1e8] + [1, 1e4, 0, -3, 1e12]


@pytest.mark.parametrize("N", [1, 3, 5])
def test_components_are_those_of_scikit_learn_on_standardised_columns(N):
    X = correlated(np.random.default_rng(0))
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    theirs = PCA(N).fit(Z)
    ours = Projection.of(describe(rows(X)), N)
    assert ours.n_components == N
    np.testing.assert_allclose(ours.shift, X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(ours.scale, X.std(axis=0), rtol=1e-9)
    np.testing.assert_allclose(
        ours.explained_variance_ratio, theirs.explained_variance_ratio_, rtol=1e-8
    )
    signs = np.sign(np.sum(ours.components * theirs.components_, axis=1))
    np.testing.assert_allclose(ours.components, theirs.components_ * signs[:, None], atol=1e-7)
    np.testing.assert_allclose(ours.apply(X.T).T, theirs.transform(Z) * signs, atol=1e-6)
    np.testing.assert_allclose(ours.components @ ours.components.T, np.eye(N), atol=1e-12)


def test_signs_are_the_same_tomorrow():
    projection = Projection.of(describe(rows(correlated(np.random.default_rng(1)))), 4)
    largest = np.abs(projection.components).argmax(axis=1)
    assert np.all(projection.components[np.arange(4), largest] > 0)


def test_weights_count():
    rng = np.random.default_rng(2)
    X, counts = correlated(rng, 200), rng.integers(0, 4, 200)
    weighted = Projection.of(describe(rows(X, counts.astype(float))), 3)
    repeated = Projection.of(describe(rows(np.repeat(X, counts, axis=0))), 3)
    np.testing.assert_allclose(weighted.components, repeated.components, atol=1e-10)
    np.testing.assert_allclose(weighted.scale, repeated.scale, rtol=1e-10)


def test_images_in_user_units_are_those_of_the_linear_map():
    rng = np.random.default_rng(3)
    X = correlated(rng)
    projection = Projection.of(describe(rows(X)), 2)
    model = random_model(rng, "full", n_components=3, n_features=2)
    means, covariances = projection.to_user(model)
    assert means.shape == (3, 5)
    assert covariances.shape == (3, 5, 5)
    back = projection.scale[:, None] * projection.components.T
    for k in range(3):
        np.testing.assert_allclose(means[k], projection.shift + back @ model.means[k])
        expected = back @ model.covariance.full()[k] @ back.T
        np.testing.assert_allclose(covariances[k], expected, rtol=1e-9, atol=0)
        assert (
            np.linalg.matrix_rank(covariances[k] / np.outer(projection.scale, projection.scale))
            == 2
        )
    # what is projected and sent back comes out where it was
    np.testing.assert_allclose(projection.apply(means.T).T, model.means, atol=1e-6)


def test_images_of_a_full_projection_are_the_fit_itself():
    rng = np.random.default_rng(4)
    X = overlapping(rng) * [1, 20, 300]
    start = (X[:, 0] > np.median(X[:, 0])).astype(np.int64)
    projection = Projection.of(describe(rows(X)), 3)
    projected = projection.batches(rows(X))
    whole = fitted(projected.X.T, 2, start=start, reg_covar=0, tol=1e-13, max_iter=10_000)
    direct = fitted(X, 2, start=start, reg_covar=0, tol=1e-13, max_iter=10_000)
    means, covariances = projection.to_user(whole.model)
    np.testing.assert_allclose(means, direct.model.means, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(covariances, direct.model.covariance.full(), rtol=1e-3, atol=1e-2)


def test_projected_rows_come_pass_by_pass_when_the_rows_do():
    rng = np.random.default_rng(5)
    X, weights = correlated(rng, BATCH_ROWS + 100), rng.uniform(0, 2, BATCH_ROWS + 100)
    held = rows(X, weights)

    class Slices:
        n_features = 5

        def __iter__(self):
            return iter(held)

    projection = Projection.of(describe(held), 2)
    memory, passing = projection.batches(held), projection.batches(Slices())
    assert memory.n_features == passing.n_features == 2
    for _ in range(2):
        for a, b in zip(memory, passing, strict=True):
            np.testing.assert_allclose(a.X, b.X, rtol=1e-12)
            assert np.array_equal(a.weights, b.weights)
    assert Serial().map_reduce(lambda batch: batch.X.shape[1], passing) == len(X)


@pytest.mark.parametrize("N", [0, 6, -1])
def test_more_components_than_columns_are_refused(N):
    with pytest.raises(FitError, match="5"):
        Projection.of(describe(rows(correlated(np.random.default_rng(6)))), N)


def test_a_constant_column_has_no_part():
    X = correlated(np.random.default_rng(7))
    X[:, 1] = 7.0
    projection = Projection.of(describe(rows(X)), 4)
    assert np.all(np.abs(projection.components[:, 1]) < 1e-12)
    assert projection.explained_variance_ratio.sum() == pytest.approx(1, rel=1e-12)
    assert np.isfinite(projection.apply(X.T)).all()
