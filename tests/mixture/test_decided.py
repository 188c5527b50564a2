"""E-steps that leave out rows whose component is beyond doubt."""

import json
import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixture.problems import NAMES, apart, fitted, lazy, peer_after, raw_problem, rows, table
from sklearn.mixture import GaussianMixture as Peer

from gmmcli.mixture import shares as shares_of_rows
from gmmcli.mixture.decided import Decided
from gmmcli.mixture.e_step import SAFE_ERROR, EStep
from gmmcli.mixture.em import State, iterate
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.partition import model_of, moments_of
from gmmcli.mixture.snapshot import Snapshot
from gmmcli.mixture.statistics import FAINT, NOT_KEPT

every_structure = pytest.mark.parametrize("name", NAMES)


def near(model, X, name, share=0.2):
    """What EM makes of some of the rows: a mixture that is a little different."""
    problem = raw_problem(X[: int(len(X) * share)], name)
    return problem.m_step(problem.e_step(model).estimates(), model)


@every_structure
@pytest.mark.parametrize("weighted", [False, True])
def test_the_e_step_is_that_of_all_rows(name, weighted):
    rng = np.random.default_rng(3)
    truth = apart(rng, name)
    X, _ = truth.sample(4000, rng)
    weights = rng.uniform(0.5, 2, len(X)) if weighted else None
    problem = lazy(X, name, weights)
    begin = near(truth, X, name)
    decided = Decided.of(problem, begin, problem.e_step(begin))
    assert decided.others is None or decided.others.n_rows < 1000
    later = problem.m_step(decided.everything.estimates(), begin)
    assert decided.error(later) < SAFE_ERROR
    ours, whole = decided.e_step(problem, later), problem.e_step(later)
    assert ours.n_rows == pytest.approx(whole.n_rows, rel=1e-12)
    assert ours.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
    assert ours.log_top == pytest.approx(whole.log_top, rel=1e-9, abs=1e-9)
    for mine, other in zip(ours.estimates(), whole.estimates(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-10)
    # but not because nothing has changed
    assert abs(decided.everything.log_likelihood - whole.log_likelihood) > 0.1


def test_one_that_needs_the_centred_form_about_other_origins():
    rng = np.random.default_rng(4)
    truth = apart(rng, "full", n_components=2, n_features=45, distance=20)
    X, _ = truth.sample(6000, rng)
    problem = lazy(X, "full")
    assert len(EStep(truth, problem.radius).centred) == 2
    begin = near(truth, X, "full", share=0.99)
    decided = Decided.of(problem, begin, problem.e_step(begin))
    later = problem.m_step(decided.everything.estimates(), begin)
    ours, whole = decided.e_step(problem, later), problem.e_step(later)
    assert ours.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
    assert not np.array_equal(decided.statistics.origins, ours.origins)
    for mine, other in zip(ours.estimates(), whole.estimates(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-10)


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), name=st.sampled_from(NAMES), step=st.floats(0, 0.3))
def test_the_bound_is_one(seed, name, step):
    rng = np.random.default_rng(seed)
    model = apart(rng, name, distance=rng.uniform(7, 12))
    X, _ = model.sample(1000, rng)
    problem = lazy(X, name)
    statistics = problem.e_step(model)
    decided = Decided.of(problem, model, statistics)
    if decided is None:
        return
    other = apart(rng, name, distance=10)
    moved = GaussianMixture(
        (1 - step) * model.weights + step * other.weights,
        model.means + step * rng.standard_normal(model.means.shape),
        type(model.covariance)(model.covariance.matrices * (1 + step * rng.uniform(-1, 1))),
    )
    e_step = EStep(moved, problem.radius)
    joint = e_step.log_joint(*e_step.read(X.T))
    in_doubt = set() if decided.others is None else set(map(bytes, decided.others.X.T.copy()))
    sure = [row.tobytes() not in in_doubt for row in X]
    before = EStep(model, problem.radius)
    own = before.log_joint(*before.read(X.T)).argmax(axis=0)
    excess = joint - joint[own, np.arange(len(X))]
    excess[own, np.arange(len(X))] = -np.inf
    lost = np.exp(excess[:, sure]).sum(axis=0)
    assert lost.max(initial=0) <= decided.error(moved)


