"""What is read from where and written where, settled before any work is done."""

import io
import os
import sys
from collections.abc import Mapping, Sequence

import typer

from gmmcli.data import check_table_format, standard_stream
from gmmcli.errors import OutputError, UsageError

PICTURES = ("png", "svg", "pdf")
"""Written here a second time, as in options.py."""

WORDS = "gmmcli.words"
"""Where the program leaves the words of the command line for commands that tell them."""


def input_path(context: typer.Context, path: str | None) -> str:
    """The path of the input: standard input where none is given and something is piped in.

    At a terminal there is nothing piped in: the help is shown, and the exit code is 2.
    """
    if path is None and (sys.stdin is None or sys.stdin.isatty()):
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)
    return path or "-"


def rows_path(path: str | None, *, taken: bool) -> str | None:
    """The path of rows that a command can do without: standard input where they are piped in.

    A terminal, /dev/null (under cron) and a pipe that ends without a byte hold none: None.

    Parameters
    ----------
    taken : standard input holds something else.
    """
    if path is not None or taken or sys.stdin is None or sys.stdin.isatty():
        return path
    stream = sys.stdin.buffer
    if isinstance(stream, io.BufferedReader):
        # whoever reads it later gets these bytes too
        return "-" if stream.peek(1) else None
    here = stream.tell()
    held = stream.read(1)
    stream.seek(here)
    return "-" if held else None


def output_path(text: str) -> str:
    """A path that an option writes to; - for each of the names of standard output."""
    return standard_stream(text, 1)


def table_path(text: str) -> str:
    """As `output_path`, for a table. UsageError where its extension is of another format."""
    check_table_format(text)
    return output_path(text)


def on_stdout(claims: Mapping[str, bool]) -> bool:
    """Whether one of the options claims standard output. UsageError where two do."""
    flags = [flag for flag, claimed in claims.items() if claimed]
    if len(flags) > 1:
        message = f"{flags[0]} and {flags[1]} both write to standard output"
        raise UsageError(message, "give one of them the path of a file")
    return bool(flags)


def check_inputs(inputs: Mapping[str, str | None]) -> None:
    """UsageError where two inputs are standard input."""
    names = [name for name, path in inputs.items() if path and standard_stream(path, 0) == "-"]
    if len(names) > 1:
        message = f"{names[0]} and {names[1]} are both read from standard input"
        raise UsageError(message, "give one of them as a file")


def picture_format(path: str) -> str:
    """The format of a picture, by the extension of its path. UsageError for any other."""
    extension = os.path.splitext(path)[1].lower().removeprefix(".")
    if extension not in PICTURES:
        message = f"{path} has no extension of a picture"
        raise UsageError(message, f"give it one of .{', .'.join(PICTURES)}")
    return extension


def check_page(flag: str, path: str | None) -> None:
    """Refuse a page under a name that no browser would take for one. UsageError."""
    if path not in (None, "-") and not str(path).lower().endswith((".html", ".htm")):
        message = f"{flag} {path}: a page has the extension .html"
        raise UsageError(message, "name it so")


def words_of(context: typer.Context) -> list[str]:
    """The command line that is being run, word by word."""
    return list(context.meta[WORDS])


def check_outputs(outputs: Mapping[str, str | None], *, inputs: Sequence[str | None]) -> None:
    """Refuse an output that is an input, or two that are one file; then look at the folders.

    A long run that cannot be saved at its end is better not begun.

    Raises
    ------
    UsageError : the same file twice. OutputError : a file cannot be made there.
    """
    from gmmcli.data import check_output

    taken: dict[str, str] = {}
    for flag, path in outputs.items():
        if path is None or path == "-":
            continue
        check_output(path, [name for name in inputs if name is not None])
        if os.path.isdir(path):
            raise OutputError(f"cannot write {path}: it is a folder", "name a file in it")
        if os.path.isfile(path) and not os.access(path, os.W_OK):
            raise OutputError(f"cannot write {path}: it is read-only", "choose another path")
        if os.path.exists(path) and not os.path.isfile(path):
            continue  # a device such as /dev/null may be named any number of times
        place = os.path.realpath(path)
        if place in taken:
            message = f"{taken[place]} and {flag} both write {path}"
            raise UsageError(message, "give each a path of its own")
        taken[place] = flag
        folder = os.path.dirname(place)
        if not os.path.isdir(folder):
            raise OutputError(f"cannot write {path}: no folder {folder}", "make the folder first")
        if not os.access(folder, os.W_OK):
            message = f"cannot write {path}: the folder {folder} is read-only"
            raise OutputError(message, "choose another folder")
