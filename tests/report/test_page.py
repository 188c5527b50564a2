"""The report as HTML: whole, escaped, accessible, small, and asking for nothing."""

import re
from dataclasses import replace
from urllib.parse import unquote

import numpy as np
import pages
import pytest

from gmmcli.errors import OutputError
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.fitting import Fitting, fit
from gmmcli.mixture.grid import grid
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.selection import Cell, best
from gmmcli.mixture.standardise import describe
from gmmcli.modelfile import Model
from gmmcli.report.page import Account, Census, Choice, compose, pictures
from gmmcli.report.page.clusters import places
from gmmcli.report.page.markup import Html, element
from gmmcli.report.page.style import DARK, LIGHT, PAIRS, style_sheet
from gmmcli.report.plots.sampling import Sample

EVIL = (
    "<script>alert(1)</script>",
    "]]>",
    "'\"><img src=x onerror=alert(1)>",
    "&lt;b&gt; ünï 名前\u202e\x1b[31m",
)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4, 300)) * [[1], [10], [0.1], [5]]
    X[:2, :120] += [[6], [-40]]
    return X


@pytest.fixture(scope="module")
def account(rows):
    """Two clusters in four columns with names that mean harm, chosen among others."""
    X = rows
    batches = ArrayBatches(X)
    options = FitOptions(init="kmeans", reg_covar=0)
    counts = (1, 2, 3)
    shapes = ("full", "diag")
    cells = list(grid(Fitting(batches), counts, covariance_types=shapes, options=options))
    cells.append(Cell(9, "full", None, "<b>no</b> rows"))
    chosen = best(cells, "bic")
    posterior = chosen.result.model.posterior(X.T)
    sizes = np.bincount(posterior.labels, minlength=2).astype(float)
    census = Census(
        name="a <b>.csv",
        sha256="0" * 64,
        n_rows=303,
        n_dropped=3,
        n_weightless=0,
        sizes=sizes,
        doubtful=np.zeros(2),
        log_likelihood=float(posterior.log_density.sum()),
        likeness=float(posterior.log_density.sum()),
        weight=300.0,
        sample=Sample(rows=np.ascontiguousarray(X.T), weights=None, n_rows=300),
    )
    return Account(
        model=Model(mixture=chosen.result.model, columns=EVIL, fit=chosen.result),
        command=["gmmcli", "report", "it's <me>.json"],
        options={"seed": "0"},
        versions={"gmmcli": "1.2.3"},
        warnings=["<i>careful</i> & slow"],
        following={"Go <on>": ["gmmcli", "predict", "a b.json"]},
        census=census,
        choice=Choice(cells=cells, best=chosen, criterion="bic"),
    )


@pytest.fixture(scope="module")
def text(account):
    return compose(account)


@pytest.fixture(scope="module")
def page(text):
    return pages.parsed(text)


@pytest.mark.heavy
def test_names_and_cells_are_text(page, text):
    shown = page.text
    for name in (*EVIL[:3], "&lt;b&gt; ünï 名前\\u202e\\x1b[31m"):
        assert name in shown
    for word in ("a <b>.csv", "<b>no</b> rows", "<i>careful</i> & slow", "'it'\"'\"'s <me>.json'"):
        assert word in shown
    assert {each.tag for each in page.all()} & {"script", "i", "b", "iframe", "link"} == set()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
    attributes = {name for each in page.all() for name in each.attributes}
    assert not any(name.startswith("on") for name in attributes)


@pytest.mark.heavy
def test_names_do_no_harm_in_pictures(page):
    images = list(page.all("img"))
    assert len(images) == 4
    for image in images:
        svg = unquote(image.attributes["src"])
        assert svg.startswith("data:image/svg+xml,<?xml")
        assert "<script" not in svg
        assert "onerror=" not in re.sub("<!--.*?-->", "", svg, flags=re.DOTALL)


