"""Where output goes: a file that appears whole or not at all, standard output, a special file."""

import io
import os
import secrets
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import IO, Self

from gmmcli.data.paths import files_of, standard_stream
from gmmcli.errors import OutputError, UsageError

_ADVICE = "check the folder, its permissions and the room left on the disk"


def check_output(path: str, inputs: Sequence[str]) -> None:
    """Refuses an output that is one of the inputs, or of the files in one, by whatever name.

    Raises
    ------
    UsageError : it is.
    DataError : an input is a folder or a pattern without files.
    """
    for other in [file for one in inputs for file in files_of(one) or (one,)]:
        if _same_file(path, other):
            shown = "standard input" if other == "-" else other
            raise UsageError(
                f"the output {path} is the input {shown}", "write to another file, then rename it"
            )


def _same_file(path: str, other: str) -> bool:
    if path == "-":
        return False
    try:
        output = os.stat(path)
        source = os.fstat(sys.stdin.fileno()) if other == "-" else os.stat(other)
    except (OSError, ValueError):
        return other != "-" and os.path.realpath(path) == os.path.realpath(other)
    return stat.S_ISREG(output.st_mode) and os.path.samestat(output, source)


def write_text(path: str, text: str) -> None:
    """Writes a whole file, in UTF-8; "-" is standard output.

    Raises
    ------
    OutputError : it cannot be written; the path then holds what it held before.
    """
    write_bytes(path, text.encode())


def write_bytes(path: str, data: bytes) -> None:
    """Writes a whole file; "-" is standard output.

    Raises
    ------
    OutputError : it cannot be written; the path then holds what it held before.
    """
    with Destination(path) as out:
        out.write(data)


class Destination(io.RawIOBase):
    """A binary output as a context manager; opened on construction, so that faults show early.

    A regular file is written under another name in the same folder and renamed when the block
    ends well, so at every instant the path holds the old file, the new one or nothing.
    BrokenPipeError is let through: a reader that has seen enough is no error.

    Raises
    ------
    OutputError : it cannot be opened, written or renamed.
    """

    def __init__(self, path: str) -> None:
        # by its other names too, since a file behind standard output must not be replaced
        path = standard_stream(path, 1)
        self.path = path
        self._name = "standard output" if path == "-" else path
        self._temporary: str | None = None
        self._target = path
        with self._explained():
            self._file = self._open()

    def _open(self) -> IO[bytes]:
        if self.path == "-":
            if sys.stdout is None:
                raise OutputError("standard output is closed", "open it, or name a file")
            sys.stdout.flush()
            return sys.stdout.buffer
        # the path of a shell's own pipe, /dev/fd/63, has no place in a folder
        try:
            mode = os.stat(self.path).st_mode
        except FileNotFoundError:
            self._target = os.path.realpath(self.path)
            return self._open_temporary(None)
        if stat.S_ISDIR(mode):
            raise OutputError(f"cannot write {self.path}: it is a folder", "name a file in it")
        if not stat.S_ISREG(mode):
            return open(self._target, "wb", buffering=0)
        self._target = os.path.realpath(self.path)
        if not os.access(self._target, os.W_OK):
            raise OutputError(f"cannot write {self.path}: it is read-only", _ADVICE)
        return self._open_temporary(stat.S_IMODE(mode))

    def _open_temporary(self, mode: int | None) -> IO[bytes]:
        folder = os.path.dirname(self._target)
        temporary = os.path.join(folder, f".gmmcli-{secrets.token_hex(6)}.tmp")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        self._temporary = temporary
        if mode is not None:
            os.fchmod(handle, mode)
        return open(handle, "wb")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"cannot write {self._name}: {error.strerror}", _ADVICE) from error

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        """Writes all of the data."""
        with self._explained():
            view = memoryview(data).cast("B")
            done = 0
            while done < len(view):
                done += self._file.write(view[done:])
            return done

    def writable(self) -> bool:
        """Yes."""
        return True

    def _finish(self) -> None:
        self._file.flush()
        if self.path == "-":
            return
        if self._temporary is None:
            self._file.close()
            return
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._temporary, self._target)
        self._temporary = None
        # the file is there; a folder that cannot be synchronised does not undo that
        with suppress(OSError):
            folder = os.open(os.path.dirname(self._target), os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _discard(self) -> None:
        if self.path == "-":
            return
        # what could not be written is thrown away with the rest
        with suppress(OSError):
            self._file.close()
        if self._temporary is not None:
            os.unlink(self._temporary)
            self._temporary = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._discard()
            return
        try:
            with self._explained():
                self._finish()
        except BaseException:
            self._discard()
            raise
