"""The structures as values: their counts, shapes and names, and which is part of which."""

import numpy as np
import pytest
from mixture.problems import (
    NAMES,
    ONE_SCALE,
    WORDS,
    overlapping,
    random_covariance,
    random_model,
    rows,
)
from sklearn.mixture import GaussianMixture as ScikitMixture

from gmmcli.errors import FitError
from gmmcli.mixture import shapes
from gmmcli.mixture.covariance import STRUCTURES, VII, VVI, structure_of
from gmmcli.mixture.standardise import Standardisation, describe

every_structure = pytest.mark.parametrize("name", NAMES)
SIZES = [(1, 1), (1, 4), (3, 1), (3, 4), (7, 2)]


def count(code, G, d):
    """Celeux & Govaert's table, as the design gives it."""
    return {
        "EII": 1,
        "VII": G,
        "EEI": d,
        "VEI": G + d - 1,
        "EVI": 1 + G * (d - 1),
        "VVI": G * d,
        "EEE": d * (d + 1) // 2,
        "VEE": G + d - 1 + d * (d - 1) // 2,
        "EVE": 1 + G * (d - 1) + d * (d - 1) // 2,
        "VVE": G * d + d * (d - 1) // 2,
        "EEV": d + G * d * (d - 1) // 2,
        "VEV": G + d - 1 + G * d * (d - 1) // 2,
        "EVV": 1 - G + G * d * (d + 1) // 2,
        "VVV": G * d * (d + 1) // 2,
    }[code]


@every_structure
@pytest.mark.parametrize(("K", "D"), SIZES)
def test_parameter_counts(name, K, D):
    structure = STRUCTURES[name]
    assert structure.n_parameters(K, D) == count(structure.code, K, D)
    model = random_model(np.random.default_rng(1), name, K, D)
    assert model.n_parameters == count(structure.code, K, D) + K * D + K - 1
    # in one dimension there are E and V
    assert structure.n_parameters(K, 1) == {"E": 1, "V": K}[structure.code[0]]


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize(("K", "D"), SIZES)
def test_the_counts_of_the_four_words_are_those_of_scikit_learn(name, K, D):
    theirs = ScikitMixture(K, covariance_type=name)
    theirs.means_ = np.zeros((K, D))
    model = random_model(np.random.default_rng(1), name, K, D)
    assert model.n_parameters == theirs._n_parameters()


@every_structure
@pytest.mark.parametrize(("K", "D"), [(1, 1), (2, 3), (3, 3), (3, 1)])
def test_values_hold_nothing_twice_and_come_back(name, K, D):
    covariance = random_covariance(np.random.default_rng(2), name, K, D)
    shape = {"EII": (), "spherical": (K,), "EEI": (D,), "tied": (D, D)}.get(name, (K, D))
    if name != "tied" and covariance.matrices.ndim == 3:
        shape = (K, D, D)
    values = covariance.values
    assert values.shape == shape
    again = STRUCTURES[name].from_values(values, n_components=K, n_features=D)
    assert np.array_equal(again.full(), covariance.full())


@pytest.mark.parametrize("name", WORDS)
def test_values_of_the_four_words_have_the_shapes_of_scikit_learn(name):
    X = overlapping(np.random.default_rng(3), 60, 2)
    theirs = ScikitMixture(3, covariance_type=name, random_state=0).fit(X)
    ours = random_covariance(np.random.default_rng(3), name, 3, 2)
    assert theirs.covariances_.shape == ours.values.shape


@every_structure
def test_a_wrong_shape_is_refused(name):
    with pytest.raises(ValueError, match="shape"):
        STRUCTURES[name].from_values(np.ones((5, 4, 3)), n_components=2, n_features=3)


@every_structure
def test_a_change_of_units_scales_the_matrices(name):
    rng = np.random.default_rng(5)
    covariance = random_covariance(rng, name)
    scale = np.full(3, 2.5) if name in ONE_SCALE else np.array([1e-3, 2.0, 1e4])
    expected = covariance.full() * np.outer(scale, scale)
    np.testing.assert_allclose(covariance.scaled(scale).full(), expected, rtol=1e-14)
    assert type(covariance.scaled(scale)) is type(covariance)


