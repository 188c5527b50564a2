"""What a model file holds."""

from dataclasses import dataclass, field

from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.mixture.merging import by_cluster
from gmmcli.mixture.model import GaussianMixture, Posterior
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.uncertainty import StandardErrors
from gmmcli.mixture.variational import VariationalFit

FORMAT = "gmmcli-model"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class FitSummary:
    """How a model came to be: the `fit` object of the model file.

    `n_rows` is the sum of the row weights; log-likelihoods are in nats; BIC, AIC and ICL are
    lower for a better model; `gmmcli` is the version that made the fit. `n_agreeing` counts the
    starts, of `n_starts`, that reached the best optimum. `notes` are what the engine had to say of
    the fit, in words; a file may do without them.
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
    notes: tuple[str, ...] = ()


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
    standard_errors : of the parameters of the mixture.
    clusters : the cluster of each component, where components were merged; numbered from 0
        without a gap. None where each component is a cluster.
    bayes : of a Bayesian fit, the posterior that `mixture` is the expectation of, and its bound.
    """

    mixture: GaussianMixture
    columns: tuple[str, ...]
    constant_columns: dict[str, float] = field(default_factory=dict)
    projection: Projection | None = None
    fit: FitSummary | None = None
    standard_errors: StandardErrors | None = None
    clusters: tuple[int, ...] | None = None
    bayes: VariationalFit | None = None

    @property
    def n_clusters(self) -> int:
        """Clusters that rows are put in: the components, or what they were merged to."""
        return self.mixture.n_components if self.clusters is None else max(self.clusters) + 1

    @property
    def assigning(self) -> GaussianMixture:
        """The mixture by whose densities rows are shared out among the components.

        Of a Bayesian fit it has other weights than `mixture`, which holds expectations.
        """
        return self.mixture if self.bayes is None else self.bayes.posterior.surrogate.mixture

    def features(self, X: FloatArray) -> FloatArray:
        """The rows of X (N, D), user units, as the mixture takes them."""
        return X if self.projection is None else self.projection.apply(X.T).T

    def labels(self, X: FloatArray) -> IntArray:
        """The most probable cluster of the rows of X (N, D), user units: (N,)."""
        if self.clusters is not None:
            return self.posterior(X).labels
        return self.assigning.labels(self.features(X))

    def posterior(self, X: FloatArray) -> Posterior:
        """Log-density of the rows of X (N, D), user units, and their probabilities by cluster."""
        told = self.mixture if self.bayes is None else self.bayes.posterior
        posterior = told.posterior(self.features(X))
        return posterior if self.clusters is None else by_cluster(posterior, self.clusters)
