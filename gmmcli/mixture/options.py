"""How to fit, and what a fit gives."""

from dataclasses import dataclass

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.em import Rule
from gmmcli.mixture.initialise import INITS
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.shapes import NAMES
from gmmcli.mixture.stopping import RULES
from gmmcli.mixture.variational import VariationalFit
from gmmcli.mixture.weight_prior import WEIGHT_PRIORS

LEAST_GAIN = 1e-4
"""Nats a row below which a step gains next to nothing."""


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How to fit.

    covariance_type : one of the NAMES of shapes.
    init : a name in INITS; n_init : how many starts of that kind, or how many portfolios.
    converge_on : a name in RULES; tol : its tolerance, None for the rule's default.
    max_iter : M-steps at most.
    reg_covar : strength a of the penalty in rows; None for 1/n; 0 for maximum likelihood. Of a
        Bayesian fit, the strength of the prior scatter 2a S; None for 1/2.
    seed : of the random starts.
    weight_prior : a name in WEIGHT_PRIORS for a Bayesian fit; None for maximum likelihood.
    weight_concentration : its gamma; None for 1/K.
    rough : search less, and stop where a step gains next to nothing, converged or not: to see what
        is worth more.
    seek_rare : look for clusters that a sample does not show.

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
    weight_prior: str | None = None
    weight_concentration: float | None = None
    rough: bool = False
    seek_rare: bool = True

    def __post_init__(self) -> None:
        for value, table in (
            (self.covariance_type, NAMES),
            (self.init, INITS),
            (self.converge_on, RULES),
            (self.weight_prior or "dirichlet", WEIGHT_PRIORS),
        ):
            if value not in table:
                raise ValueError(f"{value!r} is not one of {', '.join(table)}")
        if self.n_init < 1 or self.max_iter < 0 or self.seed < 0:
            raise ValueError("n_init starts at 1, max_iter and seed at 0")
        for number in (self.tol, self.reg_covar, self.weight_concentration):
            if number is not None and not 0 <= number < np.inf:
                raise ValueError(f"{number} is not a finite number, 0 or more")
        if self.weight_prior is not None and 0 in (self.reg_covar, self.weight_concentration):
            raise ValueError("a Bayesian fit needs reg_covar and weight_concentration above 0")

    def rule(self, least_gain: float = 0.0, floor: float = np.nan) -> Rule:
        """A new stopping rule, which also stops at a step that gains less, in nats a row.

        Parameters
        ----------
        floor : the log-likelihood below which it does not, if that can still be reached; NaN for
            none.
        """
        make, default = RULES[self.converge_on]
        tol = default if self.tol is None else self.tol
        return make(tol, max(least_gain, LEAST_GAIN if self.rough else 0.0), floor)


@dataclass(frozen=True, kw_only=True, eq=False)
class FitResult:
    """A fitted mixture and how the fit went.

    model : in the user's units, components in canonical order.
    covariance_type : the structure, by the name that was asked for.
    n_rows : the sum of the row weights.
    log_likelihood : of the data under `model`, in nats, without the penalty.
    log_top : sum over rows of ln max_k r_k.
    classification_entropy : -sum over rows of r_k ln r_k, in nats; 0 if no row is in doubt.
    log_likelihood_of_one : of the best single Gaussian of that structure, in nats.
    n_agreeing : how many of the n_starts are known to have ended at this optimum.
    n_passes : over all rows, reading and sampling included; 0 if they are so few that the
        starts went over all of them too.
    reg_covar, tol : as used.
    notes : what the user should know, in words.
    penalty_shares : (K, D), how much of each variance is the penalty's, from 0 to 1.
    set_aside : nats by which the objective of another optimum is higher, in which a cluster has
        too few rows for its shape or is narrower than the data's rounding; 0 if there is none.
    bayes : of a Bayesian fit, the posterior that `model` is the expectation of, and its bound.
    """

    model: GaussianMixture
    covariance_type: str
    n_rows: float
    log_likelihood: float
    log_top: float
    classification_entropy: float
    log_likelihood_of_one: float
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
    penalty_shares: FloatArray
    set_aside: float = 0.0
    bayes: VariationalFit | None = None

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
    def aicc(self) -> float:
        """AIC + 2 p (p + 1) / (n - p - 1), lower is better (Hurvich & Tsai 1989).

        Infinite where n is not above p + 1: there the correction does not exist.
        """
        p, left = self.n_parameters, self.n_rows - self.n_parameters - 1
        return self.aic + 2 * p * (p + 1) / left if left > 0 else np.inf

    @property
    def sabic(self) -> float:
        """BIC with ln((n + 2) / 24) for ln n, lower is better (Sclove 1987)."""
        return -2 * self.log_likelihood + self.n_parameters * float(np.log((self.n_rows + 2) / 24))

    @property
    def icl(self) -> float:
        """BIC - 2 sum ln max_k r_k, lower is better (Biernacki, Celeux & Govaert 2000)."""
        return self.bic - 2 * self.log_top

    @property
    def entropy(self) -> float:
        """E / (l - l_1), the normalised entropy criterion NEC (Celeux & Soromenho 1996).

        E is the classification entropy, l_1 the log-likelihood of one Gaussian; lower is better.
        1 for one component (Biernacki, Celeux & Govaert 1999), so that one can win; infinite for
        more components that are no likelier than one.
        """
        if self.model.n_components == 1:
            return 1.0
        gain = self.log_likelihood - self.log_likelihood_of_one
        return self.classification_entropy / gain if gain > 0 else np.inf
