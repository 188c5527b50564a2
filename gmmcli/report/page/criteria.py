"""The candidates of select-k on the page."""

import math

from gmmcli.mixture.selection import CRITERIA, Cell
from gmmcli.report.criteria import heading, shown_with, written
from gmmcli.report.numerals import total
from gmmcli.report.page.account import Choice
from gmmcli.report.page.markup import Html, element, together
from gmmcli.report.page.tables import cell, number, row, table

_STAR = element("span", "*", class_="star")


def criteria(choice: Choice) -> Html:
    """The table of candidates, the best marked, the lowest of each criterion with a star."""
    results = [one.result for one in choice.cells if one.result is not None]
    names = shown_with(choice.criterion)
    lowest = {name: min(map(CRITERIA[name], results)) for name in names}
    columns = ["covariance", "k", "log-likelihood", "parameters", *map(heading, names), "converged"]
    best = choice.best
    told = (
        f"Best by {heading(choice.criterion)}: {best.covariance_type}, k = {best.n_components}. "
        "Lower is better; * marks the lowest of each criterion."
    )
    rows = [
        row(one.covariance_type, _cells(one, lowest), class_="best" if one is best else "")
        for one in choice.cells
    ]
    return together(element("p", told), table("Candidates", columns, rows))


def _cells(one: Cell, lowest: dict[str, float]) -> list[Html]:
    cells = [cell(str(one.n_components))]
    result = one.result
    if result is None:
        width = str(len(lowest) + 3)
        return [*cells, element("td", one.reason, class_="left", colspan=width)]
    cells += [cell(number(total(result.log_likelihood))), cell(str(result.n_parameters))]
    for name, least in lowest.items():
        value = CRITERIA[name](result)
        cells.append(
            cell(number(written(name, value)), *([_STAR] if value == least < math.inf else []))
        )
    return [*cells, cell("yes" if result.converged else "no")]
