"""Colours that the colour-blind tell apart, and pairs with markers for many clusters."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from gmmcli.report.plots.palette import color, line, marker

# What protan-, deuteran- and tritanopes see: Machado, Oliveira & Fernandes (2009), severity 1.
SIGHT = {
    "all": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def seen(name, sight):
    """CIELAB coordinates of a colour as it is seen."""
    rgb = np.array(to_rgb(name))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(SIGHT[sight] @ linear, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def closest(names, sight):
    """The least distance of two colours; 2.3 is just noticeable."""
    labs = np.array([seen(name, sight) for name in names])
    distances = np.linalg.norm(labs[:, None] - labs[None], axis=2)
    return distances[np.triu_indices(len(names), 1)].min()


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_are_far_apart_and_seen_on_white(sight):
    names = [color(k) for k in range(7)]
    assert closest(names, sight) > 15
    assert min(np.linalg.norm(seen(name, sight) - seen("white", sight)) for name in names) > 35


def test_other_palettes_are_not_that_safe():
    assert closest(["#d62728", "#8c564b", "#2ca02c"], "deuteranopia") < 10


def test_fifty_six_clusters_are_told_apart():
    assert len({(color(k), marker(k)) for k in range(56)}) == 56
    assert all(color(k) != color(k + 1) and marker(k) != marker(k + 1) for k in range(56))


def test_fourteen_lines_are_told_apart():
    assert len({(color(k), line(k)) for k in range(14)}) == 14