def test_rows_in_doubt_are_those_between_clusters_and_those_far_from_all():
    model = GaussianMixture.from_arrays(
        [0.5, 0.5], [[0.0], [20.0]], [1.0, 1.0], covariance_type="spherical"
    )
    # where the components are FAINT nats apart
    here = 10 - FAINT / 20
    X = np.array([0.0, 1.0, here - 0.01, here + 0.01, 10.0, 20.0, -2.9, -3.1, 40.0, -1.0, 19, 0.5])
    problem = lazy(X[:, None], "spherical")
    statistics = problem.e_step(model)
    (kept,) = statistics.doubt.rows
    # three standard deviations are not typical any more
    assert kept.X[0].tolist() == [here - 0.01, here + 0.01, 10.0, -3.1, 40.0]
    assert raw_problem(X[:, None], "spherical").e_step(model).doubt is NOT_KEPT


@pytest.mark.parametrize("farthest", [30.0, 2_000.0])
@pytest.mark.parametrize("is_quick", [False, True])
def test_shares_relative_to_the_likeliest_are_exponentials(farthest, is_quick, monkeypatch):
    monkeypatch.setattr(shares_of_rows, "EXP_IS_QUICK", is_quick)
    rng = np.random.default_rng(15)
    below = -rng.uniform(0, farthest, (8, 500))
    # two that are the likeliest together, too
    below[rng.integers(8, size=500), np.arange(500)] = 0
    below[:2, 0] = 0
    are_few = np.mean(below > -FAINT) <= shares_of_rows.FEW_LIVE
    assert are_few == (farthest > 100)
    shares = shares_of_rows.relative_shares(below.copy())
    np.testing.assert_allclose(shares, np.exp(below), rtol=1e-15, atol=2.0**-53)
    # none is without any, where exp itself would have nothing left
    assert not are_few or shares.min() > 0 == np.exp(below).min()


@pytest.mark.parametrize("n_rows", [0, 1, 31, 32, 33, 500])
@pytest.mark.parametrize("largest", [1.001, 3.0, 1e9])
def test_the_sum_of_logarithms_is_that_of_each(n_rows, largest):
    totals = np.random.default_rng(16).uniform(1, largest, n_rows)
    expected = math.fsum(math.log(total) for total in totals)
    assert shares_of_rows.sum_of_logs(totals) == pytest.approx(expected, rel=1e-13, abs=1e-15)


@pytest.mark.parametrize(
    ("target", "expected"),
    [("X86_V4", True), ("AVX512_SKX", True), ("X86_V3", False), (None, False)],
)
def test_exp_is_quick_where_the_processor_takes_several_at_once(target, expected, monkeypatch):
    found = {} if target is None else {"exp": {"dd": {"current": target}}}
    monkeypatch.setattr(shares_of_rows, "opt_func_info", lambda **_: found)
    assert shares_of_rows.exp_is_quick() is expected


@pytest.mark.parametrize("distance", [6.0, 100.0])
def test_an_e_step_that_picks_is_one_that_does_not(distance, monkeypatch):
    rng = np.random.default_rng(18)
    model = apart(rng, "full", distance=distance)
    X, _ = model.sample(3000, rng)
    problem = lazy(X, "full")
    expected = raw_problem(X, "full").e_step(model)
    for is_quick in (False, True):
        monkeypatch.setattr(shares_of_rows, "EXP_IS_QUICK", is_quick)
        found = problem.e_step(model)
        assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-13)
        np.testing.assert_allclose(found.totals, expected.totals, rtol=1e-11, atol=1e-9)


@every_structure
@pytest.mark.parametrize("is_quick", [False, True])
@pytest.mark.parametrize("of", [raw_problem, lazy])
def test_a_component_without_rows_is_placed_anew(name, is_quick, of, monkeypatch):
    monkeypatch.setattr(shares_of_rows, "EXP_IS_QUICK", is_quick)
    rng = np.random.default_rng(19)
    model = apart(rng, name)
    X, _ = model.sample(3000, rng)
    means = model.means.copy()
    means[0] = 1e4
    steps = iterate(GaussianMixture(model.weights, means, model.covariance), of(X, name))
    step = next(islice(steps, 3, None))
    assert step.model.n_components == model.n_components
    assert "a component that collapsed was placed anew" in step.notes
    assert np.isfinite(step.objective)


def test_where_most_rows_are_in_doubt_nothing_is_left_out():
    rng = np.random.default_rng(5)
    model = apart(rng, "full", distance=0.5)
    X, _ = model.sample(3000, rng)
    problem = lazy(X, "full")
    statistics = problem.e_step(model)
    assert statistics.doubt.n_numbers == np.inf
    assert Decided.of(problem, model, statistics) is None
    state = State.new(model)
    list(islice(iterate(model, problem, state), 6))
    assert state.n_passes == 6


