"""Options -> how the engine is to fit, and what it gave -> a model."""

from dataclasses import replace

from gmmcli.cli.gathering import Rows
from gmmcli.cli.options import Search
from gmmcli.errors import NotConvergedError
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.uncertainty import standard_errors
from gmmcli.modelfile import Model
from gmmcli.report.fits import ITERATE_LONGER, not_converged


def fit_options(search: Search, covariance_type: str = "full") -> FitOptions:
    """As the engine takes them."""
    return FitOptions(
        covariance_type=covariance_type,
        init=search.init or "auto",
        n_init=search.n_init or 1,
        tol=search.tol,
        converge_on=search.converge_on,
        max_iter=search.max_iter,
        reg_covar=search.reg_covar,
        seed=search.seed,
    )


def model_of(
    rows: Rows,
    result: FitResult,
    fitting: Fitting,
    options: FitOptions,
    *,
    size: int | None,
) -> Model:
    """The model of a fit, with standard errors from `size` replicates if that is a number."""
    model = rows.model(result)
    if size is None:
        return model
    errors = standard_errors(fitting, result, options, size=size, projection=rows.projection)
    return replace(model, standard_errors=errors)


def check_converged(result: FitResult, *, strict: bool) -> None:
    """Refuse a fit that has not converged, with --strict."""
    if strict and not result.converged:
        raise NotConvergedError(not_converged(result), ITERATE_LONGER)
