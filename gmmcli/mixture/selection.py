"""How many components, and of what shape: the grid of fits and the criteria that rank it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gmmcli.errors import FitError
from gmmcli.mixture.batches import Batches
from gmmcli.mixture.fitting import Fitting, ignore
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.search import Observer
from gmmcli.mixture.workers import Workers

CRITERIA: dict[str, Callable[[FitResult], float]] = {
    "bic": lambda result: result.bic,
    "aic": lambda result: result.aic,
    "icl": lambda result: result.icl,
}
"""The criteria by name; of each, lower is better."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One K and structure: its fit, or the reason why there is none."""

    n_components: int
    covariance_type: str
    result: FitResult | None
    reason: str = ""


def grid(
    batches: Batches,
    component_counts: Sequence[int],
    *,
    covariance_types: Sequence[str],
    options: FitOptions,
    workers: Workers | None = None,
    observe: Observer = ignore,
) -> Iterator[Cell]:
    """Fit every K under every structure; a cell that cannot be fitted does not stop the rest.

    Parameters
    ----------
    batches : the rows, in the user's units.
    options : as for `fit`; its covariance_type is not looked at.
    """
    fitting = Fitting(batches, workers=workers, observe=observe)
    for covariance_type in covariance_types:
        for n_components in component_counts:
            chosen = replace(options, covariance_type=covariance_type)
            try:
                result = fitting.fit(n_components, chosen, None)
            except FitError as error:
                yield Cell(n_components, covariance_type, None, error.message)
                continue
            left = result.model.n_components
            if left < n_components:
                reason = f"only {left} components are left; the others collapsed"
                yield Cell(n_components, covariance_type, None, reason)
            else:
                yield Cell(n_components, covariance_type, result)


def best(cells: Iterable[Cell], criterion: str) -> Cell:
    """The fitted cell with the lowest criterion; of equal ones, the first.

    Raises
    ------
    FitError : no cell was fitted.
    """
    value = CRITERIA[criterion]
    fitted = [(value(cell.result), cell) for cell in cells if cell.result is not None]
    if not fitted:
        raise FitError("no model of the grid could be fitted", "see the reasons in the table")
    return min(fitted, key=lambda pair: pair[0])[1]
