"""gmmcli predict: label rows by a model."""

from dataclasses import dataclass
from typing import Annotated

import typer

from gmmcli.cli.options import Output, Prefix, Proba, Threads
from gmmcli.cli.paths import check_inputs, check_outputs, input_path
from gmmcli.cli.reading import Input, Missing, ModelPath, Reading
from gmmcli.cli.talk import Talk


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Results."""

    output: Output = "-"
    proba: Proba = False
    log_density: Annotated[
        bool,
        typer.Option(
            "--log-density",
            help="Add a column log_density: ln p(row), in nats. The lowest rows are outliers.",
        ),
    ] = False
    uncertainty: Annotated[
        bool,
        typer.Option(
            "--uncertainty",
            help="Add a column uncertainty: the probability that the row is in another cluster "
            "than the one given.",
        ),
    ] = False
    prefix: Prefix = ""
    missing: Missing = "error"
    threads: Threads = None


def predict(
    context: typer.Context,
    model_path: ModelPath,
    path: Input = None,
    *,
    prediction: Prediction,
    reading: Reading,
    talk: Talk,
) -> None:
    """Label rows by a model.

    The input rows come back unchanged and in order, with a column cluster appended. Columns are
    found by name, in any order; extra ones are passed through. Memory stays constant, however
    long the input.

    For example:
      gmmcli predict model.json new.csv
      gmmcli predict model.json new.csv --proba -o labelled.parquet
      zcat big.csv.gz | gmmcli predict model.json --log-density > scored.csv
    """
    source = input_path(context, path)
    check_inputs({"MODEL": model_path, "INPUT": source})
    check_outputs({"--output": prediction.output}, inputs=[source, model_path])
    from gmmcli.cli.constants import Constants
    from gmmcli.cli.labelling import Results, label
    from gmmcli.cli.telling import note_blank_lines
    from gmmcli.cli.threads import threads
    from gmmcli.data import open_table
    from gmmcli.modelfile import read
    from gmmcli.report.counts import INCOMPLETE
    from gmmcli.report.numerals import count

    model = read(model_path)
    results = Results(
        proba=prediction.proba,
        log_density=prediction.log_density,
        uncertainty=prediction.uncertainty,
        prefix=prediction.prefix,
        missing=prediction.missing,
        constants=Constants(model.constant_columns),
    )
    with open_table(source, reading.options()) as table, threads(prediction.threads) as pool:
        missing = label(table, model, prediction.output, results=results, pool=pool, talk=talk)
    note_blank_lines(table.n_blank_lines, talk)
    if results.constants.warning:
        talk.warning(results.constants.warning)
    if missing.n_rows:
        rows = f"{missing.n_rows} of {count(missing.n_seen, 'row')}"
        talk.note(f"{rows} without a cluster: {INCOMPLETE}")
    if prediction.output != "-":
        talk.note(f"{count(missing.n_seen, 'row')} written to {prediction.output}")
