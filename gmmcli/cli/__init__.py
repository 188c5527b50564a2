"""The edge: arguments in, exit code out.

    __init__.py   the program: commands, errors, closed pipes
    stopping.py   signals
    options.py    the options that commands share, each written once
    reading.py    those of them that say what is read
    deciding.py   those that say what decides between candidates
    bayes.py      those of a Bayesian fit
    grouping.py   options by the group
    paths.py      what is read from where and written where
    talk.py       notes, warnings, errors, and the summary on its stream
    telling.py    what is said of rows and of fits, in the words that commands share
    watching.py   progress
    threads.py    threads for the whole of a command
    gathering.py  table -> the rows to be fitted: what fit, select-k and merge share
    starting.py   starts that are given
    fitting.py    options -> how to fit, and what the engine gave -> a model
    keeping.py    the state of a fit in a file, to be taken up
    decisions.py  rows -> candidates, and which of them is chosen
    labelling.py  table -> rows with their cluster: what fit, select-k, merge and predict share
    matching.py   the columns of a table that a model asks for
    constants.py  columns that had one value in the fit
    surveying.py  table and model -> some rows, and what the model says of them all
    printing.py   a model on standard output: what fit and show share
    reporting.py  model -> what a report tells: what report and select-k share
    saving.py     a model, labelled rows and small tables in their files
    outcome.py    what select-k writes of the best
    following.py  command lines to go on with
    topics/       the texts of explain
    fit.py  predict.py  select_k.py  merge.py  compare.py  generate.py  plot.py  show.py
    report.py  explain.py    one command each

No module here imports NumPy, pyarrow or rich, nor anything that does, before a command has begun
its work: `--help`, `--version` and usage errors answer at once.
"""

import errno
import functools
import os
import sys
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Annotated, NoReturn

import typer

from gmmcli import __version__
from gmmcli.cli.compare import compare
from gmmcli.cli.explain import explain
from gmmcli.cli.fit import fit
from gmmcli.cli.generate import generate
from gmmcli.cli.grouping import GroupedHelp, help_text, spread
from gmmcli.cli.merge import merge
from gmmcli.cli.paths import WORDS
from gmmcli.cli.plot import plot
from gmmcli.cli.predict import predict
from gmmcli.cli.report import report
from gmmcli.cli.select_k import select_k
from gmmcli.cli.show import show
from gmmcli.cli.stopping import Stopped, stop_on_signals
from gmmcli.cli.talk import Debug, Talk, unwritable
from gmmcli.errors import GmmcliError

HELP = """\
Gaussian-mixture clustering in the shell.

Reads CSV, TSV or Parquet from a file or a pipe, fits a mixture of Gaussians, and writes labels,
parameters and model-selection tables.

\b
For example:
  gmmcli select-k data.csv                    how many clusters, of which shape?
  gmmcli fit data.csv -k 3 -m model.json      fit three, save the model
  gmmcli predict model.json new.csv           label rows with it
  gmmcli plot model.json data.csv -o it.svg   look at it
  gmmcli show model.json                      print the summary again
  gmmcli report model.json data.csv > it.html a page about it
"""

_CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _command in (
    ("fit", fit),
    ("predict", predict),
    ("select-k", select_k),
    ("merge", merge),
    ("compare", compare),
    ("generate", generate),
    ("plot", plot),
    ("show", show),
    ("explain", explain),
    ("report", report),
):
    app.command(_name, cls=GroupedHelp, help=help_text(_command))(spread(_command))


def _show_version(wanted: bool) -> None:  # noqa: FBT001
    if wanted:
        typer.echo(f"gmmcli {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True, help=HELP)
def _program(
    context: typer.Context,
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version),
    ] = False,
    debug: Debug = False,
) -> None:
    del version, debug
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)


def main() -> NoReturn:
    """Run the command line of this process, and end it with the exit code."""
    stop_on_signals()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    talk = Talk()
    sys.excepthook = functools.partial(_show_defect, talk)
    if "_GMMCLI_COMPLETE" in os.environ:
        typer.main.get_command(app).main(prog_name="gmmcli")
    sys.exit(run(sys.argv[1:], talk))


def run(arguments: Sequence[str], talk: Talk | None = None) -> int:
    """Run one command line; gives the exit code."""
    talk = talk or Talk()
    code = _invoke(arguments, talk)
    if sys.stdout is None:
        return code
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
    except OSError as error:
        _discard_stdout()
        if code == 0:
            return talk.failure(unwritable(error))
    return code


def _invoke(arguments: Sequence[str], talk: Talk) -> int:
    command = typer.main.get_command(app)
    code = 0
    try:
        with command.make_context("gmmcli", list(arguments), obj=talk) as context:
            context.meta[WORDS] = ["gmmcli", *arguments]
            command.invoke(context)
    except typer.Exit as end:
        code = end.exit_code
    except Stopped as stop:
        talk.line(f"gmmcli: {stop.word}")
        code = stop.exit_code
    except GmmcliError as error:
        code = talk.failure(error)
    except typer.TyperException as error:
        code = _show_usage_error(error, talk)
    except BrokenPipeError:
        # whoever read the output has seen enough
        pass
    except MemoryError as error:
        message = f"not enough memory: {error}".removesuffix(": ")
        talk.error(error, message, "use fewer columns or fewer rows")
        code = 1
    except OSError as error:
        if error.filename is None and error.errno in _CANNOT_WRITE:
            # help and version; what else is written says its name
            return talk.failure(unwritable(error))
        where = f"{error.filename}: " if error.filename else ""
        talk.error(error, f"{where}{error.strerror or error}")
        code = 1
    return code


def _show_usage_error(error: typer.TyperException, talk: Talk) -> int:
    message = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "gmmcli"
    talk.error(error, message[:1].lower() + message[1:], f"see `{path} --help`")
    return error.exit_code


def _show_defect(
    talk: Talk, kind: type[BaseException], defect: BaseException, _trace: TracebackType | None
) -> None:
    message = f"internal error: {kind.__name__}: {defect}"
    advice = "this is a defect of gmmcli: please report it, with what --debug prints"
    talk.error(defect, message, advice)


def _discard_stdout() -> None:
    """Let the interpreter find nothing to complain of when it flushes standard output at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
