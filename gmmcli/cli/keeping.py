"""--checkpoint: the state of a fit is kept in a file, so that a stopped one can be taken up."""

import contextlib
import os
import time
from types import TracebackType
from typing import Any, Self

from gmmcli.checkpoint import dumps, loads
from gmmcli.cli.talk import Talk
from gmmcli.data import write_text
from gmmcli.errors import DataError
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.snapshot import Snapshot

INTERVAL = 2.0
"""Seconds between two writes."""


class Checkpoint:
    """A context in which a fit is kept in a file; written once more when it is left early.

    Parameters
    ----------
    path : of the file, or None to keep nothing.
    columns : the names of the features.
    """

    def __init__(self, path: str | None, columns: tuple[str, ...]) -> None:
        self._path = path
        self._columns = list(columns)
        self._latest: dict[str, Any] | None = None
        self._due = time.monotonic() + INTERVAL

    def resume(self, options: FitOptions, key: dict[str, Any], talk: Talk) -> Snapshot | None:
        """What the file holds, if there is one.

        Parameters
        ----------
        key : of the fit that is to go on.
        """
        if self._path is None:
            return None
        try:
            with open(self._path, encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            message = f"cannot read the checkpoint {self._path}: {error}"
            raise DataError(message, "give another path to --checkpoint") from error
        snapshot = loads(text, options, self._columns, name=self._path)
        snapshot.check(key)
        n_iter = max(ascent.state.n_iter for ascent in snapshot.ascents)
        talk.note(f"taken up from {self._path} after iteration {n_iter}")
        return snapshot

    def keep(self, snapshot: Snapshot) -> None:
        """Remember the state, and write it if the last write is a while ago."""
        if self._path is None:
            return
        self._latest = snapshot.plain()
        if time.monotonic() >= self._due:
            self._write()

    def _write(self) -> None:
        if self._path is not None and self._latest is not None:
            write_text(self._path, dumps(self._latest, self._columns))
            self._due = time.monotonic() + INTERVAL

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._write()
        elif self._path is not None:
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path)
