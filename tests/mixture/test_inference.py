"""Variational Bayes beside scikit-learn, step by step, and beside exact evidence."""

from itertools import islice, product

import mpmath
import numpy as np
import pytest
from effort import in_turn, some
from hypothesis import given, settings
from hypothesis import strategies as st
from mixture.problems import fitted, overlapping, problem_of, random_model, rows
from scipy.special import betaln, gammaln
from scipy.stats import multivariate_t
from sklearn.mixture import BayesianGaussianMixture

from gmmcli.execution import executor
from gmmcli.mixture.em import iterate
from gmmcli.mixture.fitting import FitOptions, fit
from gmmcli.mixture.gamma import digamma as our_digamma
from gmmcli.mixture.gamma import log_beta, log_gamma
from gmmcli.mixture.inference import bayesian
from gmmcli.mixture.partition import moments_of
from gmmcli.mixture.shapes import WORDS
from gmmcli.mixture.weight_prior import WEIGHT_PRIORS

PRIORS = tuple(WEIGHT_PRIORS)
every_structure = pytest.mark.parametrize("name", WORDS)
every_prior = pytest.mark.parametrize("weight_prior", PRIORS)


def bayes_problem(X, name, weight_prior, *, K, gamma=0.3, strength=0.5, weights=None):
    """The Bayesian problem for the rows as they are."""
    options = FitOptions(weight_prior=weight_prior, weight_concentration=gamma)
    problem = problem_of(X, name, strength=strength, weights=weights)
    n_rows = len(X) if weights is None else weights.sum()
    return bayesian(problem, options, n_components=K, n_rows=float(n_rows))


class FromPartition(BayesianGaussianMixture):
    """scikit-learn's, from a partition, with the priors of a problem of ours."""

    def __init__(self, problem=None, labels=None, tol=1e-3, max_iter=100):
        prior = problem.prior
        self.problem, self.labels = problem, labels
        values = prior.scatter.values
        super().__init__(
            n_components=int(labels.max()) + 1,
            covariance_type=prior.scatter.name,
            weight_concentration_prior_type=prior.weights.name.replace("-", "_"),
            weight_concentration_prior=prior.weights.concentration,
            mean_prior=prior.mean,
            mean_precision_prior=prior.mean_precision,
            degrees_of_freedom_prior=prior.degrees_of_freedom,
            covariance_prior=values if prior.scatter.name == "tied" else values[0],
            reg_covar=0,
            tol=tol,
            max_iter=max_iter,
        )

    def _initialize_parameters(self, X, random_state, xp=None):
        del random_state, xp
        self._initialize(X, np.eye(self.n_components)[self.labels])


def constant_of_scikit_learn(problem, K):
    """What its bound leaves out: ours is theirs and this."""
    prior, D, n = problem.prior, problem.batches.n_features, problem.n_rows
    gamma, nu = prior.weights.concentration, prior.degrees_of_freedom
    wishart = -nu / 2 * prior.scatter.log_determinants[0] + nu * D / 2 * np.log(2)
    wishart += sum(gammaln((nu - j) / 2) for j in range(D))
    constant = -n * D / 2 * np.log(2 * np.pi)
    constant -= K * (wishart - D / 2 * np.log(prior.mean_precision))
    if prior.weights.name == "dirichlet":
        return constant + gammaln(K * gamma) - K * gammaln(gamma)
    return constant - K * betaln(1, gamma)


def concentrations(reference):
    return np.array(reference.weight_concentration_)


def same_posterior(posterior, reference, rtol):
    close = {"rtol": rtol, "atol": rtol}
    np.testing.assert_allclose(posterior.weight_concentration, concentrations(reference), **close)
    np.testing.assert_allclose(posterior.mean_precision, reference.mean_precision_, **close)
    degrees = np.broadcast_to(reference.degrees_of_freedom_, posterior.degrees_of_freedom.shape)
    np.testing.assert_allclose(posterior.degrees_of_freedom, degrees, **close)
    np.testing.assert_allclose(posterior.means, reference.means_, **close)
    np.testing.assert_allclose(posterior.covariance.values, reference.covariances_, **close)


