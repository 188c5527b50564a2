"""The report in a real browser, where there is one: Chromium, on a telephone and on a desk."""

import browser
import numpy as np
import pytest

from gmmcli.cli import run

NAMES = ("<script>alert(1)</script>", "]]>", "a_column_with_a_name_that_is_really_quite_long", "x")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A report of select-k, with all that a report can hold."""
    folder = tmp_path_factory.mktemp("report")
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((600, len(NAMES)))
    rows[:200] += 5
    rows[200:300, :2] -= 7
    table, page = folder / "rows.csv", folder / "report.html"
    np.savetxt(table, rows, delimiter=",", header=",".join(NAMES), comments="")
    assert run(["select-k", str(table), "-k", "1-6", "--report", str(page), "--max-iter", "5"]) == 0
    return page


@pytest.fixture(scope="module")
def chromium():
    path = browser.program()
    if path is None:
        pytest.skip(f"none of {', '.join(browser.PROGRAMS)} is installed")
    with browser.browser(path) as open_page:
        yield open_page


@pytest.mark.heavy
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_to_look_at(chromium, file, width, scheme):
    page = chromium(file, width=width, scheme=scheme)
    assert page.requests == [file.as_uri()]
    assert page.complaints == []
    assert page.value("document.documentElement.scrollWidth") <= width
    ratio, words = page.worst_contrast()
    assert ratio >= 4.5, words
    # every picture is one that the browser can draw
    drawn = page.value("[...document.images].map(i => i.complete && i.naturalWidth > 100)")
    assert drawn == [True] * 4
    assert page.value("document.scripts.length") == 0
    dark = page.value("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")


@pytest.mark.heavy
def test_it_can_be_printed(chromium, file):
    assert chromium(file).printed().startswith(b"%PDF")


def test_what_must_not_be_is_seen(chromium, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        '<!DOCTYPE html><html lang="en"><title>x</title><body style="background:#fff">'
        '<p style="color:#999;width:3000px">grey</p><img src="http://127.0.0.1:9/x.png">'
        "<script>console.error('loud')</script></body></html>"
    )
    page = chromium(bad, width=390)
    assert page.requests[1:] == ["http://127.0.0.1:9/x.png"]
    assert len(page.complaints) >= 1
    assert page.value("document.documentElement.scrollWidth") > 390
    assert page.worst_contrast()[0] < 3
