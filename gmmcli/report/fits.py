"""How a fit is told, in a terminal and on a page."""

from collections.abc import Sequence

import numpy as np

from gmmcli.mixture.options import FitResult
from gmmcli.report.models import Fit, Model, part_of
from gmmcli.report.numerals import count, percent, significant, total

MUCH_WORSE = 1.0
"""Nats a row by which rows may be less likely than those of the fit before it is a caution."""
REGULARISED = 0.05
"""Share of a variance from which that it is regularisation's is a caution."""
NO_SPREAD = 1e-12
"""Share of a variance up to which it is rounding that the rows have of it."""
ITERATE_LONGER = "raise --max-iter or --tol"


def headline(model: Model) -> list[str]:
    """What the model is, in phrases: `3 clusters`, `tied covariance`, `4 columns`, `342 rows`."""
    mixture, projection = model.mixture, model.projection
    parts = count(mixture.n_components, part_of(model))
    if model.bayes is not None:
        parts += f" of at most {model.bayes.posterior.prior.weights.n_components}"
    if model.clusters is not None:
        parts += f" in {count(model.n_clusters, 'cluster')}"
    space = count(len(model.columns), "column")
    if projection is not None:
        explained = percent([float(projection.explained_variance_ratio.sum())])[0]
        axes = count(mixture.n_features, "principal component")
        space += f" on {axes} ({explained} of the variance)"
    return [
        parts,
        f"{mixture.covariance.name} covariance",
        space,
        *([] if model.fit is None else [count(model.fit.n_rows, "row")]),
    ]


def ending(fit: Fit) -> list[str]:
    """How the fit ended, in phrases: whether it converged, and how many starts agree."""
    if not fit.converged:
        return [f"not converged: stopped after {count(fit.n_iter, 'iteration')}"]
    ended = f"converged after {count(fit.n_iter, 'iteration')}"
    if not fit.n_agreeing:
        starts = count(fit.n_starts, "start")
        return [ended, f"found from another optimum, by none of {starts}"]
    if fit.n_starts == 1:
        return [ended]
    return [ended, f"{fit.n_agreeing} of {fit.n_starts} starts reached this optimum"]


def qualities(model: Model) -> dict[str, tuple[str, str]]:
    """What is measured of a model -> its number, and a remark."""
    bayes, fit = model.bayes, model.fit
    if fit is None:
        return {"free parameters": (str(model.mixture.n_parameters), "")}
    if bayes is not None:
        prior, n_kept = bayes.posterior.prior.weights, len(bayes.posterior.means)
        n_empty = prior.n_components - n_kept
        return {
            "lower bound": (total(bayes.lower_bound), "nats, higher is better"),
            f"{part_of(model)}s": (
                str(n_kept),
                f"hold rows, {n_empty} of {prior.n_components} do not",
            ),
            "concentration": (significant(prior.concentration), f"of the {prior.name} prior"),
        }
    return {
        "log-likelihood": (total(fit.log_likelihood), f"{fit.mean_log_likelihood:.6g} per row"),
        "free parameters": (str(fit.n_parameters), ""),
        "BIC": (total(fit.bic), "lower is better"),
        "AIC": (total(fit.aic), "lower is better"),
        "ICL": (total(fit.icl), "lower is better"),
    }


def cautions(model: Model, *, strict: bool = False) -> list[str]:
    """What a reader of the model has to know before believing it.

    Parameters
    ----------
    strict : that it has not converged is an error, and told elsewhere.
    """
    fit, errors = model.fit, model.standard_errors
    if fit is None:
        return []
    told = list(fit.notes)
    # a prior holds parameters back, so that there may be more of them than rows
    if model.bayes is None and fit.n_parameters > fit.n_rows:
        told.append(
            f"{fit.n_parameters} parameters for {count(fit.n_rows, 'row')}: the clusters may mean "
            "nothing; use fewer columns (--pca N, -C), a smaller -k or a simpler -c"
        )
    if not fit.converged and not strict:
        told.append(f"{not_converged(fit)}; {ITERATE_LONGER}")
    if fit.converged and fit.n_agreeing == 1 < fit.n_starts:
        told.append(
            f"1 of {fit.n_starts} starts reached this optimum: there may be a better one; raise "
            "--n-init"
        )
    if errors is not None and errors.n_lost:
        lost = f"{errors.n_lost} of {errors.n_replicates + errors.n_lost} replicates"
        told.append(f"in {lost} a component collapsed: the standard errors leave them out")
    return told


def peculiarities(result: FitResult, axes: Sequence[str]) -> list[str]:
    """What the numbers of a fit owe to its regularisation, and which optimum was passed over.

    Parameters
    ----------
    axes : the names of the features.
    """
    told = []
    sizes = result.model.weights * result.n_rows
    few = sizes < result.model.covariance.rows_needed(len(axes)) - 0.5
    told += [
        f"cluster {k} is of about {count(round(float(sizes[k]), 1), 'row')}, too few for a shape "
        "of its own: rows that are far from all others?"
        for k in np.flatnonzero(few).tolist()
    ]
    shares = np.where(few[:, None], 0, result.penalty_shares)
    many = int((shares >= REGULARISED).sum())
    if many:
        cluster, d = divmod(int(shares.argmax()), len(axes))
        share = float(shares[cluster, d])
        where = f"{percent([share])[0]} of the variance of '{axes[d]}' in cluster {cluster}"
        more = f", and much of {count(many - 1, 'other')}" if many > 1 else ""
        if share >= 1 - NO_SPREAD:
            advice = "its rows alone have none: take a smaller -k, or leave --reg-covar above 0"
        else:
            # the strength at which it would make up a hundredth
            enough = result.reg_covar * 0.01 * (1 - share) / share
            advice = f"--reg-covar {enough:.0e} makes it next to nothing"
        told.append(
            f"regularisation makes up {where}{more}; {advice}: see gmmcli explain regularisation"
        )
    if result.set_aside:
        told.append(
            f"an optimum {significant(result.set_aside)} nats higher was set aside: a cluster in "
            "it is a few rows, or narrower than its columns are rounded; see gmmcli explain starts"
        )
    return told


def not_converged(fit: Fit) -> str:
    """That a fit has not."""
    return f"not converged after {count(fit.n_iter, 'iteration')}"


def unlike(fit: Fit | None, mean_log_likelihood: float) -> list[str]:
    """What is to be said of rows that are much less likely than those of the fit, if they are.

    Parameters
    ----------
    mean_log_likelihood : of the rows under the mixture, in nats a row.
    """
    if fit is None or mean_log_likelihood >= fit.mean_log_likelihood - MUCH_WORSE:
        return []
    numbers = f"{mean_log_likelihood:.6g} per row, that of the fit {fit.mean_log_likelihood:.6g}"
    return [f"the rows are not like those of the fit: their log-likelihood is {numbers}"]
