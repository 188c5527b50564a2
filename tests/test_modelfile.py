"""The model file: what is written comes back, and nothing that is wrong comes in."""

import io
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gmmcli import modelfile
from gmmcli.errors import ModelError
from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.projection import Projection
from gmmcli.modelfile import FitSummary, Model, reading

BY_HAND = """
{
  "format": "gmmcli-model",
  "version": 1,
  "columns": ["height", "weight"],
  "covariance_type": "full",
  "weights": [0.25, 0.75],
  "means": [[160, 55], [180, 80]],
  "covariances": [[[30, 10], [10, 20]], [[40, 0], [0, 60]]]
}
"""
FIT = FitSummary(
    n_rows=342.0,
    log_likelihood=-5162.5,
    mean_log_likelihood=-5162.5 / 342,
    n_parameters=44,
    bic=10581.8,
    aic=10413.0,
    icl=10583.1,
    n_iter=31,
    converged=True,
    seed=2**63,
    init="auto",
    n_starts=12,
    n_agreeing=7,
    reg_covar=1 / 342,
    tol=1e-8,
    converge_on="likelihood",
    gmmcli="0.1.0",
)


def by_hand(**changes):
    """The document written by hand, with some keys changed; None takes a key out."""
    document = json.loads(BY_HAND) | changes
    return json.dumps({key: value for key, value in document.items() if value is not None})


def a_projection():
    return Projection(
        shift=np.array([1.0, 2.0, 3.0]),
        scale=np.array([1.0, 0.1, 10.0]),
        components=np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]),
        explained_variance_ratio=np.array([0.7, 0.2]),
    )


numbers = st.floats(-1e100, 1e100, allow_subnormal=False)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def models(draw):
    n_components, n_features = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    masses = draw(arrays(np.float64, n_components, elements=st.floats(1e-3, 1.0)))
    deviations = draw(arrays(np.float64, (n_components, n_features), elements=st.floats(1e-9, 1e9)))
    structure = draw(st.sampled_from(list(STRUCTURES.values())))
    if not structure.scales_by_column:
        # axes that are not the columns are known to the rounding of the largest
        deviations = deviations[:, :1] * np.linspace(1, 2, n_features)
    scatters = deviations**2 if structure.form.__name__.startswith("Diag") else None
    if scatters is None:
        correlation = np.full((n_features, n_features), 0.5) + 0.5 * np.eye(n_features)
        scatters = deviations[:, :, None] * correlation * deviations[:, None, :]
    covariance = structure.from_scatter(np.ones(n_components), scatters)
    means = draw(arrays(np.float64, (n_components, n_features), elements=numbers))
    mixture = GaussianMixture(masses / masses.sum(), means, covariance)
    columns = draw(st.lists(names, min_size=n_features, max_size=n_features, unique=True))
    constants = draw(st.dictionaries(names.filter(lambda name: name not in columns), numbers))
    fit = draw(st.sampled_from([None, FIT, replace(FIT, n_rows=0.1 + 0.2, converged=False)]))
    return Model(mixture=mixture, columns=tuple(columns), constant_columns=constants, fit=fit)


@given(models())
def test_a_model_comes_back_bit_for_bit(model):
    text = modelfile.dumps(model)
    back = modelfile.loads(text, name="m")
    assert back.columns == model.columns
    assert back.constant_columns == model.constant_columns
    assert back.fit == model.fit
    assert back.mixture.covariance.name == model.mixture.covariance.name
    assert np.array_equal(back.mixture.means, model.mixture.means)
    assert np.array_equal(back.mixture.covariance.matrices, model.mixture.covariance.matrices)
    # The weights are made to sum to 1 again.
    assert back.mixture.weights == pytest.approx(model.mixture.weights, rel=1e-15)


@pytest.mark.heavy
@given(models())
def test_the_text_is_ascii_lines_without_control_characters(model):
    text = modelfile.dumps(model)
    assert text.isascii()
    assert text.endswith("}\n")
    assert all(character.isprintable() for character in text.replace("\n", ""))


