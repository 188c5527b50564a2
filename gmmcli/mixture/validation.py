"""How well candidates predict rows that they have not seen: cross-validation.

Each fold of the rows is held out in turn, every candidate is fitted to the others from starts of
its own (those of the fit to all rows know the held-out ones), and the log-density of each
held-out row is its score.

Sources: Smyth (2000), Model selection for probabilistic clustering using cross-validated
likelihood, Statistics and Computing 10, 63-72; Breiman, Friedman, Olshen & Stone (1984),
Classification and Regression Trees, section 3.4.3: the rule of one standard error.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.batches import Batch, Batches
from gmmcli.mixture.em import Step
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.folds import folds
from gmmcli.mixture.grid import grid
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.selection import Cell
from gmmcli.mixture.standardise import describe
from gmmcli.mixture.workers import Workers

FARTHEST = 1e15
"""Nats below 0 beyond which the score of one row is all that a mean of scores holds: the others
are lost in its rounding."""
TOO_FAR = "a row is too far away from the others to be predicted"


@dataclass(frozen=True)
class Score:
    """What held-out rows say of a candidate; all in nats a row.

    mean : log-density of a held-out row, in user units; higher is better.
    standard_error : of the mean, from the spread of the rows' scores.
    behind : how far the mean is below that of the best candidate.
    behind_error : standard error of that, from the spread of the rows' differences.
    """

    mean: float
    standard_error: float
    behind: float
    behind_error: float


@dataclass(frozen=True, eq=False)
class Validated:
    """A candidate fitted to all rows, and its score or the reason why there is none."""

    cell: Cell
    score: Score | None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class _HeldOut:
    """A fold, and the candidates fitted without it."""

    rows: Batches
    cells: list[Cell]


def cross_validate(
    fitting: Fitting, cells: Sequence[Cell], *, n_folds: int, options: FitOptions
) -> list[Validated]:
    """Score the candidates of a grid on rows that they were not fitted to.

    Parameters
    ----------
    fitting : the rows, in the user's units.
    cells : all that `grid` gave for them.
    n_folds : 2 or more; as many as there are rows leaves out one at a time.
    options : as for `fit`; its seed deals the rows.

    Raises
    ------
    FitError : more folds than rows.
    """
    held_out: list[_HeldOut] = []

    def watch(phase: str, step: Step) -> None:
        fitting.observe(f"fold {len(held_out) + 1} of {n_folds}, {phase}", step)

    for others, own in folds(fitting.batches, n_folds, seed=options.seed):
        try:
            fitted = grid(
                Fitting(others, workers=fitting.workers, observe=watch),
                list(dict.fromkeys(cell.n_components for cell in cells)),
                covariance_types=list(dict.fromkeys(cell.covariance_type for cell in cells)),
                options=options,
            )
        except FitError as error:
            # of the other rows as a whole: no structure fits them
            fitted = [replace(cell, result=None, reason=error.message) for cell in cells]
        held_out.append(_HeldOut(own, fitted))
    reasons = [_reason(cell, held_out, i) for i, cell in enumerate(cells)]
    places = [i for i, why in enumerate(reasons) if not why]
    scores = _scores(held_out, places, fitting.workers)
    return [
        Validated(cell, scores.get(i), reasons[i] or ("" if i in scores else TOO_FAR))
        for i, cell in enumerate(cells)
    ]


def simplest_of_the_best(candidates: Sequence[Validated]) -> Validated | None:
    """The candidate with fewest parameters of those within one standard error of the best.

    The standard error is that of the difference from the best, row by row: how hard a row is to
    predict is common to both, and says nothing of which is better.

    Returns
    -------
    None if no candidate has a score.
    """
    near = [
        (candidate.cell.result.n_parameters, candidate.score.behind, i)
        for i, candidate in enumerate(candidates)
        if candidate.score is not None
        and candidate.cell.result is not None
        and candidate.score.behind <= candidate.score.behind_error
    ]
    return candidates[min(near)[-1]] if near else None


def _reason(cell: Cell, held_out: Sequence[_HeldOut], place: int) -> str:
    if cell.result is None:
        return cell.reason
    for fold, part in enumerate(held_out):
        if part.cells[place].result is None:
            return f"without fold {fold + 1}: {part.cells[place].reason}"
    return ""


@dataclass(frozen=True, eq=False)
class _Scored:
    """The held-out rows as a table of their scores: a candidate is a feature."""

    held_out: Sequence[_HeldOut]
    places: Sequence[int]

    @property
    def n_features(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Batch]:
        for part in self.held_out:
            models = [
                result.model for i in self.places if (result := part.cells[i].result) is not None
            ]
            for X, weights in part.rows:
                scores = np.stack([_log_density(model, X) for model in models])
                # their squares are to be numbers
                yield Batch(np.maximum(scores, -2 * FARTHEST), weights)


def _log_density(model: GaussianMixture, X: FloatArray) -> FloatArray:
    return model.posterior(X.T).log_density


def _scores(
    held_out: Sequence[_HeldOut], places: Sequence[int], workers: Workers
) -> dict[int, Score]:
    """The score of each candidate at these places, unless it would be that of one row."""
    if not places:
        return {}
    # means, variances and covariances of the scores are moments of a table like any other
    described = describe(_Scored(held_out, places), workers=workers)
    n_rows, means = described.n_rows, described.location
    exponents = described.exponent.astype(np.int64)
    scatter = np.ldexp(described.scatter, exponents[:, None] + exponents)
    far = described.minimum < -FARTHEST
    best = int(np.argmax(np.where(far, -np.inf, means)))
    own = np.diag(scatter)
    between = np.maximum(own + own[best] - 2 * scatter[best], 0)
    errors, behind_errors = (np.sqrt(s / max(n_rows - 1, 1) / n_rows) for s in (own, between))
    table = zip(means, errors, means[best] - means, behind_errors, strict=True)
    return {
        place: Score(*map(float, numbers))
        for place, is_far, numbers in zip(places, far, table, strict=True)
        if not is_far
    }
