"""Who does the work: one thread, or whatever else offers the same two ways of sharing it.

The engine only says what is independent; `gmmcli.execution` has the threads.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from operator import add
from typing import Protocol, Self, TypeVar


class Addable(Protocol):
    """What a block gives."""

    def __add__(self, other: Self, /) -> Self:
        """The two together."""


T = TypeVar("T")
R = TypeVar("R")
Sum = TypeVar("Sum", bound=Addable)


class Workers(Protocol):
    """Maps a function over items; results come in the order of the items."""

    def map_ordered(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """The results in order."""

    def map_reduce(self, function: Callable[[T], Sum], items: Iterable[T]) -> Sum:
        """The sum of the results, added in order."""


class Serial:
    """One thread."""

    def map_ordered(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """The results in order."""
        return map(function, items)

    def map_reduce(self, function: Callable[[T], Sum], items: Iterable[T]) -> Sum:
        """The sum of the results, added in order."""
        return reduce(add, map(function, items))