def test_the_text_reads_well():
    model = modelfile.loads(BY_HAND, name="m")
    assert modelfile.dumps(replace(model, constant_columns={"year": 2007.0})) == (
        "{\n"
        '  "format": "gmmcli-model",\n'
        '  "version": 1,\n'
        '  "columns": ["height", "weight"],\n'
        '  "covariance_type": "full",\n'
        '  "weights": [0.25, 0.75],\n'
        '  "means": [\n'
        "    [160.0, 55.0],\n"
        "    [180.0, 80.0]\n"
        "  ],\n"
        '  "covariances": [\n'
        "    [\n"
        "      [30.0, 10.0],\n"
        "      [10.0, 20.0]\n"
        "    ],\n"
        "    [\n"
        "      [40.0, 0.0],\n"
        "      [0.0, 60.0]\n"
        "    ]\n"
        "  ],\n"
        '  "constant_columns": {\n'
        '    "year": 2007.0\n'
        "  }\n"
        "}\n"
    )


def test_a_whole_number_of_rows_is_written_as_one():
    model = replace(modelfile.loads(BY_HAND, name="m"), fit=FIT)
    assert '"n_rows": 342,' in modelfile.dumps(model)


def test_a_projection_comes_back_with_the_images_beside_it():
    mixture = modelfile.loads(BY_HAND, name="m").mixture
    model = Model(mixture=mixture, columns=("a", "b", "c"), projection=a_projection())
    text = modelfile.dumps(model)
    back = modelfile.loads(text, name="m")
    for part in ("shift", "scale", "components", "explained_variance_ratio"):
        assert np.array_equal(getattr(back.projection, part), getattr(a_projection(), part))
    assert back.mixture.n_features == 2
    images = json.loads(text)["pca"]
    means, covariances = a_projection().to_user(mixture)
    assert np.array_equal(images["means"], means)
    assert np.array_equal(images["covariances"], covariances)


def test_a_model_written_by_hand_needs_neither_fit_nor_order():
    model = modelfile.loads(BY_HAND, name="m")
    assert model.columns == ("height", "weight")
    assert model.constant_columns == {}
    assert model.projection is None
    assert model.fit is None
    assert model.mixture.means.tolist() == [[160, 55], [180, 80]]
    assert model.mixture.weights.tolist() == [0.25, 0.75]


def test_keys_that_are_not_known_are_ignored():
    text = by_hand(colour="blue", fit=vars(FIT) | {"mood": [1, 2, {"x": None}]})
    assert modelfile.loads(text, name="m").fit == FIT


def test_a_constant_column_is_read():
    model = modelfile.loads(by_hand(constant_columns={"year": 2007}), name="m")
    assert model.constant_columns == {"year": 2007.0}


def test_clusters_come_back_and_sum_the_components():
    text = by_hand(clusters=[0, 0])
    model = modelfile.loads(text, name="m")
    assert (model.clusters, model.n_clusters) == ((0, 0), 1)
    assert modelfile.loads(modelfile.dumps(model), name="m").clusters == (0, 0)
    assert model.posterior(np.array([[170.0, 70.0]])).responsibilities.tolist() == [[1.0]]
    assert modelfile.loads(BY_HAND, name="m").n_clusters == 2
    assert '"clusters"' not in modelfile.dumps(modelfile.loads(BY_HAND, name="m"))


ERRORS = {
    "n_replicates": 200,
    "weights": [0.02, 0.02],
    "means": [[1.5, 2], [3, 4]],
    "standard_deviations": [[1, 2], [3, 0.25]],
    "covariances": [[[3, 1], [1, 2]], [[4, 0], [0, 6]]],
}


def test_standard_errors_come_back():
    model = modelfile.loads(fit(standard_errors=ERRORS), name="m")
    assert model.standard_errors.deviations.tolist() == ERRORS["standard_deviations"]
    assert json.loads(modelfile.dumps(model))["fit"]["standard_errors"] == ERRORS
    assert modelfile.loads(fit(), name="m").standard_errors is None
    assert "standard_errors" not in modelfile.dumps(modelfile.loads(fit(), name="m"))


def test_replicates_that_were_lost_come_back():
    lost = fit(standard_errors=ERRORS | {"n_lost": 3})
    model = modelfile.loads(lost, name="m")
    assert model.standard_errors.n_lost == 3
    assert json.loads(modelfile.dumps(model))["fit"]["standard_errors"]["n_lost"] == 3


