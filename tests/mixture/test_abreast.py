"""Runs of EM abreast: each is what it is by itself."""

from itertools import islice

import numpy as np
import pytest
from mixture.problems import NAMES, overlapping, problem_of, random_model, rows

from gmmcli.mixture import abreast
from gmmcli.mixture.abreast import e_steps, look_ahead
from gmmcli.mixture.batches import BATCH_ROWS
from gmmcli.mixture.em import State, iterate
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.search import advance, runs_from
from gmmcli.mixture.stopping import LikelihoodRule

every_structure = pytest.mark.parametrize("name", NAMES)


def some_mixtures(name, n=4):
    rng = np.random.default_rng(0)
    return [random_model(rng, name) for _ in range(n)]


def assert_same(statistics, expected):
    """The E-steps' numbers, about whichever origins."""
    assert statistics.n_rows == pytest.approx(expected.n_rows, rel=1e-14)
    assert statistics.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-11)
    assert statistics.log_top == pytest.approx(expected.log_top, rel=1e-9)
    one, other = statistics.estimates(), expected.estimates()
    np.testing.assert_allclose(one.weights, other.weights, rtol=1e-9)
    np.testing.assert_allclose(one.means, other.means, rtol=1e-8, atol=1e-10)
    spreads = one.spreads
    if expected.shared:
        pooled = np.tensordot(one.weights, spreads, axes=1)
        spreads = np.broadcast_to(pooled, spreads.shape)
    np.testing.assert_allclose(spreads, other.spreads, rtol=1e-8, atol=1e-10)


@every_structure
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_rows", [300, BATCH_ROWS + 500])
def test_an_e_step_is_that_of_the_mixture_alone(name, weighted, n_rows):
    rng = np.random.default_rng(1)
    weights = rng.uniform(0.5, 2, n_rows) if weighted else None
    problem = problem_of(overlapping(rng, n_rows), name, weights=weights)
    mixtures = some_mixtures(name)
    for mixture, (same, statistics) in zip(mixtures, e_steps(problem, mixtures), strict=True):
        assert same.is_same(mixture)
        assert type(same.covariance) is problem.structure
        np.testing.assert_allclose(same.covariance.factors, mixture.covariance.factors)
        assert_same(statistics, problem.e_step(mixture))


@every_structure
def test_its_log_likelihood_is_the_sum_of_log_densities(name):
    problem = problem_of(overlapping(np.random.default_rng(2)), name)
    for mixture, statistics in e_steps(problem, some_mixtures(name)):
        density = mixture.posterior(problem.batches.X.T).log_density
        assert statistics.log_likelihood == pytest.approx(density.sum(), rel=1e-11)


def test_a_tight_component_far_away_takes_the_centred_form():
    problem = problem_of(overlapping(np.random.default_rng(3)), "full")
    mixtures = some_mixtures("full")
    tight = mixtures[1]
    matrices = tight.covariance.matrices.copy()
    matrices[0] *= 1e-7
    covariance = type(tight.covariance)(matrices)
    mixtures[1] = GaussianMixture(tight.weights, tight.means, covariance)
    for mixture, (_, statistics) in zip(mixtures, e_steps(problem, mixtures), strict=True):
        assert_same(statistics, problem.e_step(mixture))
    assert e_steps(problem, mixtures)[1][1].origins[0].any()


def test_no_e_step_is_taken_where_a_component_has_no_density():
    problem = problem_of(overlapping(np.random.default_rng(4)), "full")
    mixtures = some_mixtures("full")
    flat = mixtures[2]
    matrices = flat.covariance.matrices.copy()
    matrices[0] = 0
    covariance = type(flat.covariance)(matrices)
    mixtures[2] = GaussianMixture(flat.weights, flat.means, covariance)
    found = e_steps(problem, mixtures)
    assert [statistics is None for _, statistics in found] == [False, False, True, False]
    for i in (0, 1, 3):
        assert_same(found[i][1], problem.e_step(mixtures[i]))


def by_itself(problem, mixture, n_iter):
    return next(islice(iterate(mixture, problem), n_iter, None))


@every_structure
def test_runs_abreast_are_those_of_each_by_itself(name):
    problem = problem_of(overlapping(np.random.default_rng(5)), name, strength=0.1)
    mixtures = some_mixtures(name)
    starts = [("one of them", mixture) for mixture in mixtures]
    climbers = runs_from(problem, starts, lambda: LikelihoodRule(1e-8))
    advance(climbers, 6, lambda *_: None)
    for mixture, climber in zip(mixtures, climbers, strict=True):
        expected = by_itself(problem, mixture, 6)
        assert climber.step.n_iter == 6
        assert climber.step.objective == pytest.approx(expected.objective, rel=1e-9)
        assert climber.step.change == pytest.approx(expected.change, rel=1e-4, abs=1e-6)
        np.testing.assert_allclose(climber.step.model.means, expected.model.means, atol=1e-6)


