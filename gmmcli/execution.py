"""Threads and processes: the one seam between serial and parallel.

Blocks are handed out in order and their results are taken back in order, so a sum has the same
bits for any number of threads. BLAS is held at one thread: the parallel work is over blocks.

Threads share what comes from files, block by block. What is over data in memory, again and again,
is shared by processes that hold the same data.
"""

import math
import os
import resource
import sys
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial, reduce
from itertools import chain, islice
from operator import add
from pathlib import Path

from threadpoolctl import threadpool_limits

from gmmcli.mixture.workers import Data, R, Sum, T
from gmmcli.processes import Team

CONTROL_GROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
MOST_BEHIND = 2
"""Calls that may wait while one is under way: each holds a block."""
LOOK_AHEAD = 3
"""Blocks a thread may be ahead of the sum: enough to keep it busy, few enough for memory."""
WORTH = 5e-2
"""Seconds of work on the same data from which a team is made. To fork takes a few milliseconds, and
every page that this process or the others write to afterwards takes a little once more."""
FIRST_ITEMS = 4
"""Items that tell how long the others will take."""
CLEARLY = 4 * WORTH
"""Seconds foreseen from which one item tells enough: the first takes up to twice as long."""
SHORT = 1.5e-3
"""Seconds of a call that is too short to be shared, since a team has to be told and to answer."""


def available_cpus() -> int:
    """CPUs that this process may use: its affinity, and its control group's quota."""
    try:
        cpus = len(os.sched_getaffinity(0))
    except AttributeError:
        cpus = os.cpu_count() or 1
    return max(1, min([cpus, *_cgroup_cpus()]))


