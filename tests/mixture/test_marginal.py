"""Marginals, radii and levels against scipy, closed forms and quadrature."""

import numpy as np
import pytest
from scipy import stats

from gmmcli.mixture.marginal import component_log_densities, density_levels, marginal, radius
from gmmcli.mixture.model import GaussianMixture


def random_mixture(n_components, n_features, seed=0):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((n_components, n_features, n_features))
    return GaussianMixture.from_arrays(
        rng.dirichlet(np.full(n_components, 5.0)),
        rng.uniform(-3, 3, (n_components, n_features)),
        roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(n_features),
        covariance_type="full",
    )


def test_a_marginal_is_what_is_left_when_the_other_columns_are_integrated_out():
    mixture = random_mixture(3, 3)
    y = np.linspace(-40, 40, 4001)
    rows = np.column_stack([np.full_like(y, 0.7), y, np.full_like(y, -1.2)])
    integral = np.trapezoid(np.exp(mixture.posterior(rows).log_density), y)
    some = marginal(mixture, [2, 0])
    density = np.exp(some.posterior(np.array([[-1.2, 0.7]])).log_density)[0]
    assert density == pytest.approx(integral, rel=1e-10)


@pytest.mark.parametrize(
    ("structure", "covariances"),
    [("tied", [[2, 0.5], [0.5, 1]]), ("diag", [[2, 1], [3, 4]]), ("spherical", [2, 3])],
)
def test_a_marginal_of_any_structure(structure, covariances):
    mixture = GaussianMixture.from_arrays(
        [0.25, 0.75], [[0, 1], [5, 6]], covariances, covariance_type=structure
    )
    second = marginal(mixture, [1])
    assert np.array_equal(second.means, [[1], [6]])
    assert np.array_equal(second.covariance.full(), mixture.covariance.full()[:, 1:, 1:])


def test_component_densities_are_those_of_scipy():
    mixture = random_mixture(4, 2)
    X = np.random.default_rng(1).uniform(-6, 6, (50, 2))
    expected = [
        np.log(weight) + stats.multivariate_normal(mean, covariance).logpdf(X)
        for weight, mean, covariance in zip(
            mixture.weights, mixture.means, mixture.covariance.full(), strict=True
        )
    ]
    assert component_log_densities(mixture, X) == pytest.approx(np.array(expected), rel=1e-10)


@pytest.mark.parametrize("probability", [0.01, 0.25, 0.5, 0.75, 0.95, 0.999])
@pytest.mark.parametrize("n_features", [1, 2])
def test_radii_are_roots_of_quantiles_of_chi_squared(probability, n_features):
    expected = np.sqrt(stats.chi2(n_features).ppf(probability))
    assert radius(probability, n_features) == pytest.approx(expected, rel=1e-12)


def test_the_radius_that_is_known_by_heart():
    assert radius(0.95, 2) == pytest.approx(2.448, abs=5e-4)
    assert radius(0.95, 1) == pytest.approx(1.960, abs=5e-4)


def test_the_level_of_one_gaussian_is_the_density_on_its_ellipse():
    mixture = random_mixture(1, 2)
    peak = mixture.posterior(mixture.means).log_density[0]
    probabilities = np.array([0.25, 0.5, 0.95])
    levels = density_levels(mixture, probabilities)
    # ln f = peak - r^2 / 2, and P(r^2 < q) = 1 - exp(-q / 2): above is 1 - e^-q/2
    assert 1 - np.exp(levels - peak) == pytest.approx(probabilities, abs=0.006)


def test_levels_hold_their_share_of_a_mixture():
    mixture = random_mixture(3, 2)
    side = np.linspace(-18, 18, 901)
    places = np.stack([axis.ravel() for axis in np.meshgrid(side, side)], axis=1)
    log_density = mixture.posterior(places).log_density
    cell = (side[1] - side[0]) ** 2
    assert np.exp(log_density).sum() * cell == pytest.approx(1, abs=1e-5)
    for probability in (0.25, 0.5, 0.75, 0.95):
        level = density_levels(mixture, [probability])[0]
        share = np.exp(log_density[log_density > level]).sum() * cell
        assert share == pytest.approx(probability, abs=0.006)
