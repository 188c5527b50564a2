"""The options of a Bayesian fit, and which others go with them."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from gmmcli.cli.options import Search, WeightPrior, positive
from gmmcli.errors import UsageError
from gmmcli.mixture.shapes import WORDS

if TYPE_CHECKING:
    from gmmcli.mixture.options import FitOptions

SHAPES = (*WORDS, *WORDS.values())
"""Covariance structures that have a posterior, by both their names."""


@dataclass(frozen=True, kw_only=True)
class Bayes:
    """Bayesian fit."""

    bayes: Annotated[
        bool,
        typer.Option(
            "--bayes",
            help="Variational inference instead of maximum likelihood: clusters that the rows do "
            "not need are emptied and left out, and -k is the most there may be. --reg-covar A is "
            "then the prior's scatter: 2A times the covariance of all the data [default: 0.5].",
        ),
    ] = False
    weight_prior: Annotated[
        WeightPrior | None,
        typer.Option(
            "--weight-prior",
            help="With --bayes, what is believed of the weights. dirichlet-process: there are "
            "large clusters and ever smaller ones; dirichlet: all K are alike. "
            "[default: dirichlet-process]",
        ),
    ] = None
    weight_concentration: Annotated[
        float | None,
        typer.Option(
            "--weight-concentration",
            parser=positive,
            metavar="G",
            help="With --bayes, the concentration of that prior: the smaller, the fewer clusters. "
            "[default: 1 / K]",
        ),
    ] = None

    def __post_init__(self) -> None:
        """Refuse what is about a prior where there is none."""
        for flag, value in (
            ("--weight-prior", self.weight_prior),
            ("--weight-concentration", self.weight_concentration),
        ):
            if value is not None and not self.bayes:
                raise UsageError(f"{flag} is for --bayes alone", "add --bayes, or leave it out")

    @property
    def measure(self) -> str:
        """What the fit raises."""
        return "lower bound" if self.bayes else "log-likelihood"

    def check(self, covariance: str | None, search: Search) -> None:
        """Refuse a shape that has no posterior, and a prior without a spread."""
        if not self.bayes:
            return
        if covariance is not None and covariance not in SHAPES:
            message = f"-c {covariance} cannot be had with --bayes"
            raise UsageError(message, f"those that can: {', '.join(WORDS)}")
        if search.reg_covar == 0:
            message = "--reg-covar 0 leaves the prior of --bayes without a spread"
            raise UsageError(message, "give a number greater than 0, or leave it out")

    def options(self, search: Search, covariance: str) -> "FitOptions":
        """As the engine takes them. Raises UsageError, since a start may bring its own shape."""
        from gmmcli.cli.fitting import fit_options

        self.check(covariance, search)
        options = fit_options(search, covariance)
        if not self.bayes:
            return options
        return replace(
            options,
            weight_prior=self.weight_prior or "dirichlet-process",
            weight_concentration=self.weight_concentration,
        )
