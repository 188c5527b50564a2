"""What was done, and what a reader has to know, in the words that commands share."""

from collections.abc import Sequence

from gmmcli.cli.talk import Talk
from gmmcli.data import Counts
from gmmcli.mixture.options import FitResult
from gmmcli.modelfile import Model
from gmmcli.report.counts import left_out
from gmmcli.report.fits import cautions
from gmmcli.report.numerals import count

_MOST_NAMES = 12


def note_blank_lines(n_blank_lines: int, talk: Talk) -> None:
    """Say how many empty lines are no rows."""
    if n_blank_lines:
        talk.note(f"{count(n_blank_lines, 'empty line')} passed over")


def note_left_out(counts: Counts, talk: Talk) -> None:
    """Say how many rows are not used, and why."""
    for told in left_out(*counts):
        talk.note(told)


def note_passes(result: FitResult, talk: Talk) -> None:
    """Say how often the rows were gone over, where they are many."""
    if result.n_passes:
        talk.note(f"{count(result.n_passes, 'pass', 'passes')} over the rows")


def warn_of(model: Model, talk: Talk, *, strict: bool = False) -> None:
    """Say what a reader of this model has to know.

    Parameters
    ----------
    strict : that it has not converged is left to the end of the run.
    """
    for caution in cautions(model, strict=strict):
        talk.warning(caution)


def listed(names: Sequence[str]) -> str:
    """Names with commas between, the first dozen of many."""
    first = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return first if more <= 0 else f"{first} and {more} more"


def quoted(name: str) -> str:
    """A name in a list; in quotes, where its border would not be seen."""
    if name != name.strip() or set(name) & set(",;'\""):
        mark = '"' if "'" in name else "'"
        return f"{mark}{name}{mark}"
    return name
