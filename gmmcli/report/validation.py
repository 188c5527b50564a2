"""The table of cross-validation as a person reads it."""

from collections.abc import Sequence

from gmmcli.mixture.validation import Validated
from gmmcli.report.layout import Grid, Line, text
from gmmcli.report.numerals import fixed, total

_HEADING = ("", "covariance", "k", "log-lik.", "params", "held-out", "error", "behind", "error")
_STUB = 3


def validation_table(
    candidates: Sequence[Validated], chosen: Validated | None, n_folds: int, width: int
) -> list[Line]:
    """One row a candidate, in their order; the best predictor and the choice marked.

    Parameters
    ----------
    chosen : None where no candidate has a score.
    width : cells of a line.
    """
    rows = []
    scores = _scores(candidates)
    for i, candidate in enumerate(candidates):
        cell = candidate.cell
        row = [">" if candidate is chosen else "", cell.covariance_type, str(cell.n_components)]
        if cell.result is not None and i in scores:
            row += [total(cell.result.log_likelihood), str(cell.result.n_parameters), *scores[i]]
        rows.append(row)
    grid = Grid(
        heading=_HEADING,
        rows=rows,
        left=frozenset({0, 1}),
        styles={i: "good" for i, candidate in enumerate(candidates) if candidate is chosen},
        remarks={i: candidate.reason for i, candidate in enumerate(candidates) if candidate.reason},
    )
    lines = [*grid.lines(width, stub=_STUB), []]
    if chosen is None:
        return [*lines, text("none could be scored: the table says why", "bad")]
    cell = chosen.cell
    name = f"{cell.covariance_type}, k = {cell.n_components}"
    return [
        *lines,
        text(f"> best by {n_folds}-fold cross-validation: {name}", "good"),
        text("  held-out: log-likelihood of a row held out of the fit; * marks the highest"),
        text("  behind: how far below the highest; error: standard error"),
        text("  chosen: fewest parameters of those behind by no more than its error"),
    ]


def _scores(candidates: Sequence[Validated]) -> dict[int, list[str]]:
    """The four numbers of each candidate that has them, all to the same decimals."""
    scored = {i: c.score for i, c in enumerate(candidates) if c.score is not None}
    if not scored:
        return {}
    errors = [error for s in scored.values() for error in (s.standard_error, s.behind_error)]
    resolution = min((error for error in errors if error > 0), default=1.0)
    columns = [
        fixed([getattr(score, name) for score in scored.values()], resolution=resolution)
        for name in ("mean", "standard_error", "behind", "behind_error")
    ]
    shown = {}
    for i, numbers in zip(scored, zip(*columns, strict=True), strict=True):
        mark = "*" if scored[i].behind == 0 else " "
        shown[i] = [numbers[0] + mark, *numbers[1:]]
    return shown
