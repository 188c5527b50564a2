"""When EM has converged.

Source: Böhning, Dietz, Schaub, Schlattmann & Lindsay (1994), The distribution of the likelihood
ratio for mixtures of densities from the one-parameter exponential family, section 3.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gmmcli.mixture.acceleration import SLOW
from gmmcli.mixture.em import Rule, Step

MANY_ROWS = 10_000
"""Rows from which a pass takes much longer than an M-step."""
SURE = 1e-3
"""Share of the tolerance that the coming step is not to gain: even if EM's rate is 0.999, what is
left to gain is less than the tolerance."""
SETTLED = 4
"""Plain steps in a row after which their gains tell EM's rate again."""
SLOWER = 1e-2
"""1 less the rate that EM may still come to, before it is known to be slow."""
LEAPS_BEYOND = 20
"""Times the gain that is left by the rate that leaps may find, as the rate goes on to rise."""


@dataclass
class LikelihoodRule:
    """Stop when the objective has no more than `tol` nats a row left to gain.

    What is left is Aitken's estimate from the last two gains d1, d2: with a = d2 / d1, the rest
    of a geometric series, d2 a / (1 - a) (Böhning et al. 1994). Unlike the last gain alone it
    is not fooled by slow progress.

    least_gain : nats a row that a step has to gain, too, where slow progress is not worth it.
    floor : a log-likelihood that the run should reach, if it can: below it slow progress is. NaN
        for none.
    to_beat : the objective that another run has reached; one over many rows stops where it can no
        longer come up to it. NaN for none.
    """

    tol: float
    least_gain: float = 0.0
    floor: float = np.nan
    to_beat: float = np.nan
    last_change: float = np.nan
    was_small: bool = False
    rate: float = 0.0
    n_plain: int = SETTLED

    def __call__(self, before: Step, step: Step) -> bool:
        """Whether the gain left is small."""
        del before
        change, last, n_rows = step.change, self.last_change, step.statistics.n_rows
        if step.leapt:
            # a leap's gain says nothing of EM's own rate
            self.last_change, self.n_plain = np.nan, 0
            return not _is_worth_it(step, self)
        self.n_plain += 1
        self.last_change = change
        if change <= 8 * np.finfo(np.float64).eps * abs(step.objective):
            return True
        if n_rows >= MANY_ROWS and step.coming.gain <= SURE * self.tol * n_rows:
            return True
        # shortly after a leap the fast directions hide the slow one, which is still there
        rate = change / last
        if self.n_plain <= SETTLED and rate < self.rate:
            rate = self.rate
        self.rate = rate if np.isfinite(rate) else self.rate
        if not _is_worth_it(step, self):
            return True
        # when the fast directions are done, the rate rises once more: so it is asked twice
        small, self.was_small = (
            self.was_small,
            bool(rate < 1 and change * rate / (1 - rate) <= self.tol * n_rows),
        )
        return small and self.was_small


@dataclass
class ParameterRule:
    """Stop when no parameter moves by more than `tol`.

    Weights in absolute terms; means in standard deviations of their component; variances and
    covariances relative to the product of the two standard deviations.

    least_gain, floor, to_beat : as for LikelihoodRule.
    """

    tol: float
    least_gain: float = 0.0
    floor: float = np.nan
    to_beat: float = np.nan
    last_change: float = np.nan
    rate: float = 0.0

    def __call__(self, before: Step, step: Step) -> bool:
        """Whether the last M-step moved no parameter by more than tol."""
        old, new = before.model, step.model
        if step.leapt or old.n_components != new.n_components:
            return False
        self.rate = step.change / self.last_change if self.last_change else 0.0
        self.last_change = step.change
        if not _is_worth_it(step, self):
            return True
        variances = np.einsum("kii->ki", new.covariance.full())
        deviations = np.sqrt(variances)
        moved = np.abs(new.means - old.means) / deviations
        products = deviations[:, :, None] * deviations[:, None, :]
        spread = np.abs(new.covariance.full() - old.covariance.full()) / products
        shares = np.abs(new.weights - old.weights)
        return bool(max(moved.max(), spread.max(), shares.max()) <= self.tol)


def _is_worth_it(step: Step, rule: LikelihoodRule | ParameterRule) -> bool:
    """Whether steps gain enough, or do not go on gaining little, and may beat another run.

    Of few rows the step itself tells, since one more costs nothing.
    """
    n_rows = step.statistics.n_rows
    little = rule.least_gain * n_rows
    if n_rows < MANY_ROWS and np.isnan(rule.floor):
        return not little or step.leapt or step.change > little
    if not rule.rate >= SLOW:
        return True
    may_come = LEAPS_BEYOND * step.coming.gain
    speed = max(1 - rule.rate, np.finfo(np.float64).eps)
    if rule.to_beat - step.objective > may_come / min(speed, SLOWER):
        return False
    if not little or step.coming.gain > little:
        return True
    return 0 < rule.floor - step.log_likelihood <= may_come / speed


RULES: dict[str, tuple[Callable[[float, float, float], Rule], float]] = {
    "likelihood": (LikelihoodRule, 1e-8),
    "parameters": (ParameterRule, 1e-6),
}
"""The stopping rules by name, each with its default tolerance."""
