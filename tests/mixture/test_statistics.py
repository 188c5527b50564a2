"""The E-step and its sums."""

from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixture.problems import ONE_SCALE, WORDS, overlapping, random_model, raw_problem, rows
from scipy.special import logsumexp, softmax
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as ScikitMixture

from gmmcli.mixture.batches import Batch
from gmmcli.mixture.e_step import EStep
from gmmcli.mixture.model import GaussianMixture

every_structure = pytest.mark.parametrize("name", WORDS)


def plain_e_step(model, X, weights):
    """The E-step by its definition, with scipy's density."""
    joint = np.stack(
        [
            np.log(w) + multivariate_normal(m, s).logpdf(X)
            for w, m, s in zip(model.weights, model.means, model.covariance.full(), strict=True)
        ]
    )
    return weights @ logsumexp(joint, axis=0), softmax(joint, axis=0)


@every_structure
@pytest.mark.parametrize("tight", [False, True])
def test_the_sums_are_those_of_the_definition(name, tight):
    rng = np.random.default_rng(0)
    model = random_model(rng, name)
    if tight:
        spread = np.array([1e-4, 1, 1, 1][: model.n_features])
        spread = np.full(3, 1e-4) if name in ONE_SCALE else spread
        model = GaussianMixture(model.weights, model.means, model.covariance.scaled(spread))
    X, _ = model.sample(300, rng)
    weights = rng.uniform(0.5, 2, 300)
    step = EStep(model, np.abs(X).max(axis=0))
    assert (len(step.centred) > 0) == tight
    statistics = step(Batch(np.ascontiguousarray(X.T), weights))
    log_likelihood, r = plain_e_step(model, X, weights)
    assert statistics.n_rows == pytest.approx(weights.sum(), rel=1e-14)
    assert statistics.log_likelihood == pytest.approx(log_likelihood, rel=1e-9)
    assert statistics.log_top == pytest.approx(weights @ np.log(r.max(axis=0)), rel=1e-7)
    np.testing.assert_allclose(statistics.masses, r @ weights, rtol=1e-7)
    estimates = statistics.estimates()
    np.testing.assert_allclose(estimates.weights, r @ weights / weights.sum(), rtol=1e-7)
    means, spreads = estimates.means, estimates.spreads
    np.testing.assert_allclose(means, (r * weights) @ X / (r @ weights)[:, None], rtol=1e-7)
    scatters = np.stack(
        [
            model.covariance.form.of_matrix(((X - mean).T * (share * weights)) @ (X - mean))
            for mean, share in zip(means, r, strict=True)
        ]
    )
    assert statistics.shared == (model.covariance.shared and not tight)
    if statistics.shared:
        # of one covariance for all only the sum is needed, and known
        expected = np.broadcast_to(scatters.sum(axis=0) / weights.sum(), scatters.shape)
    else:
        masses = (r @ weights).reshape((-1,) + (1,) * (scatters.ndim - 1))
        expected = scatters / masses
    np.testing.assert_allclose(spreads, expected, rtol=1e-6, atol=1e-9)


def scikit_step(model, X, name):
    """scikit-learn after one EM step from the same parameters, and its first lower bound."""
    precisions = 1 / model.covariance.values
    if name in {"full", "tied"}:
        precisions = np.linalg.inv(model.covariance.values)
    theirs = ScikitMixture(
        model.n_components,
        covariance_type=name,
        weights_init=model.weights,
        means_init=model.means,
        precisions_init=precisions,
        max_iter=1,
        tol=0,
        reg_covar=0,
    )
    with pytest.warns(ConvergenceWarning):
        theirs.fit(X)
    return theirs


