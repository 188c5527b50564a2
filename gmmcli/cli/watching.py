"""What the line that moves is told: rows that go by, and EM's steps."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from gmmcli.data import Chunk, MapOrdered
from gmmcli.execution import Executor
from gmmcli.mixture.em import Step
from gmmcli.report.progress import Progress


def watched(pool: Executor, line: Progress, doing: str) -> MapOrdered:
    """A map over the chunks of a table that shows how far it is."""

    def seen(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        for chunk in chunks:
            share = "" if chunk.share is None else f", {chunk.share:.0%}"
            line.show(f"{doing}: {chunk.first_row + chunk.n_rows} rows{share}")
            yield chunk

    def map_ordered(function: Callable[[Any], Any], chunks: Iterable[Any]) -> Iterator[Any]:
        return pool.map_ordered(function, seen(chunks))

    return map_ordered


def observer(
    line: Progress, place: Callable[[], str] = str, *, measure: str = "log-likelihood"
) -> Callable[[str, Step], None]:
    """What shows EM's steps, and what they raise, with what `place` says before them.

    Copies of this process that share its work show nothing.
    """
    last, here = ("", 0, time.monotonic()), os.getpid()

    def observe(phase: str, step: Step) -> None:
        nonlocal last
        if os.getpid() != here:
            return
        now = time.monotonic()
        before, n_iter, then = last
        last = (phase, step.n_iter, now)
        parts = [f"iteration {step.n_iter}", f"{measure} {step.log_likelihood:.10g}"]
        if not np.isnan(step.change):
            parts.append(f"gain {step.change:.3g}")
        if phase == before and step.n_iter > n_iter and now > then:
            # each iteration is one pass
            speed = step.statistics.n_rows * (step.n_iter - n_iter) / (now - then)
            parts.append(f"{speed:.2g} rows a second")
        line.show(f"{place()}{phase}: {', '.join(parts)}")

    return observe
