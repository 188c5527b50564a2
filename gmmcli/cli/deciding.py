"""The options that say what decides between candidates."""

from dataclasses import dataclass
from typing import Annotated

import typer

from gmmcli.cli.options import Criterion, Saving
from gmmcli.errors import UsageError

_FEWEST_DRAWS = 19


@dataclass(frozen=True, kw_only=True)
class Deciding(Saving):
    """What decides."""

    criterion: Annotated[
        Criterion | None,
        typer.Option(
            "--criterion",
            help="Of each, lower is better. bic: the usual choice; aic: more clusters, for "
            "prediction; aicc: aic for few rows; icl: as bic, but wants clusters that are well "
            "apart; sabic: as bic, with a milder penalty; entropy: how much clusters overlap, for "
            "what they gain in likelihood (NEC). [default: bic]",
        ),
    ] = None
    cv: Annotated[
        int | None,
        typer.Option(
            "--cv",
            min=2,
            metavar="FOLDS",
            help="Cross-validation: the log-likelihood of rows that were held out of the fit, a "
            "fold at a time. Chosen is the candidate with fewest parameters of those within one "
            "standard error of the best. 5 or 10 are usual.",
        ),
    ] = None
    bootstrap_lrt: Annotated[
        int | None,
        typer.Option(
            "--bootstrap-lrt",
            metavar="B",
            help="Likelihood ratio tests of k clusters against k + 1, from the first of -k on, "
            "until one is not significant (p > 0.05). Each p-value is from B samples drawn from "
            "the fitted k clusters: 99 for a first look, 999 to publish. For one shape (-c).",
        ),
    ] = None

    def __post_init__(self) -> None:
        """Refuse two ways to decide."""
        super().__post_init__()
        ways = {
            "--criterion": self.criterion,
            "--cv": self.cv,
            "--bootstrap-lrt": self.bootstrap_lrt,
        }
        given = [flag for flag, value in ways.items() if value is not None]
        if len(given) > 1:
            raise UsageError(f"{given[0]} and {given[1]} both decide", "choose one of them")
        if self.bootstrap_lrt is not None and self.bootstrap_lrt < _FEWEST_DRAWS:
            message = f"--bootstrap-lrt {self.bootstrap_lrt}: no p-value can be as low as 0.05"
            raise UsageError(message, f"draw {_FEWEST_DRAWS} samples or more: 99, or 999")
