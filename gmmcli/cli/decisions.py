"""The ways to decide between candidates: a criterion, cross-validation, and tests."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gmmcli.cli.fitting import fit_options
from gmmcli.cli.gathering import Rows
from gmmcli.cli.options import Search
from gmmcli.cli.saving import write_records
from gmmcli.cli.talk import Talk
from gmmcli.cli.watching import observer
from gmmcli.errors import DataError, FitError
from gmmcli.execution import Executor
from gmmcli.mixture.bootstrap import RatioTest, ratio_tests
from gmmcli.mixture.folds import check_folds
from gmmcli.mixture.grid import grid
from gmmcli.mixture.selection import CRITERIA, Cell, best
from gmmcli.mixture.validation import Validated, cross_validate, simplest_of_the_best
from gmmcli.report.criteria import criteria_table
from gmmcli.report.layout import Line
from gmmcli.report.ratio_tests import ratio_table
from gmmcli.report.validation import validation_table

if TYPE_CHECKING:
    from gmmcli.cli.select_k import Candidates

Kinds = dict[str, str]
Records = list[dict[str, Any]]

_SCORE = {
    "cv": "mean",
    "cv_standard_error": "standard_error",
    "behind": "behind",
    "behind_standard_error": "behind_error",
}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided.

    chosen : None where no candidate can be.
    table : the lines that a person reads, told the width.
    kinds, records : the columns of the table with all digits, and its rows.
    cells : the candidates, where a criterion decided.
    failure : why none is chosen, to be raised when the table has been seen.
    """

    chosen: Cell | None
    table: Callable[[int], list[Line]]
    kinds: Kinds
    records: Records
    cells: Sequence[Cell] = ()
    failure: FitError | None = None

    def write(self, path: str) -> None:
        """Write the table with all digits."""
        write_records(path, self.kinds, self.records)


def decide(
    rows: Rows, candidates: "Candidates", search: Search, *, pool: Executor, talk: Talk
) -> Decision:
    """Fit the candidates, and decide as the options say."""
    if candidates.bootstrap_lrt is not None:
        return by_tests(rows, candidates, search, pool=pool, talk=talk)
    if candidates.cv is not None:
        check_folds(rows.batches, candidates.cv)
    cells = fit_cells(rows, candidates, search, pool=pool, talk=talk)
    if candidates.cv is None or not any(cell.result for cell in cells):
        return by_criterion(cells, candidates.criterion or "bic")
    with talk.progress(every=search.log_every) as line:
        validated = cross_validate(
            rows.fitting(pool, observer(line)),
            cells,
            n_folds=candidates.cv,
            options=fit_options(search),
        )
    return by_validation(validated, candidates.cv)


def fit_cells(
    rows: Rows, candidates: "Candidates", search: Search, *, pool: Executor, talk: Talk
) -> list[Cell]:
    """Fit every candidate, in the order of the table."""
    done: list[Cell] = []
    structures = candidates.structures(rows.batches.n_features)
    n_cells = len(candidates.counts) * len(structures)

    def place() -> str:
        # of large data some are improved on when all have been fitted
        return f"fit {len(done) + 1} of {n_cells}, " if len(done) < n_cells else "improving, "

    with talk.progress(every=search.log_every) as line:
        return grid(
            rows.fitting(pool, observer(line, place)),
            candidates.counts,
            covariance_types=structures,
            options=fit_options(search),
            criterion=candidates.criterion or "bic",
            tell=done.append,
        )


def by_criterion(cells: Sequence[Cell], criterion: str) -> Decision:
    """The lowest of a criterion."""
    chosen, failure = None, None
    try:
        chosen = best(cells, criterion)
    except FitError as error:
        failure = error
    if not any(cell.result for cell in cells):
        failure = FitError("none of the candidates could be fitted", "the table says why")
    return Decision(
        chosen=chosen,
        table=partial(criteria_table, cells, chosen, criterion),
        kinds=_kinds("delta"),
        records=[
            _record(cell, chosen) | {"delta": _delta(cell, chosen, criterion)} for cell in cells
        ],
        cells=cells,
        failure=failure,
    )


