"""What is drawn is where the mathematics says."""

import numpy as np
import pytest
from matplotlib.patches import PathPatch
from report.pictures import SHAPES, picture, random_mixture, remarks, subject, with_rows
from scipy import stats

from gmmcli.mixture.model import GaussianMixture
from gmmcli.report.plots import draw
from gmmcli.report.plots.canvas import ellipse
from gmmcli.report.plots.plane import plane

N_DRAWS = 20_000


def outlines(axes):
    """The ellipses of each component, 50 % and 95 %."""
    paths = [patch.get_path() for patch in axes.patches if isinstance(patch, PathPatch)]
    return list(zip(paths[::2], paths[1::2], strict=True))


def shares_inside(mixture, along, pairs):
    """Shares of rows drawn from each component that are inside its ellipses."""
    rng = np.random.default_rng(3)
    for k, pair in enumerate(pairs):
        rows = along(mixture.taken([k]).sample(N_DRAWS, rng)[0])
        yield [np.mean(path.contains_points(rows)) for path in pair]


def within(share, probability):
    return abs(share - probability) < 4 * np.sqrt(probability * (1 - probability) / N_DRAWS)


@pytest.mark.parametrize("structure", SHAPES)
@pytest.mark.parametrize(
    ("n_features", "chosen"), [(2, ()), (5, ("x3", "x1")), (5, ())], ids=["2", "2 of 5", "dirs"]
)
def test_ellipses_hold_half_and_95_percent_of_their_cluster(structure, n_features, chosen):
    mixture = random_mixture(3, n_features, structure)
    about = subject(mixture, 50, chosen=chosen)
    axes = draw("classification", about).axes[0]
    pairs = outlines(axes)
    assert len(pairs) == 3

    def along(rows):
        return plane(with_rows(about, rows)).rows

    for half, most in shares_inside(mixture, along, pairs):
        assert within(half, 0.5)
        assert within(most, 0.95)


def test_another_ellipse_does_not_hold_its_share():
    mixture = random_mixture(1, 2)
    wrong = ellipse(mixture.means[0], mixture.covariance.full()[0], 0.94)
    ((half, share),) = shares_inside(mixture, lambda rows: rows, [(wrong, wrong)])
    assert half == share
    assert not within(share, 0.95)


@pytest.mark.parametrize("seed", range(4))
def test_semi_axes_are_2448_roots_of_the_eigenvalues(seed):
    mixture = random_mixture(1, 2, seed=seed)
    path = ellipse(mixture.means[0], mixture.covariance.full()[0], 0.95)
    steps = np.linspace(0, 1, 100)
    outline = np.concatenate([curve(steps) for curve, _ in path.iter_bezier()][1:-1])
    distances = np.linalg.norm(outline - mixture.means[0], axis=1)
    roots = np.sqrt(np.linalg.eigvalsh(mixture.covariance.full()[0]))
    assert distances.min() == pytest.approx(2.4477 * roots[0], rel=1e-3)
    assert distances.max() == pytest.approx(2.4477 * roots[1], rel=1e-3)


def test_bars_of_one_column_are_intervals_of_the_normal():
    mixture = GaussianMixture.from_arrays([1], [[10]], [[4]], covariance_type="diag")
    axes = picture("classification", mixture, 20).axes[0]
    bars = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2]
    for bar, probability in zip(bars, (0.5, 0.95), strict=True):
        assert bar == pytest.approx(stats.norm(10, 2).interval(probability))


def test_a_boundary_is_where_two_clusters_are_as_probable():
    mixture = GaussianMixture.from_arrays(
        [0.5, 0.5], [[0, 0], [4, 2]], [1, 1], covariance_type="spherical"
    )
    axes = picture("boundaries", mixture).axes[0]
    lines = [path.vertices for contours in axes.collections for path in contours.get_paths()]
    places = np.concatenate([line for line in lines if len(line)])
    # the perpendicular bisector of the means
    assert places @ [4, 2] == pytest.approx(10, abs=1e-6)
    assert np.ptp(places[:, 1]) == pytest.approx(np.diff(axes.get_ylim())[0], rel=1e-3)


@pytest.mark.parametrize("structure", SHAPES)
def test_regions_are_those_of_the_marginal_mixture_and_say_so(structure):
    mixture = random_mixture(4, 3, structure)
    figure = picture("boundaries", mixture, chosen=("x0", "x2"))
    axes = figure.axes[0]
    (image,) = axes.images
    low_x, high_x, low_y, high_y = image.get_extent()
    shown = np.asarray(image.get_array())
    rng = np.random.default_rng(0)
    joint = np.zeros((4, 200))
    places = rng.uniform([low_x, low_y], [high_x, high_y], (200, 2))
    for k in range(4):
        block = mixture.covariance.full()[k][np.ix_([0, 2], [0, 2])]
        normal = stats.multivariate_normal(mixture.means[k, [0, 2]], block)
        joint[k] = normal.logpdf(places) + np.log(mixture.weights[k])
    # a place next to a boundary may be in the pixel of the other side
    clear = np.diff(np.sort(joint, axis=0)[-2:], axis=0)[0] > 0.2
    columns = ((places[:, 0] - low_x) / (high_x - low_x) * shown.shape[1]).astype(int)
    lines = ((places[:, 1] - low_y) / (high_y - low_y) * shown.shape[0]).astype(int)
    assert clear.sum() > 150
    assert np.array_equal(shown[lines, columns][clear], joint.argmax(axis=0)[clear])
    assert "regions of the marginal mixture in the columns shown" in remarks(figure)
    assert "not of the model of all 3" in remarks(figure)
    assert "marginal" not in remarks(picture("boundaries", random_mixture(4, 2)))


