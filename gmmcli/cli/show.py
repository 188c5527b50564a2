"""gmmcli show: what a model file says."""

from dataclasses import dataclass
from typing import Annotated

import typer

from gmmcli.cli.talk import Talk


@dataclass(frozen=True, kw_only=True)
class Form:
    """Output."""

    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the model as JSON, as fit saves it."),
    ] = False


def show(
    model_path: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A model that fit or select-k saved, or one written by hand; - is standard input.",
        ),
    ],
    *,
    form: Form,
    talk: Talk,
) -> None:
    """Print the summary of a model that was saved.

    It is the summary that fit printed: weights, sizes, means, spreads, covariances, convergence,
    log-likelihood, BIC, AIC and ICL, and what fit warned of. Of a model written by hand there is
    only what it holds; of merged components, the clusters and what they are made of.

    For example:
      gmmcli show model.json
      gmmcli show model.json --json | jq .weights
    """
    from gmmcli.cli.printing import print_model
    from gmmcli.cli.telling import warn_of
    from gmmcli.modelfile import read

    model = read(model_path)
    print_model(model, as_json=form.as_json, talk=talk)
    warn_of(model, talk)
