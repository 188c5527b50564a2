"""What the options accept is what the engine has."""

from typing import get_args

from gmmcli.cli.generate import Kind
from gmmcli.cli.options import COVARIANCE_HELP, Covariance, Criterion, Init
from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.initialise import INITS
from gmmcli.mixture.selection import CRITERIA
from gmmcli.mixture.synthesis import KINDS


def test_the_choices_are_those_of_the_engine():
    assert get_args(Covariance) == tuple(STRUCTURES)
    assert get_args(Init) == tuple(INITS)
    assert get_args(Criterion) == tuple(CRITERIA)
    assert get_args(Kind) == tuple(KINDS)


def test_each_structure_is_explained_in_the_help():
    assert all(f"{name}: " in COVARIANCE_HELP for name in STRUCTURES)
