"""Temporary copies of an input, and a pipe that can be read again from one.

The files have no name, so nothing is left behind however the process ends.
"""

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from gmmcli.errors import DataError

# A pipe that is shorter than this stays in memory, and never touches a disk.
SPOOL_IN_MEMORY = 64 << 20


def readable_size(n_bytes: float) -> str:
    """A number of bytes for a person, in powers of 1000 as --memory reads them."""
    units = ["TB", "GB", "MB", "kB", "bytes"]
    while n_bytes >= 999.5 and len(units) > 1:
        n_bytes /= 1000
        units.pop()
    digits = f"{n_bytes:.0f}" if n_bytes >= 99.5 else f"{n_bytes:.3g}"
    return f"{digits} {units[-1]}"


class Scratch:
    """The room that the temporary copies of one input take.

    name : of the input, for messages.
    limit : bytes at most; None is as much as the disk holds.
    used : bytes on disk so far.
    """

    def __init__(self, name: str, limit: int | None = None) -> None:
        self._name = name
        self._limit = limit
        self._closing = ExitStack()
        self.used = 0

    def new_file(self, *, in_memory: int = 0) -> IO[bytes]:
        """An empty file without a name; the first bytes in memory, if so many are given."""
        if in_memory:
            spooled = tempfile.SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115
            return self._closing.enter_context(spooled)
        with self.explained():
            return self._closing.enter_context(tempfile.TemporaryFile(buffering=0))

    def take(self, n_bytes: int, expected: float | None = None) -> None:
        """Counts bytes before they are written; so many in all are expected, where that is known.

        Raises
        ------
        DataError : they are too many.
        """
        self.used += n_bytes
        if self._limit is None or self.used <= self._limit:
            return
        total = f", of about {readable_size(expected)}" if expected else ""
        raise DataError(
            f"temporary copies of {self._name} need {readable_size(self.used)} so far{total}, more "
            f"than --max-spool {readable_size(self._limit)}",
            "raise --max-spool, or --memory; a Parquet file needs no copy",
        )

    @contextmanager
    def explained(self) -> Iterator[None]:
        """A fault of the disk becomes a DataError."""
        try:
            yield
        except OSError as error:
            so_far = f" after {readable_size(self.used)}" if self.used else ""
            raise DataError(
                f"{self._name} could not be kept in {tempfile.gettempdir()}{so_far}: "
                f"{error.strerror or error}",
                "set TMPDIR to a folder with more room; a Parquet file needs no copy",
            ) from error

    def close(self) -> None:
        """Gives back the files."""
        self._closing.close()


class Copy:
    """Bytes that are kept to be read again."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._n_on_disk = 0
        self.file = scratch.new_file(in_memory=SPOOL_IN_MEMORY)
        self.n_bytes = 0

    def append(self, piece: bytes, share: float | None = None) -> None:
        """Adds to the end; `share` of all is there afterwards. See Scratch.take."""
        stop = self.n_bytes + len(piece)
        if stop > SPOOL_IN_MEMORY:
            self._scratch.take(stop - self._n_on_disk, stop / share if share else None)
            self._n_on_disk = stop
        with self._scratch.explained():
            self.file.seek(self.n_bytes)
            self.file.write(piece)
        self.n_bytes = stop

    def read_at(self, position: int, size: int) -> bytes:
        """Up to `size` bytes from `position` on; none at the end."""
        self.file.seek(position)
        return self.file.read(min(size, self.n_bytes - position))


class Pipe:
    """A stream that can be read once, kept in a temporary file so that it can be read again.

    The first pass reads the pipe itself, so its first rows are there before its last.

    keep : whether what comes through is kept for a later pass.
    """

    def __init__(self, stream: IO[bytes], scratch: Scratch) -> None:
        self._stream = stream
        self._copy = Copy(scratch)
        self._n_read = 0
        self._ended = False
        self.keep = True

    def read_at(self, position: int, size: int) -> bytes:
        """Up to `size` bytes from `position` on; none at the end."""
        if position < self._n_read or self._ended:
            return self._copy.read_at(position, size)
        piece = self._stream.read(size)
        self._ended = not piece
        self._n_read += len(piece)
        if self.keep:
            self._copy.append(piece)
        return piece

    def size(self) -> int | None:
        """All bytes of the pipe; None before its end."""
        return self._n_read if self._ended else None

    def close(self) -> None:
        """Ends the reading."""
        if self._stream is not sys.stdin.buffer:
            self._stream.close()


class PipeReader(io.RawIOBase):
    """One pass over a pipe."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """See io.RawIOBase."""
        piece = self._pipe.read_at(self._position, len(buffer))
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def tell(self) -> int:
        """The number of bytes read."""
        return self._position
