"""A model -> what a report tells of it: what report and select-k --report share."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from gmmcli import __version__
from gmmcli.cli.talk import Talk
from gmmcli.data import write_text
from gmmcli.modelfile import Model
from gmmcli.report.fits import cautions
from gmmcli.report.numerals import count
from gmmcli.report.page import Account, Census, Choice, compose

MUCH_WORSE = 1.0
"""Nats a row by which rows may be less likely than those of the fit before it is a warning."""


def account(
    model: Model,
    *,
    command: Sequence[str],
    census: Census | None = None,
    choice: Choice | None = None,
    following: Mapping[str, Sequence[str]],
) -> Account:
    """What is known of a model.

    Parameters
    ----------
    command : the words of the command line that makes the report.
    """
    return Account(
        mixture=model.mixture,
        columns=model.columns,
        fit=model.fit,
        projection=model.projection,
        command=command,
        options=_options(model),
        versions=_versions(),
        warnings=[*_notes(choice), *_warnings(model, census)],
        following=following,
        census=census,
        choice=choice,
        clusters=model.clusters,
        bayes=model.bayes,
    )


def write_page(path: str, told: Account, talk: Talk) -> None:
    """Write the report to a path, or to standard output for `-`."""
    write_text(path, compose(told))
    if path != "-":
        talk.note(f"report written to {path}")


def _notes(choice: Choice | None) -> Sequence[str]:
    return () if choice is None or choice.best.result is None else choice.best.result.notes


def _options(model: Model) -> dict[str, str]:
    options = {"covariance": model.mixture.covariance.name}
    fit = model.fit
    if fit is not None:
        options |= {
            "starts": f"{fit.n_starts} ({fit.init})",
            "seed": str(fit.seed),
            "stopping": f"on {fit.converge_on}, tolerance {fit.tol:g}",
            "regularisation": f"towards all the data, as by {2 * fit.reg_covar:.6g} rows",
            "fitted by": f"gmmcli {fit.gmmcli}",
        }
    if model.projection is not None:
        options["projection"] = count(model.projection.n_components, "principal component")
    if model.constant_columns:
        left_out = (f"{name} ({value:.15g})" for name, value in model.constant_columns.items())
        options["constant columns, left out"] = ", ".join(left_out)
    return options


def _versions() -> dict[str, str]:
    versions = {"gmmcli": __version__, "Python": platform.python_version()}
    for name in ("numpy", "matplotlib"):
        try:
            if find_spec(name) is not None:
                versions[name] = version(name)
        except PackageNotFoundError:
            continue  # there, but not as a package that was installed
    return versions


def _warnings(model: Model, census: Census | None) -> list[str]:
    fit = model.fit
    if fit is None:
        return []
    told = cautions(fit, bayes=model.bayes is not None)
    if fit.n_agreeing == 1 < fit.n_starts:
        told.append(
            f"1 of {fit.n_starts} starts reached this optimum: with --n-init 10 there may be a "
            "better one"
        )
    if census is not None:
        mean = census.log_likelihood / census.weight
        if mean < fit.mean_log_likelihood - MUCH_WORSE:
            told.append(
                f"the rows are not like those of the fit: their log-likelihood is {mean:.6g} per "
                f"row, that of the fit {fit.mean_log_likelihood:.6g}"
            )
    return told
