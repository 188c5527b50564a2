"""How to fit, and what a fit gives."""

from dataclasses import dataclass

import numpy as np

from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.em import Rule
from gmmcli.mixture.initialise import INITS
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.stopping import RULES


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How to fit.

    covariance_type : a name in STRUCTURES.
    init : a name in INITS; n_init : how many starts of that kind, or how many portfolios.
    converge_on : a name in RULES; tol : its tolerance, None for the rule's default.
    max_iter : M-steps at most.
    reg_covar : strength a of the penalty in rows; None for 1/n; 0 for maximum likelihood.
    seed : of the random starts.

    Raises
    ------
    ValueError : a value outside its range, or a name that does not exist.
    """

    covariance_type: str = "full"
    init: str = "auto"
    n_init: int = 1
    tol: float | None = None
    converge_on: str = "likelihood"
    max_iter: int = 1000
    reg_covar: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for value, table in (
            (self.covariance_type, STRUCTURES),
            (self.init, INITS),
            (self.converge_on, RULES),
        ):
            if value not in table:
                raise ValueError(f"{value!r} is not one of {', '.join(table)}")
        if self.n_init < 1 or self.max_iter < 0 or self.seed < 0:
            raise ValueError("n_init starts at 1, max_iter and seed at 0")
        for number in (self.tol, self.reg_covar):
            if number is not None and not 0 <= number < np.inf:
                raise ValueError(f"{number} is not a finite number, 0 or more")

    def rule(self) -> Rule:
        """A new stopping rule."""
        make, default = RULES[self.converge_on]
        return make(default if self.tol is None else self.tol)


@dataclass(frozen=True, kw_only=True, eq=False)
class FitResult:
    """A fitted mixture and how the fit went.

    model : in the user's units, components in canonical order.
    n_rows : the sum of the row weights.
    log_likelihood : of the data under `model`, in nats, without the penalty.
    log_top : sum over rows of ln max_k r_k.
    n_agreeing : how many of the n_starts are known to have ended at this optimum.
    n_passes : over all rows, reading and sampling included; 0 if they are so few that the
        starts went over all of them too.
    reg_covar, tol : as used.
    notes : what the user should know, in words.
    """

    model: GaussianMixture
    n_rows: float
    log_likelihood: float
    log_top: float
    n_iter: int
    converged: bool
    n_starts: int
    n_agreeing: int
    n_passes: int
    init: str
    seed: int
    reg_covar: float
    tol: float
    converge_on: str
    notes: tuple[str, ...]

    @property
    def n_parameters(self) -> int:
        """Free parameters of the mixture."""
        return self.model.n_parameters

    @property
    def mean_log_likelihood(self) -> float:
        """Nats a row."""
        return self.log_likelihood / self.n_rows

    @property
    def bic(self) -> float:
        """-2 l + p ln n, lower is better (Schwarz 1978)."""
        return -2 * self.log_likelihood + self.n_parameters * float(np.log(self.n_rows))

    @property
    def aic(self) -> float:
        """-2 l + 2 p, lower is better (Akaike 1974)."""
        return -2 * self.log_likelihood + 2 * self.n_parameters

    @property
    def icl(self) -> float:
        """BIC - 2 sum ln max_k r_k, lower is better (Biernacki, Celeux & Govaert 2000)."""
        return self.bic - 2 * self.log_top
