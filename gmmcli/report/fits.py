"""How a fit is told, in a terminal and on a page."""

from collections.abc import Sequence
from typing import Protocol

from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.variational import VariationalFit
from gmmcli.report.numerals import count, percent, significant, total


class Fit(Protocol):
    """What is told of it: a result of the engine has it, and so has a model file."""

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


def headline(
    mixture: GaussianMixture,
    fit: Fit | None,
    columns: Sequence[str],
    projection: Projection | None,
    *,
    bayes: VariationalFit | None = None,
) -> list[str]:
    """What the model is, in phrases: `3 clusters`, `tied covariance`, `4 columns`, `342 rows`."""
    clusters = count(mixture.n_components, "cluster")
    if bayes is not None:
        clusters += f" of at most {bayes.posterior.prior.weights.n_components}"
    space = count(len(columns), "column")
    if projection is not None:
        explained = percent([float(projection.explained_variance_ratio.sum())])[0]
        axes = count(mixture.n_features, "principal component")
        space += f" on {axes} ({explained} of the variance)"
    return [
        clusters,
        f"{mixture.covariance.name} covariance",
        space,
        *([] if fit is None else [count(fit.n_rows, "row")]),
    ]


def ending(fit: Fit) -> list[str]:
    """How the fit ended, in phrases: whether it converged, and how many starts agree."""
    if not fit.converged:
        return [f"not converged: stopped after {count(fit.n_iter, 'iteration')}"]
    ended = f"converged after {count(fit.n_iter, 'iteration')}"
    if not fit.n_agreeing:
        starts = count(fit.n_starts, "start")
        return [ended, f"found by split and merge, by none of {starts}"]
    if fit.n_starts == 1:
        return [ended]
    return [ended, f"{fit.n_agreeing} of {fit.n_starts} starts reached this optimum"]


def qualities(fit: Fit, bayes: VariationalFit | None = None) -> dict[str, tuple[str, str]]:
    """What is measured of a fit -> its number, and a remark."""
    if bayes is not None:
        prior, n_kept = bayes.posterior.prior.weights, len(bayes.posterior.means)
        n_empty = prior.n_components - n_kept
        return {
            "lower bound": (total(bayes.lower_bound), "nats, higher is better"),
            "clusters": (str(n_kept), f"hold rows, {n_empty} of {prior.n_components} do not"),
            "concentration": (significant(prior.concentration), f"of the {prior.name} prior"),
        }
    return {
        "log-likelihood": (total(fit.log_likelihood), f"{fit.mean_log_likelihood:.6g} per row"),
        "free parameters": (str(fit.n_parameters), ""),
        "BIC": (total(fit.bic), "lower is better"),
        "AIC": (total(fit.aic), "lower is better"),
        "ICL": (total(fit.icl), "lower is better"),
    }


def cautions(fit: Fit, *, strict: bool = False, bayes: bool = False) -> list[str]:
    """What a reader of the fit has to know before believing it.

    Parameters
    ----------
    strict : that it has not converged is an error, and told elsewhere.
    bayes : the parameters were not free, so that there may be more of them than rows.
    """
    told = []
    if not bayes and fit.n_parameters > fit.n_rows:
        told.append(
            f"{fit.n_parameters} parameters for {count(fit.n_rows, 'row')}: the clusters may mean "
            "nothing; use fewer columns (--pca N, -C), a smaller -k or a simpler -c"
        )
    if not fit.converged and not strict:
        after = count(fit.n_iter, "iteration")
        told.append(f"not converged after {after}; raise --max-iter or --tol")
    return told