@every_structure
@every_prior
@pytest.mark.parametrize(("K", "gamma"), [(4, 0.25), (4, 3.0), (7, 0.01)])
def test_every_step_and_bound_is_scikit_learns(name, weight_prior, K, gamma):
    rng = np.random.default_rng(K)
    X = overlapping(rng) * [1, 1 if name == "spherical" else 40, 1]
    problem = bayes_problem(X, name, weight_prior, K=K, gamma=gamma)
    Z = problem.batches.X.T
    labels = rng.integers(K, size=len(X))
    reference = FromPartition(problem, labels)
    reference._check_parameters(Z)
    reference._initialize_parameters(Z, None)
    model = problem.update(of_partition(problem, labels))
    constant = constant_of_scikit_learn(problem, K)
    last = -np.inf
    for _ in range(30):
        posterior = problem.posterior(model)
        same_posterior(posterior, reference, 1e-8)
        _, log_resp = reference._estimate_log_prob_resp(Z)
        resp = np.exp(log_resp)
        surrogate = posterior.surrogate.mixture
        np.testing.assert_allclose(surrogate.posterior(Z).responsibilities, resp, atol=1e-9)
        statistics = problem.e_step(model)
        reference._m_step(Z, log_resp)
        model = problem.update(statistics.estimates())
        # both bounds of the same q: the responsibilities of before, the parameters of now
        theirs = reference._compute_lower_bound(log_resp, 0) + constant
        ours = bound_of(problem.posterior(model), resp, Z)
        assert ours == pytest.approx(theirs, abs=1e-6, rel=1e-10)
        # and ours, which is taken after the E-step, lies between theirs of two steps
        assert last - 1e-6 <= statistics.log_likelihood <= theirs + 1e-6
        last = theirs


def of_partition(problem, labels):
    """The moments of a partition."""
    return moments_of(problem.batches, labels, problem.structure.form)


def bound_of(posterior, resp, Z):
    """The bound from its definition: E[ln p(x, z | parameters)] - E[ln q(z)] - divergence."""
    mixture, constant = posterior.surrogate
    joint = mixture._log_joint(Z.T).T + constant
    held = resp > 0
    entropy = (resp[held] * np.log(resp[held])).sum()
    return float((resp * joint).sum() - entropy - posterior.divergence())


@every_structure
@every_prior
def test_the_optimum_and_its_predictions_are_scikit_learns(name, weight_prior):
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1, 2], [200, 120, 80])
    X = rng.standard_normal((400, 2)) * [1, 1.3] + np.array([[0, 0], [4, 0], [0, 5]])[labels]
    unit = 1.0 if name != "spherical" else np.sqrt(X.var(axis=0).mean())
    scale = X.std(axis=0) if name != "spherical" else np.full(2, unit)
    problem = bayes_problem(X, name, weight_prior, K=3, gamma=1 / 3)
    Z = problem.batches.X.T
    np.testing.assert_allclose(Z * scale + X.mean(axis=0), X, rtol=1e-12, atol=1e-12)
    reference = FromPartition(problem, labels, tol=1e-14, max_iter=20_000).fit(Z)
    until = {"converge_on": "parameters", "tol": 1e-11}
    result = fitted(X, 3, start=labels, covariance_type=name, weight_prior=weight_prior, **until)
    theirs = reference.lower_bound_ + constant_of_scikit_learn(problem, 3)
    theirs -= len(X) * np.log(scale).sum()
    assert result.bayes.lower_bound == pytest.approx(theirs, abs=1e-6)
    posterior = result.bayes.posterior
    same_posterior(posterior.transformed(-X.mean(axis=0) / scale, 1 / scale), reference, 1e-6)
    model = result.model
    np.testing.assert_allclose(model.weights, reference.weights_, atol=1e-6)
    np.testing.assert_allclose(model.means, reference.means_ * scale + X.mean(axis=0), atol=1e-5)
    new = rng.standard_normal((500, 2)) * 5
    there = (new - X.mean(axis=0)) / scale
    told = posterior.posterior(new)
    np.testing.assert_allclose(told.responsibilities, reference.predict_proba(there), atol=1e-6)
    assert np.array_equal(told.labels, reference.predict(there))


