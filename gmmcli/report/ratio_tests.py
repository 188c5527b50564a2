"""The table of likelihood ratio tests as a person reads it."""

import math
from collections.abc import Sequence

from gmmcli.mixture.bootstrap import LEVEL, RatioTest
from gmmcli.report.layout import Grid, Line, text
from gmmcli.report.numerals import count, total

_HEADING = ("k", "log-lik.", "against", "log-lik.", "LRTS", "p")


def ratio_table(tests: Sequence[RatioTest], width: int) -> list[Line]:
    """One row a test, in their order, and what follows from the last.

    Parameters
    ----------
    tests : each of K against K + 1, all but the last rejected; the last may not have been made.
    width : cells of a line.
    """
    last = tests[-1]
    n_draws = len(tests[0].replicates)
    decimals = max(2, math.ceil(math.log10(n_draws + 1)))
    grid = Grid(
        heading=_HEADING,
        rows=[_row(test, decimals) for test in tests],
        remarks={i: test.reason for i, test in enumerate(tests) if test.reason},
    )
    n_null = last.null.model.n_components
    if last.rejected:
        why = f"significantly better than {n_null}, and no more were tried"
    elif last.alternative is None:
        why = f"significantly better than {n_null - 1}, and {n_null + 1} could not be fitted"
    else:
        why = f"{n_null + 1} are not significantly better (p > {LEVEL})"
    lines = [
        *grid.lines(width),
        [],
        text(f"> k = {last.chosen.model.n_components}: {why}", "good"),
        text("  LRTS: twice the gain in log-likelihood"),
        text(f"  p: how often it is as large in {n_draws} samples drawn from the k clusters"),
    ]
    if n_failed := sum(test.n_failed for test in tests):
        samples = count(n_failed, "sample")
        lines.append(text(f"  {samples} could not be fitted, and counted as larger"))
    return lines


def _row(test: RatioTest, decimals: int) -> list[str]:
    n_null = test.null.model.n_components
    row = [str(n_null), total(test.null.log_likelihood), str(n_null + 1)]
    if test.alternative is not None:
        row += [total(test.alternative.log_likelihood), total(test.statistic)]
        row.append(f"{test.p_value:.{decimals}f}")
    return row
