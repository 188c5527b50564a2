"""Log-densities to 50 digits, the bound on rounding, and the moments both ways."""

import mpmath
import numpy as np
import pytest
from mixture.problems import WORDS, random_spd

from gmmcli.mixture.e_step import SAFE_ERROR, EStep, rounding_error
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.moments import DiagonalMoments, FullMoments

EPS = np.finfo(np.float64).eps
FORMS = pytest.mark.parametrize("form", [FullMoments, DiagonalMoments])


def exact_log_joint(model, X, *, digits=50):
    """ln [w_k N(x; mu_k, Sigma_k)] with 50 digits, as (K, N) of mpmath numbers."""
    mpmath.mp.dps = digits
    joint = []
    for weight, mean, sigma in zip(
        model.weights, model.means, model.covariance.full(), strict=True
    ):
        matrix = mpmath.matrix(sigma.tolist())
        inverse, log_det = matrix**-1, mpmath.log(mpmath.det(matrix))
        constant = mpmath.log(mpmath.mpf(float(weight)))
        constant -= (len(mean) * mpmath.log(2 * mpmath.pi) + log_det) / 2
        row = []
        for x in X:
            delta = mpmath.matrix(x.tolist()) - mpmath.matrix(mean.tolist())
            row.append(constant - (delta.T * inverse * delta)[0] / 2)
        joint.append(row)
    return joint


def exact_log_density(joint):
    """ln sum_k of each column, as floats."""
    totals = [
        mpmath.log(mpmath.fsum(mpmath.exp(row[i] - joint[0][i]) for row in joint)) + joint[0][i]
        for i in range(len(joint[0]))
    ]
    return np.array([float(total) for total in totals])


def errors(values, joint):
    """Absolute errors (K, N) of an array of joint log-densities."""
    return np.array(
        [
            [float(abs(mpmath.mpf(float(v)) - e)) for v, e in zip(vs, es, strict=True)]
            for vs, es in zip(values, joint, strict=True)
        ]
    )


def conditioned(rng, name, condition, *, n_components=2, n_features=4):
    """A mixture whose covariances have that condition number."""
    K, D = n_components, n_features
    spread = condition ** -np.linspace(0, 1, D)
    values = {
        "full": lambda: np.stack([random_spd(rng, D, condition) for _ in range(K)]),
        "tied": lambda: random_spd(rng, D, condition),
        "diag": lambda: np.stack([rng.permutation(spread) for _ in range(K)]),
        "spherical": lambda: np.array([1.0, 1 / condition]),
    }[name]()
    means = rng.standard_normal((K, D))
    return GaussianMixture.from_arrays([0.3, 0.7], means, values, covariance_type=name)


def quadratic_forms(joint, model):
    """z² of each row under each component, from exact joint log-densities."""
    return np.array(
        [
            [float(2 * (mpmath.mpf(float(scale)) - e)) for e in row]
            for scale, row in zip(model.log_scale, joint, strict=True)
        ]
    )


@pytest.mark.parametrize("condition", [1.0, 1e3, 1e6, 1e9, 1e12])
@pytest.mark.parametrize("name", WORDS)
def test_log_densities_to_50_digits(name, condition):
    rng = np.random.default_rng(1)
    model = conditioned(rng, name, condition)
    near, _ = model.sample(6, rng)
    X = np.concatenate([near, 3 * rng.standard_normal((6, 4))])
    joint = exact_log_joint(model, X)
    observed = errors(model._log_joint(X.T), joint)
    # A Cholesky factor is exact for a matrix that is off by a few units in the last place, which
    # its condition number amplifies; a diagonal one has no such loss, whatever the units.
    amplified = condition if name in {"full", "tied"} else 1.0
    distances = np.abs(quadratic_forms(joint, model))
    allowed = 16 * EPS * (amplified * (4 + distances) + np.abs(distances) + 100)
    assert np.all(observed <= allowed)
    density = model.posterior(X).log_density
    assert np.all(np.abs(density - exact_log_density(joint)) <= allowed.max(axis=0))


@pytest.mark.parametrize("name", ["full", "diag"])
def test_units_cost_no_digits(name):
    # a condition number of 1e300 that comes from the units of the columns alone
    rng = np.random.default_rng(2)
    units = np.array([1e-75, 1.0, 1e75])
    plain = conditioned(rng, name, 10.0, n_features=3)
    model = plain.transformed(np.zeros(3), units)
    X = rng.standard_normal((8, 3))
    moved = model.posterior(X * units)
    np.testing.assert_allclose(moved.log_density, plain.posterior(X).log_density, atol=1e-11)
    # the plain inverse of such a matrix needs more digits still
    joint = exact_log_joint(model, X * units, digits=400)
    assert np.max(errors(model._log_joint((X * units).T), joint)) < 1e-11


def estep_errors(model, X, radius):
    """The E-step's log-joint, its error against 50 digits, and the E-step."""
    step = EStep(model, radius)
    features = step.form.features(X.T) if len(step.pooled) else None
    return errors(step.log_joint(np.ascontiguousarray(X.T), features), exact_log_joint(model, X))