def by_validation(validated: Sequence[Validated], n_folds: int) -> Decision:
    """The simplest of those that predict held-out rows best."""
    simplest = simplest_of_the_best(validated)
    chosen = None if simplest is None else simplest.cell
    records = []
    for candidate in validated:
        record = _record(candidate.cell, chosen)
        record |= {name: getattr(candidate.score, of, None) for name, of in _SCORE.items()}
        records.append(record | {"reason": candidate.reason or None})
    failure = FitError("no candidate could be scored", "see the reasons in the table")
    return Decision(
        chosen=chosen,
        table=partial(validation_table, validated, simplest, n_folds),
        kinds=_kinds(*_SCORE),
        records=records,
        failure=None if chosen else failure,
    )


def by_tests(
    rows: Rows, candidates: "Candidates", search: Search, *, pool: Executor, talk: Talk
) -> Decision:
    """The first number of clusters that one more does not improve on significantly."""
    (covariance_type,) = candidates.structures(rows.batches.n_features)
    _check_draws(rows.description.n_rows, candidates.counts[1])
    with talk.progress(every=search.log_every) as line:
        tests = list(
            ratio_tests(
                rows.fitting(pool, observer(line)),
                candidates.counts,
                n_replicates=candidates.bootstrap_lrt or 0,
                options=fit_options(search, covariance_type),
                tell=line.show,
            )
        )
    result = tests[-1].chosen
    records = [{"covariance": covariance_type, **_record_of_test(test)} for test in tests]
    kinds = dict.fromkeys(records[0], "float") | dict.fromkeys(("covariance", "reason"), "text")
    kinds |= dict.fromkeys(("k", "alternative_k", "draws", "failed_draws"), "int")
    return Decision(
        chosen=Cell(result.model.n_components, covariance_type, result),
        table=partial(ratio_table, tests),
        kinds=kinds,
        records=records,
    )


def _check_draws(n_rows: float, n_components: int) -> None:
    """Refuse weights that sum to fewer rows than can be drawn and fitted. DataError."""
    if round(n_rows) <= n_components:
        message = f"--bootstrap-lrt draws as many rows as the weights sum to: here {n_rows:.6g}"
        raise DataError(message, "give weights that say how many rows each one stands for")


def _record_of_test(test: RatioTest) -> dict[str, Any]:
    """A test with all digits; one that could not be made has a reason instead."""
    made = test.alternative is not None
    return {
        "k": test.null.model.n_components,
        "alternative_k": test.null.model.n_components + 1,
        "log_likelihood": test.null.log_likelihood,
        "alternative_log_likelihood": test.alternative and test.alternative.log_likelihood,
        "lrts": test.statistic if made else None,
        "p_value": test.p_value if made else None,
        "draws": len(test.replicates),
        "failed_draws": test.n_failed,
        "reason": test.reason or None,
    }


def _kinds(*more: str) -> Kinds:
    """The columns of a table of candidates, with some more numbers behind the criteria."""
    numbers = ("log_likelihood", "n_parameters", *CRITERIA, "classification_entropy", *more)
    kinds = {"covariance": "text", "k": "int", **dict.fromkeys(numbers, "float"), "n_iter": "int"}
    return kinds | {"n_parameters": "int", **dict.fromkeys(("converged", "best", "reason"), "text")}


def _delta(cell: Cell, best: Cell | None, criterion: str) -> float | None:
    """How far a candidate is from the best; None where the criterion is not defined."""
    if cell.result is None or best is None or best.result is None:
        return None
    above = CRITERIA[criterion](cell.result) - CRITERIA[criterion](best.result)
    return above if math.isfinite(above) else None


def _record(cell: Cell, best: Cell | None) -> dict[str, Any]:
    """A candidate with all digits; one that was not fitted has a reason instead."""
    record: dict[str, Any] = {"covariance": cell.covariance_type, "k": cell.n_components}
    for name in ("log_likelihood", "n_parameters", *CRITERIA, "classification_entropy", "n_iter"):
        value = getattr(cell.result, name, None)
        # a criterion that is not defined here
        record[name] = None if value == math.inf else value
    record["converged"] = cell.result and ("yes" if cell.result.converged else "no")
    record["best"] = "yes" if cell is best else "no"
    record["reason"] = cell.reason or None
    return record
