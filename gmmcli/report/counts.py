"""Rows that are left out, in words."""

from gmmcli.report.numerals import count

INCOMPLETE = "a value is missing or infinite"
WEIGHTLESS = "of weight 0"


def left_out(n_rows: int, n_dropped: int, n_weightless: int) -> list[str]:
    """What is to be said of so many rows, of which some are not complete or weigh nothing."""
    told = []
    if n_dropped:
        told.append(f"{n_dropped} of {count(n_rows, 'row')} left out: {INCOMPLETE}")
    if n_weightless:
        told.append(f"{count(n_weightless, 'row')} left out: {WEIGHTLESS}")
    return told