@every_structure
def test_what_survives_a_change_of_one_columns_unit_has_a_scale_a_column(name):
    rng = np.random.default_rng(6)
    covariance = random_covariance(rng, name)
    structure, masses = type(covariance), np.ones(3)
    changed = covariance.scaled(np.array([1.0, 3.0, 0.2]))
    again = structure.from_scatter(masses, changed.matrices, covariance)
    # the M-step keeps covariances of its structure, and no others
    kept = np.allclose(again.full(), changed.full(), rtol=1e-4, atol=1e-4)
    assert kept == structure.scales_by_column
    batches = rows(rng.standard_normal((50, 3)) * [1, 10, 100])
    scale = Standardisation.of(describe(batches), structure).scale
    assert (len(set(scale)) == 1) == (not structure.scales_by_column)


@every_structure
def test_components_may_be_left_out_named_twice_and_reordered(name):
    covariance = random_covariance(np.random.default_rng(7), name, 4)
    for components in ([2], [3, 0, 1], [1, 1, 2, 0, 3]):
        taken = covariance.taken(components)
        np.testing.assert_array_equal(taken.full(), covariance.full()[components])
        # what is left still has the structure
        again = type(covariance).from_scatter(np.ones(len(components)), taken.matrices, taken)
        np.testing.assert_allclose(again.full(), taken.full(), atol=1e-6)


@every_structure
def test_the_numbers_cannot_be_changed(name):
    covariance = random_covariance(np.random.default_rng(6), name)
    with pytest.raises(ValueError, match="read-only"):
        covariance.matrices[0] = 0
    source = np.ones((2, 3))
    held = VVI(source)
    source[:] = 5
    assert np.all(held.matrices == 1)


def test_rows_needed():
    needed = {name: STRUCTURES[name].rows_needed(4) for name in shapes.MEANINGS}
    assert {n for n, rows in needed.items() if rows == 1} == {"EII", "EEI", "EEE"}
    # axes of its own: three differences of rows leave but one direction for the fourth
    assert {n for n, rows in needed.items() if rows == 4} == {"EEV", "VEV"}
    assert {n for n, rows in needed.items() if rows == 5} == {"EVV", "VVV"}
    others = {"VII", "VEI", "EVI", "VVI", "VEE", "EVE", "VVE"}
    assert {n for n, rows in needed.items() if rows == 2} == others


def test_names():
    assert list(shapes.NAMES)[:4] == list(WORDS)
    assert {*STRUCTURES, "E", "V"} == set(shapes.NAMES)
    for word, code in shapes.WORDS.items():
        assert STRUCTURES[word] is STRUCTURES[code]
        assert STRUCTURES[word].name == word
    for code, meaning in shapes.MEANINGS.items():
        assert STRUCTURES[code].code == code
        assert STRUCTURES[code].description == meaning
    assert len(set(shapes.MEANINGS.values())) == 14
    assert [shapes.spelled(n) for n in ("FULL", "vVe", "e", "x")] == ["full", "VVE", "E", None]
    lines = shapes.described()
    assert len(lines) == 16
    assert all(any(name in line for line in lines) for name in shapes.NAMES)


def test_names_for_one_column():
    assert structure_of("V", 1) is VII
    assert structure_of("VVE", 1) is STRUCTURES["VVE"]
    with pytest.raises(FitError, match="one column"):
        structure_of("V", 2)
    assert shapes.all_of(1) == ("E", "V")
    assert shapes.all_of(2) == tuple(shapes.MEANINGS)


@pytest.mark.parametrize("large", shapes.MEANINGS)
@pytest.mark.parametrize("small", shapes.MEANINGS)
def test_the_m_step_of_the_larger_reproduces_what_is_nested_in_it(large, small):
    rng = np.random.default_rng(8)
    covariance = random_covariance(rng, small)
    structure = STRUCTURES[large]
    masses = rng.uniform(5, 50, 3)
    matrices = np.stack([structure.form.of_matrix(matrix) for matrix in covariance.full()])
    found = structure.from_scatter(
        masses, masses.reshape((3,) + (1,) * (matrices.ndim - 1)) * matrices
    )
    same = np.allclose(found.full(), covariance.full(), rtol=0, atol=1e-5)
    assert same == (small in (large, *shapes.nested_in(large)))
    fewer = STRUCTURES[small].n_parameters(3, 3) < structure.n_parameters(3, 3)
    assert fewer or small not in shapes.nested_in(large)


def test_words_are_nested_as_their_codes_are():
    assert shapes.nested_in("full") == shapes.nested_in("VVV")
    assert len(shapes.nested_in("full")) == 13
    assert shapes.nested_in("spherical") == ("EII",)
    assert shapes.nested_in("V") == ("EII",)
    assert shapes.nested_in("E") == ()