def test_bands_of_one_column_end_where_two_clusters_are_as_probable():
    mixture = GaussianMixture.from_arrays(
        [0.5, 0.5], [[0], [4]], [[1], [1]], covariance_type="diag"
    )
    axes = picture("boundaries", mixture).axes[0]
    ends = sorted({round(x, 2) for patch in axes.patches for x in patch.get_extents().intervalx})
    low, high = axes.get_xlim()
    inverse = axes.transData.inverted()
    places = [inverse.transform((end, 0))[0] for end in ends]
    assert any(place == pytest.approx(2, abs=0.01) for place in places)
    assert low < 2 < high


def test_contours_enclose_the_shares_they_name():
    mixture = random_mixture(1, 2)
    axes = picture("density", mixture).axes[0]
    (contours,) = [c for c in axes.collections if len(c.get_paths()) == 4]
    spread = stats.multivariate_normal(mixture.means[0], mixture.covariance.full()[0])
    for path, share in zip(contours.get_paths(), (0.95, 0.75, 0.5, 0.25), strict=True):
        drop = spread.logpdf(mixture.means[0]) - spread.logpdf(path.vertices[:-1]).min()
        assert 1 - np.exp(-drop) == pytest.approx(share, abs=0.01)


def test_curves_and_histogram_are_densities():
    mixture = random_mixture(3, 1)
    axes = picture("density", mixture, 2000).axes[0]
    total = axes.lines[-1].get_xydata()
    assert np.trapezoid(total[:, 1], total[:, 0]) == pytest.approx(1, abs=0.01)
    bars = [patch for patch in axes.patches if hasattr(patch, "get_width")]
    assert sum(bar.get_width() * bar.get_height() for bar in bars) == pytest.approx(1)
    curves = [patch.get_xy() for patch in axes.patches if not hasattr(patch, "get_width")]
    areas = [np.trapezoid(curve[:, 1], curve[:, 0]) for curve in curves]
    assert np.abs(areas) == pytest.approx(mixture.weights, abs=1e-3)


def test_weights_are_in_the_histogram():
    mixture = random_mixture(2, 1)
    once = subject(mixture, 200)
    weights = np.random.default_rng(0).integers(1, 5, 200).astype(float)
    weighted = with_rows(once, once.rows, weights)
    repeated = with_rows(once, np.repeat(once.rows, weights.astype(int), axis=0))
    heights = [
        [p.get_height() for p in draw("density", s).axes[0].patches if hasattr(p, "get_height")]
        for s in (once, weighted, repeated)
    ]
    assert heights[1] == pytest.approx(heights[2])
    assert heights[1] != heights[0]


def test_the_less_certain_the_larger_and_darker():
    mixture = GaussianMixture.from_arrays(
        [0.5, 0.5], [[0, 0], [4, 0]], [1, 1], covariance_type="spherical"
    )
    rows = np.array([[0.0, 0], [1.2, 0], [1.6, 0], [2.0, 0]])
    axes = draw("uncertainty", with_rows(subject(mixture), rows)).axes[0]
    drawn = {
        float(c.get_offsets()[0, 0]): (float(c.get_sizes()[0]), c.get_alpha())
        for c in axes.collections
        if len(c.get_offsets())
    }
    assert sorted(drawn) == pytest.approx([0, 1.2, 1.6, 2])
    order = [drawn[x] for x in sorted(drawn)]
    assert order == sorted(order)
    assert len(set(order)) == 4


@pytest.mark.parametrize("ratio", [1, 3, 20, 1e9])
def test_shapes_can_be_judged(ratio):
    mixture = random_mixture(3, 2).transformed(np.zeros(2), np.array([1.0, ratio]))
    figure = picture("classification", mixture, 100)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    spread = plane(subject(mixture)).spread
    unit = np.ones(2) if spread.max() <= 4 * spread.min() else spread
    ends = axes.transData.transform([axes.transData.inverted().transform((0, 0)) + unit])[0]
    assert ends[0] == pytest.approx(ends[1], rel=1e-6)
    said = "one standard deviation of all rows is as long on both axes" in remarks(figure)
    assert said == (unit[0] != unit[1])
