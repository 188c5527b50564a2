"""Cross-validation, against a loop written by hand around scikit-learn."""

import numpy as np
import pytest
from mixture.problems import WORDS, rows, table, two_clusters
from mixture.test_folds import Passes
from sklearn.mixture import GaussianMixture as ScikitMixture

from gmmcli.mixture.fitting import FitOptions, Fitting
from gmmcli.mixture.folds import folds
from gmmcli.mixture.grid import grid
from gmmcli.mixture.sampling import in_memory
from gmmcli.mixture.validation import (
    TOO_FAR,
    Score,
    Validated,
    cross_validate,
    simplest_of_the_best,
)


def validated(batches, counts, names, *, n_folds=5, **options):
    chosen = FitOptions(**options)
    fitting = Fitting(batches)
    cells = list(grid(fitting, counts, covariance_types=names, options=chosen))
    return cross_validate(fitting, cells, n_folds=n_folds, options=chosen)


def repeated(batches):
    """The rows of a part as often as their weights say: (N, D)."""
    everything = in_memory(batches)
    counts = 1 if everything.weights is None else everything.weights.astype(int)
    return np.repeat(everything.X.T, counts, axis=0)


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("n_folds", [3, 60])
@pytest.mark.parametrize("weighted", [False, True])
def test_one_component_scores_as_in_a_loop_around_scikit_learn(n_folds, weighted):
    # with one component the optimum is unique
    X = table("iris")[::2][:60] * [1, 10, 0.1, 1]
    batches = rows(X, np.arange(60) % 3 + 1.0 if weighted else None)
    scores = {name: [] for name in WORDS}
    for others, own in folds(batches, n_folds, seed=0):
        for name in WORDS:
            theirs = ScikitMixture(1, covariance_type=name, reg_covar=0).fit(repeated(others))
            scores[name].append(theirs.score_samples(repeated(own)))
    scores = {name: np.concatenate(parts) for name, parts in scores.items()}
    best = max(scores.values(), key=np.mean)
    for candidate in validated(batches, [1], WORDS, n_folds=n_folds):
        theirs = scores[candidate.cell.covariance_type]
        root = np.sqrt(len(theirs))
        expected = [theirs.mean(), theirs.std(ddof=1) / root]
        expected += [(best - theirs).mean(), (best - theirs).std(ddof=1) / root]
        ours = candidate.score
        numbers = [ours.mean, ours.standard_error, ours.behind, ours.behind_error]
        assert numbers == pytest.approx(expected, rel=1e-9, abs=1e-7)


@pytest.mark.heavy
def test_the_number_of_clusters_is_found():
    X, _ = two_clusters(np.random.default_rng(0), (80, 80))
    candidates = validated(rows(X), [1, 2, 3], ["full", "spherical"])
    chosen = simplest_of_the_best(candidates)
    assert (chosen.cell.covariance_type, chosen.cell.n_components) == ("spherical", 2)
    one = next(c.score for c in candidates if c.cell.n_components == 1)
    assert one.behind > 10 * one.behind_error


def test_held_out_rows_do_not_reach_the_fit():
    # a row that only its own repetition could explain
    X = np.random.default_rng(0).standard_normal((50, 1))
    near = validated(rows(X), [1], ["full"])[0].score
    X[20] = 1000
    far = validated(rows(X), [1], ["full"])[0].score
    assert far.mean < near.mean - 1000


@pytest.mark.heavy
def test_rows_gone_over_in_passes_score_the_same_to_the_last_bit():
    batches = rows(table("faithful"))
    for ours, theirs in zip(
        validated(batches, [1, 2], ["full"]),
        validated(Passes(batches), [1, 2], ["full"]),
        strict=True,
    ):
        assert ours.score == theirs.score


def test_a_candidate_that_fails_without_a_fold_says_which():
    X = np.array([0.0, 1.0] * 8 + [5.0])[:, None]
    one, three = validated(rows(X), [1, 3], ["full"])
    assert three.cell.result is not None
    assert three.score is None
    assert three.reason.startswith("without fold ")
    assert "2 distinct" in three.reason
    assert one.score.behind == 0
    assert simplest_of_the_best([one, three]) is one
    assert simplest_of_the_best([three]) is None


def test_rows_that_cannot_be_fitted_without_a_fold_are_a_reason():
    # without the 1 the others are the same but for what is beyond floating point
    X = np.array([1.0, *[1e-170, 2e-170] * 4])[:, None]
    (one,) = validated(rows(X), [1], ["full"], n_folds=9)
    assert one.score is None
    assert one.reason.startswith("without fold ")
    assert "beyond floating point" in one.reason


@pytest.mark.parametrize("far", [1e9, 1e100, 1e150])
def test_a_row_too_far_away_to_be_predicted_is_a_reason(far):
    X = np.random.default_rng(0).standard_normal((60, 2))
    X[7] = far
    candidates = validated(rows(X), [1, 2], ["full"])
    assert [candidate.reason for candidate in candidates] == [TOO_FAR] * 2
    assert all(candidate.score is None for candidate in candidates)
    assert simplest_of_the_best(candidates) is None


def test_one_candidate_may_be_too_far_where_another_is_not():
    # two columns that agree but for rounding, and one row where they do not
    rng = np.random.default_rng(0)
    x = rng.standard_normal(60)
    X = np.stack([x, x + 1e-9 * rng.standard_normal(60)], axis=1)
    X[7, 1] += 1e4
    full, diag = validated(rows(X), [1], ["full", "diag"])
    assert (full.reason, full.score) == (TOO_FAR, None)
    assert diag.score.behind == 0
    assert simplest_of_the_best([full, diag]) is diag


def test_the_simplest_within_one_standard_error_of_the_difference_is_chosen():
    X, _ = two_clusters(np.random.default_rng(1), (40, 40))
    cells = list(grid(Fitting(rows(X)), [1, 2, 3], covariance_types=["full"], options=FitOptions()))
    gaps = [(0.5, 0.4), (0.1, 0.1), (0.0, 0.0)]
    candidates = [
        Validated(cell, Score(-2 - gap, 0.9, gap, error))
        for cell, (gap, error) in zip(cells, gaps, strict=True)
    ]
    assert simplest_of_the_best(candidates) is candidates[1]
    candidates[0] = Validated(cells[0], Score(-2.5, 0.9, 0.5, 0.6))
    assert simplest_of_the_best(candidates) is candidates[0]
