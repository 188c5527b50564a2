"""Published optima: mclust's from its own starts, the best known from ours."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from effort import some
from mixture.problems import (
    MclustRule,
    fitted,
    known_table,
    model_of_partition,
    raw_problem,
    reference,
    rows,
    table,
)
from sklearn.mixture import GaussianMixture as ScikitMixture

from gmmcli.mixture.covariance import VVE, orientation
from gmmcli.mixture.fitting import FitOptions, Fitting
from gmmcli.mixture.shapes import MEANINGS
from gmmcli.mixture.stopping import RULES

DATA_SETS = ("acidity", "diabetes", "faithful", "galaxies", "iris")
N_SEEDS = some(1, 10)

# Where another optimum is reached than mclust's: VVE with several components. Its M-step turns the
# axes by the shapes A_k alone and leaves the sizes lambda_k out of their weights, so that it is no
# maximum, and ends lower. (With sizes that are equal, in EVE, there is no difference.)
HIGHER = {f"{data}-{K}-VVE" for data in ("diabetes", "faithful", "iris") for K in range(2, 7)}
# Its way leads to another hill here, 17 nats higher; the search finds one that is higher still.
LOWER = {"iris-5-VVE"}


def cells():
    for name in DATA_SETS:
        for n_components, cell in reference(name)["components"].items():
            start = np.array(cell["start_labels"], dtype=np.int64)
            models = dict(cell["models"])
            if "V" in models:
                # in one dimension there are but two structures, by whatever name
                models |= dict.fromkeys(("VVI", "VVV", "VEV"), models["V"])
            if "E" in models:
                models |= dict.fromkeys(("EEE", "EVE"), models["E"])
            for model, expected in models.items():
                values = (name, int(n_components), model, start, expected)
                yield pytest.param(*values, id=f"{name}-{n_components}-{model}")


CELLS = list(cells())
# few of the cells unless all are asked for: of each structure some, of each data set some
SOME = some(CELLS[:: len(MEANINGS) // 4], CELLS)
every_cell = pytest.mark.parametrize(("name", "K", "model", "start", "expected"), CELLS)
some_cells = pytest.mark.parametrize(("name", "K", "model", "start", "expected"), SOME)


@cache
def fitting(name):
    return Fitting(rows(table(name)))


def test_the_reference_covers_what_it_should():
    names = {cell.id for cell in CELLS}
    for name in DATA_SETS:
        counts = {int(c.id.split("-")[1]) for c in CELLS if c.id.startswith(name)}
        assert counts == set(range(1, 7))
    assert all(f"iris-{K}-{m}" in names for K in range(1, 5) for m in MEANINGS)
    assert {"galaxies-4-E", "galaxies-1-V"} <= names
    # what mclust fitted: 14 structures, 2 in one dimension
    asked = sum(len(c["models"]) for n in DATA_SETS for c in reference(n)["components"].values())
    assert asked == 263
    # 98 % of them, at least, are to be reached
    assert len(LOWER) <= 0.02 * asked
    assert {cell.values[2] for cell in SOME} >= set(MEANINGS)


@pytest.mark.heavy(cases=10)
@every_cell
def test_from_the_start_of_mclust_its_optimum_is_reached(name, K, model, start, expected):
    options = FitOptions(covariance_type=model, reg_covar=0, tol=1e-13, max_iter=100_000)
    result = fitting(name).fit(K, options, start)
    gap = result.log_likelihood - expected["log_likelihood"]
    assert result.converged
    assert result.model.n_components == K
    assert not result.notes
    assert result.n_parameters == expected["n_parameters"]
    cell = f"{name}-{K}-{model}"
    if cell in LOWER:
        found = fitting(name).fit(K, FitOptions(covariance_type=model, reg_covar=0), None)
        assert found.log_likelihood > expected["log_likelihood"]
    elif cell in HIGHER:
        assert gap > 1e-6
    else:
        # equal, not better: it is the same hill
        assert gap == pytest.approx(0, abs=2e-6)
        assert result.bic == pytest.approx(expected["bic"], abs=1e-5)
        # ICL still moves in its fifth digit where mclust stops (the next test stops there)
        loose = 5 if name == "acidity" else 1
        assert result.icl == pytest.approx(expected["icl"], rel=loose * 2e-5)
        expected_weights = sorted(expected.get("weights", [1.0]), reverse=True)
        assert result.model.weights == pytest.approx(expected_weights, abs=loose * 2e-4)


@pytest.mark.heavy(cases=5)
@some_cells
def test_stopped_as_mclust_stops_all_criteria_agree(name, K, model, start, expected, monkeypatch):
    # ICL is not stationary at the optimum, so it tells where EM was stopped; no leaps, then
    monkeypatch.setattr("gmmcli.mixture.acceleration.LATE", 0.0)
    monkeypatch.setitem(RULES, "mclust", (lambda *_: MclustRule(), 1e-12))
    options = FitOptions(covariance_type=model, reg_covar=0, converge_on="mclust", max_iter=100_000)
    result = fitting(name).fit(K, options, start)
    assert result.converged
    if f"{name}-{K}-{model}" not in HIGHER:
        assert result.log_likelihood == pytest.approx(expected["log_likelihood"], abs=1e-6)
        assert result.bic == pytest.approx(expected["bic"], abs=1e-5)
        # where the M-step is iterative, how far it goes moves ICL a little
        loose = 1e-3 if model in {"VEI", "VEE", "EVE", "VEV"} else 1e-5
        assert result.icl == pytest.approx(expected["icl"], abs=loose)


class WithoutSizes(VVE):
    """mclust's M-step of VVE: axes that minimise sum_k tr(W_k D A_k^-1 D^T), det A_k = 1."""

    @classmethod
    def from_scatter(cls, masses, scatters, previous=None):
        axes = np.eye(scatters.shape[1])
        if previous is not None:
            axes = orientation.common_axes(previous.matrices)
        turned = axes.T @ scatters @ axes
        cost = np.inf
        while True:
            variances = np.einsum("kii->ki", turned) / masses[:, None]
            shapes = variances / np.exp(np.log(variances).mean(axis=1, keepdims=True))
            before, cost = cost, float((variances * masses[:, None] / shapes).sum())
            if before - cost <= 1e-13 * cost:
                return cls((axes * variances[:, None, :]) @ axes.T)
            for pairs in orientation.rounds_of_pairs(len(axes)):
                angles = orientation.best_angles(turned, 1 / shapes, pairs)
                rotation = orientation.rotation_of(pairs, angles, len(axes))
                axes, turned = axes @ rotation, rotation.T @ turned @ rotation


