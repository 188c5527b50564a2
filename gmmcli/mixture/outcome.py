"""What a fit gives, from the run that it ended in."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.em import Run, Step
from gmmcli.mixture.inference import VariationalProblem
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.standardise import Standardisation
from gmmcli.mixture.statistics import classification_entropy
from gmmcli.mixture.stopping import RULES
from gmmcli.mixture.variational import VariationalFit


class Found(NamedTuple):
    """The best run, and what it took to find it."""

    run: Run
    n_starts: int
    n_agreeing: int
    n_passes: int
    set_aside: float


def result_of(
    found: Found,
    standardisation: Standardisation,
    problem: Problem,
    options: FitOptions,
    n_components: int,
    init: str,
) -> FitResult:
    """The best run in the user's units; of a Bayesian fit, its expectation and the posterior.

    Parameters
    ----------
    n_components : as asked for.
    init : what the starts were.
    """
    step = found.run.step
    model, statistics, posterior = problem.reported(step.model, step.statistics)
    n_rows, n_left = statistics.n_rows, model.n_components
    entropy = classification_entropy(model, statistics)
    notes = list(dict.fromkeys(step.notes))
    shares = penalty_shares(problem, step)
    model, bayes = standardisation.to_user(model), None
    if posterior is not None:
        # its components stand in their order already
        moved = posterior.transformed(standardisation.shift, standardisation.scale)
        bayes = VariationalFit(moved, step.log_likelihood)
    else:
        shares = shares[model.order]
        model = model.canonical()
    if bayes is None and n_left < n_components:
        notes.append(f"{n_components} components were asked for, {n_left} are left")
    return FitResult(
        model=model,
        covariance_type=options.covariance_type,
        n_rows=n_rows,
        log_likelihood=statistics.log_likelihood - n_rows * problem.log_volume,
        log_top=statistics.log_top,
        classification_entropy=entropy,
        log_likelihood_of_one=problem.log_likelihood_of_one(n_rows),
        n_iter=step.n_iter,
        converged=found.run.converged,
        n_starts=found.n_starts,
        n_agreeing=found.n_agreeing,
        n_passes=found.n_passes,
        init=init,
        seed=options.seed,
        reg_covar=problem.penalty.strength,
        tol=RULES[options.converge_on][1] if options.tol is None else options.tol,
        converge_on=options.converge_on,
        notes=tuple(notes),
        penalty_shares=shares,
        set_aside=found.set_aside,
        bayes=bayes,
    )


def penalty_shares(problem: Problem, step: Step) -> FloatArray:
    """How much of each variance is the penalty's: (K, D), from 0 to 1.

    The rest is what the M-step makes of the rows alone. Zeros where no penalty was asked for,
    and where a prior stands in its place.
    """
    variances = step.model.covariance.variances
    penalty = problem.penalty
    if penalty.strength == 0 or isinstance(problem, VariationalProblem):
        return np.zeros_like(variances)
    here = step.statistics.estimates()
    with np.errstate(invalid="ignore", divide="ignore"):
        alone = replace(penalty, strength=0.0).covariance(
            problem.structure,
            masses=here.weights * here.n_rows,
            spreads=here.spreads,
            previous=step.model.covariance,
        )
    # NaN where the rows alone have none
    return np.clip(1 - np.nan_to_num(alone.variances) / variances, 0, 1)
