"""The bytes of one input: a file, a pipe or standard input, decompressed, as often as needed."""

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import sys
import zlib
from types import TracebackType
from typing import Protocol, Self

import pyarrow as pa

from gmmcli.data.paths import split_extension
from gmmcli.data.spool import Copy, Pipe, PipeReader, Scratch
from gmmcli.errors import DataError

# Three bytes are too few to tell bzip2 from a column named "BZh1": the block's magic follows them.
_MAGIC = (
    (re.compile(rb"\x1f\x8b\x08"), "gz"),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), "bz2"),
    (re.compile(rb"\xfd7zXZ\x00"), "xz"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "zst"),
)
_MAGIC_LENGTH = 10


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def changed(name: str) -> DataError:
    """The error for an input that is not what it was."""
    return DataError(
        f"{name} has changed while it was read", "run again when nothing writes to it any more"
    )


class Stream:
    """One pass over the decompressed bytes of a source.

    checksum : CRC-32 of what has been read.
    """

    def __init__(self, raw: io.RawIOBase, content: _Readable, source: "Source") -> None:
        self._raw = raw
        self._content = content
        self._source = source
        self.checksum = 0

    def read(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end, so that blocks never depend on timing."""
        pieces: list[bytes] = []
        while size > 0:
            piece = self._read_some(size)
            if not piece:
                break
            pieces.append(piece)
            size -= len(piece)
        content = b"".join(pieces) if len(pieces) != 1 else pieces[0]
        self.checksum = zlib.crc32(content, self.checksum)
        return content

    def _read_some(self, size: int) -> bytes:
        try:
            return self._content.read(size)
        except (EOFError, zlib.error, lzma.LZMAError, OSError, pa.ArrowException) as error:
            if isinstance(error, OSError) and error.strerror:
                why = f"cannot be read: {error.strerror}"
            else:
                why = "is damaged or cut short: it cannot be decompressed to its end"
            raise DataError(
                f"{self._source.name} {why}", "look at the file, and make or fetch it again"
            ) from error

    def share(self) -> float | None:
        """How much of the source has been read, 0 to 1; None while its size is not known."""
        size = self._source.size()
        return self._raw.tell() / size if size else None

    def close(self) -> None:
        """Ends the pass."""
        self._raw.close()


class Source:
    """An input by its path; "-" is standard input. Opens nothing that it does not close.

    scratch : the room for its temporary copies, of max_spool bytes if that is given.

    Raises
    ------
    DataError : there is no such file, or it cannot be read.
    """

    def __init__(self, path: str, max_spool: int | None = None) -> None:
        self.path = path
        self.name = "standard input" if path == "-" else path
        self.scratch = Scratch(self.name, max_spool)
        self.format, _ = split_extension(path)
        self._pipe: Pipe | None = None
        self._file = path
        try:
            self._open_pipe_or_check()
            self._identity = self._look()
            with self._open_raw() as raw:
                head = Stream(raw, raw, self).read(_MAGIC_LENGTH)
        except OSError as error:
            raise DataError(
                f"cannot read {self.name}: {error.strerror}", "check the path and its permissions"
            ) from error
        self.compression = next((c for magic, c in _MAGIC if magic.match(head)), None)

    def _open_pipe_or_check(self) -> None:
        if self.path != "-":
            mode = os.stat(self.path).st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                stream = open(self.path, "rb", buffering=0)  # noqa: SIM115
                self._pipe = Pipe(stream, self.scratch)
            return
        if sys.stdin is None:
            raise DataError("standard input is closed", "name a file")
        stdin = sys.stdin.buffer
        try:
            is_file = stat.S_ISREG(os.fstat(stdin.fileno()).st_mode) and stdin.tell() == 0
            is_file = is_file and os.access("/dev/stdin", os.R_OK)
        except (OSError, ValueError):
            is_file = False
        if is_file:
            self._file = "/dev/stdin"
        else:
            self._pipe = Pipe(stdin, self.scratch)

    def _look(self) -> tuple[int, ...] | None:
        if self._pipe is not None:
            return None
        found = os.stat(self._file)
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def check_unchanged(self) -> None:
        """Raises DataError if the file is another one, or was written to, since it was opened."""
        try:
            same = self._look() == self._identity
        except OSError:
            same = False
        if not same:
            raise changed(self.name)

    def _open_raw(self) -> io.RawIOBase:
        if self._pipe is not None:
            return PipeReader(self._pipe)
        return open(self._file, "rb", buffering=0)

    def size(self) -> int | None:
        """Bytes as stored; None while a pipe has not ended."""
        if self._pipe is not None:
            return self._pipe.size()
        return os.stat(self._file).st_size

    def open(self, *, again: bool = True) -> Stream:
        """A new pass from the first byte.

        again : whether another pass may follow; if not, a pipe is no longer kept.
        """
        if self._pipe is not None:
            self._pipe.keep = again
        raw = self._open_raw()
        return Stream(raw, self._decompressed(raw), self)

    def _decompressed(self, raw: io.RawIOBase) -> _Readable:
        match self.compression:
            case "gz":
                return gzip.GzipFile(fileobj=raw)
            case "bz2":
                return bz2.BZ2File(raw)
            case "xz":
                return lzma.LZMAFile(raw)  # type: ignore[arg-type]
            case "zst":
                stream: _Readable = pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")
                return stream
            case _:
                return raw

    def starts_with(self, magic: bytes) -> bool:
        """Whether the decompressed content starts so."""
        stream = self.open()
        try:
            return stream.read(len(magic)) == magic
        finally:
            stream.close()

    def seekable_file(self) -> pa.NativeFile:
        """The decompressed content as a file that can be read at any place; to be closed."""
        if self._pipe is None and self.compression is None:
            return pa.OSFile(self._file)
        copy = Copy(self.scratch)
        stream = self.open(again=False)
        try:
            while piece := stream.read(1 << 20):
                copy.append(piece, stream.share())
        finally:
            stream.close()
        copy.file.seek(0)
        return pa.PythonFile(copy.file, "r")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives back temporary copies."""
        self.scratch.close()
        if self._pipe is not None:
            self._pipe.close()
