"""A model -> what a report tells of it: what report and select-k --report share."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from gmmcli import __version__
from gmmcli.cli.talk import Talk
from gmmcli.data import write_text
from gmmcli.modelfile import Model
from gmmcli.report.fits import cautions, unlike
from gmmcli.report.numerals import count
from gmmcli.report.page import Account, Census, Choice, compose


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
    told = cautions(model)
    if census is not None:
        told += unlike(model.fit, census.likeness / census.weight)
    return Account(
        model=model,
        command=command,
        options=_options(model),
        versions=_versions(),
        warnings=told,
        following=following,
        census=census,
        choice=choice,
    )


def write_page(path: str, told: Account, talk: Talk) -> None:
    """Write the report to a path, or to standard output for `-`."""
    write_text(path, compose(told))
    if path != "-":
        talk.note(f"report written to {path}")


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
