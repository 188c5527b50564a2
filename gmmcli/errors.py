"""The errors of gmmcli: what a person is told, and with which exit code the command ends.

    GmmcliError            1  anything below; never raised itself
    ├── DataError          1  the input cannot be used: names file, row and column
    ├── FitError           1  the data are readable, but no mixture can be fitted to them
    ├── OutputError        1  the result could not be written
    ├── UsageError         2  options that contradict each other or the input
    ├── NotConvergedError  3  only with --strict
    └── ModelError         4  a model file that is invalid or does not match the data

Each carries one line that says what is wrong and one line that says what to do about it; where
that is to choose one of many, they follow, a line each.
"""

from collections.abc import Sequence
from typing import ClassVar


class GmmcliError(Exception):
    """An error with a message, advice and an exit code.

    Parameters
    ----------
    message : one line, no full stop, naming file, row and column where there is one.
    advice : one line: the way out.
    choices : lines to choose from, where the way out is one of many.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, advice: str = "", choices: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.choices = tuple(choices)


class DataError(GmmcliError):
    """The input cannot be used."""


class FitError(GmmcliError):
    """No mixture can be fitted to these data with these options."""


class OutputError(GmmcliError):
    """The result could not be written."""


class UsageError(GmmcliError):
    """Options that contradict each other or the input."""

    exit_code = 2


class NotConvergedError(GmmcliError):
    """EM stopped before it converged, and the user asked to be told by the exit code."""

    exit_code = 3


class ModelError(GmmcliError):
    """A model file that is invalid or does not match the data."""

    exit_code = 4
