"""An HTML page taken apart, strictly: what is opened is closed, in order."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

WITHOUT_END = {"meta", "img", "rect"}


@dataclass
class Element:
    tag: str
    attributes: dict
    children: list = field(default_factory=list)

    @property
    def text(self):
        return "".join(part if isinstance(part, str) else part.text for part in self.children)

    def all(self, tag=None):
        for child in self.children:
            if isinstance(child, Element):
                if tag in (None, child.tag):
                    yield child
                yield from child.all(tag)

    def cells(self):
        """The texts of the rows of a table."""
        return [[cell.text for cell in row.children] for row in self.all("tr")]


class _Strict(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = [Element("", {})]

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> says something twice"
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in WITHOUT_END:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        self.open[-1].children.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data}")


def parsed(text):
    """The root of a page."""
    parser = _Strict()
    parser.feed(text)
    parser.close()
    assert len(parser.open) == 1, f"not closed: {[element.tag for element in parser.open[1:]]}"
    assert text.startswith("<!DOCTYPE html>\n")
    return next(parser.open[0].all("html"))


def section(page, title):
    """The part of a page under a heading."""
    return next(part for part in page.all("section") if next(part.all("h2")).text == title)


def facts(page):
    """What the tables of facts say."""
    tables = (table for table in page.all("table") if table.attributes.get("class") == "facts")
    return {row[0]: row[1] for table in tables for row in table.cells()}
