"""gmmcli explain: what the words mean, for a person who clusters once a year."""

from difflib import get_close_matches
from importlib.resources import files
from typing import Annotated

import typer

from gmmcli.cli.talk import Talk
from gmmcli.errors import UsageError
from gmmcli.report.layout import text

_TEXTS = files("gmmcli.cli") / "topics"


def topics() -> list[str]:
    """The names of the topics, in order."""
    return sorted(text.name.removesuffix(".txt") for text in _TEXTS.iterdir())


def _complete(incomplete: str) -> list[str]:
    return [topic for topic in topics() if topic.startswith(incomplete)]


def explain(
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="[TOPIC]",
            help="What to explain; nothing: list the topics.",
            autocompletion=_complete,
            show_default=False,
        ),
    ] = None,
    *,
    talk: Talk,
) -> None:
    """Explain the ideas behind the options.

    Without a topic, the topics are listed.

    For example:
      gmmcli explain
      gmmcli explain covariance
      gmmcli explain criteria | less
    """
    known = topics()
    if topic is None:
        shown = _list_of(known)
    elif topic in known:
        shown = _read(topic)
    else:
        close = get_close_matches(topic, known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise UsageError(f"there is no topic '{topic}'", f"{hint}the topics: {', '.join(known)}")
    talk.show(lambda _: [text(line) for line in shown.splitlines()], aside=False)


def _list_of(known: list[str]) -> str:
    width = max(map(len, known))
    return "\n".join(f"{name:<{width}}  {_read(name).splitlines()[0]}" for name in known)


def _read(topic: str) -> str:
    return (_TEXTS / f"{topic}.txt").read_text(encoding="utf-8")
