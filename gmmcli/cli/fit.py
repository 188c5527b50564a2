"""gmmcli fit: a mixture of K Gaussians."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated

import typer

from gmmcli.cli.bayes import Bayes
from gmmcli.cli.options import SHAPES_HELP, Saving, Search, completing, shape
from gmmcli.cli.paths import check_inputs, check_outputs, input_path, on_stdout
from gmmcli.cli.reading import Choosing, Input
from gmmcli.cli.talk import Talk
from gmmcli.errors import UsageError
from gmmcli.mixture.shapes import NAMES


@dataclass(frozen=True, kw_only=True)
class Wanted(Saving):
    """Clusters."""

    components: Annotated[
        int | None,
        typer.Option(
            "--components",
            "-k",
            min=1,
            metavar="K",
            help="Number of clusters; with --bayes, the most there may be. Needed, unless "
            "--start or --start-labels tell it.",
        ),
    ] = None
    covariance: Annotated[
        str | None,
        typer.Option(
            "--covariance",
            "-c",
            parser=shape,
            metavar="SHAPE",
            help="Shape of the clusters, by a word or by mclust's name for it; what all share is "
            f"one, what each has is its own. [default: full, or as in --start]{SHAPES_HELP}",
            autocompletion=completing(NAMES),
        ),
    ] = None
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            metavar="MODEL",
            help="Start from this model instead of searching; its columns, and its projection, "
            "are those of the fit.",
        ),
    ] = None
    start_labels: Annotated[
        str | None,
        typer.Option(
            "--start-labels",
            metavar="COLUMN",
            help="Start from the partition in this column, which is then no feature.",
        ),
    ] = None
    checkpoint: Annotated[
        str | None,
        typer.Option(
            "--checkpoint",
            metavar="PATH",
            help="Once a start is found, keep the state of the fit in this file, every few seconds "
            "and when stopped. The same command takes it up there, and ends in the same bytes as "
            "an uninterrupted run; then the file is removed. Stopped while it looks for a "
            "start, it begins anew.",
        ),
    ] = None
    standard_errors: Annotated[
        int | None,
        typer.Option(
            "--standard-errors",
            min=2,
            max=100_000,
            metavar="B",
            help="Standard errors of weights, means, standard deviations and covariances, from B "
            "fits to randomly weighted rows (weighted likelihood bootstrap); 200 will do.",
            show_default=False,
        ),
    ] = None
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Exit code 3 where the fit has not converged."),
    ] = False
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the model as JSON instead of the summary.")
    ] = False

    def __post_init__(self) -> None:
        """Refuse two starts, and none at all."""
        super().__post_init__()
        if self.start and self.start_labels:
            raise UsageError("--start and --start-labels are two starts", "choose one of them")
        if not (self.components or self.start or self.start_labels):
            advice = "give -k 3, or ask `gmmcli select-k` how many there are"
            raise UsageError("the number of clusters is missing", advice)

    def check_search(self, search: Search) -> None:
        """Refuse ways to search for a start where one is given."""
        given = "--start" if self.start else "--start-labels" if self.start_labels else ""
        for flag, value in (("--init", search.init), ("--n-init", search.n_init)):
            if given and value is not None:
                message = f"{flag} searches for a start, and {given} gives one"
                raise UsageError(message, "leave one of them out")


def fit(
    context: typer.Context,
    path: Input = None,
    *,
    wanted: Wanted,
    choosing: Choosing,
    search: Search,
    bayes: Bayes,
    talk: Talk,
) -> None:
    """Fit a mixture of Gaussians and print a summary of it.

    Clusters are numbered from 0, the largest first.

    For example:
      gmmcli fit data.csv -k 3
      gmmcli fit data.csv -k 3 -C height -C weight -m model.json -l labelled.csv
      gmmcli fit -k 3 -l - < data.csv | cut -d, -f1,5
    """
    source, aside = _settle(context, path, wanted, search, bayes)

    from gmmcli.cli.fitting import check_converged, model_of
    from gmmcli.cli.following import after_fit
    from gmmcli.cli.gathering import gather
    from gmmcli.cli.keeping import Checkpoint
    from gmmcli.cli.printing import print_model
    from gmmcli.cli.saving import save
    from gmmcli.cli.starting import given_start, read_start
    from gmmcli.cli.telling import note_passes, warn_of
    from gmmcli.cli.threads import threads
    from gmmcli.cli.watching import observer
    from gmmcli.data import open_table

    start = read_start(wanted.start, n_components=wanted.components, pca=choosing.pca)
    with ExitStack() as at_the_end:
        with open_table(source, choosing.options()) as table, threads(search.threads) as pool:
            rows = gather(
                table, choosing, talk=talk, pool=pool, start=start, labels=wanted.start_labels
            )
            given = given_start(start, rows.labels, n_components=wanted.components)
            options = bayes.options(search, wanted.covariance or given.covariance_type)
            with (
                talk.progress(every=search.log_every) as line,
                Checkpoint(wanted.checkpoint, rows.columns) as checkpoint,
            ):
                fitting = rows.fitting(pool, observer(line, measure=bayes.measure))
                K = given.n_components
                resume = checkpoint.resume(options, fitting.key(K, options, given.start), talk)
                result = fitting.fit(K, options, given.start, resume=resume, keep=checkpoint.keep)
                line.clear()
                note_passes(result, talk)
                model = model_of(rows, result, fitting, options, size=wanted.standard_errors)
                line.clear()
                at_the_end.callback(warn_of, model, talk, strict=wanted.strict)
                X = rows.features_of(table)
                save(model, table, wanted, missing=choosing.missing, pool=pool, talk=talk, X=X)
        print_model(model, as_json=wanted.as_json, talk=talk, aside=aside)
    check_converged(result, strict=wanted.strict)
    if result.converged and source != "-":
        talk.suggest(after_fit(source, wanted, choosing, fitted_by=(search, bayes)))


def _settle(
    context: typer.Context, path: str | None, wanted: Wanted, search: Search, bayes: Bayes
) -> tuple[str, bool]:
    """Where the input is, and whether standard output is taken; all contradictions refused."""
    if wanted.checkpoint == "-":
        raise UsageError("--checkpoint is a file that is read again", "give it a path")
    outputs = {"--model": wanted.model, "--labels": wanted.labels}
    claims = {flag: target == "-" for flag, target in outputs.items()}
    aside = on_stdout({**claims, "--json": wanted.as_json})
    wanted.check_search(search)
    bayes.check(wanted.covariance, search)
    if bayes.bayes and wanted.standard_errors is not None:
        message = "--standard-errors are those of a maximum of the likelihood, and --bayes has none"
        raise UsageError(message, "leave one of them out")
    source = input_path(context, path)
    check_inputs({"INPUT": source, "--start": wanted.start})
    check_outputs({**outputs, "--checkpoint": wanted.checkpoint}, inputs=[source, wanted.start])
    return source, aside
