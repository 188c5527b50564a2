"""What holds of every picture: its bytes, its layout, its names, what it says of the rows."""

import subprocess
import sys
import warnings
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from report.pictures import picture, random_mixture, remarks, subject, texts, with_rows

from gmmcli.errors import OutputError, UsageError
from gmmcli.report.plots import FORMATS, KINDS, draw, render

MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
LONG = (
    "the number of times that a very long column name was given by somebody",
    "another_very_long_column_name_without_any_spaces_in_it_at_all_really",
)
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize(
    ("kind", "file_format"),
    [*((kind, "svg") for kind in KINDS), *(("density", name) for name in FORMATS)],
)
def test_the_same_picture_is_the_same_bytes(kind, file_format):
    mixture = random_mixture(3, 3)
    first, second = (render(picture(kind, mixture, 60), file_format) for _ in range(2))
    assert first.startswith(MAGIC[file_format])
    assert first == second
    assert render(picture(kind, mixture, 61), file_format) != first


def test_a_setting_of_the_user_does_not_matter():
    mixture = random_mixture(2, 2)
    plain = render(picture("classification", mixture, 30), "svg")
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "none"}):
        assert render(picture("classification", mixture, 30), "svg") == plain


@pytest.mark.heavy
def test_no_state_of_pyplot_and_no_display_and_no_date():
    program = (
        "import sys\n"
        "from report.pictures import picture, random_mixture\n"
        "from gmmcli.report.plots import render\n"
        "figure = picture('density', random_mixture(2, 2), 20)\n"
        "for name in ('png', 'svg', 'pdf'):\n"
        "    sys.stdout.buffer.write(render(figure, name))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    outputs = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
            timeout=60,
        )
        outputs.add(done.stdout)
    (output,) = outputs
    assert b"Date" not in output
    assert b"matplotlib.org" not in output.partition(b"<defs>")[0].replace(
        b"Created with matplotlib (https://matplotlib.org/)", b""
    )


@pytest.mark.heavy(cases=4)
@every_kind
@pytest.mark.parametrize(
    ("n_components", "n_features", "n_rows"),
    [
        (1, 1, 40),
        (1, 2, 1),
        (3, 1, 3),
        (3, 2, 3),
        (2, 4, 40),
        (40, 1, 400),
        (40, 2, 400),
        (3, 2, 1),
    ],
)
def test_nothing_is_cut_off_and_nothing_crowded_out(kind, n_components, n_features, n_rows):
    if KINDS[kind].fewest > n_features:
        with pytest.raises(UsageError, match="needs 2 columns"):
            picture(kind, random_mixture(1, n_features))
        return
    names = (*LONG, "$x_1^{2", "y")
    mixture = random_mixture(n_components, n_features, width=2 + n_components)
    figure = picture(kind, mixture, n_rows, names=names[:n_features])
    figure.draw_without_rendering()
    renderer = figure._get_renderer()
    width, height = figure.get_size_inches() * figure.dpi
    for axes in figure.axes:
        box = axes.get_window_extent()
        assert min(box.width, box.height) > 0.6 * figure.dpi
    for artist in (*figure.axes, *figure.texts, *figure.legends):
        box = artist.get_tightbbox(renderer)
        assert -2 <= box.x0 <= box.x1 <= width + 2, artist
        assert -2 <= box.y0 <= box.y1 <= height + 2, artist


@pytest.mark.parametrize("n_components", [1, 12, 16, 17, 40, 48])
def test_each_cluster_is_in_the_legend(n_components):
    mixture = random_mixture(n_components, 2, width=20)
    (legend,) = picture("classification", mixture, 50).legends
    shown = [text.get_text().split()[0] for text in legend.get_texts()]
    assert shown == [str(k) for k in range(n_components)]


def test_too_many_clusters_for_a_legend_have_their_numbers_at_their_means():
    figure = picture("classification", random_mixture(60, 2, width=40), 100)
    assert not figure.legends
    numbers = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert set(numbers) == {str(k) for k in range(60)}


@pytest.mark.heavy(cases=3)
@pytest.mark.parametrize("kind", ["classification", "pairs"])
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("$x_1^{2}$", "$x_1^{2}$"),
        (r"\frac{a}", r"\frac{a}"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("two\nlines", r"two\nlines"),
        ("Größe", "Größe"),
        ("日本", r"\u65e5\u672c"),
        ("🐧", r"\U0001f427"),
        ("مرحبا", "مرحبا"),
        ("%", "%"),
        ("_hidden", "_hidden"),
        ("<b>&amp;", "<b>&amp;"),
    ],
)
def test_names_are_shown_as_they_are(kind, name, shown):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figure = picture(kind, random_mixture(2, 2), 10, names=(name, "other"))
        assert render(figure, "svg").count(b"<svg") == 1
    assert not caught
    assert shown in texts(figure)


