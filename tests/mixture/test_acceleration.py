"""Leaps: the same optimum as plain EM, in fewer passes, never downhill."""

import numpy as np
import pytest
from mixture.problems import NAMES, model_of_partition, problem_of, reference, table

from gmmcli.mixture.acceleration import MOST_MOVES, Leaps
from gmmcli.mixture.em import climb
from gmmcli.mixture.statistics import Estimates
from gmmcli.mixture.stopping import LikelihoodRule

every_structure = pytest.mark.parametrize("name", NAMES)


def three_gaussians(rng, n_rows=1500):
    """Clusters 1.5 standard deviations apart: plain EM crawls."""
    labels = rng.integers(3, size=n_rows)
    return rng.standard_normal((n_rows, 2)) + 1.5 * np.array([[0, 0], [1, 0], [0.5, 0.87]])[labels]


def watch(_step):
    """Observe nothing."""


def climbs(problem, start, monkeypatch, *, tol):
    """The path with leaps, and the path without."""
    paths = []
    for late in (None, 0.0):
        if late is not None:
            monkeypatch.setattr("gmmcli.mixture.acceleration.LATE", late)
        steps = []
        climb(start, problem, LikelihoodRule(tol), max_iter=20_000, observe=steps.append)
        paths.append(steps)
    return paths


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("name", ["full", "tied"])
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_overlapping_clusters_take_fewer_passes(name, strength, monkeypatch):
    rng = np.random.default_rng(0)
    X = three_gaussians(rng)
    problem = problem_of(X, name, strength=strength)
    labels = np.digitize(X[:, 0], np.quantile(X[:, 0], [1 / 3, 2 / 3]))
    start = model_of_partition(problem, labels, 3)
    tol = 1e-8
    leaping, plain = climbs(problem, start, monkeypatch, tol=tol)
    top = climb(plain[-1].model, problem, LikelihoodRule(1e-14), max_iter=9_000, observe=watch)
    assert any(step.leapt for step in leaping)
    assert not any(step.leapt for step in plain)
    # passes over the data, those of leaps that were taken back among them
    assert leaping[-1].n_iter < 0.7 * plain[-1].n_iter
    for steps in (leaping, plain):
        # what the rule promises, by a factor of ten
        assert top.step.objective - steps[-1].objective <= 10 * tol * len(X)
        assert min(step.change for step in steps[1:]) > -1e-8
        passes = [step.n_iter for step in steps]
        assert passes == sorted(set(passes))


@pytest.mark.heavy(cases=11)
@every_structure
@pytest.mark.parametrize(("data", "K"), [("iris", 3), ("faithful", 3), ("diabetes", 4)])
def test_the_optimum_is_that_of_plain_em(name, data, K, monkeypatch):
    X = table(data)
    problem = problem_of(X, name)
    labels = np.array(reference(data)["components"][str(K)]["start_labels"])
    start = model_of_partition(problem, labels, K)
    leaping, plain = climbs(problem, start, monkeypatch, tol=1e-11)
    assert leaping[-1].objective == pytest.approx(plain[-1].objective, abs=1e-5)
    np.testing.assert_allclose(leaping[-1].model.means, plain[-1].model.means, atol=5e-3)
    assert min(step.change for step in leaping[1:]) > -1e-8


def estimates_at(t, n_rows=1e5):
    """A path that nears its end by the same factor each step."""
    end, gap = np.array([0.25, 0.75]), 0.9**t
    means = np.array([[1.0, 2.0], [3.0, 4.0]]) + gap
    return Estimates(n_rows, end + 0.1 * gap * np.array([1, -1]), means, np.ones((2, 2)) + gap)


def test_a_geometric_path_is_leapt_to_its_end():
    # for one rate SQUAREM's leap is exact: 1 / (1 - 0.9) = 10 moves
    leaps = Leaps(longest=1000.0)
    changes = [np.nan, 1e-2, 0.81e-2, 0.81**2 * 1e-2, 0.81**3 * 1e-2]
    proposals = [leaps.estimates(estimates_at(t), c) for t, c in enumerate(changes)]
    found = next(p for p in proposals if p is not None)
    np.testing.assert_allclose(found.weights, [0.25, 0.75], rtol=1e-12)
    np.testing.assert_allclose(found.means, [[1, 2], [3, 4]], rtol=1e-12)
    np.testing.assert_allclose(found.spreads, 1, rtol=1e-12)


