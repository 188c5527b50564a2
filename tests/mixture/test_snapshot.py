"""A fit that is stopped anywhere and taken up ends as if it had not been stopped."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from effort import some

from gmmcli.errors import FitError
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.snapshot import Snapshot
from gmmcli.mixture.synthesis import Recipe, generate

RNG = np.random.default_rng(8)
# three that overlap: EM crawls, and leaps
X = np.ascontiguousarray((RNG.standard_normal((900, 2)) + 1.5 * RNG.integers(3, size=(900, 1))).T)
OPTIONS = [
    FitOptions(tol=1e-11),
    FitOptions(covariance_type="diag", converge_on="parameters", tol=1e-9),
    FitOptions(covariance_type="tied", reg_covar=0, tol=1e-11),
]


def kept(options, **arguments):
    """The result, and the texts of all snapshots on the way."""
    texts = []
    result = Fitting(ArrayBatches(X)).fit(
        3, options, keep=lambda shot: texts.append(json.dumps(shot.plain())), **arguments
    )
    return result, texts


@cache
def whole(options):
    """The result and the snapshots of a fit that is not stopped."""
    return kept(options)


def told(result):
    fit = replace(result, model=None)
    model = result.model
    return fit, model.weights.tolist(), model.means.tolist(), model.covariance.values.tolist()


@pytest.mark.heavy
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: o.covariance_type)
def test_taken_up_anywhere_it_ends_in_the_same_bits(options):
    result, texts = whole(options)
    assert len(texts) > 10
    places = range(0, len(texts), max(1, len(texts) // some(4, 12)))
    assert len(places) >= 4
    for i in places:
        shot = Snapshot.of_plain(json.loads(texts[i]), options)
        again, rest = kept(options, resume=shot)
        assert str(told(again)) == str(told(result))
        assert len(rest) < len(texts) + 2


@pytest.mark.heavy
def test_of_many_rows_it_ends_in_the_same_bits_too():
    # where leaps combine moves
    recipe = Recipe(n_features=2, n_components=3, separation=1.2, seed=2)
    X, _ = generate("blobs", 20_000, recipe)
    batches, texts, options = ArrayBatches(np.ascontiguousarray(X.T)), [], FitOptions(max_iter=150)
    result = Fitting(batches).fit(
        4, options, keep=lambda shot: texts.append(json.dumps(shot.plain()))
    )
    states = [json.loads(text)["ascents"] for text in texts]
    assert max(len(state["moves"]) for ascents in states for state in ascents) > 2
    assert len(texts) > 20
    for i in np.linspace(0, len(texts) - 1, some(4, 12)).astype(int):
        shot = Snapshot.of_plain(json.loads(texts[i]), options)
        again = Fitting(batches).fit(4, options, resume=shot)
        assert str(told(again)) == str(told(result))


def test_a_rough_fit_goes_on_leaping_as_early():
    recipe = Recipe(n_features=2, n_components=3, separation=1.2, seed=2)
    X, _ = generate("blobs", 20_000, recipe)
    batches, texts, options = ArrayBatches(np.ascontiguousarray(X.T)), [], FitOptions(rough=True)
    result = Fitting(batches).fit(
        5, options, keep=lambda shot: texts.append(json.dumps(shot.plain()))
    )
    shot = Snapshot.of_plain(json.loads(texts[0]), options)
    assert str(told(Fitting(batches).fit(5, options, resume=shot))) == str(told(result))


@pytest.mark.heavy
def test_leaps_and_repairs_are_part_of_it():
    _, texts = whole(OPTIONS[0])
    states = [ascent for text in texts for ascent in json.loads(text)["ascents"]]
    assert any(state["leapt"] for state in states)
    assert any(len(state["path"]) == 2 for state in states)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("options", "rows", "name"),
    [
        (replace(OPTIONS[0], tol=1e-10), X, "tol"),
        (replace(OPTIONS[0], seed=3), X, "seed"),
        (OPTIONS[0], X + 1e-9, "set of values"),
        (OPTIONS[0], X[:, :-1], "number of rows"),
    ],
)
def test_other_rows_and_options_are_refused_by_name(options, rows, name):
    _, texts = whole(OPTIONS[0])
    shot = Snapshot.of_plain(json.loads(texts[-1]), options)
    with pytest.raises(FitError, match=rf"another fit \({name}: "):
        Fitting(ArrayBatches(rows)).fit(3, options, resume=shot)


def test_a_fit_from_a_given_start_is_another_fit_than_a_search():
    labels = (X[0] > 1.5).astype(np.int64)
    texts = []
    fitting = Fitting(ArrayBatches(X))
    fitting.fit(2, OPTIONS[0], labels, keep=lambda shot: texts.append(json.dumps(shot.plain())))
    shot = Snapshot.of_plain(json.loads(texts[1]), OPTIONS[0])
    assert fitting.fit(2, OPTIONS[0], labels, resume=shot).init == "given"
    with pytest.raises(FitError, match="given start: True, not False"):
        fitting.fit(2, OPTIONS[0], resume=shot)


@pytest.mark.heavy
def test_passes_are_those_of_the_whole_fit():
    # 12,000 rows are more than a sample, so passes are counted
    rows = np.tile(X, 14) + 0.1 * np.random.default_rng(1).standard_normal((2, 14 * 900))
    texts = []
    fitting = Fitting(ArrayBatches(rows))
    whole = fitting.fit(2, OPTIONS[0], keep=lambda shot: texts.append(shot.plain()))
    shot = Snapshot.of_plain(texts[len(texts) // 2], OPTIONS[0])
    again = Fitting(ArrayBatches(rows)).fit(2, OPTIONS[0], resume=shot)
    assert whole.n_passes == again.n_passes > 3
    assert Fitting(ArrayBatches(X)).fit(2, OPTIONS[0]).n_passes == 0
