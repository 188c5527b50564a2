"""EM's loop: monotone, its stopping rules, its repairs."""

from itertools import islice, pairwise

import numpy as np
import pytest
from effort import some
from hypothesis import given, settings
from hypothesis import strategies as st
from mixture.problems import (
    NAMES,
    model_of_partition,
    overlapping,
    problem_of,
    random_model,
)

from gmmcli.errors import FitError
from gmmcli.mixture.em import State, climb, iterate
from gmmcli.mixture.stopping import LikelihoodRule

every_structure = pytest.mark.parametrize("name", NAMES)


def watch(_step):
    """Observe nothing."""


@pytest.mark.heavy(cases=12)
@every_structure
@pytest.mark.parametrize("strength", [0.0, 0.01, 5.0])
@settings(max_examples=some(4, 12))
@given(seed=st.integers(0, 10**6))
def test_no_step_lowers_the_objective(name, strength, seed):
    rng = np.random.default_rng(seed)
    X = overlapping(rng, 120)
    weights = rng.uniform(0, 3, 120) if seed % 2 else None
    problem = problem_of(X, name, strength=strength, weights=weights)
    model = random_model(rng, name)
    steps = list(islice(iterate(model, problem), 25))
    assert len(steps) == 25
    for step in steps:
        if np.isfinite(step.change):
            assert step.change >= -1e-9
        assert np.isfinite(step.objective)


@every_structure
def test_a_step_holds_the_e_step_of_its_own_model(name):
    rng = np.random.default_rng(0)
    problem = problem_of(overlapping(rng), name, strength=0.1)
    steps = list(islice(iterate(random_model(rng, name), problem), 5))
    assert [step.n_iter for step in steps] == [0, 1, 2, 3, 4]
    assert np.isnan(steps[0].change)
    for before, step in pairwise(steps):
        statistics = problem.e_step(step.model)
        assert step.log_likelihood == statistics.log_likelihood
        assert step.objective == problem.objective(step.model, statistics)
        assert step.change == step.objective - before.objective
        expected = problem.m_step(before.statistics.estimates())
        assert not step.leapt
        assert np.array_equal(step.model.means, expected.means)
    # iterations can be taken up again, and count on
    assert next(iterate(steps[3].model, problem, State.new(steps[3].model, 3))).n_iter == 3


def test_climb_counts_and_stops_at_max_iter():
    rng = np.random.default_rng(2)
    problem = problem_of(overlapping(rng), "full", strength=0.1)
    model = random_model(rng, "full")
    seen = []
    run = climb(model, problem, LikelihoodRule(0.0), max_iter=7, observe=seen.append)
    assert not run.converged
    assert run.step.n_iter == 7
    assert [step.n_iter for step in seen] == list(range(8))
    done = climb(model, problem, LikelihoodRule(1e-3), max_iter=1000, observe=watch)
    assert done.converged
    assert done.step.n_iter < 1000
    more = climb(
        model, problem, LikelihoodRule(0.0), state=State.new(model, 5), max_iter=7, observe=watch
    )
    assert more.step.n_iter == 7


def test_an_objective_that_falls_is_an_error():
    # an engine whose M-step is wrong: it forgets the second moments
    rng = np.random.default_rng(5)
    problem = problem_of(overlapping(rng), "full", strength=0.1)
    model = random_model(rng, "full")

    class Wrong(type(problem)):
        def m_step(self, estimates, previous=None):
            right = super().m_step(estimates, previous)
            return type(right)(right.weights, 1.5 * right.means, right.covariance)

    wrong = Wrong(**vars(problem))
    with pytest.raises(FitError, match="lowered"):
        climb(model, wrong, LikelihoodRule(0.0), max_iter=50, observe=watch)


def test_an_e_step_that_is_known_is_taken_once():
    problem = problem_of(overlapping(np.random.default_rng(2)), "full")
    labels = np.random.default_rng(3).integers(2, size=400)
    model = model_of_partition(problem, labels, 2)
    state = State.new(model)
    state.begun = problem.e_step(model)
    steps = iterate(model, problem, state)
    begun, first = state.begun, next(steps)
    assert first.statistics is begun
    later = next(steps).model
    # a run that is taken up begins with another mixture, of which that E-step is not
    again = next(iterate(later, problem, state))
    assert again.log_likelihood == problem.e_step(later).log_likelihood
    assert again.log_likelihood > first.log_likelihood
