"""Samples of the rows: fair, spread over the whole, and not blind to what is rare."""

import numpy as np
import pytest
from mixture.problems import fitted, mistakes, raw_problem, rows, two_clusters
from sklearn.mixture import GaussianMixture as ScikitMixture

from gmmcli.mixture.batches import BATCH_ROWS, ArrayBatches
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.sampling import (
    LATER_ROWS,
    RACE_ROWS,
    SAMPLE_ROWS,
    Samples,
    draw_rows,
    in_memory,
    rare_rows,
    strata,
)
from gmmcli.mixture.standardise import describe
from gmmcli.mixture.synthesis import Recipe, generate


def numbered(n_rows, weights=None):
    return rows(np.arange(float(n_rows))[:, None], weights)


def drawn_of(n_rows, *, seed):
    batches = numbered(n_rows)
    return Samples(batches, describe(batches), rng=np.random.default_rng(seed))


def drawn_from(batches, n_rows, size, *, seed):
    return draw_rows(batches, [strata(n_rows, size, np.random.default_rng(seed))])[0]


def test_a_draw_is_spread_over_the_whole():
    n_rows, size = 3 * BATCH_ROWS + 17, 500
    drawn = drawn_from(numbered(n_rows), n_rows, size, seed=0).X[0]
    assert len(drawn) == size
    # one of each stratum
    strata = np.floor((drawn + 0.5) * size / n_rows)
    assert np.max(np.abs(strata - np.arange(size))) <= 1
    assert len(set(np.diff(drawn))) > 10


def test_every_row_is_as_likely():
    counts = np.zeros(40)
    for seed in range(1500):
        drawn = drawn_from(numbered(40), 40, 10, seed=seed)
        np.add.at(counts, drawn.X[0].astype(int), 1)
    expected = 1500 * 10 / 40
    assert np.max(np.abs(counts - expected)) < 5 * np.sqrt(expected)


def test_rows_are_drawn_by_weight():
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 4, 2 * BATCH_ROWS).astype(float)
    total = weights.sum()
    weighted = drawn_from(numbered(len(weights), weights), total, 4000, seed=2)
    everything = np.repeat(np.arange(len(weights)), weights.astype(int))
    repeated = drawn_from(rows(everything[:, None]), total, 4000, seed=2)
    assert np.array_equal(weighted.X, repeated.X)
    assert np.all(weights[weighted.X[0].astype(int)] > 0)


@pytest.mark.parametrize(
    ("n_rows", "sizes"),
    [(100, []), (SAMPLE_ROWS, []), (SAMPLE_ROWS + 1, [RACE_ROWS, SAMPLE_ROWS])],
)
def test_small_data_are_not_sampled(n_rows, sizes):
    drawn = drawn_of(n_rows, seed=3)
    assert [batch.n_rows for batch in drawn] == sizes


def test_the_first_sample_has_rows_for_the_parameters_of_many_columns():
    def first(n_features):
        X = np.random.default_rng(0).standard_normal((n_features, 12_000))
        batches = ArrayBatches(X)
        return Samples(batches, describe(batches), rng=np.random.default_rng(0))[0].n_rows

    assert [first(2), first(16), first(40)] == [RACE_ROWS, 30 * (1 + 16 + 136), SAMPLE_ROWS]


def test_samples_grow():
    n_rows = 300_000
    drawn = drawn_of(n_rows, seed=4)
    sizes = [batch.n_rows for batch in drawn]
    assert sizes == [RACE_ROWS, *LATER_ROWS]
    assert sizes == sorted(sizes)
    assert sizes[-1] < n_rows
    for batch in drawn:
        # the mean of a stratified sample is very near
        assert batch.X.mean() == pytest.approx((n_rows - 1) / 2, rel=0.01)


class Passes:
    """Rows that come pass by pass, and how many passes there were."""

    def __init__(self, held):
        self.held, self.n_features, self.n_passes = held, held.n_features, 0

    def __iter__(self):
        self.n_passes += 1
        return iter(self.held)


