"""The summary of a fit, from one cluster and one column to many of both."""

import re
from dataclasses import replace

import numpy as np
import pytest

from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.fitting import fit
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.standardise import describe
from gmmcli.modelfile import Model
from gmmcli.report.numerals import significant
from gmmcli.report.summary import summary

SHAPES = {"full": "KDD", "tied": "DD", "diag": "KD", "spherical": "K"}


@pytest.fixture(scope="module")
def fitted():
    """A fit of two clusters in three columns."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3, 200))
    X[:, :80] += 7
    return fit(ArrayBatches(X), 2, options=FitOptions(init="kmeans"))


def with_mixture(result, n_components, n_features, structure="full"):
    rng = np.random.default_rng(1)
    sizes = {"K": n_components, "D": n_features}
    covariances = np.ones([sizes[letter] for letter in SHAPES[structure]])
    mixture = GaussianMixture.from_arrays(
        np.full(n_components, 1 / n_components),
        rng.standard_normal((n_components, n_features)) * 100,
        covariances * np.eye(n_features) if "DD" in SHAPES[structure] else covariances,
        covariance_type=structure,
    )
    return replace(result, model=mixture)


def shown(result, columns, *, projection=None, width=100, **known):
    model = Model(
        mixture=result.model, columns=tuple(columns), fit=result, projection=projection, **known
    )
    lines = summary(model, width)
    return ["".join(span for span, _ in line) for line in lines]


def test_what_it_says(fitted):
    lines = shown(fitted, ["a", "b", "c"])
    assert lines[0] == "2 clusters, full covariance, 3 columns, 200 rows"
    assert lines[1] == f"converged after {fitted.n_iter} iterations"
    text = "\n".join(lines)
    for number in (fitted.log_likelihood, fitted.bic, fitted.aic, fitted.icl):
        assert f"{number:.2f}" in text
    assert re.search(rf"^free parameters +{fitted.n_parameters}$", text, flags=re.MULTILINE)
    assert text.count("lower is better") == 3
    # the longest bar is 20 cells, and the other two thirds of it
    assert re.search(r"^ +0 +60\.0 % +120\.0  █{20}$", text, flags=re.MULTILINE)
    assert re.search(r"^ +1 +40\.0 % +80\.0  █{13}▍$", text, flags=re.MULTILINE)
    for mean in fitted.model.means.ravel():
        assert f"{mean:.2f}" in text
    for deviation in np.sqrt(np.einsum("kdd->kd", fitted.model.covariance.full())).ravel():
        assert f"{deviation:.2f}" in text
    for entry in np.tril(fitted.model.covariance.full()).ravel():
        assert significant(entry) in text


def test_not_converged_is_said_first(fitted):
    lines = shown(replace(fitted, converged=False, n_iter=7), ["a", "b", "c"])
    assert lines[1] == "not converged: stopped after 7 iterations"


def test_an_optimum_that_no_start_reached_is_said_so(fitted):
    lines = shown(replace(fitted, n_agreeing=0, n_starts=17), ["a", "b", "c"])
    assert lines[1].endswith("found from another optimum, by none of 17 starts")


def test_starts_are_told_where_there_were_several(fitted):
    several = shown(replace(fitted, n_starts=16, n_agreeing=1), ["a", "b", "c"])
    assert several[1].endswith(" iterations; 1 of 16 starts reached this optimum")
    alone = replace(fitted, n_starts=1, n_agreeing=1, n_iter=1)
    assert shown(alone, ["a", "b", "c"])[1] == "converged after 1 iteration"


def test_bars_are_as_long_as_there_is_room(fitted):
    longest = {}
    for width in (24, 32, 40, 200):
        lines = shown(fitted, ["a", "b", "c"], width=width)
        start = lines.index(next(line for line in lines if line.startswith("cluster")))
        longest[width] = lines[start + 1].count("█")
        assert max(map(len, lines[start : start + 3])) <= width
    assert longest == {24: 0, 32: 8, 40: 16, 200: 20}


def test_a_model_of_which_nothing_else_is_known(fitted):
    lines = summary(Model(mixture=fitted.model, columns=("a", "b", "c")), 100)
    text = "\n".join("".join(span for span, _ in line) for line in lines)
    assert text.startswith("2 clusters, full covariance, 3 columns\nnot known how it was fitted")
    assert f"free parameters  {fitted.n_parameters}" in text
    assert "BIC" not in text
    assert "size" not in text
    assert all(f"{mean:.2f}" in text for mean in fitted.model.means.ravel())


def test_both_spaces_of_a_projection(fitted):
    rng = np.random.default_rng(2)
    columns = [f"c{j}" for j in range(6)]
    projection = Projection.of(describe(ArrayBatches(rng.standard_normal((6, 50)))), 3)
    lines = shown(fitted, columns, projection=projection)
    assert re.search(
        r"6 columns on 3 principal components \(\d\d\.\d % of the variance\)", lines[0]
    )
    border = lines.index("in the space of the principal components")
    assert any("c5" in line for line in lines[:border])
    assert any("PC3" in line for line in lines[border:])
    assert lines.count("means") == 2
    assert lines.count("covariances") == 1


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("n_components", [1, 3, 40])
@pytest.mark.parametrize("n_features", [1, 4, 100])
@pytest.mark.parametrize("structure", SHAPES)
def test_any_size_fits_any_width_and_nothing_is_lost(
    fitted, width, n_components, n_features, structure
):
    result = with_mixture(fitted, n_components, n_features, structure)
    columns = [f"column_{j}" for j in range(n_features)]
    lines = shown(result, columns, width=width)
    assert max(map(len, lines)) <= max(width, 60)
    start = lines.index("means")
    words = {
        word for line in lines[start : lines.index("standard deviations")] for word in line.split()
    }
    assert set(columns) <= words
    assert {f"{mean:.2f}" for mean in result.model.means.ravel()} <= words


def test_covariances_are_printed_while_they_are_small(fitted):
    def after_covariances(*size):
        lines = shown(with_mixture(fitted, *size), [f"c{j}" for j in range(size[1])])
        return lines[lines.index("covariances") + 1 :]

    assert len(after_covariances(3, 4)) == 3 * 5
    assert after_covariances(3, 4, "tied")[0].startswith("all clusters")
    assert after_covariances(3, 4, "diag")[0].startswith("none between columns")
    assert after_covariances(3, 4, "spherical")[0].startswith("none between columns")
    assert after_covariances(2, 30) == ["2 matrices of 30 x 30, in the model (-m, --json)"]
    assert after_covariances(2, 30, "tied") == ["1 matrix of 30 x 30, in the model (-m, --json)"]


def test_names_are_made_safe(fitted):
    text = "\n".join(shown(fitted, ["a\x1b[2J", "[bold]", "c\nd"]))
    assert "\x1b" not in text
    assert r"a\x1b[2J" in text
    assert "[bold]" in text
    assert r"c\nd" in text
