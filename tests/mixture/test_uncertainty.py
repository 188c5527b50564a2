"""Standard errors: closed forms, with a negative control, and the same bits by every path."""

import numpy as np
import pytest
from effort import some
from mixture.problems import NAMES, WORDS, overlapping, random_model, rows, two_clusters

from gmmcli.errors import FitError
from gmmcli.execution import executor
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.standardise import describe
from gmmcli.mixture.uncertainty import Spread, matching, standard_errors

SIZE = 400


def errors_of(batches, n_components, *, size=SIZE, workers=None, projection=None, **options):
    chosen = FitOptions(**{"reg_covar": 0, **options})
    fitting = Fitting(batches, workers=workers)
    result = fitting.fit(n_components, chosen)
    errors = standard_errors(fitting, result, chosen, size=size, projection=projection)
    return errors, result.model


def agree(found, expected, size=SIZE):
    """Whether a standard error from so many replicates can stand for the true one.

    Its square is known to a relative error of sqrt(2 / (size - 1)); four of these are allowed.
    """
    ratio = (np.asarray(found) / np.asarray(expected)) ** 2
    return bool(np.all(np.abs(ratio - 1) < 4 * np.sqrt(2 / (size - 1))))


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("name", some((*WORDS, "EII", "EVI", "EVE", "VEV"), NAMES))
def test_one_component_has_the_errors_of_means_and_variances(name):
    X = np.random.default_rng(0).standard_normal((800, 3)) * [1, 20, 0.01] + [0, 1e6, 5]
    errors, model = errors_of(rows(X), 1, covariance_type=name)
    # the weighted mean of n rows has the variance s^2 / (n + 1) under Dirichlet(1, ..., 1)
    of_mean = X.std(axis=0) / np.sqrt(len(X) + 1)
    assert agree(errors.means[0], of_mean)
    assert not agree(errors.means[0], 1.3 * of_mean)
    assert errors.weights.tolist() == [0]
    assert errors.covariances.shape == model.covariance.values.shape
    structure = type(model.covariance)
    if not structure.round:
        squares = (X - X.mean(axis=0)) ** 2
        of_variance = squares.std(axis=0) / np.sqrt(len(X))
        values = errors.covariances if structure.shared else errors.covariances[0]
        variances = np.diag(values) if values.ndim == 2 else values
        assert agree(variances, of_variance)
        assert agree(errors.deviations[0], of_variance / (2 * X.std(axis=0)))
        assert not agree(variances, 1.3 * of_variance)


@pytest.mark.heavy
def test_weights_of_clusters_far_apart_have_the_binomial_error():
    X, truth = two_clusters(np.random.default_rng(1), (700, 300), distance=30)
    errors, model = errors_of(rows(X), 2)
    expected = np.sqrt(0.3 * 0.7 / len(X))
    assert agree(errors.weights, expected)
    assert not agree(errors.weights, 1.3 * expected)
    of_means = [X[truth == k].std(axis=0) / np.sqrt(np.sum(truth == k)) for k in (0, 1)]
    assert agree(errors.means, of_means)
    assert model.weights.tolist() == pytest.approx([0.7, 0.3])


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("times", [4.0, 0.25])
def test_a_row_of_weight_w_is_w_rows(times):
    X = np.random.default_rng(0).standard_normal((500, 2)) * [1, 3]
    errors, _ = errors_of(rows(X, np.full(len(X), times)), 1)
    assert agree(errors.means[0], X.std(axis=0) / np.sqrt(times * len(X)))
    unweighted, _ = errors_of(rows(X), 1)
    assert not agree(errors.means[0], unweighted.means[0])


def test_weights_that_are_all_one_are_no_weights():
    X = overlapping(np.random.default_rng(0))
    plain, _ = errors_of(rows(X), 2, size=5)
    weighted, _ = errors_of(rows(X, np.ones(len(X))), 2, size=5)
    np.testing.assert_allclose(weighted.means, plain.means, rtol=1e-12)


class Streamed:
    """The rows of an ArrayBatches, without its being one."""

    def __init__(self, batches):
        self.batches = batches
        self.n_features = batches.n_features

    def __iter__(self):
        return iter(self.batches)