def test_a_mixture_that_has_moved_too_far_is_taken_to_all_rows():
    rng = np.random.default_rng(6)
    model = apart(rng, "diag")
    X, _ = model.sample(3000, rng)
    problem = lazy(X, "diag")
    decided = Decided.of(problem, model, problem.e_step(model))
    far = GaussianMixture(model.weights, model.means + 3, model.covariance)
    assert decided.error(far) > SAFE_ERROR
    assert decided.e_step(problem, far) is None
    fewer = model.taken([0, 1])
    assert decided.e_step(problem, fewer) is None
    # a run from there goes over all rows until it has come near
    state = State.new(far)
    steps = list(islice(iterate(far, problem, state), 8))
    assert 1 < state.n_passes < 8
    whole = problem.e_step(steps[-1].model)
    assert steps[-1].log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)


@pytest.mark.parametrize("name", ["full", "tied", "diag", "spherical"])
def test_iterations_are_those_of_scikit_learn(name):
    rng = np.random.default_rng(7)
    truth = apart(rng, name)
    X, _ = truth.sample(12_000, rng)
    begin = near(truth, X, name, share=0.1)
    problem = lazy(X, name)
    state = State.new(begin)
    *_, last = islice(iterate(begin, problem, state), 6)
    assert state.n_passes < 4
    peer = peer_after(begin, X, 5)
    np.testing.assert_allclose(last.model.weights, peer.weights_, rtol=1e-9)
    np.testing.assert_allclose(last.model.means, peer.means_, rtol=1e-9, atol=1e-9)
    assert last.log_likelihood == pytest.approx(peer.score(X) * len(X), rel=1e-11)


def separated(n_rows):
    rng = np.random.default_rng(8)
    truth = apart(rng, "full", distance=7)
    return truth.sample(n_rows, rng)[0]


def test_a_fit_goes_over_all_rows_once_and_ends_as_high():
    X = separated(15_000)
    result = fitted(X, 4)
    # to describe and sample them, and one E-step
    assert result.n_passes == 3
    peer = Peer(4, tol=1e-9, max_iter=500, means_init=result.model.means, reg_covar=0).fit(X)
    assert result.mean_log_likelihood >= peer.score(X) - 1e-9


def test_a_small_fit_looks_at_every_row_each_time():
    assert not Fitting(rows(table("iris"))).problem(FitOptions(), 3)[1].is_lazy
    assert Fitting(rows(separated(15_000))).problem(FitOptions(), 3)[1].is_lazy


def test_a_run_that_is_taken_up_leaves_out_the_same_rows():
    X = separated(12_000)
    # a start beside the optimum takes several steps
    labels = np.where(np.arange(len(X)) % 7 == 0, 0, fitted(X, 4).model.posterior(X).labels)
    options = FitOptions(tol=1e-12)
    texts = []

    def fit(**arguments):
        return Fitting(rows(X)).fit(4, options, labels, **arguments)

    whole = fit(keep=lambda shot: texts.append(json.dumps(shot.plain())))
    plains = [json.loads(text) for text in texts]
    under = [plain["ascents"][0]["decided_under"] for plain in plains]
    assert under[-1] is not None
    assert under[-1] != plains[-1]["ascents"][0]["mixture"]
    for plain in plains:
        again = fit(resume=Snapshot.of_plain(plain, options))
        assert again.log_likelihood == whole.log_likelihood
        assert again.n_passes == whole.n_passes
        assert np.array_equal(again.model.means, whole.model.means)
        assert np.array_equal(again.model.covariance.values, whole.model.covariance.values)


@pytest.mark.parametrize("name", ["tied", "EEI", "EII"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("origin", [0.0, 1e12])
def test_what_all_components_have_in_common_is_put_in_at_once(name, weighted, origin):
    # far from 0 the column means have to be rounded, and the standardised ones are not 0
    rng = np.random.default_rng(8)
    X = origin + rng.standard_normal((12_000, 3)) @ rng.standard_normal((3, 3))
    weights = rng.integers(1, 4, len(X)) if weighted else None
    _, problem = Fitting(rows(X, weights)).problem(FitOptions(covariance_type=name), 3)
    labels = rng.integers(3, size=len(X))
    model = model_of(problem, moments_of(problem.batches, labels, problem.structure.form), 3)
    at_once, one_by_one = (replace(problem, is_lazy=lazily) for lazily in (True, False))
    ours, theirs = at_once.e_step(model), one_by_one.e_step(model)
    assert ours.shared
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(ours.totals, theirs.totals, rtol=1e-11, atol=1e-10 * len(X))
    for threshold in (-6.0, -9.0):
        unlikely, known = (
            np.concatenate(
                [batch.X for batch in one.e_step(model, threshold=threshold).unlikely], 1
            )
            for one in (at_once, one_by_one)
        )
        assert unlikely.shape[1] > 0
        np.testing.assert_array_equal(unlikely, known)