def test_long_names_lose_their_middle():
    labels = texts(picture("density", random_mixture(2, 2), names=LONG))
    (first,) = [text.replace("\n", " ") for text in labels if text.startswith("the number")]
    assert len(first) <= 48
    assert first.endswith("somebody")
    assert "…" in first


def test_directions_are_named_on_the_axes():
    names = ("alpha", "beta", "gamma", "delta")
    shown = [
        text.replace("\n", " ")
        for text in texts(picture("points", random_mixture(3, 4), 9, names=names))
    ]
    for number in (1, 2):
        (label,) = [text for text in shown if text.startswith(f"direction {number}: ")]
        assert sum(name in label for name in names) == 3
        assert label.endswith("+ …")


def test_the_picture_says_how_many_of_how_many():
    mixture = random_mixture(2, 2)
    assert remarks(picture("points", mixture, 1)) == "1 row"
    assert remarks(picture("points", mixture, 150)) == "150 rows"
    some = draw("points", replace(subject(mixture, 150), n_rows=1_000_000))
    assert remarks(some) == "150 of 1,000,000 rows, taken at random"


@every_kind
def test_far_rows_do_not_make_the_picture_empty(kind):
    mixture = random_mixture(2, 2)
    about = subject(mixture, 100)
    far = with_rows(about, np.vstack([about.rows, [[1e9, 0], [3, -1e300]]]))
    near, with_far = draw(kind, about), draw(kind, far)
    for a, b in zip(near.axes, with_far.axes, strict=True):
        assert np.ptp(b.get_xlim()) <= np.ptp(a.get_xlim()) * 1.01
    assert "2 of them far outside the picture" in remarks(with_far)
    assert "outside" not in remarks(near)


@pytest.mark.heavy
def test_many_points_do_not_make_a_large_file():
    mixture = random_mixture(5, 3)
    for kind in KINDS:
        assert len(render(picture(kind, mixture, 20_000), "svg")) < 500_000, kind


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("n_features", [2, 6, 8])
def test_pairs_of_up_to_six_columns(n_features):
    figure = picture("pairs", random_mixture(2, n_features), 30)
    n = min(n_features, 6)
    assert len(figure.axes) == n * (n + 1) // 2
    said = "the first 6 of 8 columns" in remarks(figure)
    assert said == (n_features == 8)
    assert "x5" in texts(figure) or n_features == 2
    chosen = picture("pairs", random_mixture(2, n_features), 30, chosen=("x1", "x0"))
    assert len(chosen.axes) == 3
    assert "columns" not in remarks(chosen)


@pytest.mark.parametrize(
    ("kind", "n_features", "n_rows", "chosen", "words"),
    [
        ("uncertainty", 2, 0, (), "--kind uncertainty draws rows"),
        ("classification", 2, 0, (), "--kind classification draws rows"),
        ("points", 2, 0, (), "--kind points draws rows"),
        ("pairs", 1, 5, (), "--kind pairs needs 2 columns"),
        ("pairs", 3, 5, ("x1",), "--kind pairs takes 2 to 6 columns, and -C chooses 1"),
        ("density", 3, 0, ("x0", "x1", "x2"), "takes 1 to 2 columns, and -C chooses 3"),
    ],
)
def test_what_cannot_be_drawn_is_said(kind, n_features, n_rows, chosen, words):
    about = subject(random_mixture(2, n_features), n_rows, chosen=chosen)
    with pytest.raises(UsageError, match=words):
        draw(kind, about)


def test_without_matplotlib_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(OutputError) as caught:
        picture("density", random_mixture(2, 2))
    assert "gmmcli[plot]" in caught.value.advice


def test_chosen_columns_are_the_axes():
    mixture = random_mixture(2, 3)
    figure = picture("classification", mixture, 20, chosen=("x2", "x0"))
    assert figure.axes[0].get_xlabel() == "x2"
    assert figure.axes[0].get_ylabel() == "x0"
    one = replace(subject(mixture, 20), chosen=("x1",))
    assert draw("density", one).axes[0].get_xlabel() == "x1"
