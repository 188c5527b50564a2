"""What a model file holds."""

from dataclasses import dataclass, field

from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.projection import Projection

FORMAT = "gmmcli-model"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class FitSummary:
    """How a model came to be: the `fit` object of the model file.

    `n_rows` is the sum of the row weights; log-likelihoods are in nats; BIC, AIC and ICL are
    lower for a better model; `gmmcli` is the version that made the fit. `n_agreeing` counts the
    starts, of `n_starts`, that reached the best optimum.
    """

    n_rows: float
    log_likelihood: float
    mean_log_likelihood: float
    n_parameters: int
    bic: float
    aic: float
    icl: float
    n_iter: int
    converged: bool
    seed: int
    init: str
    n_starts: int
    n_agreeing: int
    reg_covar: float
    tol: float
    converge_on: str
    gmmcli: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A mixture together with the columns it describes.

    Attributes
    ----------
    mixture : over the D columns, or over the N axes of the projection where there is one.
    columns : the D input columns, in the order of the features.
    constant_columns : columns that had one value when fitted, hence are no features, with it.
    projection : from the D columns to the space of the mixture.
    fit : how the mixture was fitted; None for a model written by hand.
    """

    mixture: GaussianMixture
    columns: tuple[str, ...]
    constant_columns: dict[str, float] = field(default_factory=dict)
    projection: Projection | None = None
    fit: FitSummary | None = None
