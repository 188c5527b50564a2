"""Split and merge: out of the optima that EM cannot leave."""

import numpy as np
import pytest
from mixture.problems import WORDS, fitted, known_table, mistakes, problem_of, reference

from gmmcli.mixture import split_merge
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.search import advance, merit, runs_from, same_optimum
from gmmcli.mixture.split_merge import MOST_MOVES, moves, rearranged
from gmmcli.mixture.stopping import LikelihoodRule

every_structure = pytest.mark.parametrize("name", WORDS)


def rule():
    return LikelihoodRule(1e-8)


def ended(model, problem):
    (climber,) = runs_from(problem, [("a start", model)], rule)
    advance([climber], 500, lambda *_: None)
    return climber


def improved(problem, climber, seen=None, known=()):
    return rearranged(
        problem,
        climber,
        known=known,
        rule=rule,
        max_iter=1000,
        observe=lambda name, _: seen is not None and seen.append(name),
    )


def three_clusters(rng):
    labels = np.repeat([0, 1, 2], 100)
    centres = np.array([[0.0, 0.0], [12.0, 0.0], [16.0, 0.0]])
    return rng.standard_normal((300, 2)) + centres[labels], labels


def trapped(problem):
    """Two components on the cluster that is far away, one on the two others."""
    Z = problem.batches.X.T
    parts = [Z[:50], Z[50:100], Z[100:]]
    form = problem.structure.form
    covariances = np.stack([form.of_matrix(np.cov(part.T)) for part in parts])
    covariance = problem.structure.from_scatter(np.ones(3), covariances)
    means = np.array([part.mean(axis=0) for part in parts])
    means[0, 1] -= 0.5
    return ended(GaussianMixture(np.full(3, 1 / 3), means, covariance), problem)


@every_structure
def test_a_component_is_moved_to_where_it_is_missing(name):
    X, labels = three_clusters(np.random.default_rng(0))
    problem = problem_of(X, name)
    climber = trapped(problem)
    assert mistakes(climber.step.model.posterior(problem.batches.X.T).labels, labels) > 50
    seen = []
    better = improved(problem, climber, seen)
    assert merit(better.step, problem) > merit(climber.step, problem)
    assert mistakes(better.step.model.posterior(problem.batches.X.T).labels, labels) <= 10
    assert set(seen) == {"split and merge"}
    # and there is nothing to be gained once more
    assert improved(problem, better) is None
    # where that optimum is known already, it is not gone to a second time
    other = improved(problem, climber, known=[better])
    assert other is None or not same_optimum(other, better)


def test_one_component_cannot_be_moved():
    X, _ = three_clusters(np.random.default_rng(1))
    problem = problem_of(X, "full")
    whole = GaussianMixture.from_arrays([1.0], [[0.0, 0.0]], [np.eye(2)], covariance_type="full")
    assert list(moves(whole)) == []
    assert improved(problem, ended(whole, problem)) is None


@every_structure
def test_moves_keep_the_structure_and_the_number_of_components(name):
    model = fitted(three_clusters(np.random.default_rng(2))[0], 4, covariance_type=name).model
    tried = list(moves(model))
    assert len(tried) == 2 * 4 * 3
    for move in tried:
        assert move.n_components == 4
        assert type(move.covariance) is type(model.covariance)
        assert move.weights.sum() == pytest.approx(1)
        assert not np.array_equal(move.means, model.means) or not np.array_equal(
            move.covariance.matrices, model.covariance.matrices
        )


def test_moves_are_bounded(monkeypatch):
    rng = np.random.default_rng(3)
    many, tried = rng.standard_normal((3_000, 2)), []
    model = GaussianMixture.from_arrays(
        np.full(12, 1 / 12), rng.standard_normal((12, 2)), np.ones(12), covariance_type="spherical"
    )
    assert len(list(moves(model))) == 2 * 12 * 11
    monkeypatch.setattr(split_merge, "ROUNDS", ((1, None),))
    monkeypatch.setattr(split_merge, "SHORT_ROUNDS", ((1, None),))
    monkeypatch.setattr(split_merge, "MOST_TIMES", 1)
    monkeypatch.setattr(split_merge, "moves", lambda m: (tried.append(m) or m for _ in range(99)))
    for n_rows, expected in ((500, MOST_MOVES), (3_000, MOST_MOVES // 4)):
        tried.clear()
        problem = problem_of(many[:n_rows], "spherical")
        improved(problem, ended(model, problem))
        assert len(tried) == expected


def test_an_optimum_that_no_start_reaches_is_found():
    entry = next(
        e
        for e in reference("best_known_fits")
        if (e["dataset"], e["model"], e["K"]) == ("galaxies/1000", "VVV", 4)
    )
    X = known_table(entry["dataset"])
    whole = fitted(X, 4, reg_covar=0)
    assert whole.log_likelihood >= entry["log_likelihood"] - 0.01
    assert whole.n_agreeing == 0
    # the starts alone end lower, so a start that is asked for by name is left as it is
    for init in ("kmeans", "random", "hierarchical"):
        alone = fitted(X, 4, reg_covar=0, init=init)
        assert alone.log_likelihood < entry["log_likelihood"] - 1
