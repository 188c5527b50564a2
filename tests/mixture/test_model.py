"""The mixture as a value: what it says of rows, what it draws, what it refuses."""

import dataclasses

import numpy as np
import pytest
from mixture.problems import NAMES, random_model
from scipy.special import softmax
from scipy.stats import multivariate_normal

from gmmcli.errors import ModelError
from gmmcli.mixture.model import LOWEST, GaussianMixture

every_structure = pytest.mark.parametrize("name", NAMES)


@every_structure
def test_posterior_is_bayes_rule(name):
    rng = np.random.default_rng(0)
    model = random_model(rng, name)
    # more rows than a block, and not a multiple of it
    X, _ = model.sample(5000, rng)
    posterior = model.posterior(X)
    joint = np.stack(
        [
            np.log(w) + multivariate_normal(m, s).logpdf(X)
            for w, m, s in zip(model.weights, model.means, model.covariance.full(), strict=True)
        ]
    )
    np.testing.assert_allclose(posterior.log_density, np.logaddexp.reduce(joint), rtol=1e-10)
    expected = softmax(joint, axis=0).T
    np.testing.assert_allclose(posterior.responsibilities, expected, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(posterior.responsibilities.sum(axis=1), 1, rtol=1e-15)
    assert np.array_equal(posterior.labels, expected.argmax(axis=1))
    np.testing.assert_allclose(posterior.uncertainty, 1 - expected.max(axis=1), atol=1e-12)


def test_uncertainty_keeps_its_digits():
    model = GaussianMixture.from_arrays(
        [0.5, 0.5], [[0.0], [10.0]], [1.0, 1.0], covariance_type="spherical"
    )
    # ln odds of the far one: -(10 - x)²/2 + x²/2
    for x in (0.0, 1.0, 4.0):
        expected = np.exp(-50 + 10 * x)
        found = model.posterior(np.array([[x]])).uncertainty[0]
        assert found == pytest.approx(expected / (1 + expected), rel=1e-12)


def test_a_row_that_is_far_from_the_tight_one_only_belongs_to_the_other():
    model = GaussianMixture.from_arrays(
        [0.5, 0.5], [[0.0], [0.0]], [1e-300, 1.0], covariance_type="spherical"
    )
    posterior = model.posterior(np.array([[1e10], [1e-151]]))
    assert posterior.labels.tolist() == [1, 0]
    assert posterior.log_density[0] == pytest.approx(-0.5e20, rel=1e-12)


def test_rows_too_far_for_floating_point_go_to_the_nearest():
    model = GaussianMixture.from_arrays(
        [0.01, 0.99], [[0.0, 0.0], [1.0, 0.0]], [100.0, 1.0], covariance_type="spherical"
    )
    posterior = model.posterior(np.array([[1e250, 0], [-1e300, 1e300], [0, 1.7e308]]))
    # nearest in its own standard deviations
    assert posterior.labels.tolist() == [0, 0, 0]
    assert np.all(posterior.log_density == LOWEST)
    assert np.all(posterior.uncertainty == 0)


def test_no_rows_give_no_labels():
    posterior = random_model(np.random.default_rng(1), "full").posterior(np.ones((0, 3)))
    assert posterior.log_density.shape == (0,)
    assert posterior.responsibilities.shape == (0, 3)
    assert posterior.labels.shape == (0,)


@every_structure
def test_single_precision_rows_are_the_same_numbers(name):
    rng = np.random.default_rng(2)
    model = random_model(rng, name)
    X = model.sample(100, rng)[0].astype(np.float32)
    single, double = model.posterior(X), model.posterior(X.astype(np.float64))
    assert np.array_equal(single.log_density, double.log_density)
    assert np.array_equal(single.responsibilities, double.responsibilities)


def deviations_from(model, X, labels):
    """Squared z-scores of all first and second moments, by component: about 1 each."""
    scores = []
    for k in range(model.n_components):
        Y = X[labels == k]
        n, mean, sigma = len(Y), model.means[k], model.covariance.full()[k]
        scores.append((Y.mean(axis=0) - mean) ** 2 / (np.diag(sigma) / n))
        S = (Y - mean).T @ (Y - mean) / n
        spread = (np.outer(np.diag(sigma), np.diag(sigma)) + sigma**2) / n
        scores.append(((S - sigma) ** 2 / spread)[np.triu_indices(len(mean))])
        share = model.weights[k]
        scores.append([(n / len(X) - share) ** 2 * len(X) / (share * (1 - share))])
    return np.concatenate(scores)


@every_structure
def test_draws_have_the_moments_of_the_model(name):
    rng = np.random.default_rng(3)
    model = random_model(rng, name)
    X, labels = model.sample(60_000, rng)
    assert X.shape == (60_000, 3)
    assert labels.dtype == np.int64
    scores = deviations_from(model, X, labels)
    assert scores.max() < 16
    assert scores.mean() < 2
    # the negative control: the same measure sees a variance that is off by 3 %
    sigma = model.covariance.full() * 1.03
    wrong = GaussianMixture.from_arrays(model.weights, model.means, sigma, covariance_type="full")
    assert deviations_from(wrong, X, labels).mean() > 2


def test_draws_with_units_far_apart():
    model = GaussianMixture.from_arrays(
        [1.0],
        [[0.0, 1e9]],
        [[[1e-200, 0.5e-90], [0.5e-90, 1e20]]],
        covariance_type="full",
    )
    X, _ = model.sample(20_000, np.random.default_rng(4))
    assert np.isfinite(X).all()
    assert X[:, 0].std() == pytest.approx(1e-100, rel=0.05)
    assert np.corrcoef(X.T)[0, 1] == pytest.approx(0.5, abs=0.03)


@every_structure
def test_canonical_order(name):
    rng = np.random.default_rng(5)
    model = random_model(rng, name, n_components=4)
    tied_weights = np.array([0.3, 0.2, 0.3, 0.2])
    model = GaussianMixture(tied_weights, model.means, model.covariance)
    ordered = model.canonical()
    keys = [(-w, *m) for w, m in zip(ordered.weights, ordered.means, strict=True)]
    assert keys == sorted(keys)
    X, _ = model.sample(50, rng)
    np.testing.assert_allclose(
        ordered.posterior(X).log_density, model.posterior(X).log_density, rtol=1e-12
    )
    for _ in range(5):
        shuffled = model.taken([int(k) for k in rng.permutation(4)]).canonical()
        assert np.array_equal(shuffled.means, ordered.means)
        assert np.array_equal(shuffled.covariance.full(), ordered.covariance.full())


def test_ties_in_weight_and_first_mean_are_settled_by_the_next():
    means = [[1.0, 5.0], [1.0, 2.0], [0.0, 9.0]]
    weights = np.full(3, 1 / 3)
    model = GaussianMixture.from_arrays(weights, means, np.ones(3), covariance_type="spherical")
    assert model.canonical().means.tolist() == [[0.0, 9.0], [1.0, 2.0], [1.0, 5.0]]


@every_structure
def test_from_arrays_keeps_the_order_and_makes_the_weights_exact(name):
    model = random_model(np.random.default_rng(6), name)
    again = GaussianMixture.from_arrays(
        model.weights * (1 + 5e-7), model.means, model.covariance.values, covariance_type=name
    )
    np.testing.assert_allclose(again.weights, model.weights, rtol=1e-15)
    assert again.weights.sum() == pytest.approx(1, abs=1e-15)
    assert np.array_equal(again.means, model.means)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": [0.5, 0.6]}, "sum"),
        ({"weights": [1.0, 0.0]}, "positive"),
        ({"weights": [1.5, -0.5]}, "positive"),
        ({"weights": [np.nan, 0.5]}, "finite"),
        ({"weights": [1.0]}, "weights"),
        ({"weights": []}, "shape"),
        ({"weights": 1.0}, "shape"),
        ({"means": [[0.0, np.inf], [0, 0]]}, "finite"),
        ({"means": [0.0, 0.0]}, "shape"),
        ({"means": [[], []]}, "shape"),
        ({"covariances": np.eye(2)}, "shape"),
        ({"covariances": [np.eye(2), [[1, 0.5], [0.4, 1]]]}, r"\[1\].*symmetric"),
        ({"covariances": [np.eye(2), [[1, 2], [2, 1]]]}, r"\[1\].*definite"),
        ({"covariances": [np.eye(2), [[0, 0], [0, 1]]]}, r"\[1\].*definite"),
        ({"covariances": [np.eye(2), [[np.nan, 0], [0, 1]]]}, "finite"),
        ({"covariance_type": "round"}, "round"),
    ],
)
def test_what_is_no_mixture_is_refused(change, words):
    sound = {
        "weights": [0.5, 0.5],
        "means": np.zeros((2, 2)),
        "covariances": np.stack([np.eye(2)] * 2),
        "covariance_type": "full",
    }
    GaussianMixture.from_arrays(**sound)
    with pytest.raises(ModelError, match=words):
        GaussianMixture.from_arrays(**(sound | change))


@pytest.mark.parametrize("name", ["diag", "spherical"])
@pytest.mark.parametrize("variance", [0.0, -1.0])
def test_a_variance_that_is_not_positive_is_refused(name, variance):
    values = np.ones((2, 2)) if name == "diag" else np.ones(2)
    values[1] = variance
    with pytest.raises(ModelError, match=r"covariances\[1\] is not positive definite"):
        GaussianMixture.from_arrays([0.5, 0.5], np.zeros((2, 2)), values, covariance_type=name)


def test_it_cannot_be_changed():
    model = random_model(np.random.default_rng(7), "full")
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.weights = np.ones(3)
    for array in (model.weights, model.means, model.covariance.matrices):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
