"""Which optimum: the partition's mixture, the race, and the count of those that agree."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from mixture.problems import (
    NAMES,
    fitted,
    model_of_partition,
    overlapping,
    problem_of,
    rows,
    table,
    two_clusters,
)
from scipy import stats
from scipy.special import logsumexp

from gmmcli.mixture.em import iterate
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.search import Relatives, agreeing_each, alike, near, optima, same_optimum

every_structure = pytest.mark.parametrize("name", NAMES)


@every_structure
@pytest.mark.parametrize("weighted", [False, True])
def test_the_mixture_of_a_partition_is_its_m_step(name, weighted):
    rng = np.random.default_rng(0)
    X, labels = overlapping(rng), rng.integers(3, size=400)
    weights = rng.uniform(0.5, 2, 400) if weighted else np.ones(400)
    problem = problem_of(X, name, weights=weights if weighted else None)
    Z = problem.batches.X.T
    model = model_of_partition(problem, labels, 3)
    masses = np.bincount(labels, weights)
    np.testing.assert_allclose(model.weights, masses / masses.sum(), rtol=1e-12)
    scatters = []
    for k in range(3):
        w, Y = weights[labels == k], Z[labels == k]
        np.testing.assert_allclose(model.means[k], w @ Y / w.sum(), rtol=1e-10, atol=1e-12)
        Y = Y - model.means[k]
        scatters.append(problem.structure.form.of_matrix((Y * w[:, None]).T @ Y))
    expected = problem.structure.from_scatter(masses, np.stack(scatters))
    np.testing.assert_allclose(model.covariance.full(), expected.full(), rtol=1e-10, atol=1e-12)


@every_structure
def test_a_softened_start_is_no_spike(name):
    rng = np.random.default_rng(1)
    X = overlapping(rng)
    labels = np.zeros(400, dtype=np.int64)
    labels[7] = 1
    model = model_of_partition(problem_of(X, name), labels, 2, softened=True)
    assert np.isfinite(model.covariance.factors).all()
    assert np.linalg.eigvalsh(model.covariance.full()).min() > 1e-3


@every_structure
def test_an_empty_group_is_filled(name):
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 2], 200)
    model = model_of_partition(problem_of(overlapping(rng), name), labels, 4, softened=True)
    assert model.n_components == 4
    assert np.all(model.weights > 0)
    assert len(np.unique(model.means, axis=0)) == 4


def test_the_best_of_many_starts_is_no_worse_than_each():
    X = table("iris")
    best = fitted(X, 3, reg_covar=0, init="auto")
    for seed in range(5):
        one = fitted(X, 3, reg_covar=0, init="random", seed=seed)
        assert one.n_starts == 1
        assert best.log_likelihood >= one.log_likelihood - 0.01


def test_easy_clusters_are_agreed_upon_and_hard_ones_are_not():
    X, _ = two_clusters(np.random.default_rng(3))
    easy = fitted(X, 2)
    hard = fitted(table("diabetes"), 6)
    for result in (easy, hard):
        assert result.n_starts == 19
        assert 0 <= result.n_agreeing <= result.n_starts
    assert easy.n_agreeing > 8
    assert hard.n_agreeing < 8


@pytest.mark.parametrize(("init", "n_init", "n_starts"), [("kmeans", 5, 5), ("auto", 2, 33)])
def test_the_starts_are_counted(init, n_init, n_starts):
    X, _ = two_clusters(np.random.default_rng(4))
    assert fitted(X, 2, init=init, n_init=n_init).n_starts == n_starts


def test_two_orderings_of_a_saddle_are_left():
    # all responsibilities equal is a saddle of the likelihood: a start there must move
    X, _ = two_clusters(np.random.default_rng(5))
    labels = np.arange(600) % 2
    result = fitted(X, 2, start=labels)
    apart = fitted(X, 2)
    assert result.log_likelihood == pytest.approx(apart.log_likelihood, abs=1e-3)


@pytest.mark.heavy
def test_the_search_starts_from_given_mixtures_as_well():
    X = table("faithful") * [1, 100]
    options = FitOptions(init="random", covariance_type="tied", seed=2)
    fitting = Fitting(rows(X))
    alone, best = fitting.fit(6, options), fitting.fit(6, replace(options, init="auto"))
    assert best.log_likelihood > alone.log_likelihood + 0.1
    both = fitting.fit(6, options, relatives=Relatives([best.model]))
    assert both.log_likelihood == pytest.approx(best.log_likelihood, abs=1e-3)
    assert (alone.n_starts, both.n_starts, both.init) == (1, 2, "random")


def log_density(model, Z):
    log_joint = [
        np.log(weight) + stats.multivariate_normal(mean, sigma).logpdf(Z)
        for weight, mean, sigma in zip(
            model.weights, model.means, model.covariance.full(), strict=True
        )
    ]
    return logsumexp(log_joint, axis=0)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_run_is_near_within_standard_errors_of_its_differences(weighted):
    X = overlapping(np.random.default_rng(7))
    counts = np.random.default_rng(8).integers(1, 4, len(X)) if weighted else None
    problem = problem_of(X, "full", weights=counts)
    models = [model_of_partition(problem, (X[:, d] > 0).astype(int), 2) for d in (0, 1)]
    steps = sorted((next(iterate(m, problem)) for m in models), key=lambda step: step.objective)
    each = [log_density(step.model, problem.batches.X.T) for step in steps]
    gaps = np.repeat(each[1] - each[0], 1 if counts is None else counts)
    behind = (steps[1].objective - steps[0].objective) / len(gaps)
    n_errors = behind / stats.sem(gaps, ddof=0)
    best = steps[1]
    assert list(near([best, *steps], best, problem, 1.001 * n_errors)) == [True, True, True]
    assert list(near([best, *steps], best, problem, 0.999 * n_errors)) == [True, False, True]


def run_at(objective, weights):
    statistics = SimpleNamespace(n_rows=10_000)
    model = SimpleNamespace(weights=np.array(weights))
    step = SimpleNamespace(objective=objective, statistics=statistics, model=model)
    return SimpleNamespace(step=step)


def test_optima_of_a_sample_are_alike_that_are_about_as_high_and_as_heavy():
    best = run_at(-500.0, [0.5, 0.3, 0.2])
    same = run_at(-500.9, [0.22, 0.48, 0.3])
    of_other_weights = run_at(-500.9, [0.4, 0.4, 0.2])
    lower = run_at(-501.1, [0.5, 0.3, 0.2])
    one_lost = run_at(-500.9, [0.5, 0.5])
    runs = [best, same, of_other_weights, one_lost, lower]
    assert optima(runs, alike) == [best, of_other_weights, one_lost, lower]
    # known to their end they have to be as high, more closely
    assert not same_optimum(best, same)
    assert optima(runs) == [best, same, lower]


def test_of_two_optima_that_are_equally_high_each_run_counts_for_one():
    first, second = run_at(-500.0, [0.5, 0.5]), run_at(-500.05, [0.8, 0.2])
    runs = [
        first,
        second,
        run_at(-500.03, [0.5, 0.5]),
        run_at(-500.12, [0.8, 0.2]),
        run_at(-9e9, [1]),
    ]
    assert agreeing_each(runs, [first, second]) == [3, 1]
    assert agreeing_each(runs, [second, first]) == [4, 0]
    assert agreeing_each(runs, []) == []