def log_marginal(Z, prior):
    """ln p(Z) under one Gaussian-Wishart component (Murphy 2007, equation 266), by mpmath."""
    n, D = Z.shape
    if n == 0:
        return mpmath.mpf(0)
    beta, nu = prior.mean_precision, prior.degrees_of_freedom
    P = prior.scatter.full()[0]
    centre = Z.mean(axis=0)
    moved = centre - prior.mean
    after = P + (Z - centre).T @ (Z - centre) + beta * n / (beta + n) * np.outer(moved, moved)

    def log_det(matrix):
        return mpmath.log(mpmath.det(mpmath.matrix(matrix.tolist())))

    def log_gammas(degrees):
        return sum(mpmath.loggamma(mpmath.mpf(degrees - j) / 2) for j in range(D))

    return (
        -mpmath.mpf(n * D) / 2 * mpmath.log(mpmath.pi)
        + log_gammas(nu + n)
        - log_gammas(nu)
        + nu / 2 * log_det(P)
        - (nu + n) / 2 * log_det(after)
        + mpmath.mpf(D) / 2 * (mpmath.log(beta) - mpmath.log(beta + n))
    )


def log_weight_evidence(counts, weight_prior):
    """ln p(z) of a labelling with so many rows in each of K components."""
    gamma, K, n = weight_prior.concentration, weight_prior.n_components, sum(counts)
    if weight_prior.name == "dirichlet":
        each = sum(gammaln(gamma + count) - gammaln(gamma) for count in counts)
        return gammaln(K * gamma) - gammaln(K * gamma + n) + each
    behind = [sum(counts[k + 1 :]) for k in range(len(counts))]
    pairs = zip(counts, behind, strict=True)
    return sum(betaln(1 + count, gamma + more) - betaln(1, gamma) for count, more in pairs)


@every_prior
@pytest.mark.parametrize("D", [1, 2, 5])
def test_of_one_component_the_bound_is_the_evidence(weight_prior, D):
    X = overlapping(np.random.default_rng(D), 60, D) * 3 + 100
    result = fitted(X, 1, weight_prior=weight_prior, weight_concentration=0.7)
    problem = bayes_problem(X, "full", weight_prior, K=1, gamma=0.7)
    exact = log_marginal(problem.batches.X.T, problem.prior)
    exact += log_weight_evidence([60], problem.weight_prior)
    exact -= 60 * np.log(X.std(axis=0)).sum()
    assert result.bayes.lower_bound == pytest.approx(float(exact), abs=1e-8)


@pytest.mark.heavy
@in_turn(WORDS, weight_prior=PRIORS, seed=[0, 1])
def test_the_bound_is_below_the_evidence_of_all_labellings(name, weight_prior, seed):
    X = overlapping(np.random.default_rng(seed), 8, 2)
    problem = bayes_problem(X, name, weight_prior, K=2, gamma=0.8)
    Z = problem.batches.X.T
    joint = []
    for labels in product([0, 1], repeat=8):
        groups = [Z[np.array(labels) == k] for k in range(2)]
        rows_in = sum(log_marginal(group, problem.prior) for group in groups)
        joint.append(
            float(rows_in) + log_weight_evidence([*map(len, groups)], problem.weight_prior)
        )
    evidence = np.logaddexp.reduce(joint)
    bounds = []
    for start in product([0, 1], repeat=8):
        if 0 < sum(start) < 8:
            model = problem.m_step(of_partition(problem, np.array(start)))
            bounds += [step.objective for step in islice(iterate(model, problem), 8)]
    assert max(bounds) < evidence
    # negative control: it is a bound worth having, not just any low number
    assert max(bounds) > evidence - 6


@every_structure
@every_prior
@settings(max_examples=some(4, 8), deadline=None)
@given(seed=st.integers(0, 10**6), log_gamma_=st.floats(-4, 2))
def test_no_step_lowers_the_bound(name, weight_prior, seed, log_gamma_):
    rng = np.random.default_rng(seed)
    X = overlapping(rng, 120)
    weights = rng.uniform(0, 3, 120) if seed % 2 else None
    gamma = 10.0**log_gamma_
    problem = bayes_problem(X, name, weight_prior, K=6, gamma=gamma, weights=weights)
    before = None
    steps = list(islice(iterate(random_model(rng, name, 6), problem), 30))
    assert len(steps) == 30
    for step in steps:
        if before is not None and step.model.n_components == before.model.n_components:
            assert step.objective - before.objective >= -1e-8
            assert step.change == step.objective - before.objective
        assert np.isfinite(step.objective)
        before = step


def three_clusters():
    """Clusters far apart, and their labels."""
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [150, 100, 50])
    return rng.standard_normal((300, 2)) + np.array([[0, 0], [9, 0], [0, 9]])[truth], truth


