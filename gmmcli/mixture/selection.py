"""How many components, and of what shape: the criteria that rank the cells of a grid."""

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from gmmcli.errors import FitError
from gmmcli.mixture.options import FitResult

CRITERIA: dict[str, Callable[[FitResult], float]] = {
    "bic": lambda result: result.bic,
    "aic": lambda result: result.aic,
    "aicc": lambda result: result.aicc,
    "icl": lambda result: result.icl,
    "sabic": lambda result: result.sabic,
    "entropy": lambda result: result.entropy,
}
"""The criteria by name; of each, lower is better, and infinite is not defined."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One K and structure: its fit, or the reason why there is none."""

    n_components: int
    covariance_type: str
    result: FitResult | None
    reason: str = ""


def best(cells: Iterable[Cell], criterion: str) -> Cell:
    """The fitted cell with the lowest criterion; of equal ones, the first.

    Raises
    ------
    FitError : no cell was fitted, or the criterion is defined for none.
    """
    value = CRITERIA[criterion]
    fitted = [(value(cell.result), cell) for cell in cells if cell.result is not None]
    if not fitted:
        raise FitError("no model of the grid could be fitted", "see the reasons in the table")
    lowest, cell = min(fitted, key=lambda pair: pair[0])
    if math.isinf(lowest):
        raise FitError(
            f"{criterion} is not defined for any of the models: too many parameters for the rows",
            "choose by another criterion, or try fewer clusters",
        )
    return cell


def on_edge(n_components: int, component_counts: Collection[int]) -> bool:
    """Whether more, or fewer, components than were tried may be better still.

    One component is no edge: there are no fewer. Nor is a range of one number a range.
    """
    lowest, highest = min(component_counts), max(component_counts)
    return lowest < highest and (n_components == highest or n_components == lowest != 1)