@pytest.mark.parametrize("cell", some(["iris-5-VVE", "diabetes-2-VVE"], sorted(HIGHER)))
def test_where_mclust_differs_its_m_step_is_no_maximum(cell):
    # the other optima are explained to the last digit
    name, K, _ = cell.split("-")
    given = reference(name)["components"][K]
    problem = replace(raw_problem(table(name), "VVE"), structure=WithoutSizes)
    model = model_of_partition(problem, np.array(given["start_labels"]), int(K))
    before, value = -np.inf, 0.0
    while abs(value - before) > 1e-12 * (1 + abs(value)):
        statistics = problem.e_step(model)
        before, value = value, statistics.log_likelihood
        model = problem.m_step(statistics.estimates(), model)
    assert value == pytest.approx(given["models"]["VVE"]["log_likelihood"], abs=1e-6)


def known(confidence):
    return [entry for entry in reference("best_known_fits") if entry["confidence"] == confidence]


def test_every_best_known_fit_is_what_its_parameters_say():
    # the reference itself is checked, by scikit-learn's density of its parameters
    entries = known("high") + known("medium")
    assert len(entries) > 20
    for entry in entries:
        X = known_table(entry["dataset"])
        assert X.shape == (entry["n"], entry["d"])
        density = scikit_model(entry).score_samples(X).sum()
        assert density == pytest.approx(entry["log_likelihood"], abs=2e-5)


def scikit_model(entry):
    model = ScikitMixture(entry["K"], covariance_type="full")
    covariances = np.array(entry["covariances"])
    d, K = entry["d"], entry["K"]
    if covariances.ndim == 1:
        covariances = covariances[:, None, None] * np.eye(d)
    elif covariances.ndim == 2 and entry["model"] == "EEE":
        covariances = np.broadcast_to(covariances, (K, d, d))
    elif covariances.ndim == 2:
        covariances = covariances[:, :, None] * np.eye(d)
    model.weights_ = np.array(entry["weights"])
    model.means_ = np.array(entry["means"]).reshape(K, d)
    model.covariances_ = covariances
    model.precisions_cholesky_ = np.linalg.inv(np.linalg.cholesky(covariances)).transpose(0, 2, 1)
    return model


@pytest.mark.heavy
@pytest.mark.parametrize(("confidence", "share"), [("high", 0.99), ("medium", 0.9)])
def test_defaults_reach_the_best_known_fits(confidence, share):
    runs, missed = 0, []
    for entry in known(confidence):
        found = Fitting(rows(known_table(entry["dataset"])))
        for seed in range(N_SEEDS):
            options = FitOptions(covariance_type=entry["model"], reg_covar=0, seed=seed)
            gap = entry["log_likelihood"] - found.fit(entry["K"], options, None).log_likelihood
            runs += 1
            if gap > 0.01:
                missed.append((entry["dataset"], entry["K"], entry["model"], seed, gap))
    assert len(missed) <= (1 - share) * runs, missed


@pytest.mark.parametrize("seed", range(some(3, 10)))
def test_iris_reaches_at_least_what_scikit_learn_does(seed):
    X = table("iris")[:, :2]
    theirs = ScikitMixture(3, random_state=seed).fit(X)
    ours = fitted(X, 3, seed=seed)
    assert ours.converged
    assert ours.n_iter > 0
    assert ours.log_likelihood >= theirs.lower_bound_ * len(X)
    # a plain comparison of the values at the final parameters as well
    assert ours.log_likelihood >= theirs.score(X) * len(X)