@pytest.mark.parametrize("spread", [1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6])
@pytest.mark.parametrize("name", WORDS)
def test_the_bound_on_rounding_holds_and_decides_the_form(name, spread):
    # tight components off the origin: where the expanded form loses digits
    rng = np.random.default_rng(3)
    wide = conditioned(rng, name, 10.0)
    model = GaussianMixture(wide.weights, wide.means, wide.covariance.scaled(np.full(4, spread)))
    X = np.concatenate([model.sample(8, rng)[0], rng.standard_normal((8, 4))])
    radius = np.abs(X).max(axis=0)
    form, coefficients = model.covariance.form, model.coefficients
    bound = rounding_error(coefficients, radius, form)
    expanded = coefficients @ form.features(X.T)
    joint = exact_log_joint(model, X)
    expanded_errors = errors(expanded, joint)
    # the inverse of a matrix of condition 10 adds a little of its own
    assert np.all(expanded_errors <= bound[:, None])

    step = EStep(model, radius)
    assert set(step.centred) == set(np.flatnonzero(bound > SAFE_ERROR))
    assert set(step.pooled) | set(step.centred) == {0, 1}
    observed = estep_errors(model, X, radius)
    distances = np.abs(quadratic_forms(joint, model))
    assert np.all(observed <= SAFE_ERROR + 1e3 * EPS * distances)
    # and the bound is not so wide that it would never let the fast form through
    if spread == 1.0:
        assert len(step.centred) == 0
    if spread <= 1e-4:
        assert len(step.pooled) == 0


def test_without_the_fall_back_the_expanded_form_is_wrong():
    # the negative control of the test above
    rng = np.random.default_rng(4)
    wide = conditioned(rng, "full", 10.0)
    model = GaussianMixture(wide.weights, wide.means, wide.covariance.scaled(np.full(4, 1e-7)))
    X, _ = model.sample(20, rng)
    form = model.covariance.form
    expanded = model.coefficients @ form.features(X.T)
    assert np.max(errors(expanded, exact_log_joint(model, X)).min(axis=0)) > 1e-3
    assert np.max(estep_errors(model, X, np.abs(X).max(axis=0)).min(axis=0)) < 1e-5


@pytest.mark.parametrize("correlation", [0.0, 0.9, 1 - 1e-5, 1 - 1e-9])
def test_the_bound_holds_for_thin_clusters(correlation):
    # the small variance is in a direction, not in a column
    rng = np.random.default_rng(5)
    sigma = np.array([[1.0, correlation], [correlation, 1.0]])
    model = GaussianMixture.from_arrays(
        [0.5, 0.5], [[0.0, 1.0], [-1.0, 0.0]], [sigma, sigma], covariance_type="full"
    )
    X = np.concatenate([model.sample(10, rng)[0], rng.standard_normal((10, 2))])
    form, coefficients = model.covariance.form, model.coefficients
    bound = rounding_error(coefficients, np.abs(X).max(axis=0), form)
    joint = exact_log_joint(model, X)
    expanded = coefficients @ form.features(X.T)
    # what both forms lose alike, to the factor of an ill-conditioned matrix
    of_factor = 8 * EPS * np.linalg.cond(sigma) * (2 + np.abs(quadratic_forms(joint, model)))
    assert np.all(errors(expanded, joint) <= bound[:, None] + of_factor)


@FORMS
def test_factors_and_determinants(form):
    rng = np.random.default_rng(6)
    sigma = np.stack([random_spd(rng, 5, 1e4) for _ in range(3)])
    kept = np.stack([form.of_matrix(s) for s in sigma])
    factors = form.factors(kept)
    whole = sigma if kept.ndim == 3 else kept[:, :, None] * np.eye(5)
    np.testing.assert_allclose(
        form.log_determinants(factors), np.linalg.slogdet(whole)[1], rtol=1e-11
    )
    if kept.ndim == 3:
        np.testing.assert_allclose(
            factors @ whole @ factors.transpose(0, 2, 1), np.eye(5)[None].repeat(3, 0), atol=1e-10
        )
        assert np.all(np.triu(factors, 1) == 0)


@FORMS
def test_what_is_not_positive_definite_gives_nan(form):
    bad = np.diag([1.0, -1.0])
    good = np.eye(2)
    kept = np.stack([form.of_matrix(m) for m in (good, bad, good)])
    factors = form.factors(kept)
    assert np.isfinite(factors[[0, 2]]).all()
    assert np.isnan(factors[1]).any()


@FORMS
@pytest.mark.parametrize("origin", ["zero", "mean"])
def test_moments_give_weighted_means_and_scatters(form, origin):
    rng = np.random.default_rng(7)
    X, r = rng.standard_normal((3, 50)) + 2, rng.random((2, 50))
    means = np.stack([np.average(X, axis=1, weights=w) for w in r])
    origins = np.zeros((2, 3)) if origin == "zero" else means + 0.01
    totals = np.stack([form.about(X, w, o) for w, o in zip(r, origins, strict=True)])
    if origin == "zero":
        np.testing.assert_allclose(totals, r @ form.features(X).T, rtol=1e-13)
    found, scatters = form.mean_and_scatter(totals, origins)
    np.testing.assert_allclose(found, means, rtol=1e-12)
    for k in range(2):
        Y = X - means[k][:, None]
        np.testing.assert_allclose(scatters[k], form.of_matrix((Y * r[k]) @ Y.T), rtol=1e-11)


@FORMS
def test_an_empty_component_has_moments_without_nan(form):
    totals = np.zeros((1, form.width(3)))
    means, scatters = form.mean_and_scatter(totals, np.ones((1, 3)))
    assert np.array_equal(means, np.ones((1, 3)))
    assert not scatters.any()