def test_the_page_asks_for_nothing(page, text):
    for each in page.all():
        for name in ("src", "href", "srcset", "data", "action"):
            assert each.attributes.get(name, "data:").startswith("data:")
    assert "@import" not in text
    assert "url(" not in style_sheet()
    policies = [each.attributes.get("content", "") for each in page.all("meta")]
    assert any(policy.startswith("default-src 'none'") for policy in policies)


def test_the_parts_of_the_page(page):
    assert page.attributes == {"lang": "en"}
    assert [each.text for each in page.all("h1")] == [
        "2 clusters, diag covariance, 4 columns, 300 rows"
    ]
    for tag in ("header", "main", "footer", "title", "style"):
        assert len(list(page.all(tag))) == 1
    headings = [each.text for each in page.all("h2")]
    assert headings == [
        "How the fit went",
        "How many clusters",
        "Clusters",
        "Pictures",
        "This page was made by",
        "What to run next",
    ]
    ids = [each.attributes["id"] for each in page.all() if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    labels = [each.attributes["aria-labelledby"] for each in page.all("section")]
    assert set(labels) <= set(ids)


def test_tables_have_headers_and_pictures_have_words(page):
    for table in page.all("table"):
        assert next(table.all("caption")).text
        for header in table.all("th"):
            assert header.attributes["scope"] in ("row", "col")
            assert header.text
    for image in page.all("img"):
        assert len(image.attributes["alt"]) > 20
    assert all(each.attributes["aria-hidden"] == "true" for each in page.all("svg"))


def contrast(first, second):
    """WCAG 2.2: (L1 + 0.05) / (L2 + 0.05), L the relative luminance."""

    def luminance(color):
        channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted(map(luminance, (first, second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read(colors):
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    ratios = {pair: contrast(colors[pair[0]], colors[pair[1]]) for pair in PAIRS}
    assert min(ratios.values()) >= 4.5, ratios


def test_the_candidates(page, account):
    rows = next(pages.section(page, "How many clusters").all("table")).cells()
    assert rows[0][:4] == ["covariance", "k", "log-likelihood", "parameters"]
    assert [row[:2] for row in rows[1:]] == [
        [cell.covariance_type, str(cell.n_components)] for cell in account.choice.cells
    ]
    chosen = account.choice.cells.index(account.choice.best) + 1
    assert rows[chosen][4] == f"{account.model.fit.bic:.2f}*"
    assert rows[-1][2] == "<b>no</b> rows"
    marked = [each for each in page.all("tr") if each.attributes.get("class") == "best"]
    assert len(marked) == 1


def test_where_the_clusters_lie(page, account, rows):
    X = rows
    found = places(account.model)
    # at the maximum of the likelihood the moments of the mixture are those of the data
    assert found.overall_mean == pytest.approx(X.mean(axis=1), rel=1e-6, abs=1e-6)
    assert found.overall_deviation == pytest.approx(X.std(axis=1), rel=1e-6)
    table = list(pages.section(page, "Clusters").all("table"))[1].cells()
    assert table[0] == ["column", "overall", "cluster 0", "cluster 1"]
    for d, row in enumerate(table[1:]):
        for k in range(2):
            mean, deviation, distance = re.findall(r"-?[\d.]+", row[k + 2].replace("−", "-"))
            expected = account.model.mixture.means[k, d]
            assert float(mean) == pytest.approx(expected, abs=0.02 * X[d].std())
            assert float(deviation) == pytest.approx(found.deviations[k, d], rel=0.05)
            z = (expected - X[d].mean()) / X[d].std()
            assert float(distance) == pytest.approx(z, abs=0.006)


def test_the_overall_place_of_a_projection_is_that_of_the_columns(account, rows):
    X = rows
    projection = Projection.of(describe(ArrayBatches(X)), 2)
    result = fit(projection.batches(ArrayBatches(X)), 2, options=FitOptions(init="kmeans"))
    model = Model(mixture=result.model, columns=EVIL, fit=result, projection=projection)
    projected = replace(account, model=model, choice=None)
    assert places(model).overall_mean == pytest.approx(X.mean(axis=1))
    assert places(model).overall_deviation == pytest.approx(X.std(axis=1))
    shown = pages.parsed(compose(projected))
    assert len(list(pages.section(shown, "Pictures").all("img"))) == 2


@pytest.mark.heavy
def test_the_line_and_the_hash(page, account):
    run = pages.section(page, "This page was made by")
    assert next(run.all("code")).text == "gmmcli report 'it'\"'\"'s <me>.json'"
    told = pages.facts(page)
    assert told["SHA-256 of the numbers"].startswith("0" * 64)
    assert told["rows"] == "a <b>.csv: 303 rows; 3 left out, a value is missing or infinite"
    assert told["log-likelihood of the rows"].endswith("per row, as in the fit")
    assert told["seed"] == "0"
    other = replace(account.census, log_likelihood=account.census.log_likelihood - 1)
    unlike = pages.facts(pages.parsed(compose(replace(account, census=other))))
    assert unlike["log-likelihood of the rows"].endswith("per row")


@pytest.mark.heavy
def test_the_same_account_is_the_same_page(account, text):
    assert compose(account) == text


def test_without_matplotlib_the_page_says_how_to_get_pictures(account, monkeypatch):
    def absent():
        raise OutputError("pictures need matplotlib", "install it with: pip install gmmcli[plot]")

    monkeypatch.setattr(pictures, "check_library", absent)
    page = pages.parsed(compose(account))
    assert not list(page.all("img"))
    told = pages.section(page, "Pictures").text
    assert "pictures need matplotlib" in told
    assert "pip install gmmcli[plot]" in told
    assert len(list(page.all("table"))) == 5


@pytest.mark.heavy
def test_a_model_of_which_nothing_else_is_known(account):
    unknown = replace(account.model, fit=None)
    bare = replace(account, model=unknown, census=None, choice=None, warnings=[], following={})
    page = pages.parsed(compose(bare))
    assert "It is not known how the model was fitted." in page.text
    assert len(list(page.all("aside"))) == 0
    assert "size in the fit" not in page.text
    assert len(list(pages.section(page, "Pictures").all("img"))) == 3


@pytest.mark.heavy
def test_a_large_model_makes_no_large_page(account):
    rng = np.random.default_rng(1)
    n_clusters, n_features = 40, 300
    mixture = GaussianMixture.from_arrays(
        np.full(n_clusters, 1 / n_clusters),
        rng.standard_normal((n_clusters, n_features)) * np.arange(n_features),
        np.ones((n_clusters, n_features)),
        covariance_type="diag",
    )
    columns = tuple(f"column {j}" for j in range(n_features))
    model = Model(mixture=mixture, columns=columns, fit=account.model.fit)
    large = replace(account, model=model, census=None, choice=None)
    text = compose(large)
    assert len(text.encode()) < 1_000_000
    page = pages.parsed(text)
    told = pages.section(page, "Clusters").text
    assert "Of 300 columns, the 50 in which the clusters differ most are shown." in told
    assert "column 299" in told
    assert "column 0" not in told


@pytest.mark.heavy
def test_pictures_that_have_no_room_are_named(account, monkeypatch):
    monkeypatch.setattr("gmmcli.report.page.document.MOST_BYTES", 100_000)
    text = compose(account)
    assert len(text.encode()) < 100_000
    assert "gmmcli plot draws them" in pages.section(pages.parsed(text), "Pictures").text


def test_markup_is_made_by_element_alone():
    assert element("p", "<b>", class_='"') == '<p class="&quot;">&lt;b&gt;</p>'
    assert element("p", Html("<b>x</b>")) == "<p><b>x</b></p>"
    assert (
        element("img", alt="a & b", aria_hidden="true")
        == '<img alt="a &amp; b" aria-hidden="true">'
    )
