"""The `bayes` object of a model file: the posterior of a Bayesian fit.

Means and covariances stand beside it, for every reader; here is the rest of the posterior's
parameters, named as scikit-learn names them, and the priors. All are in the units of the columns.
`weight_concentration` has a number for each component, or under a Dirichlet process two lists of
them; `covariance_prior` has the shape of `covariances` for one component.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmcli.errors import ModelError
from gmmcli.mixture.covariance import Covariance
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.variational import Prior, VariationalFit, VariationalPosterior
from gmmcli.mixture.weight_prior import WEIGHT_PRIORS, WeightPrior
from gmmcli.modelfile.checks import array, fault, leading_shape, member, number, shown, tally


def bayes_object(bayes: VariationalFit) -> dict[str, Any]:
    """The object for a posterior."""
    posterior, prior = bayes.posterior, bayes.posterior.prior
    return {
        "weight_prior": prior.weights.name,
        "max_components": prior.weights.n_components,
        "lower_bound": bayes.lower_bound,
        "weight_concentration_prior": prior.weights.concentration,
        "mean_prior": prior.mean.tolist(),
        "mean_precision_prior": prior.mean_precision,
        "degrees_of_freedom_prior": prior.degrees_of_freedom,
        "covariance_prior": prior.scatter.values.tolist(),
        "weight_concentration": posterior.weight_concentration.tolist(),
        "mean_precision": posterior.mean_precision.tolist(),
        "degrees_of_freedom": posterior.degrees_of_freedom.tolist(),
    }


def read_bayes(members: dict[str, Any], mixture: GaussianMixture) -> VariationalFit:
    """The posterior in an object, about the components of a mixture. Raises ModelError."""
    n_components, n_features = mixture.n_components, mixture.n_features
    weights = _weight_prior(members, n_components)
    # a Wishart distribution has more than D - 1 degrees of freedom
    fewest = n_features - 1
    mean = _numbers(members, "mean_prior", (n_features,), above=-math.inf)
    prior = Prior(
        weights=weights,
        mean=mean,
        mean_precision=float(_numbers(members, "mean_precision_prior", (), above=0)),
        degrees_of_freedom=float(_numbers(members, "degrees_of_freedom_prior", (), above=fewest)),
        scatter=_scatter(members, mean, mixture.covariance.name),
    )
    each = (n_components,)
    posterior = VariationalPosterior(
        prior=prior,
        weight_concentration=_numbers(
            members, "weight_concentration", (*weights.axes, n_components), above=0
        ),
        mean_precision=_numbers(members, "mean_precision", each, above=0),
        degrees_of_freedom=_numbers(members, "degrees_of_freedom", each, above=fewest),
        means=mixture.means,
        covariance=mixture.covariance,
    )
    with np.errstate(over="ignore", invalid="ignore"):
        sound = np.isfinite(posterior.surrogate.constant)
    if not sound:
        raise fault("bayes", "bayes.weight_concentration is beyond the range of a 64-bit float")
    bound = _numbers(members, "lower_bound", (), above=-math.inf)
    return VariationalFit(posterior, float(bound))


def _weight_prior(members: dict[str, Any], n_components: int) -> WeightPrior:
    name = member(members, "bayes.weight_prior")
    if not isinstance(name, str) or name not in WEIGHT_PRIORS:
        message = f"bayes.weight_prior {shown(name)} does not exist"
        raise ModelError(message, f"those that do: {', '.join(WEIGHT_PRIORS)}")
    key = "bayes.max_components"
    most = tally(member(members, key), key)
    if most < n_components:
        message = f"bayes.max_components is {most}, but there are {n_components} weights"
        raise fault("bayes", message)
    concentration = _numbers(members, "weight_concentration_prior", (), above=0)
    return WEIGHT_PRIORS[name](float(concentration), most)


def _scatter(members: dict[str, Any], mean: NDArray[np.float64], name: str) -> Covariance:
    key = "bayes.covariance_prior"
    values = member(members, key)
    scatter = array(values, key, leading_shape(values))
    try:
        return GaussianMixture.from_arrays(
            [1.0], mean[None], scatter, covariance_type=name
        ).covariance
    except ModelError as error:
        message = error.message.replace("covariances have", f"{key} has")
        message = message.replace("covariances", key)
        raise fault("bayes", message) from error


def _numbers(
    members: dict[str, Any], name: str, shape: tuple[int, ...], *, above: float
) -> NDArray[np.float64]:
    key = f"bayes.{name}"
    value = member(members, key)
    numbers = array(value, key, shape) if shape else np.array(number(value, key))
    if not (numbers > above).all():
        raise fault("bayes", f"{key} must be greater than {above:g}")
    return numbers
