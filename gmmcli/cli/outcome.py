"""What select-k writes of the best candidate: a page, a picture, a model, labelled rows."""

from typing import TYPE_CHECKING, NamedTuple

from gmmcli.cli.decisions import Decision
from gmmcli.cli.paths import picture_format
from gmmcli.cli.reading import Choosing, Rows
from gmmcli.cli.reporting import account, write_page
from gmmcli.cli.saving import save
from gmmcli.cli.surveying import take_census
from gmmcli.cli.talk import Talk
from gmmcli.data import Table, write_bytes
from gmmcli.execution import Executor
from gmmcli.modelfile import Model
from gmmcli.report.page import Choice
from gmmcli.report.plots import draw_criteria, render

if TYPE_CHECKING:
    from gmmcli.cli.select_k import Candidates


class Lines(NamedTuple):
    """Command lines, word by word: the one that ran, and the one to go on with."""

    ran: list[str]
    following: list[str]


def keep_best(
    decision: Decision,
    model: Model,
    table: Table,
    *,
    candidates: "Candidates",
    choosing: Choosing,
    lines: Lines,
    pool: Executor,
    talk: Talk,
) -> None:
    """Write what is wanted of the best, standard output last."""
    best, criterion = decision.chosen, candidates.criterion or "bic"
    if candidates.report is not None and best is not None:
        reading = Rows(weights=choosing.weights, missing=choosing.missing)
        census = take_census(table, model, reading, pool=pool, talk=talk, first=False)
        told = account(
            model,
            command=lines.ran,
            census=census,
            choice=Choice(cells=decision.cells, best=best, criterion=criterion),
            following={"Go on with the best": lines.following},
        )
        write_page(candidates.report, told, talk)
    if candidates.plot is not None and best is not None:
        figure = draw_criteria(decision.cells, best, criterion)
        write_bytes(candidates.plot, render(figure, picture_format(candidates.plot)))
    save(model, table, candidates, missing=choosing.missing, pool=pool, talk=talk)
