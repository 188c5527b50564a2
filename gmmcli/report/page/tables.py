"""Tables as HTML: a caption, headers with their scope, and room to scroll on a telephone."""

import re
from collections.abc import Iterable, Sequence

from gmmcli.report.page.markup import Html, element, together

_HYPHEN = re.compile(r"-(?=\d)")


def table(
    caption: str, heading: Sequence[str], rows: Sequence[Html], *, class_: str = "numbers"
) -> Html:
    """A table that scrolls by itself where it is wider than the page.

    Parameters
    ----------
    heading : one text a column.
    rows : made by `row`.
    """
    heads = (element("th", text, scope="col") for text in heading)
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *heads)),
        element("tbody", *rows),
        class_=class_,
    )
    # a region that scrolls can be reached by the keyboard
    return element("div", whole, class_="scroll", role="region", aria_label=caption, tabindex="0")


def row(head: str, cells: Iterable[Html], *, class_: str = "", name: bool = False) -> Html:
    """A row that begins with its header.

    Parameters
    ----------
    cells : made by `cell`.
    name : whether the header is text from the data, which may be long.
    """
    title = element("th", head, scope="row", **({"class_": "name"} if name else {}))
    return element("tr", title, *cells, **({"class_": class_} if class_ else {}))


def cell(*content: str, class_: str = "") -> Html:
    """A cell of a row."""
    return element("td", *content, **({"class_": class_} if class_ else {}))


def facts(caption: str, pairs: Sequence[tuple[str, str]]) -> Html:
    """Names and what they are, a row each."""
    rows = [row(name, [cell(value)]) for name, value in pairs]
    return element("table", element("caption", caption), element("tbody", *rows), class_="facts")


def number(text: str) -> str:
    """A number with a minus sign, which is as wide as its digits, for a hyphen."""
    return _HYPHEN.sub("\N{MINUS SIGN}", text)


def bar(share: float) -> Html:
    """A bar of 0 to 1; it says nothing that is not in the number beside it."""
    length = element("rect", width=f"{100 * share:.2f}", height="10", rx="1")
    return element(
        "svg",
        length,
        class_="bar",
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def section(title: str, *content: str) -> Html:
    """A part of the page under its heading, for `content` that is not empty."""
    inside = together(*content)
    name = title.lower().replace(" ", "-")
    return element(
        "section",
        element("h2", title, id=name),
        inside,
        aria_labelledby=name,
    )
