"""What a run says on standard error, apart from its result.

Notes tell what was done and are dropped by `--quiet`; warnings tell what changes the meaning of
the result and are not; progress, and what to run next, are for a terminal alone. Nothing here
ends a run: a standard error that cannot be written is no reason to lose the result.
"""

import contextlib
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TextIO

import typer

from gmmcli.errors import GmmcliError, OutputError
from gmmcli.report.layout import Line, available_width, write
from gmmcli.report.printable import printable
from gmmcli.report.progress import Progress

Color = Literal["auto", "always", "never"]

_STYLES = {"error": "1;31", "warning": "1;33", "note": "1", "next": "1;36"}


def _remember(context: typer.Context, parameter: typer.CallbackParam, value: object) -> object:
    """Keep an option where `main` finds it when the command has failed."""
    if value:
        setattr(context.obj, str(parameter.name), value)
    return value


Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        help="Show the traceback of an error. Works before and after the command.",
        callback=_remember,
    ),
]


def unwritable(error: OSError) -> OutputError:
    """The error for standard output that cannot be written."""
    reason = error.strerror or str(error)
    return OutputError(f"cannot write standard output: {reason}", "what was written is incomplete")


@dataclass
class Talk:
    """Messages."""

    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            help="No notes, no progress, and no summary on standard error. "
            "Warnings and errors stay.",
            callback=_remember,
        ),
    ] = False
    color: Annotated[
        Color,
        typer.Option(
            "--color",
            help="Colour: auto is on a terminal, unless NO_COLOR is set or TERM is dumb.",
            callback=_remember,
        ),
    ] = "auto"
    debug: Debug = False

    def colors(self, stream: TextIO | None) -> bool:
        """Whether what goes to this stream is to be coloured."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        return stream is not None and stream.isatty()

    def note(self, text: str) -> None:
        """Say what was done."""
        if not self.quiet:
            self._say("note", text)

    def warning(self, text: str) -> None:
        """Say what a reader of the result has to know."""
        self._say("warning", text)

    def suggest(self, command: Sequence[str]) -> None:
        """Say which command may follow, to be pasted; to a person, hence on a terminal alone."""
        line = shlex.join(command)
        if self.quiet or sys.stderr is None or not sys.stderr.isatty():
            return
        if line == printable(line):
            self._say("next", line)

    def error(self, error: BaseException, message: str, advice: str = "") -> None:
        """Say why the run ends: one line, then one of advice."""
        if self.debug:
            with contextlib.suppress(OSError):
                traceback.print_exception(error)
        self._say("error", message)
        if advice:
            self.line(advice)

    def failure(self, error: GmmcliError) -> int:
        """Say why the run ends; gives its exit code."""
        self.error(error, error.message, error.advice)
        for choice in error.choices:
            self.line(f"  {choice}")
        return error.exit_code

    def progress(self, *, every: float | None = None) -> Progress:
        """A line that moves while something takes long, on a terminal.

        Parameters
        ----------
        every : seconds between lines that stay instead, terminal or not, quiet or not.
        """
        return Progress(sys.stderr, wanted=not self.quiet, every=every)

    def show(self, compose: Callable[[int], list[Line]], *, aside: bool) -> None:
        """Write what a person reads of the result: to standard output, unless that is taken.

        Parameters
        ----------
        compose : gives the lines, told the width of the stream.
        aside : standard output carries something else; on standard error this is a note.
        """
        if aside:
            if not self.quiet and sys.stderr is not None:
                with contextlib.suppress(OSError):
                    self._compose(compose, sys.stderr)
            return
        if sys.stdout is None:
            raise OutputError("standard output is closed", "redirect it to a file")
        try:
            self._compose(compose, sys.stdout)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable(error) from error

    def _compose(self, compose: Callable[[int], list[Line]], stream: TextIO) -> None:
        write(compose(available_width(stream)), stream, color=self.colors(stream))
        # warnings come after it, also where both streams are one file
        stream.flush()

    def line(self, text: str) -> None:
        """Write one line to standard error, nothing in it interpreted."""
        self._write(printable(text))

    def _say(self, kind: str, text: str) -> None:
        word = f"gmmcli: {kind}:"
        if self.colors(sys.stderr):
            word = f"\x1b[{_STYLES[kind]}m{word}\x1b[0m"
        self._write(f"{word} {printable(text)}")

    def _write(self, line: str) -> None:
        if sys.stderr is not None:
            with contextlib.suppress(OSError):
                sys.stderr.write(f"{line}\n")
                sys.stderr.flush()