@pytest.mark.heavy(cases=3)
@every_structure
@every_prior
def test_twenty_components_are_emptied_to_three(name, weight_prior):
    X, truth = three_clusters()
    # every kind of start for one structure is enough
    init = "auto" if name == "full" else "kmeans"
    result = fitted(X, 20, covariance_type=name, weight_prior=weight_prior, init=init)
    assert result.model.n_components == 3
    labels = result.bayes.posterior.posterior(X).labels
    assert np.array_equal(labels, truth)
    np.testing.assert_allclose(result.model.weights, [1 / 2, 1 / 3, 1 / 6], atol=0.02)


@pytest.mark.heavy
def test_a_belief_in_many_components_keeps_more_of_them():
    # the negative control
    X, _ = three_clusters()
    many = fitted(X, 20, weight_prior="dirichlet", weight_concentration=200.0)
    assert many.model.n_components > 3


@pytest.mark.heavy
@in_turn(WORDS, weight_prior=PRIORS)
def test_units_and_origins_do_not_matter(name, weight_prior):
    X = overlapping(np.random.default_rng(5), 300, 2)
    scale = np.array([1e-8, 1e-8 if name == "spherical" else 3e5])
    shift = np.array([7.0, -1e4]) * scale
    options = {"covariance_type": name, "weight_prior": weight_prior}
    plain, moved = (fitted(Y, 8, **options) for Y in (X, X * scale + shift))
    expected = plain.bayes.posterior.transformed(shift, scale)
    posterior = moved.bayes.posterior
    volume = len(X) * np.log(scale).sum()
    assert moved.bayes.lower_bound == pytest.approx(plain.bayes.lower_bound - volume, rel=1e-9)
    for field in ("weight_concentration", "mean_precision", "degrees_of_freedom", "means"):
        np.testing.assert_allclose(getattr(posterior, field), getattr(expected, field), rtol=1e-6)
    np.testing.assert_allclose(
        posterior.covariance.matrices, expected.covariance.matrices, rtol=1e-5
    )
    there, here = posterior.posterior(X * scale + shift), plain.bayes.posterior.posterior(X)
    np.testing.assert_allclose(there.responsibilities, here.responsibilities, atol=1e-6)
    jacobian = np.log(scale).sum()
    np.testing.assert_allclose(there.log_density, here.log_density - jacobian, atol=1e-6)


@pytest.mark.heavy(cases=1)
@in_turn(WORDS, weight_prior=PRIORS)
def test_a_weight_is_a_repetition(name, weight_prior):
    rng = np.random.default_rng(6)
    X, counts = overlapping(rng, 90, 2), rng.integers(0, 4, 90)
    options = {"covariance_type": name, "weight_prior": weight_prior, "max_iter": 40}
    weighted = fitted(X, 5, weights=counts.astype(float), **options)
    repeated = fitted(np.repeat(X, counts, axis=0), 5, **options)
    assert weighted.bayes.lower_bound == pytest.approx(repeated.bayes.lower_bound, rel=1e-10)
    ours, theirs = weighted.bayes.posterior, repeated.bayes.posterior
    np.testing.assert_allclose(ours.mean_precision, theirs.mean_precision, rtol=1e-9)
    np.testing.assert_allclose(ours.means, theirs.means, rtol=1e-9, atol=1e-9)


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("n_rows", [700, 11_000])
@pytest.mark.parametrize("name", ["full", "diag"])
def test_threads_and_passes_give_the_same_bits(name, n_rows):
    rng = np.random.default_rng(7)
    X, weights = overlapping(rng, n_rows, 2), rng.uniform(0.5, 1.5, n_rows)
    held = rows(X, weights)

    class Passes:
        n_features = 2

        def __iter__(self):
            return iter(held)

    prior = {"weight_prior": "dirichlet-process", "init": "kmeans"}
    options = FitOptions(covariance_type=name, **prior)
    plain = fit(held, 6, options=options)
    results = [fit(Passes(), 6, options=options)]
    for n_threads in (2, 3):
        with executor(n_threads) as workers:
            results.append(fit(held, 6, options=options, workers=workers))
    assert len(results) == 3
    for result in results:
        assert result.bayes.lower_bound == plain.bayes.lower_bound
        ours, theirs = result.bayes.posterior, plain.bayes.posterior
        assert np.array_equal(ours.weight_concentration, theirs.weight_concentration)
        assert np.array_equal(ours.covariance.matrices, theirs.covariance.matrices)
        assert np.array_equal(ours.means, theirs.means)