@every_structure
@pytest.mark.parametrize("repeated", [False, True])
def test_one_step_of_em_is_that_of_scikit_learn(name, repeated):
    rng = np.random.default_rng(1)
    X = overlapping(rng)
    model = random_model(rng, name)
    counts = rng.integers(1, 4, len(X)) if repeated else np.ones(len(X), dtype=np.int64)
    theirs = scikit_step(model, np.repeat(X, counts, axis=0), name)
    problem = raw_problem(X, name)
    step = EStep(model, problem.radius)
    weights = counts.astype(float) if repeated else None
    statistics = step(Batch(np.ascontiguousarray(X.T), weights))
    after = problem.m_step(statistics.estimates())
    # their bound is that of the parameters before the step
    assert statistics.log_likelihood / statistics.n_rows == pytest.approx(
        theirs.lower_bound_, rel=1e-10
    )
    np.testing.assert_allclose(after.weights, theirs.weights_, rtol=1e-10)
    np.testing.assert_allclose(after.means, theirs.means_, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(after.covariance.values, theirs.covariances_, rtol=1e-10, atol=1e-10)
    assert after.n_parameters == theirs._n_parameters()


@every_structure
@given(st.data())
def test_a_split_into_batches_does_not_matter(name, data):
    rng = np.random.default_rng(2)
    model = random_model(rng, name)
    X = np.ascontiguousarray(overlapping(rng, 500).T)
    weights = rng.uniform(0, 2, 500) if data.draw(st.booleans()) else None
    cuts = sorted(data.draw(st.sets(st.integers(1, 499), max_size=8)))
    step = EStep(model, np.abs(X).max(axis=1))
    parts = []
    for start, stop in zip([0, *cuts], [*cuts, 500], strict=True):
        part = slice(start, stop)
        parts.append(step(Batch(X[:, part], None if weights is None else weights[part])))
    order = data.draw(st.permutations(range(len(parts))))
    whole = step(Batch(X, weights))
    for total in (reduce(add, parts), reduce(add, [parts[i] for i in order])):
        assert total.n_rows == pytest.approx(whole.n_rows, rel=1e-13)
        assert total.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
        assert total.log_top == pytest.approx(whole.log_top, rel=1e-11)
        np.testing.assert_allclose(total.totals, whole.totals, rtol=1e-11, atol=1e-11)


@every_structure
def test_blocks_inside_a_batch_lose_no_row(name):
    # many more rows than a block of the cache holds, and not a multiple of it
    rng = np.random.default_rng(3)
    model = random_model(rng, name)
    X, _ = model.sample(9973, rng)
    step = EStep(model, np.abs(X).max(axis=0))
    assert step.block_rows < 9973
    statistics = reduce(add, map(step, rows(X)))
    assert statistics.n_rows == 9973
    assert statistics.masses.sum() == pytest.approx(9973, rel=1e-13)
    posterior = model.posterior(X)
    assert statistics.log_likelihood == pytest.approx(posterior.log_density.sum(), rel=1e-12)
    np.testing.assert_allclose(
        statistics.masses, posterior.responsibilities.sum(axis=0), rtol=1e-11
    )


def test_many_features_take_the_centred_form():
    rng = np.random.default_rng(4)
    model = random_model(rng, "full", n_components=2, n_features=45)
    X, _ = model.sample(100, rng)
    step = EStep(model, np.abs(X).max(axis=0))
    assert len(step.pooled) == 0
    statistics = step(Batch(np.ascontiguousarray(X.T), None))
    assert statistics.log_likelihood == pytest.approx(
        model.posterior(X).log_density.sum(), rel=1e-12
    )


@every_structure
def test_estimates_are_a_row_of_numbers_and_back(name):
    rng = np.random.default_rng(5)
    model = random_model(rng, name)
    X, _ = model.sample(100, rng)
    estimates = EStep(model, np.abs(X).max(axis=0))(Batch(X.T.copy(), None)).estimates()
    back = estimates.of_vector(estimates.vector())
    for a, b in zip(estimates, back, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-15)
    # an extrapolation may leave the simplex; what comes back does not
    wild = estimates.of_vector(-estimates.vector())
    assert np.all(wild.weights > 0)
    assert wild.weights.sum() == pytest.approx(1, rel=1e-15)


@every_structure
@pytest.mark.parametrize("weighted", [False, True])
def test_rows_below_a_threshold_are_kept(name, weighted):
    rng = np.random.default_rng(4)
    model = random_model(rng, name)
    X, _ = model.sample(700, rng)
    weights = rng.uniform(0.5, 2, 700) if weighted else None
    density = model.posterior(X).log_density
    radius = np.abs(X).max(axis=0)
    np.testing.assert_allclose(EStep(model, radius).log_density(X.T), density, rtol=1e-10)
    threshold = float(np.sort(density)[9:11].mean())
    statistics = EStep(model, radius, threshold=threshold)(Batch(X.T, weights))
    (kept,) = statistics.unlikely
    below = density < threshold
    assert below.sum() == 10
    assert np.array_equal(kept.X, X.T[:, below])
    assert weights is None or np.array_equal(kept.weights, weights[below])
