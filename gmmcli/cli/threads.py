"""Threads for the whole of a command: EM's, and those that read and write."""

from collections.abc import Iterator
from contextlib import contextmanager

from gmmcli.data import limit_threads
from gmmcli.execution import Executor, executor


@contextmanager
def threads(n_threads: int | None) -> Iterator[Executor]:
    """So many of them; as many as the CPUs if not said."""
    with executor(n_threads) as pool:
        limit_threads(pool.n_threads)
        yield pool
