"""How many components, and of what shape: the criteria that rank the cells of a grid."""

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from gmmcli.errors import FitError
from gmmcli.mixture.options import FitResult

ROUNDING = 1e-8
"""Nats a row below which the classification entropy is what rounding makes of none."""


def _entropy(result: FitResult) -> float:
    """NEC; of clusters so far apart that their entropy is rounding, 0."""
    apart = result.classification_entropy <= ROUNDING * result.n_rows
    value = result.entropy
    return 0.0 if apart and result.model.n_components > 1 and math.isfinite(value) else value


CRITERIA: dict[str, Callable[[FitResult], float]] = {
    "bic": lambda result: result.bic,
    "aic": lambda result: result.aic,
    "aicc": lambda result: result.aicc,
    "icl": lambda result: result.icl,
    "sabic": lambda result: result.sabic,
    "entropy": _entropy,
}
"""The criteria by name; of each, lower is better, and infinite is not defined."""
OF_LIKELIHOOD = frozenset(CRITERIA) - {"icl", "entropy"}
"""Those that fall by 2 for each nat that the log-likelihood gains, and by nothing else."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One K and structure: its fit, or the reason why there is none."""

    n_components: int
    covariance_type: str
    result: FitResult | None
    reason: str = ""


def best(cells: Iterable[Cell], criterion: str) -> Cell:
    """The fitted cell with the lowest criterion; of equal ones, that with the lowest BIC.

    Raises
    ------
    FitError : no cell was fitted, or the criterion is defined for none.
    """
    value = CRITERIA[criterion]
    fitted = [
        (value(cell.result), cell.result.bic, cell) for cell in cells if cell.result is not None
    ]
    if not fitted:
        raise FitError("no model of the grid could be fitted", "see the reasons in the table")
    lowest, _, cell = min(fitted, key=lambda ranked: ranked[:2])
    if math.isinf(lowest):
        raise FitError(
            f"{criterion} is not defined for any of the models",
            "choose by another criterion, or try fewer clusters",
        )
    return cell


def on_edge(n_components: int, component_counts: Collection[int]) -> bool:
    """Whether more, or fewer, components than were tried may be better still.

    One component is no edge: there are no fewer. Nor is a range of one number a range.
    """
    lowest, highest = min(component_counts), max(component_counts)
    return lowest < highest and (n_components == highest or n_components == lowest != 1)
