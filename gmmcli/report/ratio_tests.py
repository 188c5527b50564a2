"""The table of likelihood ratio tests as a person reads it."""

import math
from collections.abc import Sequence

from gmmcli.mixture.bootstrap import LEVEL, RatioTest
from gmmcli.report.layout import Grid, Line, text
from gmmcli.report.numerals import total

_HEADING = ("k", "log-lik.", "against", "log-lik.", "LRTS", "p")


def ratio_table(tests: Sequence[RatioTest], width: int) -> list[Line]:
    """One row a test, in their order, and what follows from the last.

    Parameters
    ----------
    tests : each of K against K + 1, all but the last rejected.
    width : cells of a line.
    """
    last = tests[-1]
    n_draws = len(last.replicates)
    decimals = max(2, math.ceil(math.log10(n_draws + 1)))
    rows = [
        (
            str(test.null.model.n_components),
            total(test.null.log_likelihood),
            str(test.alternative.model.n_components),
            total(test.alternative.log_likelihood),
            total(test.statistic),
            f"{test.p_value:.{decimals}f}",
        )
        for test in tests
    ]
    n_null, n_alternative = (fit.model.n_components for fit in (last.null, last.alternative))
    if last.rejected:
        why = f"significantly better than {n_null}, and no more were tried"
    else:
        why = f"{n_alternative} are not significantly better (p > {LEVEL})"
    return [
        *Grid(heading=_HEADING, rows=rows).lines(width),
        [],
        text(f"> k = {last.chosen.model.n_components}: {why}", "good"),
        text("  LRTS: twice the gain in log-likelihood"),
        text(f"  p: how often it is as large in {n_draws} samples drawn from the k clusters"),
    ]
