"""What is told of: a model, as a model file holds it, and how it was fitted."""

from collections.abc import Sequence
from typing import Protocol

from gmmcli.mixture.arrays import BoolArray, FloatArray
from gmmcli.mixture.model import GaussianMixture, Posterior
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.uncertainty import StandardErrors
from gmmcli.mixture.variational import VariationalFit

DOUBT = 0.1
"""A row is in doubt from this probability of being in another cluster on."""


class Fit(Protocol):
    """How a model was fitted."""

    @property
    def n_rows(self) -> float:
        """The sum of the row weights."""

    @property
    def log_likelihood(self) -> float:
        """In nats."""

    @property
    def mean_log_likelihood(self) -> float:
        """Nats a row."""

    @property
    def n_parameters(self) -> int:
        """Those that are free."""

    @property
    def bic(self) -> float:
        """Lower is better, as of the next two."""

    @property
    def aic(self) -> float:
        """See `bic`."""

    @property
    def icl(self) -> float:
        """See `bic`."""

    @property
    def n_iter(self) -> int:
        """Iterations of EM over all rows."""

    @property
    def converged(self) -> bool:
        """Whether it came to its end."""

    @property
    def n_starts(self) -> int:
        """How many starts there were."""

    @property
    def n_agreeing(self) -> int:
        """How many of them reached the best optimum."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the engine had to say."""


class Model(Protocol):
    """A mixture, the columns that it describes, and what is known of its making."""

    @property
    def mixture(self) -> GaussianMixture:
        """Over the columns, or in the space of the projection."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The D columns that were clustered by."""

    @property
    def projection(self) -> Projection | None:
        """From the columns to the space of the mixture, where there is one."""

    @property
    def fit(self) -> Fit | None:
        """None for a model written by hand."""

    @property
    def standard_errors(self) -> StandardErrors | None:
        """Of the parameters of the mixture."""

    @property
    def clusters(self) -> tuple[int, ...] | None:
        """The cluster of each component, where components were merged."""

    @property
    def bayes(self) -> VariationalFit | None:
        """Of a Bayesian fit, what was believed before and after it."""

    @property
    def n_clusters(self) -> int:
        """The components, or what they were merged to."""

    @property
    def assigning(self) -> GaussianMixture:
        """The mixture that shares rows out among the components."""

    def features(self, X: FloatArray) -> FloatArray:
        """The rows of X (N, D), user units, as the mixture takes them."""

    def posterior(self, X: FloatArray) -> Posterior:
        """Log-density of the rows of X (N, D), user units, and their probabilities by cluster."""


def axes_of(model: Model) -> tuple[str, ...]:
    """The names of the features of a model's mixture."""
    if model.projection is None:
        return model.columns
    return tuple(f"PC{i + 1}" for i in range(model.projection.n_components))


def part_of(model: Model) -> str:
    """What a Gaussian of the mixture is: a cluster, or a component of one."""
    return "cluster" if model.clusters is None else "component"


def members_of(model: Model) -> list[list[int]]:
    """The components of each cluster."""
    groups = range(model.mixture.n_components) if model.clusters is None else model.clusters
    return [
        [k for k, c in enumerate(groups) if c == cluster] for cluster in range(model.n_clusters)
    ]


def shares_of(model: Model) -> list[float]:
    """The weight of each cluster."""
    weights = model.mixture.weights
    return [float(weights[members].sum()) for members in members_of(model)]


def in_doubt(posterior: Posterior) -> BoolArray:
    """Which rows are."""
    doubt: BoolArray = posterior.uncertainty >= DOUBT
    return doubt


def listed(components: Sequence[int]) -> str:
    """Components as `0,2`."""
    return ",".join(map(str, components))
