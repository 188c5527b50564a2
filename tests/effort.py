"""How much the tests do: a part of the heavy combinations, or all of them.

`make test` has to end soon, so where a statement is heavy it is tried on few seeds and on some of
the combinations: each structure and each value of each option, but not each with each.
`make thorough` sets GMMCLI_TEST_THOROUGH=1: all seeds and every combination.
"""

import os
from itertools import product

import pytest

from gmmcli.mixture.shapes import WORDS

THOROUGH = os.environ.get("GMMCLI_TEST_THOROUGH", "") not in {"", "0"}


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
