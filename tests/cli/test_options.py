"""What the options accept is what the engine has."""

from typing import get_args

from gmmcli.cli.generate import Kind
from gmmcli.cli.options import SHAPES_HELP, Criterion, Init, WeightPrior
from gmmcli.cli.reading import MISSING_HELP
from gmmcli.data.cells import MISSING
from gmmcli.mixture.initialise import INITS
from gmmcli.mixture.selection import CRITERIA
from gmmcli.mixture.shapes import NAMES
from gmmcli.mixture.synthesis import KINDS
from gmmcli.mixture.weight_prior import WEIGHT_PRIORS


def test_the_choices_are_those_of_the_engine():
    assert get_args(Init) == tuple(INITS)
    assert get_args(Criterion) == tuple(CRITERIA)
    assert get_args(Kind) == tuple(KINDS)
    assert get_args(WeightPrior) == tuple(WEIGHT_PRIORS)


def test_each_structure_is_explained_in_the_help():
    lines = SHAPES_HELP.splitlines()
    for name, meaning in NAMES.items():
        assert any(name in line.split(meaning)[0] for line in lines if meaning in line)


def test_every_spelling_of_a_missing_value_is_in_the_help():
    told = MISSING_HELP.replace(" and ", ", ").split(", ")
    assert sorted(["", *told]) == sorted(MISSING)
