"""The pictures on the page: drawn by report/plots, held in it as images.

An SVG inside an image has its own identifiers and styles, cannot run anything and can ask for
nothing, whatever the columns are called.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from gmmcli.errors import OutputError
from gmmcli.mixture.model import Posterior
from gmmcli.report.criteria import heading
from gmmcli.report.models import Model, axes_of
from gmmcli.report.numerals import count
from gmmcli.report.page.account import Account, Choice
from gmmcli.report.page.clusters import between
from gmmcli.report.page.markup import Html, element, together
from gmmcli.report.plots import (
    KINDS,
    Subject,
    check_library,
    draw,
    draw_criteria,
    render,
    subject_of,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_AS_IT_IS = " /:=;,+()*!'@$-._~"
_DESCRIPTIONS = {"pairs": "the columns in which the clusters differ most, each with each other"}
MOST_PAIRS = 4
MOST_IN_PANEL = 1500
MOST_MARKS = 1000
"""Of a picture with more of them, the marks are an image inside it: lines and letters stay sharp,
and its size does not grow with the rows."""


class Album:
    """Pictures until the room, in bytes, is full."""

    def __init__(self, room: int) -> None:
        self._room = room
        self.left_out: list[str] = []

    def hold(self, svg: bytes, *, name: str, alt: str, caption: str) -> Html:
        """The picture as a figure; nothing, and its name remembered, where it has no room."""
        # not as base64, which an image in it would then be twice
        data = quote(svg, safe=_AS_IT_IS)
        if len(data) > self._room:
            self.left_out.append(name)
            return together()
        self._room -= len(data)
        image = element("img", src=f"data:image/svg+xml,{data}", alt=alt)
        return element("figure", image, element("figcaption", caption))


def criteria_picture(choice: Choice, album: Album) -> Html:
    """The criteria over the number of clusters; nothing where pictures cannot be drawn."""
    try:
        check_library()
    except OutputError:
        return together()
    best = choice.best
    svg = render(draw_criteria(choice.cells, best, choice.criterion), "svg")
    alt = (
        f"Curves of the criteria over the number of clusters, one for each covariance; lowest by "
        f"{heading(choice.criterion)} are {best.covariance_type} and {best.n_components} clusters. "
        "The numbers are in the table."
    )
    return album.hold(svg, name="criteria", alt=alt, caption="The criteria over k.")


def cluster_pictures(account: Account, album: Album) -> Iterator[Html]:
    """The clusters in one picture of each kind that tells something of them.

    Raises
    ------
    OutputError : matplotlib is not installed, or the clusters are nothing that can be drawn.
    """
    check_library()
    model, census = account.model, account.census
    subject = subject_of(model, None if census is None else census.sample)
    for name in _kinds(subject):
        what = _DESCRIPTIONS.get(name, KINDS[name].description)
        alt = f"Picture of {count(model.n_clusters, 'cluster')}: {what}."
        caption = f"{name.capitalize()}: {what}."
        drawn = _fewer(subject, _telling(model)) if name == "pairs" else subject
        svg = _light(draw(name, drawn))
        yield album.hold(svg, name=name, alt=alt, caption=caption)


def _light(figure: "Figure") -> bytes:
    """A picture as SVG that is not large, however many rows are in it."""
    collections = [one for axes in figure.axes for one in axes.collections]
    if sum(len(np.asarray(one.get_offsets())) for one in collections) > MOST_MARKS:
        for one in collections:
            one.set_rasterized(True)
    return render(figure, "svg")


def _telling(model: Model) -> tuple[str, ...]:
    """The few features in which the clusters differ most, in their order."""
    if model.projection is not None:
        return axes_of(model)[:MOST_PAIRS]
    order = np.argsort(-between(model), kind="stable")[:MOST_PAIRS]
    return tuple(model.columns[d] for d in sorted(order.tolist()))


def _fewer(subject: Subject, chosen: tuple[str, ...]) -> Subject:
    """As many panels, and rows in each, as a page has room for."""
    rows, weights = subject.rows, subject.weights
    if rows is None:
        return replace(subject, chosen=chosen)
    step = -(-len(rows) // MOST_IN_PANEL)
    weights = None if weights is None else weights[::step]
    posterior = subject.posterior and Posterior(*(part[::step] for part in subject.posterior))
    return replace(subject, chosen=chosen, rows=rows[::step], weights=weights, posterior=posterior)


def _kinds(subject: Subject) -> Sequence[str]:
    n_features = len(subject.names)
    if n_features == 1:
        return ("density",)
    drawn = ["density", "boundaries"] if subject.rows is None else ["classification", "uncertainty"]
    if subject.n_clusters == 1:
        drawn.pop()  # of one cluster there is no boundary, and no doubt
    return drawn if n_features == 2 else [*drawn, "pairs"]