def test_notes_come_back_and_may_be_left_out():
    notes = ["a component that collapsed was dropped", "2 are left"]
    model = modelfile.loads(fit(notes=notes), name="m")
    assert model.fit.notes == tuple(notes)
    assert json.loads(modelfile.dumps(model))["fit"]["notes"] == notes
    members = {key: value for key, value in vars(FIT).items() if key != "notes"}
    bare = modelfile.loads(by_hand(fit=members), name="m")
    assert bare.fit == FIT
    assert "notes" not in modelfile.dumps(bare)


PCA = {
    "shift": [1, 2, 3],
    "scale": [1, 1, 1],
    "components": [[1, 0, 0], [0, 1, 0]],
    "explained_variance_ratio": [0.6, 0.3],
}
WITH_PCA = {"columns": ["a", "b", "c"]}


def pca(**changes):
    members = {key: value for key, value in (PCA | changes).items() if value is not None}
    return by_hand(**WITH_PCA, pca=members)


def fit(**changes):
    return by_hand(fit=vars(FIT) | changes)


def test_the_projection_of_the_refusals_is_good_as_it_stands():
    assert modelfile.loads(pca(), name="m").projection.components.shape == (2, 3)


REFUSED = {
    "empty text": ("", "not JSON: line 1, column 1"),
    "half a file": (BY_HAND[:80], "not JSON: line"),
    "a list": ("[1, 2]", "holds no JSON object"),
    "NaN": (by_hand(weights=[float("nan"), 1]), "holds NaN, which is no JSON number"),
    "Infinity": (by_hand(weights=[float("-inf"), 1]), "holds -Infinity, which is no JSON number"),
    "deep lists": ('{"a":' + "[" * 200_000 + "]" * 200_000 + "}", "nested too deeply"),
    "deep objects": ('{"a":' * 200_000 + "1" + "}" * 200_000, "nested too deeply"),
    "a key twice": ('{"format": "gmmcli-model", "format": 1}', "the key 'format' occurs twice"),
    "a key twice, inside": ('{"fit": {"bic": 1, "bic": 2}}', "the key 'bic' occurs twice"),
    "5000 digits": ('{"x": ' + "1" * 5000 + "}", "holds a number of thousands of digits"),
    "no format": (by_hand(format=None), '"format" is not "gmmcli-model"'),
    "another format": (by_hand(format="onnx"), '"format" is not "gmmcli-model"'),
    "no version": (by_hand(version=None), "version is missing"),
    "a later version": (by_hand(version=2), "version 2 is not known; this gmmcli reads 1"),
    "version true": (by_hand(version=True), "version true is not known"),
    "version as text": (by_hand(version="1"), "version '1' is not known"),
    "version with a point": (by_hand(version=1.0), "version 1.0 is not known"),
    "no columns": (by_hand(columns=None), "columns is missing"),
    "columns as text": (by_hand(columns="ab"), "columns must be a list of names"),
    "empty columns": (by_hand(columns=[]), "columns must be a list of names"),
    "a number as name": (by_hand(columns=["a", 2]), "columns[1] must be text, not 2"),
    "half a character": (by_hand(columns=["a", "\ud800"]), "columns[1] holds half a surrogate"),
    "a name twice": (by_hand(columns=["a", "a"]), "columns[0] and columns[1] are both 'a'"),
    "too few columns": (by_hand(columns=["a"]), "means[0] has length 2 where 1 is needed"),
    "no type": (by_hand(covariance_type=None), "covariance_type is missing"),
    "an unknown type": (by_hand(covariance_type="VVX"), "covariance_type 'VVX' does not exist"),
    "a list as type": (by_hand(covariance_type=[]), "covariance_type [] does not exist"),
    "no weights": (by_hand(weights=None), "weights is missing"),
    "empty weights": (by_hand(weights=[]), "weights must be a list with numbers in it"),
    "weights as number": (by_hand(weights=1), "weights must be a list with numbers in it"),
    "weights by name": (by_hand(weights={"a": 1}), "weights must be a list with numbers in it"),
    "a weight as text": (by_hand(weights=[0.5, "0.5"]), "weights[1] must be a number, not '0.5'"),
    "a weight true": (by_hand(weights=[0.5, True]), "weights[1] must be a number, not true"),
    "a weight null": (by_hand(weights=[0.5, None]), "weights[1] must be a number, not null"),
    "a weight as list": (by_hand(weights=[0.5, [0.5]]), "weights[1] must be a number, not [0.5]"),
    "a negative weight": (by_hand(weights=[1.5, -0.5]), "weights[1]"),
    "a sum of 1.00001": (by_hand(weights=[0.25, 0.75001]), "weights sum to"),
    "a weight too many": (by_hand(weights=[0.2, 0.3, 0.5]), "means has length 2 where 3"),
    "no means": (by_hand(means=None), "means is missing"),
    "flat means": (by_hand(means=[160, 180]), "means[0] must be a list of 2, not 160"),
    "ragged means": (by_hand(means=[[1, 2], [3]]), "means[1] has length 1 where 2 is needed"),
    "deep means": (by_hand(means=[[1, 2], [3, [4]]]), "means[1][1] must be a number, not [4]"),
    "1e400": (BY_HAND.replace("160", "1e400"), "means[0][0] is beyond the range"),
    "a whole number beyond range": (BY_HAND.replace("160", "9" * 400), "means[0][0] is beyond"),
    "no covariances": (by_hand(covariances=None), "covariances is missing"),
    "empty covariances": (by_hand(covariances=[]), "covariances must be a list with numbers"),
    "hollow covariances": (by_hand(covariances=[[[]]]), "covariances must be a list with numbers"),
    "covariances as number": (by_hand(covariances=1), "covariances have shape (), but full needs"),
    "covariances by name": (by_hand(covariances={"a": 1}), "covariances must be a number, not"),
    "a list of one for EII": (
        by_hand(covariance_type="EII", covariances=[1]),
        "covariances have shape (1,), but EII needs ()",
    ),
    "shapes that differ": (
        by_hand(covariance_type="VEE"),
        "the covariances are not VEE: one shape and direction, own size",
    ),
    "sizes that differ": (
        by_hand(covariance_type="EVI", covariances=[[1, 2], [1, 1]]),
        "the covariances are not EVI: along columns; one size, own shape",
    ),
    "directions that differ": (
        by_hand(covariance_type="VVE"),
        "the covariances are not VVE: one direction, own size and shape",
    ),
    "a shared one of variance 0": (
        by_hand(covariance_type="EEI", covariances=[1, 0]),
        "covariances is not positive definite",
    ),
    "ragged covariances": (
        by_hand(covariances=[[[1, 0], [0, 1]], [[1, 0], [0]]]),
        "covariances[1][1] has length 1 where 2 is needed",
    ),
    "four axes": (
        by_hand(covariances=[[[[1], [0]], [[0], [1]]]] * 2),
        "covariances[0][0][0] must be a number, not [1]",
    ),
    "the shape of another type": (by_hand(covariances=[1, 2]), "covariances have shape"),
    "not symmetric": (
        by_hand(covariances=[[[1, 0.5], [0, 1]], [[1, 0], [0, 1]]]),
        "covariances[0] is not symmetric",
    ),
    "not positive definite": (
        by_hand(covariances=[[[1, 0], [0, 1]], [[1, 2], [2, 1]]]),
        "covariances[1] is not positive definite",
    ),
    "variance 0": (
        by_hand(covariance_type="diag", covariances=[[1, 1], [1, 0]]),
        "covariances[1] is not positive definite",
    ),
    "constants as list": (by_hand(constant_columns=["a"]), "constant_columns must be an object"),
    "a constant as text": (
        by_hand(constant_columns={"year": "2007"}),
        "constant_columns.'year' must be a number, not '2007'",
    ),
    "a constant among the columns": (
        by_hand(constant_columns={"height": 1}),
        "constant_columns.'height' is one of columns as well",
    ),
    "half a character as constant": (
        by_hand(constant_columns={"\udc00": 1}),
        "constant_columns.'\\udc00' holds half a surrogate",
    ),
    "clusters as number": (by_hand(clusters=1), "clusters must be a list of 2 numbers"),
    "clusters too many": (by_hand(clusters=[0, 1, 1]), "clusters must be a list of 2 numbers"),
    "clusters with a text": (by_hand(clusters=["0", 1]), "clusters[0] must be a whole number"),
    "clusters with a gap": (by_hand(clusters=[0, 2]), "clusters holds [0, 2], not the numbers"),
    "a cluster below 0": (by_hand(clusters=[-1, 0]), "clusters holds [-1, 0], not the numbers"),
    "pca null": (BY_HAND.replace("{", '{"pca": null, ', 1), "pca must be an object, not null"),
    "pca without shift": (pca(shift=None), "pca.shift is missing"),
    "pca with a short shift": (pca(shift=[1]), "pca.shift has length 1 where 3 is needed"),
    "pca with scale 0": (pca(scale=[1, 0, 1]), "pca.scale must be greater than 0"),
    "pca without axes": (pca(components=[]), "pca.components must be a list with numbers"),
    "pca with a short axis": (
        pca(components=[[1, 0, 0], [1]]),
        "pca.components[1] has length 1 where 3 is needed",
    ),
    "pca with one axis": (
        pca(components=[[1, 0, 0]], explained_variance_ratio=[1]),
        "means[0] has length 2 where 1 is needed",
    ),
    "pca with a ratio too many": (
        pca(explained_variance_ratio=[0.5, 0.3, 0.2]),
        "pca.explained_variance_ratio has length 3 where 2 is needed",
    ),
    "pca with axes that are skew": (
        pca(components=[[1, 0, 0], [0.6, 0.8, 0]]),
        "pca.components must be of length 1, and at right angles to each other",
    ),
    "pca with a long axis": (
        pca(components=[[2, 0, 0], [0, 1, 0]]),
        "pca.components must be of length 1",
    ),
    "pca with an endless axis": (
        pca(components=[[1e308, 0, 0], [0, 1, 0]]),
        "pca.components must be of length 1",
    ),
    "pca with a ratio of 60": (
        pca(explained_variance_ratio=[60, 30]),
        "pca.explained_variance_ratio must be between 0 and 1",
    ),
    "pca with a ratio below 0": (
        pca(explained_variance_ratio=[0.5, -0.1]),
        "pca.explained_variance_ratio must be between 0 and 1",
    ),
    "pca with more than everything": (
        pca(explained_variance_ratio=[0.7, 0.6]),
        "pca.explained_variance_ratio sums to 1.3, and all there is is 1",
    ),
    "means beyond squaring": (
        by_hand(means=[[160, 1e308], [180, -1e308]]),
        "means and covariances of feature 2 leave the range of a 64-bit float",
    ),
    "fit as number": (by_hand(fit=1), "fit must be an object, not 1"),
    "fit in part": (by_hand(fit={"bic": 1.5}), "fit.n_rows is missing"),
    "errors as number": (fit(standard_errors=1), "fit.standard_errors must be an object, not 1"),
    "errors in part": (fit(standard_errors={}), "fit.standard_errors.n_replicates is missing"),
    "errors of another shape": (
        fit(standard_errors=ERRORS | {"means": [[1, 2]]}),
        "fit.standard_errors.means has length 1 where 2 is needed",
    ),
    "fit with a text": (fit(bic="low"), "fit.bic must be a number, not 'low'"),
    "fit with a half step": (fit(n_iter=1.5), "fit.n_iter must be a whole number, not 1.5"),
    "fit with a true step": (fit(n_iter=True), "fit.n_iter must be a whole number, not true"),
    "fit with steps beyond range": (fit(n_iter=10**400), "fit.n_iter is beyond the range"),
    "fit with -1 step": (fit(n_iter=-1), "fit.n_iter must be 0 or greater, not -1"),
    "fit with -1 start": (fit(n_starts=-1), "fit.n_starts must be 0 or greater, not -1"),
    "fit with -1 agreeing": (fit(n_agreeing=-1), "fit.n_agreeing must be 0 or greater, not -1"),
    "fit of -1 parameters": (fit(n_parameters=-1), "fit.n_parameters must be 0 or greater"),
    "fit of no rows": (fit(n_rows=0), "fit.n_rows must be greater than 0"),
    "fit of -5 rows": (fit(n_rows=-5), "fit.n_rows must be greater than 0"),
    "fit drawn away": (fit(reg_covar=-0.5), "fit.reg_covar must be 0 or greater, not -0.5"),
    "fit with notes as text": (fit(notes="oh"), "fit.notes must be a list of texts, not 'oh'"),
    "fit with a number as note": (fit(notes=[1]), "fit.notes[0] must be text, not 1"),
    "errors below 0": (
        fit(standard_errors=ERRORS | {"weights": [-1, -1]}),
        "fit.standard_errors.weights must be between 0 and 1",
    ),
    "errors of shares beyond 1": (
        fit(standard_errors=ERRORS | {"weights": [1e308, 1e308]}),
        "fit.standard_errors.weights must be between 0 and 1",
    ),
    "errors of means below 0": (
        fit(standard_errors=ERRORS | {"means": [[1, 2], [3, -4]]}),
        "fit.standard_errors.means must be 0 or greater",
    ),
    "errors from -2 replicates": (
        fit(standard_errors=ERRORS | {"n_replicates": -2}),
        "fit.standard_errors.n_replicates must be 0 or greater, not -2",
    ),
    "fit with 1 for true": (fit(converged=1), "fit.converged must be true or false, not 1"),
    "fit with a number": (fit(init=3), "fit.init must be text, not 3"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_with_its_name_and_advice(text, message):
    with pytest.raises(ModelError) as caught:
        modelfile.loads(text, name="model.json")
    assert caught.value.message.startswith("model.json: " + message)
    assert len(caught.value.message) < 200
    assert caught.value.message.isprintable()
    assert caught.value.advice.isprintable()
    assert caught.value.advice
    assert caught.value.exit_code == 4


def test_the_types_that_exist_are_listed():
    with pytest.raises(ModelError) as caught:
        modelfile.loads(by_hand(covariance_type="VVX"), name="m")
    assert caught.value.advice.startswith("those that do: full, tied, diag, spherical, EII, VII")


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_name_of_mclust_is_known_beside_the_word(name):
    structure = STRUCTURES[name]
    covariance = structure.from_scatter(
        np.array([1.0, 3.0]),
        np.stack(
            [
                structure.form.of_matrix(np.array(m))
                for m in ([[30, 10], [10, 20]], [[4, 0], [0, 6]])
            ]
        ),
    )
    text = by_hand(covariance_type=name, covariances=covariance.values.tolist())
    model = modelfile.loads(text, name="m")
    assert type(model.mixture.covariance) is structure
    np.testing.assert_array_equal(model.mixture.covariance.full(), covariance.full())
    assert json.loads(modelfile.dumps(model))["covariance_type"] == structure.name


def test_covariances_may_be_rounded():
    covariances = [[[4.0, 1.333], [1.333, 2.0]], [[6.001, 2.0], [2.0, 3.0]]]
    model = modelfile.loads(by_hand(covariance_type="VEE", covariances=covariances), name="m")
    assert model.mixture.covariance.values.tolist() == covariances


def test_weights_may_be_rounded():
    model = modelfile.loads(by_hand(weights=[0.3333333, 0.6666666]), name="m")
    assert model.mixture.weights.sum() == pytest.approx(1, abs=1e-15)


def test_lengths_that_lie_allocate_nothing():
    # As promised by the first entries this is an array of 10¹⁵ numbers.
    covariances = [[[0.0] * 100_000] + [[]] * 99_999] + [[]] * 99_999
    with pytest.raises(ModelError, match=r"covariances\[0\]\[1\] has length 0 where 100000"):
        modelfile.loads(by_hand(covariances=covariances), name="m")


def test_a_file_is_read(tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(b"\xef\xbb\xbf" + BY_HAND.encode())
    assert modelfile.read(str(path)).columns == ("height", "weight")


def test_standard_input_is_read(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BY_HAND.encode())))
    assert modelfile.read("-").columns == ("height", "weight")


def test_standard_input_is_named_in_errors(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(ModelError, match=r"^standard input: not JSON"):
        modelfile.read("-")


def test_a_file_that_is_not_there_is_named(tmp_path):
    path = str(tmp_path / "none.json")
    with pytest.raises(ModelError) as caught:
        modelfile.read(path)
    assert caught.value.message == f"{path}: cannot be read: No such file or directory"


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(ModelError, match="cannot be read: Is a directory"):
        modelfile.read(str(tmp_path))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "model.parquet"
    path.write_bytes(b"PAR1\xff\xfe")
    with pytest.raises(ModelError, match=r"not UTF-8 text \(byte 5\)"):
        modelfile.read(str(path))


def test_a_file_that_is_too_large_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 2**20)
    path = tmp_path / "model.json"
    path.write_text(BY_HAND + " " * 2**20)
    with pytest.raises(ModelError, match="larger than 1 MB"):
        modelfile.read(str(path))
