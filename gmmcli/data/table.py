"""Table: what a CSV and a Parquet file have in common, whatever their size.

A table is read in passes. A pass is a sequence of chunks, which are cheap to get and come in
order; parsing a chunk gives a block of numbers, and may be done on any thread:

    for chunk in table.chunks(selection):
        block = table.parse(chunk, selection)
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from gmmcli.data.spool import Scratch

if TYPE_CHECKING:
    import pyarrow as pa

MapOrdered = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How an input is to be read.

    Parameters
    ----------
    input_format : "csv", "tsv" or "parquet"; None goes by the extension and the first bytes.
    delimiter : one character; None is a comma, or a tab for TSV.
    header : False names the columns "1", "2", …
    na_values : cells that are missing besides pandas' default list.
    encoding : of the text; any codec that Python knows.
    max_spool : bytes that temporary copies may take; None is as many as the disk holds.
    """

    input_format: str | None = None
    delimiter: str | None = None
    header: bool = True
    na_values: tuple[str, ...] = ()
    encoding: str = "utf-8"
    max_spool: int | None = None


@dataclass(frozen=True)
class Selection:
    """The columns to be read as numbers, as row weights and as text.

    rows: whether the blocks keep their rows, to be written back.
    categories: columns of text, of which a cell may be missing.
    """

    features: tuple[str, ...]
    weights: str | None = None
    labels: str | None = None
    rows: bool = True
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """What a column holds.

    why_not : why it is no feature unless asked for ("text", "empty", …); "" for a numeric one.
    numeric : whether it can be a feature when it is asked for.
    row, cell : the first cell (row from 1) that is no number; 0 and "" when there is none.
    """

    why_not: str = ""
    numeric: bool = True
    row: int = 0
    cell: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows, not yet parsed.

    first_row : number of rows before it.
    share : how much of the input is behind its last row, 0 to 1; None when that is not known.
    """

    content: Any
    first_row: int
    n_rows: int
    share: float | None


class Rows(Protocol):
    """The rows of a block as they were in the input."""

    def table(self) -> "pa.Table":
        """All columns: text from CSV, the stored types from Parquet."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows as numbers.

    first_row : number of rows before it.
    features : D names.
    values : (D, B) float64, C-contiguous; NaN where a cell is missing.
    weights : (B,) or None; finite and not negative.
    labels : B texts or None.
    rows : for a writer; None when the selection did not ask for them.
    categories : B texts for each column that was asked for, None where a cell is missing.
    """

    first_row: int
    values: NDArray[np.float64]
    weights: NDArray[np.float64] | None
    labels: list[str] | None
    rows: Rows | None
    features: tuple[str, ...]
    categories: tuple[list[str | None], ...] = ()

    @property
    def n_rows(self) -> int:
        """B."""
        n_rows: int = self.values.shape[1]
        return n_rows

    @property
    def complete(self) -> NDArray[np.bool_]:
        """(B,): the rows without a missing or infinite value."""
        complete: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(self.values), axis=0)
        return complete


@dataclass(frozen=True, kw_only=True)
class TextRules:
    """How a CSV input is written, so that its rows can be written back the same way.

    header : the first line as it is, with the empty lines before it and without its line end, in
        UTF-8; None with no header.
    """

    header: bytes | None
    delimiter: str
    line_end: bytes
    encoding: str
    byte_order_mark: bool


class Table(ABC):
    """A tabular input; a context manager that gives back what it holds.

    name : for messages.
    path : as given; "-" is standard input.
    columns : all of them, in the order of the file, without duplicates.
    kinds : name -> what the column holds, judged by the first rows.
    text_rules : None for Parquet.
    schema : the Parquet schema; None for CSV.
    n_rows : None when only a full pass can tell.
    n_blank_lines : how many empty lines the last pass went over.
    scratch : the room for its temporary copies.
    repeatable : whether a pass costs little enough to be made for each step of a fit.
    """

    repeatable: ClassVar[bool] = False

    name: str
    path: str
    columns: tuple[str, ...]
    kinds: Mapping[str, ColumnKind]
    text_rules: TextRules | None = None
    schema: "pa.Schema | None" = None
    scratch: Scratch
    n_rows: int | None = None
    n_blank_lines: int = 0

    @property
    def numeric_columns(self) -> tuple[str, ...]:
        """The columns that are features when none are asked for."""
        return tuple(name for name in self.columns if not self.kinds[name].why_not)

    def where(self, row: int) -> str:
        """Words for a row (from 1) of the table."""
        return f"{self.name}: row {row}"

    @abstractmethod
    def chunks(self, selection: Selection, *, again: bool = True) -> Iterator[Chunk]:
        """A new pass over the rows; the borders of chunks are the same in every pass.

        again : whether another pass may follow; if not, a pipe is no longer kept.

        Raises
        ------
        DataError : at the beginning or the end, if the input has changed since it was opened.
        """

    @abstractmethod
    def parse(self, chunk: Chunk, selection: Selection) -> Block:
        """The numbers of a chunk of the same selection; safe on several threads at once."""

    @abstractmethod
    def close(self) -> None:
        """Gives back open files and temporary copies."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