def test_samples_of_a_file_are_drawn_in_one_pass_and_are_those_of_memory():
    rng = np.random.default_rng(5)
    held = rows(rng.standard_normal((35_000, 2)), rng.uniform(1, 2, 35_000))
    source, description = Passes(held), describe(held)
    one, other = (
        Samples(batches, description, rng=np.random.default_rng(0)) for batches in (held, source)
    )
    assert len(one) == len(other) == 2
    for number in (1, 0):
        assert np.array_equal(one[number].X, other[number].X)
        assert one[number] is one[number]
    assert source.n_passes == 1


def test_rows_that_come_pass_by_pass_are_taken_into_memory():
    rng = np.random.default_rng(5)
    held = rows(rng.standard_normal((BATCH_ROWS + 3, 2)), rng.uniform(1, 2, BATCH_ROWS + 3))
    assert in_memory(held) is held
    taken = in_memory(Passes(held))
    assert np.array_equal(taken.X, held.X)
    assert np.array_equal(taken.weights, held.weights)


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("name", ["full", "tied", "diag", "spherical"])
def test_a_rare_cluster_of_a_large_table_is_found(name):
    # 40 rows of 60,000: about 7 of them are in the sample
    X, truth = two_clusters(np.random.default_rng(6), (59_960, 40), n_features=3, distance=12)
    order = np.random.default_rng(7).permutation(len(X))
    X, truth = X[order], truth[order]
    result = fitted(X, 2, covariance_type=name)
    assert mistakes(result.model.posterior(X).labels, truth) == 0
    assert result.n_rows == 60_000


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize(("name", "rare"), [("full", 200), ("full", 20), ("spherical", 20)])
def test_one_row_in_ten_thousand_is_a_cluster_too(name, rare):
    n_rows = 200_000
    X, truth = two_clusters(np.random.default_rng(9), (n_rows - rare, rare), distance=9)
    order = np.random.default_rng(10).permutation(n_rows)
    X, truth = X[order], truth[order]
    from_truth = fitted(X, 2, covariance_type=name, start=truth)
    result = fitted(X, 2, covariance_type=name)
    assert result.converged
    assert result.log_likelihood >= from_truth.log_likelihood - 1e-2
    assert mistakes(result.model.posterior(X).labels, truth) <= 3
    assert result.model.weights[1] == pytest.approx(rare / n_rows, rel=0.05)


@pytest.mark.heavy
@pytest.mark.parametrize("rare", [(60, 60), (40, 200), (30, 30, 30)])
def test_several_rare_clusters_are_found(rare):
    rng = np.random.default_rng(5)
    sizes = (*rare, 4_000, 30_000, 60_000)
    n_clusters, n_features = len(sizes), 5
    truth = rng.permutation(np.repeat(range(n_clusters), sizes))
    maps = 0.4 * rng.standard_normal((n_clusters, n_features, n_features)) + np.eye(n_features)
    noise = rng.standard_normal((len(truth), n_features))
    X = 7 * rng.standard_normal((n_clusters, n_features))[truth]
    X += np.einsum("nd,nde->ne", noise, maps[truth])
    from_truth = fitted(X, n_clusters, start=truth)
    result = fitted(X, n_clusters)
    assert result.log_likelihood >= from_truth.log_likelihood - 1e-2
    assert mistakes(result.model.posterior(X).labels, truth) <= 5


def test_rare_clusters_need_not_be_looked_for():
    rng = np.random.default_rng(8)
    truth = rng.permutation(np.repeat(range(3), (20, 12_000, 18_000)))
    X = 7 * rng.standard_normal((3, 5))[truth] + rng.standard_normal((len(truth), 5))
    sought, not_sought = (
        fitted(X, 3, init="kmeans", seek_rare=seek_rare) for seek_rare in (True, False)
    )
    assert sought.model.weights.min() == pytest.approx(20 / len(X), rel=0.05)
    assert not_sought.log_likelihood < sought.log_likelihood - 10


