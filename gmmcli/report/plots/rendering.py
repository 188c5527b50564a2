"""The style of all pictures, and a figure -> the bytes of a file, the same each time."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure

_STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "0.4",
    "axes.formatter.use_mathtext": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.color": "0.25",
    "ytick.color": "0.25",
    "legend.fontsize": 8,
    "legend.title_fontsize": 8,
    "legend.frameon": False,
    "figure.dpi": 100,
    # a column may be called $x_1$
    "text.parse_math": False,
    # outlines of letters, so that a picture looks the same wherever it is opened
    "svg.fonttype": "path",
    "svg.hashsalt": "gmmcli",
    "pdf.fonttype": 42,
}
_DPI = {"png": 150, "svg": 120, "pdf": 200}
"""Also of the many points that are an image inside an SVG or a PDF."""
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": "gmmcli"},
    "pdf": {"CreationDate": None, "Creator": "gmmcli", "Producer": None},
}


@contextmanager
def style() -> Iterator[None]:
    """The look of all pictures, whatever the user's own matplotlib settings."""
    # a font cache that is built is not for the user to hear of
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with matplotlib.style.context(["default", _STYLE]):
        yield


def render(figure: Figure, file_format: str) -> bytes:
    """The bytes of a file in this format."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(
            buffer,
            format=file_format,
            dpi=_DPI[file_format],
            metadata=_METADATA[file_format],
        )
    return buffer.getvalue()
