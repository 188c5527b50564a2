"""Ratios to scikit-learn, interleaved in one run: the machine drifts, and ratios drift less."""

import json
import sys
import time
import warnings
from dataclasses import asdict, dataclass

from sklearn.exceptions import ConvergenceWarning

SETTLING = 0.3
"""Seconds between two measurements."""
TURN = 0.1
"""Seconds that a turn takes at least."""


@dataclass(frozen=True)
class Ratio:
    """Best seconds of ours and theirs, and what the ratio has to be at least."""

    what: str
    ours: float
    theirs: float
    wanted: float | None = None
    remark: str = ""

    @property
    def ratio(self):
        return self.theirs / self.ours


def interleaved(ours, theirs, *, repeats=3, at_least=1.0):
    """Best seconds of two functions that are run in turn, for some times and some seconds."""
    best, begin = [float("inf"), float("inf")], time.perf_counter()
    while repeats > 0 or time.perf_counter() - begin < at_least:
        repeats -= 1
        for i, function in enumerate((ours, theirs)):
            # idle threads of OpenMP and BLAS spin for a while after their work is done
            time.sleep(SETTLING)
            best[i] = min(best[i], several(function))
    return best


def several(function):
    """Seconds of a call, or of as many as fit into TURN: what is short is to be warm."""
    taken = [seconds(function)]
    while sum(taken) < TURN:
        taken.append(seconds(function))
    return min(taken)


def seconds(function):
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        function()
    return time.perf_counter() - begin


def show(title, rows):
    """A table for people; returns what the JSON holds."""
    print(f"\n{title}\n")
    print(f"{'':46} {'gmmcli':>9} {'other':>9} {'ratio':>7} {'wanted':>7}")
    kept = []
    for row in rows:
        wanted = "" if row.wanted is None else f"{row.wanted:g}"
        line = f"{row.what:46} {row.ours:9.4f} {row.theirs:9.4f} {row.ratio:7.1f} {wanted:>7}"
        print(f"{line}  {row.remark}".rstrip(), flush=True)
        kept.append({**asdict(row), "ratio": row.ratio})
    return {title: kept}


def finish(results):
    """The same as JSON, to the file named on the command line."""
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
