"""What a report tells of: a model, and what is known of its making, its rows and its rivals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.selection import Cell
from gmmcli.report.models import Model
from gmmcli.report.plots.sampling import Sample


@dataclass(frozen=True, kw_only=True, eq=False)
class Census:
    """What a model says of all rows of a table, in one pass.

    name : of the table.
    sha256 : of their numbers: 64-bit floats, little-endian, row by row, columns as in the model.
    n_rows, n_dropped, n_weightless : all, with a missing value, and with weight 0.
    sizes, doubtful : weight of the rows most probably of each cluster, and of those of them that
        are in doubt.
    log_likelihood : of them all as predict tells it, in nats; weight : how often they count.
    likeness : their log-likelihood as the fit tells its own: of a Bayesian fit, that of the
        mixture of expectations, not the predictive one.
    sample : some of them, to be drawn.
    """

    name: str
    sha256: str
    n_rows: int
    n_dropped: int
    n_weightless: int
    sizes: FloatArray
    doubtful: FloatArray
    log_likelihood: float
    likeness: float
    weight: float
    sample: Sample


MOST_ROWS = 5000
"""Rows that are drawn on a page: a picture of more tells no more, and is megabytes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """The candidates that a model was chosen from."""

    cells: Sequence[Cell]
    best: Cell
    criterion: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Account:
    """What a report tells of.

    command : the words of the command line that makes the report.
    options : what is known of how the model was fitted, by name.
    versions : program -> version.
    following : what for -> the words of a command line.
    """

    model: Model
    command: Sequence[str]
    options: Mapping[str, str]
    versions: Mapping[str, str]
    warnings: Sequence[str] = ()
    following: Mapping[str, Sequence[str]] = field(default_factory=dict)
    census: Census | None = None
    choice: Choice | None = None