def available_memory() -> int:
    """Bytes that this process may use: of the machine, its control groups and its address space."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *_cgroup_memory()]
    address_space = resource.getrlimit(resource.RLIMIT_AS)[0]
    if address_space != resource.RLIM_INFINITY:
        # what is mapped is mostly libraries and room for stacks, and will not be given back
        mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limits.append(max(address_space - mapped * os.sysconf("SC_PAGE_SIZE"), 1))
    return min(limits)


def _cgroup_cpus() -> Iterator[int]:
    """CPUs of the quotas that control groups set, rounded up."""
    for text in _cgroup_limits("cpu.max"):
        quota, period = text.split()
        yield -(-int(quota) // int(period))


def _cgroup_memory() -> Iterator[int]:
    """Bytes that control groups allow."""
    yield from map(int, _cgroup_limits("memory.max"))


def _cgroup_limits(name: str) -> Iterator[str]:
    """What the version-2 control group of this process, and those around it, have in this file."""
    try:
        lines = MEMBERSHIP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        if not line.startswith("0::/"):
            continue
        group = CONTROL_GROUPS / line.removeprefix("0::/")
        for folder in (group, *group.parents):
            with suppress(OSError):  # a group without limits, or none of these folders
                text = (folder / name).read_text(encoding="ascii")
                if not text.startswith("max"):
                    yield text


@dataclass
class _Use:
    """How much was done on some data so far, and who shares it since.

    seconds : about, before there was a team.
    """

    seconds: float = 0.0
    team: Team | None = None


class Executor:
    """Maps a function over blocks on several threads, in order: `Workers` of the engine."""

    def __init__(self, pool: ThreadPoolExecutor | None, n_threads: int) -> None:
        self._pool = pool
        self.n_threads = n_threads
        # on macOS the system's own libraries do not survive a fork
        self._n_members = n_threads if sys.platform == "linux" else 1
        self._uses: weakref.WeakKeyDictionary[object, _Use] = weakref.WeakKeyDictionary()

    def close(self) -> None:
        """End what was started."""
        for use in self._uses.values():
            if use.team is not None:
                use.team.close()

    def map_ordered(self, function: Callable[[T], R], blocks: Iterable[T]) -> Iterator[R]:
        """Results in the order of the blocks, with only a few blocks in flight."""
        iterator = iter(blocks)
        first = list(islice(iterator, 2))
        if self._pool is None or len(first) < 2:
            yield from map(function, chain(first, iterator))
            return
        waiting: deque[Future[R]] = deque()
        try:
            for block in chain(first, iterator):
                waiting.append(self._pool.submit(function, block))
                if len(waiting) >= LOOK_AHEAD * self.n_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def map_reduce(self, function: Callable[[T], Sum], blocks: Iterable[T]) -> Sum:
        """The sum of the results, added in the order of the blocks."""
        return reduce(add, self.map_ordered(function, blocks))

    def map_over(
        self,
        data: Data,
        function: Callable[[Data, T], R],
        items: Sequence[T],
        *,
        is_long: bool = False,
    ) -> Iterator[R]:
        """Results of function(data, item) in the order of the items, shared by processes.

        There are others from when the data take longer than it takes to make them, or at once if
        the items are known to be long.
        """
        use, n_done = self._uses.setdefault(data, _Use()), 0
        before, fastest = use.seconds, math.inf
        is_worth_a_team = use.team is not None or (is_long and len(items) > 1)
        while n_done < len(items) and not is_worth_a_team:
            begin = time.perf_counter()
            result = function(data, items[n_done])
            # the first items take longer: what they need is not there yet, nor in the caches
            fastest = min(fastest, time.perf_counter() - begin)
            n_done += 1
            use.seconds = before + fastest * n_done
            is_clear = n_done >= FIRST_ITEMS or fastest * len(items) > CLEARLY
            foreseen = len(items) if is_clear else n_done
            is_long = fastest * len(items) > SHORT
            is_worth_a_team = is_long and before + fastest * foreseen > WORTH
            yield result
        if n_done < len(items):
            rest, team = items[n_done:], self._team(use, data)
            if team is None:
                yield from self.map_ordered(partial(function, data), rest)
            else:
                yield from team.map(data, function, rest)

    def _team(self, use: _Use, data: object) -> Team | None:
        """The team for the data, made if there is none; None where there are no processes."""
        if use.team is not None and not use.team.is_open:
            use.team = None
        if use.team is None and self._n_members > 1:
            try:
                use.team = Team(data, self._n_members)
            except OSError:  # no more processes are allowed
                self._n_members = 1
            else:
                weakref.finalize(data, use.team.close)
        return use.team


def _held_apart(n_threads: int) -> Callable[[], None] | None:
    """What holds each new thread on a CPU of its own, where there are as many threads as CPUs.

    Threads that wake from a wait are often put on one CPU, all of them, and left there for some
    50 ms, which is longer than a pass takes. With fewer threads than CPUs they are not held: two
    processes might choose the same ones.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    left = sorted(os.sched_getaffinity(0))
    if len(left) != n_threads:
        return None

    def hold() -> None:
        # some sandboxes do not allow it, and then the kernel's choice has to do
        with suppress(OSError):
            os.sched_setaffinity(0, {left.pop()})

    return hold


@contextmanager
def executor(n_threads: int | None = None) -> Iterator[Executor]:
    """Threads for the time of the context; as many as the CPUs if not said."""
    count = n_threads or available_cpus()
    with threadpool_limits(limits=1):
        if count == 1:
            yield Executor(None, 1)
            return
        with ThreadPoolExecutor(count, "gmmcli", _held_apart(count)) as pool:
            workers = Executor(pool, count)
            try:
                yield workers
            finally:
                workers.close()


@contextmanager
def behind(function: Callable[[T], None]) -> Iterator[Callable[[T], None]]:
    """The same function, called in order on a thread of its own, a few calls behind.

    What a call raises is raised by a later one, or at the end of the context; those after it are
    left out.
    """
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, "gmmcli-behind") as pool:

        def call(argument: T) -> None:
            waiting.append(pool.submit(function, argument))
            while len(waiting) > MOST_BEHIND:
                waiting.popleft().result()

        try:
            yield call
            while waiting:
                waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
