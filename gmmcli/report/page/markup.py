"""HTML as values: what is not made here as markup is text, and is escaped.

No template engine: a page of a dozen elements has no use for loops in a second language, and
where each element is made by one function nothing can be put in without being escaped.
"""

from html import escape

from gmmcli.report.printable import printable

_WITHOUT_END = {"img", "link", "meta", "rect"}


class Html(str):
    """Markup: what `element` and `together` give, and nothing else."""

    __slots__ = ()


def element(tag: str, /, *content: str, **attributes: str) -> Html:
    """An element. Content that is not Html is text, as are the values of attributes.

    `class_` is the attribute class, `aria_label` is aria-label.
    """
    given = "".join(f' {_spelled(key)}="{_text(value)}"' for key, value in attributes.items())
    if tag in _WITHOUT_END:
        return Html(f"<{tag}{given}>")
    return Html(f"<{tag}{given}>{together(*content)}</{tag}>")


def together(*content: str) -> Html:
    """Markup and texts, one after the other."""
    return Html("".join(part if isinstance(part, Html) else _text(part) for part in content))


def _text(content: str) -> str:
    # control characters have no place in HTML, and bidirectional marks would reorder what is read
    return escape(printable(content))


def _spelled(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
