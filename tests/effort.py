"""How much the tests do: what is quick, what is usual, or everything.

GMMCLI_TEST_EFFORT says it. Where a statement is heavy it is tried on few seeds and on some of the
combinations: each structure and each value of each option, but not each with each. That is usual,
and what `make check` does. `make thorough` takes all seeds and every combination. `make test` has
to end soon: of a test that is marked heavy it takes the first so many cases, or none.
"""

import os
from collections import Counter
from itertools import product

import pytest

from gmmcli.mixture.shapes import WORDS

EFFORT = os.environ.get("GMMCLI_TEST_EFFORT") or "usual"
assert EFFORT in {"quick", "usual", "thorough"}, EFFORT
THOROUGH = EFFORT == "thorough"


def heavy(cases=0):
    """What the marker may say: how many of a test's cases `make test` takes."""
    return cases


def is_light(item, seen):
    """Whether a test is to be run by `make test`.

    Parameters
    ----------
    seen : how many cases of each heavy test there were before; the test is counted.
    """
    marker = item.get_closest_marker("heavy")
    if marker is None:
        return True
    name = item.nodeid.partition("[")[0]
    seen[name] += 1
    return seen[name] <= heavy(*marker.args, **marker.kwargs)


def chosen(items):
    """The tests to run, and those to leave out."""
    if EFFORT != "quick":
        return items, []
    seen = Counter()
    light = {item: is_light(item, seen) for item in items}
    return [item for item in items if light[item]], [item for item in items if not light[item]]


def some(few, every):
    """The few by default; every one where the tests are to be thorough."""
    return every if THOROUGH else few


def starts_of(name):
    """Options of a fit that search from all starts; by default for the four words alone."""
    is_word = name in {*WORDS, *WORDS.values()}
    return {} if THOROUGH or is_word else {"init": "hierarchical"}


def in_turn(names, *, each=1, **values):
    """Parametrise by `name` and values: each name with every combination of the values.

    By default it is with so many of the combinations, in turn, so that each of them has a name.
    """
    combinations = list(product(*values.values()))
    step = len(combinations) // each
    chosen = [
        (name, *combinations[(i + j * step) % len(combinations)])
        for i, name in enumerate(names)
        for j in range(each)
    ]
    assert {case[1:] for case in chosen} == set(combinations)
    everything = [(name, *rest) for name, rest in product(names, combinations)]
    return pytest.mark.parametrize(("name", *values), some(chosen, everything))
