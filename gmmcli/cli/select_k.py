"""gmmcli select-k: how many clusters, and of which shape."""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gmmcli.cli.deciding import Deciding
from gmmcli.cli.options import SHAPES_HELP, Search, Table, completing, shape
from gmmcli.cli.paths import (
    check_outputs,
    check_page,
    input_path,
    on_stdout,
    output_path,
    picture_format,
    words_of,
)
from gmmcli.cli.reading import Choosing, Input
from gmmcli.cli.talk import Talk
from gmmcli.errors import FitError, UsageError
from gmmcli.mixture.shapes import NAMES, WORDS, all_of

if TYPE_CHECKING:
    from gmmcli.cli.decisions import Decision

_RANGE = re.compile(r"0*(\d+)(?:-0*(\d+))?")
_MOST_DIGITS = 6
_MOST_COUNTS = 1000
_ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Candidates(Deciding):
    """Candidates."""

    components: Annotated[
        str,
        typer.Option(
            "--components",
            "-k",
            metavar="RANGE",
            help="Numbers of clusters to try: a range such as 1-10, a list such as 2,4,6, or both.",
        ),
    ] = "1-10"
    covariance: Annotated[
        str,
        typer.Option(
            "--covariance",
            "-c",
            metavar="LIST",
            help="Shapes to try, with commas between, by a word or by mclust's name; what all "
            f"clusters share is one, what each has is its own. {_ALL}: every one that differs for "
            f"these columns. [default: {','.join(WORDS)}]{SHAPES_HELP}",
            show_default=False,
            autocompletion=completing({**NAMES, _ALL: "every one"}),
        ),
    ] = ",".join(WORDS)
    output: Table = None
    plot: Annotated[
        str | None,
        typer.Option(
            "--plot",
            metavar="PATH",
            help="Draw BIC and AIC, and the criterion if it is another, over the number of "
            "clusters, a line a shape: .png, .svg or .pdf.",
        ),
    ] = None
    report: Annotated[
        str | None,
        typer.Option(
            "--report",
            metavar="PATH",
            parser=output_path,
            help="Write a page about the table and the best fit, as gmmcli report does: .html.",
        ),
    ] = None
    best: Annotated[
        bool, typer.Option("--best", help="Print the chosen number of clusters, nothing else.")
    ] = False

    def __post_init__(self) -> None:
        """Refuse what is no range and no list, and what cannot be tested."""
        super().__post_init__()
        counts, structures = self.counts, self.structures(1)
        if self.plot is not None:
            picture_format(self.plot)
        if self.report == "-":
            raise UsageError("--report is a page in a file", "name it, such as report.html")
        check_page("--report", self.report)
        told = "--plot" if self.plot is not None else "--report" if self.report else None
        for flag, given in (("--cv", self.cv), ("--bootstrap-lrt", self.bootstrap_lrt)):
            if given is not None and told:
                message = f"{told} draws criteria, and {flag} decides otherwise"
                raise UsageError(message, "leave one of them out")
        if self.bootstrap_lrt is None:
            return
        if len(structures) > 1:
            message = f"--bootstrap-lrt tests one shape, not -c {self.covariance}"
            raise UsageError(message, "choose it with -c full, or compare shapes by --criterion")
        if len(counts) < 2 or counts != tuple(range(counts[0], counts[-1] + 1)):
            message = f"-k {self.components}: --bootstrap-lrt tests each number against the next"
            raise UsageError(message, "write a range of two or more, such as 1-5")

    def outputs(self) -> dict[str, str | None]:
        """What is to be written where."""
        return {
            "--output": self.output,
            "--plot": self.plot,
            "--report": self.report,
            "--model": self.model,
            "--labels": self.labels,
        }

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers that `1-10`, `2,4,6` or `1-3,8` stand for, once each."""
        counts: dict[int, None] = {}
        for part in self.components.split(","):
            match = _RANGE.fullmatch(part.strip())
            ends = [] if match is None else [match[1], match[2] or match[1]]
            first, last = (int(end[: _MOST_DIGITS + 1]) for end in ends or "00")
            if match is None:
                wrong = "is no number of clusters and no range"
            elif max(map(len, ends)) > _MOST_DIGITS:
                wrong = f"goes beyond {10**_MOST_DIGITS - 1} clusters"
            elif first == 0:
                wrong = "starts at 0, and there is at least 1 cluster"
            elif first > last:
                wrong = "runs backwards"
            elif last - first >= _MOST_COUNTS:
                wrong = f"is more than {_MOST_COUNTS} numbers"
            else:
                counts.update(dict.fromkeys(range(first, last + 1)))
                continue
            message = f"-k {self.components}: {part!r} {wrong}"
            raise UsageError(message, "write a range such as 1-10, or a list such as 2,4,6")
        return tuple(counts)

    def note_edge(self, chosen: int, talk: Talk) -> None:
        """Say where the chosen number of clusters is the first or the last tried."""
        from gmmcli.mixture.selection import on_edge

        if not on_edge(chosen, self.counts):
            return
        which = "largest" if chosen == max(self.counts) else "smallest"
        where = f"the best lies on the edge of the range: k = {chosen} is the {which} tried"
        wider = f"1-{chosen}" if which == "smallest" else f"{chosen}-{2 * chosen}"
        talk.note(f"{where}; look beyond it with -k {wider}")

    def structures(self, n_features: int) -> tuple[str, ...]:
        """The covariance structures for data of D columns, once each."""
        names: dict[str, None] = {}
        for part in self.covariance.split(","):
            every = part.strip().lower() == _ALL
            names.update(dict.fromkeys(all_of(n_features) if every else [shape(part)]))
        return tuple(names)


def select_k(
    context: typer.Context,
    path: Input = None,
    *,
    candidates: Candidates,
    choosing: Choosing,
    search: Search,
    talk: Talk,
) -> None:
    """Compare numbers of clusters and shapes.

    Fits every number of clusters under every covariance structure and prints the criteria of
    each, the best marked. The best fit can be saved as it is.

    For example:
      gmmcli select-k data.csv
      gmmcli select-k data.csv -k 1-6 -c full,diag -m best.json -l labelled.csv
      gmmcli select-k data.csv -k 1-6 -c full --cv 10
      gmmcli fit data.csv -k $(gmmcli select-k data.csv -c full --best -q)
    """
    source, aside = _settle(context, path, candidates)

    from gmmcli.cli.decisions import decide
    from gmmcli.cli.following import after_selection
    from gmmcli.cli.gathering import gather
    from gmmcli.cli.outcome import Lines, keep_best
    from gmmcli.cli.telling import warn_of
    from gmmcli.cli.threads import threads
    from gmmcli.data import open_table

    with ExitStack() as at_the_end:
        with open_table(source, choosing.options()) as table, threads(search.threads) as pool:
            rows = gather(table, choosing, talk=talk, pool=pool)
            decision = decide(rows, candidates, search, pool=pool, talk=talk)
            chosen = decision.chosen
            if candidates.output is not None and candidates.output != "-":
                decision.write(candidates.output)
            if chosen is not None and chosen.result is not None:
                model = rows.model(chosen.result)
                at_the_end.callback(warn_of, model, talk)
                following = after_selection(source, chosen, candidates, choosing, search)
                lines = Lines(words_of(context), following)
                keep_best(
                    decision,
                    model,
                    table,
                    candidates=candidates,
                    choosing=choosing,
                    lines=lines,
                    pool=pool,
                    talk=talk,
                )
        # standard output last: whoever closes it must not lose a file by it
        _print(decision, candidates, talk, aside=aside)
    if chosen is None:
        raise decision.failure or FitError("nothing could be chosen", "the table says why")
    candidates.note_edge(chosen.n_components, talk)
    if source != "-":
        talk.suggest(lines.following)


def _settle(context: typer.Context, path: str | None, candidates: Candidates) -> tuple[str, bool]:
    """Where the input is, and whether standard output is taken; all contradictions refused."""
    source = input_path(context, path)
    outputs = candidates.outputs()
    claims = {flag: target == "-" for flag, target in outputs.items()}
    aside = on_stdout({**claims, "--best": candidates.best})
    check_outputs(outputs, inputs=[source])
    if candidates.plot is not None:
        from gmmcli.report.plots import check_library

        check_library()
    return source, aside


def _print(decision: "Decision", candidates: Candidates, talk: Talk, *, aside: bool) -> None:
    from gmmcli.data import write_text

    if candidates.output == "-":
        decision.write("-")
    talk.show(decision.table, aside=aside)
    if candidates.best and decision.chosen is not None:
        write_text("-", f"{decision.chosen.n_components}\n")