@every_structure
def test_what_a_leap_is_measured_by_is_that_of_the_run_by_itself(name):
    problem = problem_of(overlapping(np.random.default_rng(5)), name, strength=0.1)
    mixtures = some_mixtures(name)
    steps = [
        next(iterate(mixture, problem, State.new(mixture, begun=known)))
        for mixture, known in e_steps(problem, mixtures)
    ]
    comings = [step.coming for step in steps]
    look_ahead(comings)
    for mixture, coming in zip(mixtures, comings, strict=True):
        expected = problem.e_step(mixture).estimates()
        np.testing.assert_allclose(coming.estimates.vector(), expected.vector(), atol=1e-9)


def test_only_so_many_components_are_taken_together(monkeypatch):
    problem = problem_of(overlapping(np.random.default_rng(5)), "full")
    mixtures = some_mixtures("full", 5)
    expected = [problem.e_step(mixture).log_likelihood for mixture in mixtures]
    sizes = []
    side_by_side = abreast._side_by_side
    monkeypatch.setattr(
        abreast, "_side_by_side", lambda group: sizes.append(len(group)) or side_by_side(group)
    )
    monkeypatch.setattr(abreast, "MOST_COMPONENTS", 7)
    found = [statistics.log_likelihood for _, statistics in e_steps(problem, mixtures)]
    assert sizes == [2, 2, 1]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_each_step_of_each_run_is_told_of():
    problem = problem_of(overlapping(np.random.default_rng(5)), "full", strength=0.1)
    starts = list(zip("abcd", some_mixtures("full"), strict=True))
    seen = []
    climbers = runs_from(problem, starts, lambda: LikelihoodRule(1e-8))
    advance(climbers, 3, lambda name, step: seen.append((step.n_iter, name)))
    assert seen == [(i, name) for i in (1, 2, 3) for name in "abcd"]


def test_a_run_that_has_lost_a_component_goes_by_itself():
    problem = problem_of(overlapping(np.random.default_rng(6)), "full", strength=0.1)
    mixtures = some_mixtures("full")
    mixtures[0] = mixtures[0].taken([0, 1])
    steps = [next(iterate(mixture, problem)) for mixture in mixtures]
    look_ahead([step.coming for step in steps])
    assert [step.coming.known is None for step in steps] == [True, False, False, False]
    assert steps[0].coming.mixture.n_components == 2


def counted(monkeypatch):
    """How many E-steps were taken one by one."""
    one_by_one = []
    e_step = Problem.e_step

    def noted(self, model, **options):
        one_by_one.append(model)
        return e_step(self, model, **options)

    monkeypatch.setattr(Problem, "e_step", noted)
    return one_by_one


def test_a_race_takes_its_e_steps_together(monkeypatch):
    X = overlapping(np.random.default_rng(7))
    one_by_one = counted(monkeypatch)
    Fitting(rows(X)).fit(3, FitOptions())
    together = len(one_by_one)
    one_by_one.clear()
    monkeypatch.setattr(abreast, "MOST_NUMBERS", 0)
    Fitting(rows(X)).fit(3, FitOptions())
    assert 0 < together < len(one_by_one) / 2


def test_many_rows_go_one_by_one():
    rng = np.random.default_rng(8)
    problem = problem_of(overlapping(rng, 1 + abreast.MOST_NUMBERS // 6), "full")
    assert all(known is None for _, known in e_steps(problem, some_mixtures("full")))


def test_what_is_known_of_a_mixture_is_not_taken_for_the_repaired_one():
    problem = problem_of(overlapping(np.random.default_rng(9)), "full", strength=0.1)
    mixture = some_mixtures("full")[0]
    known = problem.e_step(mixture)
    begun_there = next(iterate(mixture, problem, State.new(mixture, begun=known)))
    assert begun_there.statistics is known
    weights = np.array([0.5, 0.5, 0.0])
    empty = GaussianMixture(weights, mixture.means, mixture.covariance)
    repaired = next(iterate(empty, problem, State.new(empty, begun=known)))
    assert repaired.notes
    assert repaired.log_likelihood == problem.e_step(repaired.model).log_likelihood
