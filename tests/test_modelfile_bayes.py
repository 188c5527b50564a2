"""The posterior in a model file: what is written comes back, and nothing that is wrong comes in."""

import json
from itertools import product

import numpy as np
import pytest
from sklearn.mixture import BayesianGaussianMixture

from gmmcli import modelfile
from gmmcli.errors import ModelError
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.fitting import fit
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.weight_prior import WEIGHT_PRIORS
from gmmcli.modelfile import Model

RNG = np.random.default_rng(0)
X = RNG.standard_normal((150, 2)) * [1, 20] + np.repeat([[0, 0], [5, 0], [2, 120]], 50, axis=0)
KINDS = list(product(("full", "tied", "diag", "spherical"), WEIGHT_PRIORS))


def saved(name="full", weight_prior="dirichlet-process"):
    """The model of a Bayesian fit."""
    options = FitOptions(covariance_type=name, weight_prior=weight_prior, init="kmeans")
    result = fit(ArrayBatches(np.ascontiguousarray(X.T)), 6, options=options)
    return Model(mixture=result.model, columns=("a", "b"), bayes=result.bayes)


@pytest.fixture(scope="module")
def text():
    return modelfile.dumps(saved())


@pytest.mark.parametrize(("name", "weight_prior"), KINDS)
def test_a_posterior_comes_back_bit_for_bit(name, weight_prior):
    model = saved(name, weight_prior)
    text = modelfile.dumps(model)
    back = modelfile.loads(text, name="m")
    assert modelfile.dumps(back) == text
    ours, theirs = model.posterior(X), back.posterior(X)
    assert np.array_equal(ours.responsibilities, theirs.responsibilities)
    assert np.array_equal(ours.log_density, theirs.log_density)
    assert back.bayes.lower_bound == model.bayes.lower_bound
    assert back.bayes.posterior.divergence() == model.bayes.posterior.divergence()


@pytest.mark.parametrize(("name", "weight_prior"), KINDS)
def test_what_the_file_says_of_rows_is_what_scikit_learn_says(name, weight_prior):
    document = json.loads(modelfile.dumps(saved(name, weight_prior)))
    bayes = document["bayes"]
    assert bayes["max_components"] == 6
    reference = BayesianGaussianMixture(
        n_components=len(document["weights"]),
        covariance_type=document["covariance_type"],
        weight_concentration_prior_type=weight_prior.replace("-", "_"),
        weight_concentration_prior=bayes["weight_concentration_prior"],
    )
    degrees = np.array(bayes["degrees_of_freedom"])
    covariances = np.array(document["covariances"])
    concentration = np.array(bayes["weight_concentration"])
    reference._set_parameters(
        (
            concentration,
            np.array(bayes["mean_precision"]),
            np.array(document["means"]),
            degrees[0] if name == "tied" else degrees,
            covariances,
            precisions_cholesky(covariances, name),
        )
    )
    back = modelfile.loads(json.dumps(document), name="m")
    new = X + RNG.standard_normal(X.shape) * [3, 60]
    expected = reference.predict_proba(new)
    told = back.posterior(new)
    np.testing.assert_allclose(told.responsibilities, expected, atol=1e-9)
    assert np.array_equal(told.labels, reference.predict(new))
    # negative control: the expected mixture, as a plain reader sees it, is not that
    plain = back.mixture.posterior(new).responsibilities
    assert np.abs(plain - expected).max() > 1e-6
    np.testing.assert_allclose(document["weights"], reference.weights_, rtol=1e-9)


def precisions_cholesky(covariances, name):
    if name in {"diag", "spherical"}:
        return 1 / np.sqrt(covariances)
    return np.linalg.cholesky(np.linalg.inv(covariances))


def test_a_reader_that_knows_nothing_of_it_has_the_expected_mixture(text):
    document = json.loads(text)
    del document["bayes"]
    back = modelfile.loads(json.dumps(document), name="m")
    assert back.bayes is None
    assert np.array_equal(back.mixture.means, modelfile.loads(text, name="m").mixture.means)


REFUSED = {
    "a list": (..., [], "bayes must be an object, not []"),
    "no prior": ("weight_prior", None, "bayes.weight_prior is missing"),
    "another prior": ("weight_prior", "uniform", "bayes.weight_prior 'uniform' does not exist"),
    "a prior in a list": ("weight_prior", [], "bayes.weight_prior [] does not exist"),
    "too few at most": ("max_components", 2, "bayes.max_components is 2, but there are 3"),
    "half at most": ("max_components", 6.5, "bayes.max_components must be a whole number"),
    "endless at most": ("max_components", 10**400, "bayes.max_components is beyond the range"),
    "no bound": ("lower_bound", None, "bayes.lower_bound is missing"),
    "a bound as text": ("lower_bound", "-1", "bayes.lower_bound must be a number, not '-1'"),
    "gamma 0": ("weight_concentration_prior", 0, "bayes.weight_concentration_prior must be gr"),
    "a short mean": ("mean_prior", [1], "bayes.mean_prior has length 1 where 2 is needed"),
    "beta_0 below 0": ("mean_precision_prior", -1, "bayes.mean_precision_prior must be greater"),
    "nu_0 too small": ("degrees_of_freedom_prior", 1, "bayes.degrees_of_freedom_prior must be gr"),
    "nu too small": ("degrees_of_freedom", [9, 1, 9], "bayes.degrees_of_freedom must be greater"),
    "nu too few": ("degrees_of_freedom", [9, 9], "bayes.degrees_of_freedom has length 2 where 3"),
    "beta 0": ("mean_precision", [0, 1, 1], "bayes.mean_precision must be greater than 0"),
    "flat sticks": ("weight_concentration", [1, 1, 1], "bayes.weight_concentration has length 3"),
    "a stick of 0": (
        "weight_concentration",
        [[1, 1, 1], [1, 0, 1]],
        "bayes.weight_concentration must be greater than 0",
    ),
    "sticks beyond range": (
        "weight_concentration",
        [[1e308] * 3, [1e308] * 3],
        "bayes.weight_concentration is beyond the range",
    ),
    "no prior scatter": (
        "covariance_prior",
        [[[1, 2], [2, 1]]],
        "bayes.covariance_prior[0] is not",
    ),
    "a flat prior scatter": ("covariance_prior", [1, 1], "bayes.covariance_prior has shape"),
}


@pytest.mark.parametrize(("key", "value", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_with_its_name_and_advice(text, key, value, message):
    document = json.loads(text)
    assert len(document["weights"]) == 3
    if key is ...:
        document["bayes"] = value
    elif value is None:
        del document["bayes"][key]
    else:
        document["bayes"][key] = value
    with pytest.raises(ModelError) as caught:
        modelfile.loads(json.dumps(document), name="model.json")
    assert caught.value.message.startswith("model.json: " + message)
    assert caught.value.advice
    assert caught.value.exit_code == 4


def test_every_structure_is_tried():
    assert {name for name, _ in KINDS} <= set(STRUCTURES)