@pytest.mark.heavy
@pytest.mark.parametrize("weighted", [False, True])
def test_the_same_bits_by_every_path(weighted):
    rng = np.random.default_rng(0)
    X, _ = two_clusters(rng, (6000, 4000), distance=4)
    held = rows(X, rng.uniform(0.001, 2, len(X)) if weighted else None)
    options = {"size": 4, "covariance_type": "diag", "tol": 1e-6}
    expected, _ = errors_of(held, 2, **options)
    streamed, _ = errors_of(Streamed(held), 2, **options)
    with executor(3) as pool:
        threaded, _ = errors_of(held, 2, workers=pool, **options)
        both, _ = errors_of(Streamed(held), 2, workers=pool, **options)
    for other in (streamed, threaded, both):
        for part in ("weights", "means", "deviations", "covariances"):
            assert getattr(other, part).tolist() == getattr(expected, part).tolist()
    another, _ = errors_of(held, 2, seed=1, **options)
    assert another.means.tolist() != expected.means.tolist()


def test_a_fit_cut_short_has_the_errors_of_a_whole_one():
    X = overlapping(np.random.default_rng(2))
    short, _ = errors_of(rows(X), 1, size=20, max_iter=0)
    whole, _ = errors_of(rows(X), 1, size=20)
    np.testing.assert_allclose(short.means, whole.means, rtol=1e-6)


@pytest.mark.heavy
def test_a_projection_gives_errors_in_the_columns_too():
    X = overlapping(np.random.default_rng(3)) * [1, 100, 0.1]
    projection = Projection.of(describe(rows(X)), 3)
    errors, _ = errors_of(projection.batches(rows(X)), 1, projection=projection)
    means, deviations = errors.in_columns
    # with all components nothing is projected away
    assert agree(means[0], X.std(axis=0) / np.sqrt(len(X) + 1))
    unprojected, _ = errors_of(rows(X), 1)
    np.testing.assert_allclose(deviations, unprojected.deviations, rtol=1e-6)
    assert unprojected.in_columns is None


def test_components_are_matched_by_their_densities():
    rng = np.random.default_rng(4)
    model = random_model(rng, "full", n_components=6)
    order = rng.permutation(6)
    shuffled = model.taken(order.tolist())
    assert order[matching(model, shuffled)].tolist() == list(range(6))
    # one mean, two widths: only the covariances tell them apart
    target = GaussianMixture.from_arrays(
        [0.5, 0.5], np.zeros((2, 2)), [1, 25], covariance_type="spherical"
    )
    swapped = GaussianMixture.from_arrays(
        [0.5, 0.5], [[0.1, 0], [0, 0.1]], [24, 1.1], covariance_type="spherical"
    )
    assert matching(target, swapped).tolist() == [1, 0]


@pytest.mark.heavy
def test_replicates_that_lose_a_component_are_left_out_and_counted():
    X = np.concatenate([np.random.default_rng(5).standard_normal(40), [9.0, 9.0, 9.0, 9.001]])
    some, _ = errors_of(rows(X[:, None]), 3, size=30)
    assert some.n_lost > 0
    assert some.n_replicates + some.n_lost == 30


def test_the_spread_is_that_of_numpy_at_any_scale():
    rng = np.random.default_rng(0)
    for scale in (1e-160, 1.0, 1e160):
        values = scale * rng.standard_normal((50, 4)) + 3 * scale
        spread = Spread([values[0]])
        for row in values:
            spread.add([row])
        # NumPy's own squares are beyond floating point at such scales
        expected = (values / scale).std(axis=0, ddof=1) * scale
        np.testing.assert_allclose(spread.deviations()[0], expected, rtol=1e-12)


def test_replicates_that_all_lose_a_component_give_no_errors():
    X = np.sort(np.random.default_rng(1).standard_normal(24))[:, None]
    fitting, options = Fitting(rows(X)), FitOptions(reg_covar=0)
    result = fitting.fit(8, options, np.arange(24) // 3)
    with pytest.raises(FitError, match=r"[56] of 6 replicates lost a component") as caught:
        standard_errors(fitting, result, options, size=6)
    assert "--reg-covar" in caught.value.advice
