"""gmmcli merge: components combined into clusters."""

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gmmcli.cli.options import Saving, Table, Threads
from gmmcli.cli.paths import check_inputs, check_outputs, input_path, on_stdout
from gmmcli.cli.reading import Input, Missing, Sizing, Weights
from gmmcli.cli.talk import Talk
from gmmcli.errors import UsageError

if TYPE_CHECKING:
    from gmmcli import data
    from gmmcli.execution import Executor
    from gmmcli.mixture.batches import Batches
    from gmmcli.mixture.merging import Merging
    from gmmcli.modelfile import Model


@dataclass(frozen=True, kw_only=True)
class Wanted(Saving):
    """Clusters."""

    clusters: Annotated[
        int | None,
        typer.Option(
            "--clusters",
            "-k",
            min=1,
            metavar="CLUSTERS",
            help="Number of clusters to merge to. Default: the number suggested, by the elbow of "
            "the entropy.",
            show_default=False,
        ),
    ] = None
    output: Table = None

    def outputs(self) -> dict[str, str | None]:
        """What is to be written where."""
        return {"--output": self.output, "--model": self.model, "--labels": self.labels}


@dataclass(frozen=True, kw_only=True)
class Rows(Sizing):
    """Rows."""

    weights: Weights = None
    missing: Missing = "error"
    threads: Threads = None


def merge(
    context: typer.Context,
    model_path: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model that fit or select-k saved.")
    ],
    path: Input = None,
    *,
    wanted: Wanted,
    rows: Rows,
    talk: Talk,
) -> None:
    """Merge components that overlap into clusters.

    A cluster that is not an ellipse takes several Gaussians to fit, and select-k counts the
    Gaussians. This joins them two by two, each time the pair that lowers the entropy of the
    labels most (Baudry et al. 2010), prints the entropy of each number of clusters, and suggests
    one. INPUT holds the rows that the model was fitted to.

    The merged model (-m) is the same mixture, and says which component is in which cluster:
    predict then labels rows with the cluster.

    For example:
      gmmcli merge model.json data.csv
      gmmcli merge model.json data.csv -m merged.json -l labelled.csv
      gmmcli merge model.json data.csv -k 2 -m merged.json
    """
    source = input_path(context, path)
    check_inputs({"MODEL": model_path, "INPUT": source})
    outputs = wanted.outputs()
    aside = on_stdout({flag: target == "-" for flag, target in outputs.items()})
    check_outputs(outputs, inputs=[source, model_path])

    from gmmcli.cli.saving import save
    from gmmcli.cli.threads import threads
    from gmmcli.data import open_table
    from gmmcli.mixture.merging import merge as merge_components
    from gmmcli.modelfile import read
    from gmmcli.report.merging import merging_table

    model = read(model_path)
    _check_count(wanted.clusters, model.mixture.n_components, model_path)
    with open_table(source, rows.options()) as table, threads(rows.threads) as pool:
        batches = _batches(table, model, rows, pool=pool, talk=talk)
        # a Bayesian fit shares rows out by other weights than the expected ones it tells
        merging = merge_components(model.assigning, batches, workers=pool)
        merging = replace(merging, weights=model.mixture.weights)
        chosen = wanted.clusters or merging.suggested
        merged = replace(model, clusters=tuple(merging.clusters(chosen).tolist()))
        if wanted.output not in (None, "-"):
            _write_steps(merging, chosen, str(wanted.output))
        save(merged, table, wanted, missing=rows.missing, pool=pool, talk=talk)
    if wanted.output == "-":
        _write_steps(merging, chosen, "-")
    talk.show(partial(merging_table, merging, chosen), aside=aside)


def _check_count(n_clusters: int | None, n_components: int, model: str) -> None:
    if n_components == 1:
        message = f"{model} has one component: there is nothing to merge"
        raise UsageError(message, "fit more components than clusters, as select-k suggests")
    if n_clusters is not None and n_clusters > n_components:
        message = f"-k {n_clusters}: {model} has {n_components} components, and merging adds none"
        raise UsageError(message, f"choose -k between 1 and {n_components}")


def _batches(
    table: "data.Table", model: "Model", rows: Rows, *, pool: "Executor", talk: Talk
) -> "Batches":
    """The rows of a table in the space of the mixture."""
    from gmmcli.cli.gathering import load_rows
    from gmmcli.cli.matching import matched

    batches = load_rows(
        table,
        matched(table, model, weights=rows.weights),
        missing=rows.missing,
        memory=rows.memory,
        fixed=True,
        talk=talk,
        pool=pool,
    ).batches
    return batches if model.projection is None else model.projection.batches(batches)


def _write_steps(merging: "Merging", chosen: int, path: str) -> None:
    """Write the steps with all digits, the components as they are first."""
    from gmmcli.cli.saving import write_records
    from gmmcli.report.merging import joined

    kinds = {"clusters": "int", "entropy": "float", "joined": "text", "chosen": "text"}
    records = [
        {
            "clusters": c,
            "entropy": merging.entropies[c - 1],
            "joined": joined(merging, c) or None,
            "chosen": "yes" if c == chosen else "no",
        }
        for c in range(merging.n_components, 0, -1)
    ]
    write_records(path, kinds, records)
