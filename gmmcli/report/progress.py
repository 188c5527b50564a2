"""The line that moves: what is going on, on a terminal, when it takes more than a second."""

import contextlib
import shutil
import time
from types import TracebackType
from typing import Self, TextIO

from gmmcli.report.printable import printable

PATIENCE = 1.0
INTERVAL = 0.1


class Progress:
    """One line that is written over, and is gone at the end.

    Parameters
    ----------
    stream : standard error; nothing is written unless it is a terminal.
    wanted : False says nothing at all.
    every : seconds between lines of a log, which stay; to any stream, wanted or not.
    """

    def __init__(self, stream: TextIO | None, *, wanted: bool, every: float | None = None) -> None:
        moving = wanted and stream is not None and stream.isatty()
        self._stream = stream if moving or every is not None else None
        self._every = every
        self._due = time.monotonic() + (PATIENCE if every is None else every)
        self._shown = False

    def show(self, text: str) -> None:
        """Replace the line, unless it has only just been replaced."""
        now = time.monotonic()
        if self._stream is None or now < self._due:
            return
        if self._every is not None:
            self._due = now + self._every
            with contextlib.suppress(OSError):
                self._stream.write(f"gmmcli: {printable(text)}\n")
                self._stream.flush()
            return
        self._due = now + INTERVAL
        self._shown = True
        self._write(self._stream, printable(text))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown and self._stream is not None:
            self._shown = False
            self._write(self._stream, "")

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        room = shutil.get_terminal_size().columns - 1
        # blanks instead of an escape sequence: any terminal understands them
        with contextlib.suppress(OSError):
            stream.write(f"\r{text[:room]:<{room}}\r{text[:room]}")
            stream.flush()
