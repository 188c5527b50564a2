"""The report: one HTML file that holds all it shows, and asks no host for anything.

    account.py     what is told of
    markup.py      HTML as values: whatever is not made as markup is escaped
    style.py       light, dark and paper; telephone and desk
    tables.py      tables with captions and headers
    clusters.py    how large, where and how wide
    criteria.py    the candidates of select-k
    pictures.py    report/plots as images in the page
    document.py    the parts in their order

It is written without a date, so the same command gives the same bytes.
"""

from gmmcli.report.page.account import MOST_ROWS, Account, Census, Choice
from gmmcli.report.page.document import compose

__all__ = ["MOST_ROWS", "Account", "Census", "Choice", "compose"]
