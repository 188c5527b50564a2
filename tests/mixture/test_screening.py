"""Rows whose component single precision tells."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixture.problems import apart, lazy, peer_after, rows

from gmmcli.execution import executor
from gmmcli.mixture.batches import MOST_BLOCK
from gmmcli.mixture.e_step import EStep
from gmmcli.mixture.em import iterate
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.screening import MOST_DOUBTED, Screening, share_in_doubt
from gmmcli.mixture.statistics import FAINT, NOT_KEPT, typical_density


def clusters(rng, *, distance=14.0, n_features=6, n_components=4, n_rows=6_000):
    model = apart(rng, "full", distance=distance, n_features=n_features, n_components=n_components)
    return model, model.sample(n_rows, rng)[0]


def screened(model, problem, **options):
    e_step = EStep(model, problem.radius, is_whole=True, **options)
    assert e_step.screening is not None
    return e_step


@pytest.fixture
def screenings(monkeypatch):
    """The number of rows of each block that is screened."""
    found, by_component = [], Screening.by_component
    monkeypatch.setattr(
        Screening,
        "by_component",
        lambda self, X: found.append(X.shape[1]) or by_component(self, X),
    )
    return found


def joint(model, X):
    """ln [w_k N(x; mu_k, Sigma_k)], by the definition: (K, N)."""
    posterior = model.posterior(X)
    with np.errstate(divide="ignore"):
        return (posterior.log_density[:, None] + np.log(posterior.responsibilities)).T


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n_features", "n_components"), [(5, 3), (12, 1), (8, 6)])
def test_statistics_are_those_of_an_e_step_over_all_rows(weighted, n_features, n_components):
    rng = np.random.default_rng(n_features)
    model, X = clusters(rng, n_features=n_features, n_components=n_components, n_rows=10_000)
    problem = lazy(X, "full", rng.uniform(0.5, 2, len(X)) if weighted else None)
    e_step, plain = screened(model, problem), EStep(model, problem.radius)
    for batch in problem.batches:
        ours, whole = e_step(batch), plain(batch)
        assert ours.n_rows == pytest.approx(whole.n_rows, rel=1e-14)
        assert ours.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-13)
        assert ours.log_top == pytest.approx(whole.log_top, rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(ours.totals, whole.totals, rtol=1e-12, atol=1e-9)
        # and few rows were gone over twice
        assert sum(kept.X.shape[1] for kept in ours.doubt.rows) < 0.1 * batch.X.shape[1]


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), distance=st.floats(8, 20))
def test_what_is_beyond_doubt_is_so_in_double_precision(seed, distance):
    rng = np.random.default_rng(seed)
    model, X = clusters(rng, distance=distance, n_rows=2_000)
    # of them some between the clusters, and some far from all
    X[:100] = (X[:100] + X[100:200]) / 2
    X[200:220] *= 1.5
    problem = lazy(X, "full")
    e_step = EStep(model, problem.radius)
    screening = Screening.of(model, np.full(4, 1e-12), -np.inf)
    if screening is None:
        assert share_in_doubt(model) > MOST_DOUBTED
        return
    *own, others = screening.by_component(X.T)
    assert sorted(np.concatenate([*own, others]).tolist()) == list(range(len(X)))
    densities = e_step.log_joint(*e_step.read(X.T))
    for k, chosen in enumerate(own):
        here = densities[:, chosen]
        assert np.all(here[k] >= typical_density(model))
        assert np.all(np.delete(here, k, axis=0) < here[k] - FAINT)
    # those at the very border may be either
    top = densities.max(axis=0)
    alone = (densities > top - FAINT - 1e-3).sum(axis=0) == 1
    assert np.all(~(alone & (top > typical_density(model) + 1e-3))[others])


def test_an_iteration_is_that_of_scikit_learn(screenings):
    rng = np.random.default_rng(1)
    model, X = clusters(rng, n_rows=12_000)
    begin = replace(model, means=model.means + 0.1)
    problem = lazy(X, "full")
    _, step = islice(iterate(begin, problem), 2)
    assert len(screenings) >= 2
    peer = peer_after(begin, X, 1)
    np.testing.assert_allclose(step.model.weights, peer.weights_, rtol=1e-12)
    np.testing.assert_allclose(step.model.means, peer.means_, rtol=1e-11, atol=1e-11)
    full = step.model.covariance.full()
    np.testing.assert_allclose(full, peer.covariances_, rtol=1e-9, atol=1e-11)
    assert step.log_likelihood == pytest.approx(peer.score(X) * len(X), rel=1e-12)


class Read:
    """Rows that come batch by batch and are not held in memory, as far as the engine knows."""

    def __init__(self, held):
        self.held = held
        self.n_features = held.n_features

    def __iter__(self):
        return iter(self.held)


@pytest.mark.parametrize("n_rows", [11_000, 30_000, 140_000])
def test_the_same_bits_from_memory_from_passes_and_by_processes(n_rows, screenings, monkeypatch):
    monkeypatch.setattr("gmmcli.execution.WORTH", -1)
    monkeypatch.setattr("gmmcli.execution.SHORT", -1)
    model, X = clusters(np.random.default_rng(8), n_rows=n_rows)
    fits = [Fitting(rows(X)), Fitting(rows(X)).alone(), Fitting(Read(rows(X)))]
    options, start = FitOptions(tol=1e-12), model.posterior(X).labels
    # a start beside the optimum takes several passes
    start = np.where(np.arange(n_rows) % 9 == 0, 0, start)
    results = [fitting.fit(4, options, start) for fitting in fits]
    assert len(screenings) >= 3 * n_rows / MOST_BLOCK
    with executor(2) as workers:
        results.append(Fitting(rows(X), workers=workers).fit(4, options, start))
    first, *others = results
    for other in others:
        assert other.log_likelihood == first.log_likelihood
        assert np.array_equal(other.model.means, first.model.means)
        assert np.array_equal(other.model.covariance.matrices, first.model.covariance.matrices)


def test_rows_that_the_mixture_does_not_fit_are_all_gone_over():
    rng = np.random.default_rng(2)
    model, _ = clusters(rng)
    X = 3 * rng.standard_normal((5_000, 6))
    problem = lazy(X, "full")
    ours = screened(model, problem)(next(iter(problem.batches)))
    whole = EStep(model, problem.radius)(next(iter(problem.batches)))
    # too many to be kept
    assert ours.doubt is NOT_KEPT
    assert ours.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(ours.totals, whole.totals, rtol=1e-11, atol=1e-9)


def test_unlikely_rows_are_kept_whatever_the_threshold():
    rng = np.random.default_rng(3)
    model, X = clusters(rng)
    problem = lazy(X, "full")
    density = model.posterior(X).log_density
    # above what is typical, too
    for threshold in (np.quantile(density, 0.01), typical_density(model) + 2):
        e_step = screened(model, problem, threshold=threshold)
        (unlikely,) = e_step(next(iter(problem.batches))).unlikely
        assert unlikely.X.shape[1] == np.count_nonzero(density < threshold)


def test_a_component_without_rows_has_a_mean_all_the_same():
    rng = np.random.default_rng(4)
    model, X = clusters(rng, distance=30)
    X = X[model.posterior(X).labels != 2]
    problem = lazy(X, "full")
    statistics = screened(model, problem)(next(iter(problem.batches)))
    assert 0 < statistics.masses[2] < 1e-50
    assert np.all(np.isfinite(statistics.estimates().means[2]))


@pytest.mark.parametrize(
    ("changed", "is_screened"),
    [
        ({}, True),
        ({"n_features": 4}, False),
        ({"distance": 0.5}, False),
    ],
)
def test_only_where_it_pays(changed, is_screened):
    model, X = clusters(np.random.default_rng(5), **changed)
    e_step = EStep(model, lazy(X, "full").radius, is_whole=True)
    assert (e_step.screening is not None) == is_screened


def test_not_where_single_precision_does_not_tell():
    rng = np.random.default_rng(6)
    model, X = clusters(rng)
    X[0] = 1e4
    assert EStep(model, lazy(X, "full").radius, is_whole=True).screening is None
    # nor without the products of columns, nor for a sample
    diagonal = apart(rng, "diag", distance=14, n_features=6)
    assert EStep(diagonal, lazy(X[1:], "diag").radius, is_whole=True).screening is None
    assert EStep(model, lazy(X[1:], "full").radius).screening is None


@pytest.mark.parametrize("distance", [5.0, 8.0, 10.0, 12.0])
def test_the_share_in_doubt_is_about_what_is_expected(distance):
    rng = np.random.default_rng(7)
    means = distance * np.eye(3, 6)
    model = GaussianMixture.from_arrays(
        [0.2, 0.3, 0.5], means, np.stack([np.eye(6)] * 3), covariance_type="full"
    )
    X, _ = model.sample(20_000, rng)
    densities = joint(model, X)
    near = (densities > densities.max(axis=0) - FAINT).sum(axis=0) > 1
    assert share_in_doubt(model) == pytest.approx(near.mean(), abs=0.1)


def test_many_equal_components_are_not_counted_as_one():
    means = np.repeat([np.zeros(5), np.full(5, 20.0)], [257, 1], axis=0)
    model = GaussianMixture.from_arrays(
        np.full(258, 1 / 258), means, np.stack([np.eye(5)] * 258), covariance_type="full"
    )
    screening = Screening(model, model.coefficients.astype(np.float32), FAINT, -np.inf)
    *own, others = screening.by_component(np.array([np.zeros(5), np.full(5, 20.0)]).T)
    assert others.tolist() == [0]
    assert own[-1].tolist() == [1]
