"""Trees that are grown once for many fits."""

import numpy as np
import pytest
from mixture.problems import rows

from gmmcli.execution import executor
from gmmcli.mixture import trees
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.options import FitOptions

ROUGH = [
    FitOptions(covariance_type=name, rough=True, seek_rare=False)
    for name in ("full", "diag", "spherical")
]


def noise():
    return rows(np.random.default_rng(0).standard_normal((12_000, 3)))


def results(fitting):
    return [fitting.fit(3, options).log_likelihood for options in ROUGH]


def is_grown(*_):
    pytest.fail("a tree is grown")


@pytest.mark.parametrize("n_threads", [1, 2])
def test_trees_grown_before_are_those_that_each_fit_would_grow(monkeypatch, n_threads):
    X = noise()
    expected = results(Fitting(X).alone())
    with executor(n_threads) as workers:
        fitting = Fitting(X, workers=workers)
        fitting.grow_trees(ROUGH)
        # two kinds of coordinates share what is white
        assert len(fitting.starts) == 2
        assert len({id(starts.whitened) for _, starts in fitting.starts.values()}) == 1
        monkeypatch.setattr(trees, "ward", is_grown)
        monkeypatch.setattr(trees, "model_based", is_grown)
        assert results(fitting.alone()) == expected


def test_no_trees_are_grown_for_starts_without(monkeypatch):
    monkeypatch.setattr(trees, "ward", is_grown)
    fitting = Fitting(noise())
    fitting.grow_trees([FitOptions(init="kmeans"), FitOptions(init="random")])
    assert not fitting.starts