@pytest.mark.heavy(cases=1)
@in_turn(WORDS, weight_prior=PRIORS)
def test_what_is_reported_is_of_the_expected_mixture(name, weight_prior):
    rng = np.random.default_rng(8)
    X, weights = overlapping(rng, 200, 2) * [1, 30], rng.uniform(0.5, 2, 200)
    result = fitted(X, 4, weights=weights, covariance_type=name, weight_prior=weight_prior)
    told = result.model.posterior(X)
    assert result.log_likelihood == pytest.approx(weights @ told.log_density, rel=1e-10)
    top = np.log(told.responsibilities.max(axis=1))
    assert result.log_top == pytest.approx(weights @ top, rel=1e-8)
    posterior = result.bayes.posterior
    assert np.array_equal(posterior.mixture.weights, result.model.weights)
    assert np.array_equal(posterior.mixture.means, result.model.means)
    assert result.bayes.lower_bound < result.log_likelihood


@every_structure
def test_the_density_of_a_new_row_is_students(name):
    rng = np.random.default_rng(9)
    X = overlapping(rng, 60, 3)
    posterior = fitted(X, 3, covariance_type=name, weight_prior="dirichlet").bayes.posterior
    new = 4 * rng.standard_normal((20, 3))
    beta, nu = posterior.mean_precision, posterior.degrees_of_freedom
    expected = np.zeros(20)
    for k, weight in enumerate(posterior.mixture.weights):
        freedom = nu[k] + 1 - 3
        shape = posterior.covariance.full()[k] * nu[k] * (1 + beta[k]) / (beta[k] * freedom)
        student = multivariate_t(posterior.means[k], shape, df=freedom)
        expected += weight * student.pdf(new)
    np.testing.assert_allclose(np.exp(posterior.log_density(new)), expected, rtol=1e-10)
    far = posterior.log_density(np.array([[1e200, 0, 0], [1e308, -1e308, 1e308]]))
    assert np.all(np.isfinite(far))
    assert far[0] < -900


@pytest.mark.heavy
def test_each_setting_changes_the_result():
    X = overlapping(np.random.default_rng(10))
    options = {"weight_prior": "dirichlet-process", "init": "random"}
    plain = fitted(X, 6, **options).bayes.lower_bound
    for change in (
        {"weight_prior": "dirichlet"},
        {"weight_concentration": 5.0},
        {"reg_covar": 2.0},
        {"covariance_type": "tied"},
    ):
        other = fitted(X, 6, **(options | change))
        assert abs(other.bayes.lower_bound - plain) > 0.1, change
    assert fitted(X, 6).bayes is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight_prior": "pitman-yor"},
        {"weight_prior": "dirichlet", "weight_concentration": 0.0},
        {"weight_prior": "dirichlet", "weight_concentration": -1.0},
        {"weight_prior": "dirichlet", "weight_concentration": np.inf},
        {"weight_prior": "dirichlet", "reg_covar": 0.0},
    ],
)
def test_settings_without_a_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match=r"not one of|not a finite|above 0"):
        FitOptions(**wrong)


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("name", WORDS)
def test_a_column_that_others_determine_and_equal_rows_are_borne(name):
    X = overlapping(np.random.default_rng(11), 80, 2)
    X = np.column_stack([X, X @ [2, -1]])
    result = fitted(X, 5, covariance_type=name, weight_prior="dirichlet-process")
    assert np.isfinite(result.bayes.lower_bound)
    few = np.repeat(X[:3, :2], 20, axis=0)
    result = fitted(few, 20, covariance_type=name, weight_prior="dirichlet-process")
    assert 1 <= result.model.n_components <= 3
    assert np.all(np.isfinite(result.model.covariance.matrices))


@pytest.mark.parametrize("x", [1e-8, 0.05, 0.5, 1.0, 7.25, 1e3, 1e9])
def test_the_special_functions(x):
    assert our_digamma(x) == pytest.approx(float(mpmath.digamma(x)), rel=1e-13)
    assert log_gamma(x) == pytest.approx(float(mpmath.loggamma(x)), rel=1e-13, abs=1e-13)
    exact = float(mpmath.log(mpmath.beta(x, 2.5)))
    assert log_beta(x, 2.5) == pytest.approx(exact, rel=1e-13, abs=1e-13)
