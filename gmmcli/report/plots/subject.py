"""What is drawn: a mixture, perhaps with a sample of rows."""

from dataclasses import dataclass, replace

import numpy as np

from gmmcli.errors import UsageError
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.model import GaussianMixture, Posterior
from gmmcli.report.models import Model, axes_of
from gmmcli.report.numerals import count
from gmmcli.report.plots.sampling import Sample

MOST_PAIRS = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """What a picture is of.

    mixture : of D features, in the user's units; of the projected rows where there is a
        projection.
    names : the D features: columns, or PC1, PC2 ...
    rows : (N, D), those to be drawn; None draws the mixture alone.
    weights : (N,), how often each row counts; None is once.
    n_rows : how many rows there were before sampling.
    chosen : the features that are the axes; empty for the choice that the kind makes.
    clusters : the cluster of each component, where components were merged; from 0.
    posterior : what the model says of the rows, by cluster; None is what the mixture says.
    assigning : (K,), weights by which places are shared out among the components, where they are
        not those of the mixture, as in a Bayesian fit.
    """

    mixture: GaussianMixture
    names: tuple[str, ...]
    rows: FloatArray | None = None
    weights: FloatArray | None = None
    n_rows: int = 0
    chosen: tuple[str, ...] = ()
    clusters: tuple[int, ...] | None = None
    posterior: Posterior | None = None
    assigning: FloatArray | None = None

    @property
    def groups(self) -> tuple[int, ...]:
        """The cluster of each component: (K,)."""
        return tuple(range(self.mixture.n_components)) if self.clusters is None else self.clusters

    @property
    def weights_of_clusters(self) -> list[float]:
        """The share of each cluster."""
        return list(map(float, np.bincount(self.groups, weights=self.mixture.weights)))

    @property
    def n_clusters(self) -> int:
        """How many there are."""
        return max(self.groups) + 1

    @property
    def part(self) -> str:
        """What an ellipse is of."""
        return "cluster" if self.clusters is None else "component"

    @property
    def title(self) -> str:
        """What the mixture is."""
        clusters = count(self.n_clusters, "cluster")
        if self.clusters is not None:
            clusters += f" of {count(self.mixture.n_components, 'component')}"
        return f"{clusters}, {self.mixture.covariance.name} covariance"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of picture.

    description : for help, a phrase.
    needs_rows : whether there is nothing to draw without rows.
    fewest, most : how many features can be chosen.
    """

    name: str
    description: str
    needs_rows: bool = False
    fewest: int = 1
    most: int = 2

    def check(self, subject: Subject) -> None:
        """Raise UsageError where the subject is not one of this kind."""
        if self.needs_rows and subject.rows is None:
            message = f"--kind {self.name} draws rows, and no INPUT is given"
            advice = "name the table, or - for standard input; density and boundaries need no rows"
            raise UsageError(message, advice)
        self.check_columns(subject.names, subject.chosen)

    def check_columns(self, names: tuple[str, ...], chosen: tuple[str, ...]) -> None:
        """Raise UsageError where a model of these features, of which some are chosen, is none."""
        if len(names) < self.fewest:
            message = f"--kind {self.name} needs {self.fewest} columns, and the model has one"
            raise UsageError(message, "draw its one column with --kind density")
        if chosen and not self.fewest <= len(chosen) <= self.most:
            wanted = f"{self.fewest} to {self.most} columns"
            message = f"--kind {self.name} takes {wanted}, and -C chooses {len(chosen)}"
            raise UsageError(message, "choose others with -C/--columns")


def subject_of(model: Model, some: Sample | None, *, chosen: tuple[str, ...] = ()) -> Subject:
    """What a picture of a model is of, with rows in user units if there are any."""
    alone = Subject(
        mixture=model.mixture,
        names=axes_of(model),
        chosen=chosen,
        clusters=model.clusters,
        assigning=model.assigning.weights,
    )
    if some is None:
        return alone
    return replace(
        alone,
        rows=model.features(some.rows),
        weights=some.weights,
        n_rows=some.n_rows,
        posterior=model.posterior(some.rows),
    )


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="classification",
            description="rows by cluster, with means and ellipses",
            needs_rows=True,
        ),
        Kind(name="points", description="rows alone, before any clusters", needs_rows=True),
        Kind(name="boundaries", description="which cluster each place belongs to"),
        Kind(name="density", description="contours of the mixture, in one column its curve"),
        Kind(
            name="uncertainty",
            description="rows, the larger and darker the less certain their cluster",
            needs_rows=True,
        ),
        Kind(
            name="pairs",
            description=f"up to {MOST_PAIRS} columns, each with each other",
            fewest=2,
            most=MOST_PAIRS,
        ),
    )
}
