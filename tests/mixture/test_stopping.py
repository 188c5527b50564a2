"""When EM stops: Aitken's estimate, and the parameters at rest."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from mixture.problems import (
    NAMES,
    fitted,
    model_of_partition,
    overlapping,
    problem_of,
    random_model,
    table,
)
from scipy import stats

from gmmcli.mixture.covariance import VVV
from gmmcli.mixture.em import iterate
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.stopping import COSTLY, RULES, LikelihoodRule, ParameterRule


def step_of(change, *, objective=-1000.0, n_rows=100.0, model=None, leapt=False, coming=np.inf):
    # of so many components that each step is dear
    model = model or SimpleNamespace(n_components=COSTLY)
    return SimpleNamespace(
        change=change,
        objective=objective,
        log_likelihood=objective,
        statistics=SimpleNamespace(n_rows=n_rows),
        model=model,
        leapt=leapt,
        coming=SimpleNamespace(gain=coming),
    )


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("tol", [1e-4, 1e-6, 1e-8])
def test_aitken_stops_a_geometric_series_where_its_limit_is_near(rate, tol):
    n_rows, objective, change = 100.0, -1000.0, 10.0
    limit = objective + change / (1 - rate)
    rule = LikelihoodRule(tol)
    for _ in range(100_000):
        objective += change
        stopped = rule(None, step_of(change, objective=objective, n_rows=n_rows))
        left = limit - objective
        # what is left is known exactly for a geometric series
        if left > 1.01 * tol * n_rows:
            assert not stopped
        if stopped:
            break
        change *= rate
    assert left <= 1.01 * tol * n_rows
    # and it goes on no longer than to ask a second time
    assert left >= 0.99 * rate**2 * tol * n_rows


def test_the_last_gain_alone_would_have_stopped_too_early():
    # the negative control: gains of 1e-6 nats that go on for a million steps
    rule = LikelihoodRule(1e-8)
    change, rate = 1e-6, 1 - 1e-6
    assert not rule(None, step_of(change / rate))
    assert change <= 1e-8 * 100
    assert not rule(None, step_of(change))


def test_aitken_does_not_stop_while_gains_grow():
    rule = LikelihoodRule(1e-3)
    for change in (1e-6, 2e-6, 4e-6, 1e-5):
        assert not rule(None, step_of(change))


def test_aitken_stops_when_only_rounding_is_left():
    for change in (0.0, 1e-13, -1e-13):
        assert LikelihoodRule(0.0)(None, step_of(change))
    assert not LikelihoodRule(0.0)(None, step_of(1e-6))
    assert not LikelihoodRule(1e-3)(None, step_of(np.nan))


def test_the_default_rule_is_aitken_at_1e_8():
    assert RULES["likelihood"] == (LikelihoodRule, 1e-8)
    assert RULES["parameters"][0] is ParameterRule


@pytest.mark.parametrize(("converge_on", "n_components"), [("likelihood", 3), ("parameters", 3)])
def test_where_it_stops_nearly_nothing_is_left(converge_on, n_components):
    # tied, K = 3 on Old Faithful: a long plateau, where scikit-learn stops 14 nats short
    X = table("faithful")
    end = fitted(X, n_components, covariance_type="tied", reg_covar=0, tol=1e-14, max_iter=10**5)
    result = fitted(X, n_components, covariance_type="tied", reg_covar=0, converge_on=converge_on)
    assert result.converged
    assert result.log_likelihood == pytest.approx(end.log_likelihood, abs=1e-4)


def moved(model, *, weights=0.0, means=0.0, variance=0.0):
    shares = model.weights + weights * np.array([1, -1])
    sigma = np.sqrt(model.covariance.full()[0, 0, 0])
    matrices = model.covariance.full().copy()
    matrices[0, 0, 0] *= 1 + variance
    shift = np.zeros_like(model.means)
    shift[0, 0] = means * sigma
    return GaussianMixture(shares, model.means + shift, VVV(matrices))


@pytest.mark.parametrize("part", ["weights", "means", "variance"])
def test_the_parameter_rule_sees_each_parameter(part):
    # in units of the component's own spread, so that a tight one is not overlooked
    model = GaussianMixture(
        np.array([0.5, 0.5]), np.zeros((2, 2)), VVV(np.stack([1e-8 * np.eye(2), np.eye(2)]))
    )
    rule, before = ParameterRule(1e-6), step_of(1.0, model=model)
    assert rule(before, step_of(1.0, model=moved(model, **{part: 0.8e-6})))
    assert not rule(before, step_of(1.0, model=moved(model, **{part: 1.2e-6})))


def test_a_lost_component_is_not_convergence():
    model = random_model(np.random.default_rng(1), "full")
    after = step_of(1.0, model=model.taken([0, 1]))
    assert not ParameterRule(1e9)(step_of(1.0, model=model), after)


def test_the_rate_must_be_small_twice():
    # a small estimate that is followed by a rise was a valley between two hills
    rule = LikelihoodRule(1e-8)
    assert not any(rule(None, step_of(change)) for change in (1.0, 1e-4, 1e-3, 1e-7, 1e-2))


def test_a_leap_is_not_asked():
    # its gain says nothing of EM's own rate
    assert not LikelihoodRule(1e9)(None, step_of(1e-30, leapt=True))
    model = random_model(np.random.default_rng(2), "full")
    assert not ParameterRule(1e9)(step_of(1.0, model=model), step_of(1, model=model, leapt=True))


@pytest.mark.parametrize(
    ("n_rows", "coming", "stops"), [(1e5, 0.9, True), (1e5, 1.1, False), (5e3, 0, False)]
)
def test_of_many_rows_a_step_that_will_gain_nothing_is_not_taken(n_rows, coming, stops):
    rule = LikelihoodRule(1e-6)
    assert rule(None, step_of(1e3, n_rows=n_rows, coming=coming * 1e-9 * n_rows)) == stops


@pytest.mark.parametrize("name", NAMES)
def test_what_a_step_will_gain_is_known_before_it(name):
    problem = problem_of(overlapping(np.random.default_rng(3)), name, strength=0.5)
    labels = np.random.default_rng(4).integers(3, size=400)
    steps = iterate(model_of_partition(problem, labels, 3), problem)
    step, gains = next(steps), []
    for _ in range(150):
        before, step = step, next(steps)
        if step.leapt:
            continue
        gains.append((before.coming.gain / 2, step.change))
    expected, gained = np.array(gains).T
    tiny = 1e-9 * abs(step.objective)
    # EM's own inequality: the objective gains no less than what is expected
    assert np.all(gained >= expected - tiny)
    # and near the optimum, where the objective is quadratic, less than twice as much
    near = gained < 1e-2
    assert np.all(gained[near] <= 2.1 * expected[near] + tiny)
    assert np.count_nonzero(near & (gained > tiny)) > 2


def test_the_expected_gain_is_that_of_responsibilities_held_still():
    X = overlapping(np.random.default_rng(5))
    problem = problem_of(X, "full")
    step = next(iterate(model_of_partition(problem, (X[:, 0] > 0).astype(int), 2), problem))
    after, Z = step.coming.mixture, problem.batches.X.T
    r = step.model.posterior(Z).responsibilities

    def expected(model):
        log_joint = [
            np.log(w) + stats.multivariate_normal(mean, sigma).logpdf(Z)
            for w, mean, sigma in zip(
                model.weights, model.means, model.covariance.full(), strict=True
            )
        ]
        return float((r.T * log_joint).sum())

    assert step.coming.gain / 2 == pytest.approx(expected(after) - expected(step.model), rel=1e-9)


def stopped_after(rule, changes, n_rows):
    """The number of the step at which a rule stops, each change being known before its step."""
    # two mixtures in turn, so that the parameters are never at rest
    models = [random_model(np.random.default_rng(seed), "full", COSTLY) for seed in (1, 2)]
    steps = [
        step_of(change, objective=0.0, n_rows=n_rows, coming=coming, model=models[i % 2])
        for i, (change, coming) in enumerate(pairwise([np.nan, *changes]))
    ]
    return next((i for i, pair in enumerate(pairwise(steps), start=1) if rule(*pair)), None)


def test_slow_progress_is_left_where_the_coming_step_gains_little_and_fast_progress_is_not():
    n_rows = 20_000
    slow, fast = (n_rows * rate ** np.arange(40) for rate in (0.8, 0.3))
    # 0.8^10 is the first gain below 0.11
    assert stopped_after(LikelihoodRule(1e-8, least_gain=0.11), slow, n_rows) == 10
    assert stopped_after(LikelihoodRule(1e-8), slow, n_rows) is None
    # the same tolerance as without: a third of the gain is left each time
    swift = stopped_after(LikelihoodRule(1e-8, least_gain=0.11), fast, n_rows)
    assert swift == stopped_after(LikelihoodRule(1e-8), fast, n_rows) > 10


@pytest.mark.parametrize(
    ("n_components", "share"), [(1, 1 / 64), (4, 1 / 4), (COSTLY, 1), (2 * COSTLY, 1)]
)
@pytest.mark.parametrize("n_rows", [20_000, 5_000])
def test_of_few_components_a_step_is_worth_it_that_gains_less(n_components, share, n_rows):
    model = SimpleNamespace(n_components=n_components)
    for gain, stopped in ((1.01, False), (0.99, True)):
        change = gain * share * 1e-4 * n_rows
        rule = LikelihoodRule(1e-8, least_gain=1e-4)
        rule(None, step_of(change / 0.9, n_rows=n_rows, model=model, coming=change / 0.9))
        step = step_of(change, n_rows=n_rows, model=model, coming=change)
        assert rule(None, step) is stopped


@pytest.mark.parametrize(("missing", "expected"), [(0, 10), (1, 21), (20, 10)])
@pytest.mark.parametrize("n_rows", [20_000, 5_000])
def test_below_what_another_reaches_slow_progress_is_followed_if_it_may_come_there(
    missing, expected, n_rows
):
    # of the geometric series 5 * 0.8^20 is left at the 21st step, and leaps may find 20 times that
    gains = n_rows * 0.8 ** np.arange(30)
    for kind in (LikelihoodRule, ParameterRule):
        rule = kind(1e-8, least_gain=0.11, floor=missing * n_rows)
        assert stopped_after(rule, gains, n_rows) == expected


@pytest.mark.parametrize(
    ("behind", "n_rows", "expected"),
    [(-1, 20_000, None), (20, 20_000, 21), (0.01, 20_000, None), (20, 5_000, None)],
)
def test_a_run_over_many_rows_that_cannot_come_up_to_another_is_over(behind, n_rows, expected):
    # if the rate may still rise to 0.99, a series of 100 times 0.8^21 is left at the 21st step, and
    # 20 times that is below 20
    slow, fast = (n_rows * rate ** np.arange(30) for rate in (0.8, 0.3))
    for kind in (LikelihoodRule, ParameterRule):
        assert stopped_after(kind(1e-12, to_beat=behind * n_rows), slow, n_rows) == expected
        # fast progress tells little of where it ends
        assert stopped_after(kind(1e-12, to_beat=behind * n_rows), fast[:15], n_rows) is None
