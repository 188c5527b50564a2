"""A model on standard output: its summary, or its JSON."""

from functools import partial

from gmmcli.cli.talk import Talk
from gmmcli.data import write_text
from gmmcli.modelfile import Model, dumps
from gmmcli.report.summary import summary


def print_model(model: Model, *, as_json: bool, talk: Talk, aside: bool = False) -> None:
    """Print a model; fit and show print here, so that both say the same of the same model.

    Parameters
    ----------
    aside : standard output carries something else.
    """
    if as_json:
        write_text("-", dumps(model))
        return
    talk.show(partial(summary, model), aside=aside)
