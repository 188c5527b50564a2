"""Who does the work: one thread, or whatever else offers the same ways of sharing it.

The engine only says what is independent; `gmmcli.execution` has the threads and processes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import Protocol, Self, TypeVar


class Addable(Protocol):
    """What a block gives."""

    def __add__(self, other: Self, /) -> Self:
        """The two together."""


Data = TypeVar("Data")
T = TypeVar("T")
R = TypeVar("R")
Sum = TypeVar("Sum", bound=Addable)


class Workers(Protocol):
    """Maps a function over items; results come in the order of the items."""

    @property
    def n_threads(self) -> int:
        """How many do the work."""

    def map_ordered(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """The results in order."""

    def map_reduce(self, function: Callable[[T], Sum], items: Iterable[T]) -> Sum:
        """The sum of the results, added in order."""

    def map_over(
        self,
        data: Data,
        function: Callable[[Data, T], R],
        items: Sequence[T],
        *,
        is_long: bool = False,
    ) -> Iterator[R]:
        """The results of function(data, item), in order.

        Parameters
        ----------
        data : in memory, not changed later, and likely to be gone over again.
        function, items : such that can be pickled.
        is_long : each item is known to take so long that it pays to share them.
        """


class Serial:
    """One thread."""

    n_threads = 1

    def map_ordered(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """The results in order."""
        return map(function, items)

    def map_reduce(self, function: Callable[[T], Sum], items: Iterable[T]) -> Sum:
        """The sum of the results, added in order."""
        return reduce(add, map(function, items))

    def map_over(
        self,
        data: Data,
        function: Callable[[Data, T], R],
        items: Sequence[T],
        *,
        is_long: bool = False,
    ) -> Iterator[R]:
        """The results of function(data, item), in order."""
        del is_long
        return (function(data, item) for item in items)


def called(function: Callable[[T], R], item: T) -> R:
    """What `map_over` does where the data are a function that holds them: a whole job an item."""
    return function(item)