def test_a_path_of_several_rates_is_leapt_to_its_end():
    # Anderson's leap is exact on a linear path when it knows one move more than there are rates
    rates, end = np.array([0.9, 0.9, 0.6, 0.6]), np.array([[1.0, 2.0], [3.0, 4.0]])
    leaps, gap, far = Leaps(), np.ones(4), None

    def at(gap):
        return Estimates(1e5, np.array([0.25, 0.75]), end + gap.reshape(2, 2), np.ones((2, 2)))

    for i in range(6):
        change = 1e-2 * 0.99**i if i else np.nan
        far = leaps.estimates(at(gap), change)
        if far is not None:
            # a leap that did not pay, so its move is not known
            leaps.judge(-1.0)
        gap = rates * gap
    np.testing.assert_allclose(far.means, end, atol=1e-4)
    np.testing.assert_allclose(far.weights, [0.25, 0.75], rtol=1e-12)


def test_anderson_s_leaps_become_fewer_where_they_do_not_pay():
    def kinds(paid):
        leaps, found = Leaps(), []
        for t in range(120):
            if leaps.estimates(estimates_at(t), 1e-5 * 0.9**t if t else np.nan) is not None:
                found.append(leaps.is_combined)
                leaps.judge(1.0 if paid or not leaps.is_combined else -1.0)
        return found

    assert kinds(paid=True)[1:9] == [True, False] * 4
    often = np.flatnonzero(kinds(paid=False))
    assert np.diff(often).tolist()[:4] == [3, 5, 9, 17]


@pytest.mark.parametrize(
    ("n_features", "n_rows", "late", "expected"),
    [
        (2, 1e4, None, MOST_MOVES),
        (100, 1e4, None, 4),
        (200, 1e4, None, 0),
        (2, 9e3, None, 0),
        (2, 1e4, 1e-2, 0),
    ],
)
def test_what_is_remembered_is_limited(n_features, n_rows, late, expected):
    leaps = Leaps(late=late)
    for t in range(40):
        one = np.ones((2, n_features))
        spreads = np.ones((2, n_features, n_features)) + 0.9**t
        leaps.estimates(Estimates(n_rows, np.ones(2) / 2, one, spreads), 1.0 if t else np.nan)
    assert len(leaps.moves) == expected


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["full", "diag", "VEV"])
def test_moves_that_are_combined_take_fewer_passes_than_squarem_alone(name, monkeypatch):
    X = three_gaussians(np.random.default_rng(1), 12_000)
    problem = problem_of(X, name)
    labels = np.digitize(X[:, 0], np.quantile(X[:, 0], [1 / 3, 2 / 3]))
    start, n_iter = model_of_partition(problem, labels, 3), []
    for most in (MOST_MOVES, 0):
        monkeypatch.setattr("gmmcli.mixture.acceleration.MOST_MOVES", most)
        run = climb(start, problem, LikelihoodRule(1e-9), max_iter=20_000, observe=watch)
        n_iter.append(run.step.n_iter)
    assert n_iter[0] < 0.8 * n_iter[1]


@pytest.mark.parametrize("changes", [[np.nan, 1e3, 900.0, 800.0], [np.nan, 1e-2, 1e-3, 1e-4]])
def test_no_leap_while_em_is_early_or_quick(changes):
    leaps = Leaps(longest=1000.0)
    assert all(leaps.estimates(estimates_at(t), c) is None for t, c in enumerate(changes))


def test_leaps_grow_while_they_pay():
    leaps = Leaps()
    first = leaps.longest
    leaps.judge(1e-6)
    assert leaps.longest > first
    leaps.judge(-1e-6)
    assert leaps.longest == first
    leaps.judge(np.nan)
    assert leaps.longest == first


@pytest.mark.parametrize(("late", "leaps"), [(None, False), (1e-3, True)])
def test_a_run_may_leap_earlier(late, leaps):
    # gains of 4e-4 nats a row, and then of 3e-4
    moving = Leaps(late=late)
    for i, gain in enumerate([0.5, 0.4, 0.3]):
        ones = np.ones((2, 1)) / 2
        current = Estimates(1000.0, ones[:, 0], ones * 0.9**i, np.ones((2, 1)))
        found = moving.estimates(current, gain)
    assert (found is not None) == leaps
