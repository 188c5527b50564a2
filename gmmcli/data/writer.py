"""Writer: what outputs of rows have in common, whatever their format."""

import bz2
import gzip
import lzma
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import pyarrow as pa

from gmmcli.data.destination import Destination
from gmmcli.data.rendering import Values
from gmmcli.data.table import Block, Table


@dataclass(frozen=True)
class AppendedColumn:
    """A column of the output. kind: "int", "float" or "text"."""

    name: str
    kind: str = "float"


class _Out(Protocol):
    def write(self, data: bytes, /) -> int: ...


class Writer(ABC):
    """An output of rows; a context manager that makes the output appear when it ends well.

        writer.write(block, [labels])

    or, to format on several threads: `writer.emit(rendered)` in order, of what
    `writer.render(block, [labels])` gave on any thread.
    """

    def __init__(
        self,
        destination: Destination,
        compression: str | None,
        like: Table | None,
        columns: Sequence[AppendedColumn],
    ) -> None:
        self._destination = destination
        self._like = like
        self._columns = tuple(columns)
        self._closing = ExitStack()
        self._closing.enter_context(destination)
        self._out = self._compressed(compression)

    def _compressed(self, compression: str | None) -> Any:
        match compression:
            case "gz":
                # no name and time inside, so that the same rows give the same bytes
                stream: Any = gzip.GzipFile("", "wb", 6, self._destination, mtime=0)
            case "bz2":
                stream = bz2.BZ2File(self._destination, "wb")
            case "xz":
                stream = lzma.LZMAFile(self._destination, "wb")  # type: ignore[arg-type]  # noqa: SIM115
            case "zst":
                return _ZstdFrames(self._destination)
            case _:
                return self._destination
        return self._closing.enter_context(stream)

    def write(self, block: Block | None, values: Sequence[Values]) -> None:
        """Appends values, an array of B for each column, to the rows of a block.

        Masked values, None and NaN make empty cells. Without an input table, block is None.
        """
        self.emit(self.render(block, values))

    @abstractmethod
    def render(self, block: Block | None, values: Sequence[Values]) -> Any:
        """The rows in the form of the output; safe on several threads at once."""

    @abstractmethod
    def emit(self, rendered: Any) -> None:
        """Writes what `render` gave; one call at a time, in the order of the rows."""

    @abstractmethod
    def _end(self) -> None:
        """Writes what comes after the last row."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._closing.__exit__(kind, error, trace)
            return
        with self._closing:
            self._end()


class _ZstdFrames:
    """What is written becomes frames of zstd, one a write."""

    def __init__(self, out: _Out) -> None:
        self._out = out

    def write(self, data: bytes) -> int:
        self._out.write(pa.compress(data, codec="zstd", asbytes=True))
        return len(data)


def columns_of(block: Block) -> list[pa.Array]:
    """All columns of a block's rows."""
    if block.rows is None:
        raise ValueError("the block was read without its rows")
    return [column.combine_chunks() for column in block.rows.table().columns]