@pytest.mark.heavy
def test_a_sample_is_not_trusted_whose_likeliest_mixture_describes_chance():
    # clusters 1.2 standard deviations apart; from the optima of 2,000 rows EM ends 80 nats lower
    recipe = Recipe(n_features=6, n_components=8, separation=1.2, seed=4)
    X, _ = generate("blobs", 40_000, recipe)
    peer = ScikitMixture(8, tol=1e-5, random_state=0).fit(X)
    assert fitted(X, 8, max_iter=60).mean_log_likelihood >= peer.score(X)


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize(
    ("kind", "recipe", "name", "n_components"),
    [
        ("stretched", Recipe(n_features=8, n_components=6, separation=1.5, seed=1054), "diag", 5),
        ("stretched", Recipe(n_features=6, n_components=6, separation=2.5, seed=1052), "diag", 7),
        ("blobs", Recipe(n_features=6, n_components=6, separation=2.5, seed=1032), "full", 5),
    ],
)
def test_starts_that_disagree_go_over_more_rows(kind, recipe, name, n_components):
    # from the best optima of 2,000 rows alone EM ends 40 nats lower
    X, _ = generate(kind, 15_000, recipe)
    peer = ScikitMixture(
        n_components, covariance_type=name, tol=1e-6, max_iter=500, random_state=0
    ).fit(X)
    result = fitted(X, n_components, covariance_type=name)
    assert result.mean_log_likelihood >= peer.score(X) - 1e-6
    assert result.n_agreeing <= result.n_starts


def test_without_a_rare_cluster_none_is_made_up():
    X, truth = two_clusters(np.random.default_rng(11), (40_000, 20_000), distance=9)
    result = fitted(X, 2)
    assert mistakes(result.model.posterior(X).labels, truth) <= 4


def test_of_more_rows_some_are_farther_out_by_chance():
    # a row every 0.01 nats, as far as 40 nats below the likeliest
    X = np.sqrt(2 * np.arange(0, 40, 1e-2))[:, None]
    problem = raw_problem(X, "full")
    pilot = GaussianMixture.from_arrays([1.0], [[0.0]], [[[1.0]]], covariance_type="full")
    thresholds = []
    for n_rows in (1e4, 1e6, 1e9):
        rare = rare_rows(problem, pilot, rows(X[:10]), n_rows).rows
        thresholds.append(rare.X.min() ** 2 / 2)
    assert thresholds[0] == thresholds[1]
    assert thresholds[2] - thresholds[1] == pytest.approx(np.log(1e9 / 1e6), abs=0.02)


@pytest.mark.heavy
def test_the_last_step_is_over_all_rows():
    X, _ = two_clusters(np.random.default_rng(8), (20_000, 10_000), distance=2.5)
    result = fitted(X, 2, tol=1e-10)
    start = (X[:, 0] > 1.2).astype(np.int64)
    direct = fitted(X, 2, start=start, tol=1e-10)
    assert result.log_likelihood == pytest.approx(direct.log_likelihood, abs=1e-3)
    density = result.model.posterior(X).log_density
    assert result.log_likelihood == pytest.approx(density.sum(), rel=1e-11)


@pytest.mark.heavy
def test_iterations_on_samples_are_not_those_over_all_rows():
    # 12,000 rows that overlap: the race on the sample takes more iterations than are asked for
    rng = np.random.default_rng(11)
    X = rng.standard_normal((2, 12_000)) + 0.8 * rng.integers(3, size=12_000)
    few = Fitting(ArrayBatches(X)).fit(4, FitOptions(max_iter=3, tol=1e-12))
    more = Fitting(ArrayBatches(X)).fit(4, FitOptions(max_iter=30, tol=1e-12))
    assert few.n_iter <= 3
    assert few.n_iter < more.n_iter <= 30
    assert more.log_likelihood >= few.log_likelihood


def test_many_rows_of_little_weight_are_sampled_too():
    X = np.random.default_rng(12).standard_normal((2, 12_000))
    batches = ArrayBatches(X, np.full(12_000, 0.01))
    drawn = Samples(batches, describe(batches), rng=np.random.default_rng(0))
    assert [sample.n_rows for sample in drawn] == [RACE_ROWS, SAMPLE_ROWS]
