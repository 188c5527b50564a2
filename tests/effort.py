"""How much the tests do: a part of the heavy combinations, or all of them.

`make test` has to end soon, so where a statement is heavy it is tried on few seeds and on some of
the structures, each structure and each option somewhere. `make thorough` sets
GMMCLI_TEST_THOROUGH=1: all seeds and every combination.
"""

import os

import pytest

THOROUGH = os.environ.get("GMMCLI_TEST_THOROUGH", "") not in {"", "0"}


def some(few, every):
    """The few by default; every one where the tests are to be thorough."""
    return every if THOROUGH else few


def some_structures(*few):
    """Parametrise by `name`: the structures named, or all 14 by their names in a model file."""
    # here, so that what needs no engine does not import it
    from mixture.problems import NAMES  # noqa: PLC0415

    assert set(few) <= set(NAMES)
    return pytest.mark.parametrize("name", some(few, NAMES))
