"""The bootstrap of the likelihood ratio: mclust's published example, and its own statistics."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from effort import THOROUGH, some
from mixture.problems import fitted, known_table, reference, rows, two_clusters
from mixture.test_folds import Passes

from gmmcli.errors import FitError
from gmmcli.execution import executor
from gmmcli.mixture.bootstrap import RatioTest, _whole_fit, ratio_tests
from gmmcli.mixture.fitting import FitOptions, Fitting

DRAWS = some(19, 99)
# Scrucca, Fop, Murphy & Raftery (2016), The R Journal 8/1, and mclust's vignette: VVV, B = 999.
PUBLISHED = {1: (369.985, 0.001), 2: (121.107, 0.001), 3: (19.901, 0.283)}
CHEAP = FitOptions(init="hierarchical", tol=1e-4)


def by_draws(X, counts, *, n_replicates=19, options=CHEAP, workers=None):
    fitting = Fitting(rows(X), workers=workers)
    return list(ratio_tests(fitting, counts, n_replicates=n_replicates, options=options))


def test_from_the_partitions_of_mclust_its_statistics_are_reached():
    X = known_table("diabetes_corrected")
    cells = reference("diabetes")["components"]
    fits = {
        K: fitted(X, K, start=np.array(cells[str(K)]["start_labels"]), reg_covar=0, tol=1e-13)
        for K in (1, 2, 3, 4)
    }
    for K, (statistic, _) in PUBLISHED.items():
        test = RatioTest(fits[K], fits[K + 1], np.empty(0))
        # mclust stops at 1e-5 of the log-likelihood, which is 0.02 nats and more while EM crawls
        assert test.statistic == pytest.approx(statistic, abs=0.3)
        # the search finds optima at least as good
        assert fitted(X, K + 1, reg_covar=0).log_likelihood > fits[K + 1].log_likelihood - 1e-4


@pytest.mark.heavy
def test_the_published_example_has_three_clusters_by_test():
    X = known_table("diabetes_corrected")
    # of few draws the p-value of the third test, some 0.2, may by chance be 0.05
    counts = [1, 2, 3, 4, 5] if THOROUGH else [1, 2, 3]
    with executor() as pool:
        options = FitOptions(reg_covar=0)
        tests = by_draws(X, counts, n_replicates=DRAWS, options=options, workers=pool)
    assert [test.null.model.n_components for test in tests] == counts[: len(tests)]
    assert [test.p_value for test in tests[:2]] == [1 / (DRAWS + 1)] * 2
    # better optima than mclust's move the statistics
    assert [test.statistic for test in tests[:2]] == pytest.approx([395.305, 95.837], abs=0.01)
    if len(counts) > 3:
        assert tests[2].statistic > 32.7
        assert tests[2].p_value > 0.05
        assert tests[2].chosen is tests[2].null


def test_the_p_value_counts_the_draws_that_are_no_smaller():
    X, _ = two_clusters(np.random.default_rng(0), (40, 40))
    null, alternative = fitted(X, 1), fitted(X, 2)
    statistic = 2 * (alternative.log_likelihood - null.log_likelihood)
    draws = np.array([statistic, statistic + 1, np.inf, *np.zeros(16)])
    test = RatioTest(null, alternative, draws)
    assert test.statistic == statistic
    assert test.p_value == pytest.approx(4 / 20)
    assert test.chosen is null
    few = RatioTest(null, alternative, np.zeros(19))
    assert few.p_value == 0.05
    assert few.chosen is alternative
    worse = replace(alternative, log_likelihood=null.log_likelihood - 1)
    assert RatioTest(null, worse, draws).statistic == 0
    assert test.n_failed == 1


def test_what_is_within_rounding_is_no_difference():
    X, _ = two_clusters(np.random.default_rng(0), (40, 40))
    null = fitted(X, 1)
    for gain in (-1e-11, 1e-11, 1e-6):
        same = replace(fitted(X, 2), log_likelihood=null.log_likelihood + gain)
        test = RatioTest(null, same, np.zeros(99))
        assert (test.statistic, test.p_value, test.chosen) == (0, 1, null)
    better = replace(fitted(X, 2), log_likelihood=null.log_likelihood + 1)
    # draws as large but for rounding are as large
    test = RatioTest(null, better, np.full(99, 2 - 1e-9))
    assert (test.statistic, test.p_value) == (pytest.approx(2), 1)
    # a loose tolerance leaves more open
    loose = replace(null, tol=0.1)
    assert RatioTest(loose, better, np.zeros(99)).statistic == 0


def test_both_numbers_are_searched_for_in_rows_and_draws_alike(monkeypatch):
    calls = []

    def recorded(self, n_components, options, start=None, *, relatives):
        calls.append((n_components, start, [model.n_components for model in relatives.mixtures]))
        return fit(self, n_components, options, start, relatives=relatives)

    fit = Fitting.fit
    monkeypatch.setattr(Fitting, "fit", recorded)
    X, _ = two_clusters(np.random.default_rng(0), (30, 30))
    by_draws(X, [2, 3], n_replicates=5)
    assert calls[:2] == [(2, None, []), (3, None, [3, 3])]
    # the draws also know the mixture that they come from
    assert calls[2:] == [(2, None, [2]), (3, None, [3, 3])] * 5


@pytest.mark.heavy
def test_under_one_cluster_p_values_are_uniform_and_under_two_they_are_small():
    rng = np.random.default_rng(0)
    p_values = [by_draws(rng.standard_normal((30, 1)), [1, 2])[0].p_value for _ in range(12)]
    # binomial: 12 draws of probability 1/4 and 1/2; 1 in 1000 beyond
    assert sum(p <= 0.25 for p in p_values) <= 8
    assert 1 <= sum(p <= 0.5 for p in p_values) <= 11
    apart, _ = two_clusters(rng, (30, 30), n_features=1)
    assert by_draws(apart, [1, 2])[0].p_value == 0.05


@pytest.mark.heavy
def test_draws_do_not_depend_on_who_computes_them_but_on_the_seed():
    X = np.random.default_rng(3).standard_normal((50, 2))
    (alone,) = by_draws(X, [1, 2])
    with executor(3) as pool:
        (shared,) = by_draws(X, [1, 2], workers=pool)
    assert np.array_equal(alone.replicates, shared.replicates)
    (other,) = by_draws(X, [1, 2], options=replace(CHEAP, seed=1))
    assert not np.any(alone.replicates == other.replicates)


@pytest.mark.heavy
def test_weights_are_repetitions():
    X = np.round(np.random.default_rng(4).standard_normal((60, 1)), 1)
    values, counts = np.unique(X, return_counts=True)
    fitting = Fitting(rows(values[:, None], counts.astype(float)))
    (ours,) = ratio_tests(fitting, [1, 2], n_replicates=19, options=CHEAP)
    (theirs,) = by_draws(X, [1, 2])
    assert ours.null.n_rows == 60
    assert ours.statistic == pytest.approx(theirs.statistic, abs=0.01)
    np.testing.assert_allclose(ours.replicates, theirs.replicates, atol=0.05)


def test_rows_that_are_not_in_memory_are_refused():
    fitting = Fitting(Passes(rows(known_table("diabetes_corrected"))))
    with pytest.raises(FitError, match="more than memory holds"):
        next(ratio_tests(fitting, [1, 2], n_replicates=19, options=CHEAP))


@pytest.mark.heavy
def test_a_number_that_cannot_be_fitted_ends_the_tests_and_says_why():
    X = np.array([0.0, 1.0] * 20)[:, None]
    tests = by_draws(X, [1, 2, 3, 4])
    assert [test.null.model.n_components for test in tests] == [1, 2]
    first, last = tests
    assert first.rejected
    assert "2 distinct rows" in last.reason
    assert (last.alternative, last.statistic, last.p_value) == (None, 0, 1)
    assert last.chosen is last.null is first.alternative


def test_a_component_of_less_than_half_a_row_is_no_component():
    result = fitted(two_clusters(np.random.default_rng(0), (40, 40))[0], 2)

    def gives(weight):
        """A fitting that gives a fit with that weight of the second component."""
        model = replace(result.model, weights=np.array([1 - weight, weight]))
        return SimpleNamespace(fit=lambda *_, **__: replace(result, model=model))

    assert _whole_fit(gives(0.51 / 80), 2, CHEAP).model.n_components == 2
    with pytest.raises(FitError, match="of 2 components only 1 hold rows"):
        _whole_fit(gives(0.49 / 80), 2, CHEAP)


@pytest.mark.skipif(not THOROUGH, reason="2,000 fits")
def test_under_two_clusters_that_overlap_p_values_are_uniform():
    rng = np.random.default_rng(0)
    p_values = []
    for _ in range(60):
        X, _ = two_clusters(rng, (30, 30), n_features=1, distance=2.5)
        p_values.append(by_draws(X, [2, 3])[0].p_value)
    # binomial, 1 in 1000 beyond on either side; one cluster too few in the draws gives none
    assert sum(p <= 0.05 for p in p_values) <= 9
    assert 5 <= sum(p <= 0.25 for p in p_values) <= 26
    assert 18 <= sum(p <= 0.5 for p in p_values) <= 42


def test_components_that_collapse_are_an_error():
    X = np.array([0.0, 1.0] * 10)[:, None]
    with pytest.raises(FitError, match="every component collapsed"):
        by_draws(X, [1, 2, 3], options=FitOptions(reg_covar=0))
