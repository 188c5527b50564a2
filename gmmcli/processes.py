"""Processes that hold what this one holds: the way round the interpreter's lock.

Threads take turns in Python, and between the short calls of a pass over rows they wait for each
other longer than they work. A forked process has an interpreter of its own and the same rows, which
are not copied. It is told a function and items, takes of them what nobody has taken yet, and sends
back the results.

The processes never touch a file or the terminal, and nothing is lost with them: whoever made
them may kill them at any instant, and does the work of one that was killed by others.
"""

import os
import pickle
import signal
import struct
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, TypeVar

Data = TypeVar("Data")
T = TypeVar("T")
R = TypeVar("R")

OFTEN = 0.05
"""Seconds after which results are sent that came one by one."""
LOOKED = 0.003
"""Seconds after which it is looked whether some were: whoever sends many waits until then."""
MOST_CLAIMS = 4_096
"""Claims that are written to a pipe at once, which holds more."""
CLAIM = struct.Struct("i")
NONE_LEFT = -1
ENDING: list[int] = []
"""Processes that were told to end, which takes a while that nobody waits for."""


class Team:
    """A process and copies of it, which work on the same data.

    Parameters
    ----------
    data : what the work is about; not to be changed later, since the others do not see that.
    n_members : processes, this one included.

    Raises
    ------
    OSError : no more processes are allowed here.
    """

    def __init__(self, data: object, n_members: int) -> None:
        self._others: dict[Connection, int] = {}
        self._descriptors: tuple[int, ...] = os.pipe()
        self._claims, self._claims_written = self._descriptors
        try:
            for _ in range(n_members - 1):
                mine, theirs = Pipe()
                pid = _fork()
                if pid == 0:
                    mine.close()
                    self._serve(data, theirs)
                theirs.close()
                self._others[mine] = pid
        except OSError:
            self.close()
            raise

    def map(self, data: Data, function: Callable[[Data, T], R], items: Sequence[T]) -> Iterator[R]:
        """The results of function(data, item), in the order of the items.

        Parameters
        ----------
        data : what the team was made with.
        function, items : small, since they are sent.

        Raises what the function raises. After that, or if not all results are taken, the team is
        closed.
        """
        results: dict[int, R] = {}
        n_members, n_given, last = len(self._others) + 1, 0, len(items) - 1
        busy, at_rest = set(self._others), False
        try:
            self._offer(len(items), n_members)
            request = pickle.dumps((function, items))
            for other in self._others:
                with suppress(OSError):
                    other.send_bytes(request)
            looked = time.monotonic()
            for i in self._claimed(len(items)):
                results[i] = function(data, items[i])
                if time.monotonic() - looked > LOOKED:
                    self._receive(results, busy, timeout=0)
                    looked = time.monotonic()
                # nobody may come back for more after the last one
                while n_given in results and n_given < last:
                    yield results.pop(n_given)
                    n_given += 1
            while busy:
                self._receive(results, busy)
                while n_given in results and n_given < last:
                    yield results.pop(n_given)
                    n_given += 1
            at_rest = len(self._others) + 1 == n_members
        finally:
            if not at_rest:
                self.close()
        for i in range(n_given, len(items)):
            yield results.pop(i) if i in results else function(data, items[i])

    @property
    def is_open(self) -> bool:
        """Whether there are others still."""
        return bool(self._others)

    def close(self) -> None:
        """End the other processes, whatever they do."""
        for connection, pid in self._others.items():
            connection.close()
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            ENDING.append(pid)
        self._others = {}
        reap()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = ()

    def _offer(self, n_items: int, n_members: int) -> None:
        n_claims = -(-n_items // _claim_size(n_items))
        numbers = [*range(n_claims), *[NONE_LEFT] * n_members]
        os.write(self._claims_written, b"".join(map(CLAIM.pack, numbers)))

    def _claimed(self, n_items: int) -> Iterator[int]:
        """The items that this process is to do: whoever reads a number from the pipe has it."""
        size = _claim_size(n_items)
        while data := os.read(self._claims, CLAIM.size):
            number = CLAIM.unpack(data)[0]
            if number == NONE_LEFT:
                return
            yield from range(number * size, min((number + 1) * size, n_items))

    def _receive(
        self, results: dict[int, R], busy: set[Connection], timeout: float | None = None
    ) -> None:
        """Take what others have sent; one that has ended is no longer busy, or of the team."""
        ready = wait(list(busy), timeout)
        for connection in [one for one in busy if one in ready]:
            try:
                sent, is_last = connection.recv()
            except (EOFError, OSError):
                busy.discard(connection)
                ENDING.append(self._others.pop(connection))
                connection.close()
                continue
            if isinstance(sent, BaseException):
                raise sent
            results.update(sent)
            if is_last:
                busy.discard(connection)

    def _serve(self, data: object, connection: Connection) -> None:
        """What a copy does until it is told nothing more; does not return."""
        try:
            # Ctrl-C reaches all processes of a terminal; whoever made this one will end it
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            # else a copy would wait for claims that itself could write
            os.close(self._claims_written)
            for other in self._others:
                other.close()
            while True:
                function, items = connection.recv()
                for message in self._messages(data, function, items):
                    connection.send(message)
        except (EOFError, OSError):
            pass
        finally:
            os._exit(0)

    def _messages(
        self, data: object, function: Callable[[Any, T], R], items: Sequence[T]
    ) -> Iterator[tuple[list[tuple[int, R]] | Exception, bool]]:
        done: list[tuple[int, R]] = []
        sent = time.monotonic()
        try:
            for i in self._claimed(len(items)):
                done.append((i, function(data, items[i])))
                if time.monotonic() - sent > OFTEN:
                    yield done, False
                    done, sent = [], time.monotonic()
        except Exception as error:  # noqa: BLE001 - it is raised again where it can be told
            yield error, True
        else:
            yield done, True


def reap() -> None:
    """Let go of the remains of processes that have ended."""
    for pid in ENDING[:]:
        # somebody else may have done so already
        with suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                continue
        ENDING.remove(pid)


def _claim_size(n_items: int) -> int:
    return -(-n_items // MOST_CLAIMS) or 1


def _fork() -> int:
    with warnings.catch_warnings():
        # Python warns of locks that other threads hold. The copies take none but those of the
        # allocator and of BLAS, and both see to forks.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
