"""When EM has converged.

Source: Böhning, Dietz, Schaub, Schlattmann & Lindsay (1994), The distribution of the likelihood
ratio for mixtures of densities from the one-parameter exponential family, section 3.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gmmcli.mixture.acceleration import MANY_ROWS, SLOW
from gmmcli.mixture.em import Rule, Step

SURE = 1e-3
"""Share of the tolerance that the coming step is not to gain: even if EM's rate is 0.999, what is
left to gain is less than the tolerance."""
SETTLED = 4
"""Plain steps in a row after which their gains tell EM's rate again."""
SLOWER = 1e-2
"""1 less the rate that EM may still come to, before it is known to be slow."""
COSTLY = 8
"""Components from which on a step has to gain as much as any, to be worth it."""
LEAPS_BEYOND = 20
"""Times the gain that is left by the rate that leaps may find, as the rate goes on to rise."""


@dataclass
class _Progress:
    """What both rules know of a run.

    least_gain : nats a row that a step has to gain, too, where slow progress is not worth it. Of
        fewer than COSTLY components less, by the square: a step takes less time, and there are
        fewer of them.
    floor : a log-likelihood that the run should reach, if it can: below it slow progress is. NaN
        for none.
    to_beat : the objective that another run has reached; one over many rows stops where it can no
        longer come up to it. NaN for none.
    rate : EM's own, by the gains of two plain steps.
    n_plain : plain steps since the last leap.
    """

    tol: float
    least_gain: float = 0.0
    floor: float = np.nan
    to_beat: float = np.nan
    last_change: float = np.nan
    rate: float = 0.0
    n_plain: int = SETTLED

    def _rate(self, step: Step) -> float:
        """EM's rate by this step; NaN if it is not known."""
        if step.leapt:
            # a leap's gain says nothing of EM's own rate
            self.last_change, self.n_plain = np.nan, 0
            return np.nan
        self.n_plain += 1
        last, self.last_change = self.last_change, step.change
        rate = step.change / last if last else 0.0
        # shortly after a leap the fast directions hide the slow one, which is still there
        if self.n_plain <= SETTLED and rate < self.rate:
            rate = self.rate
        self.rate = rate if np.isfinite(rate) else self.rate
        return rate

    def _is_worth_it(self, step: Step) -> bool:
        """Whether steps gain enough, or do not go on gaining little, and may beat another run.

        Of few rows the step itself tells, since one more costs nothing.
        """
        n_rows = step.statistics.n_rows
        little = self.least_gain * n_rows * min(1.0, step.model.n_components / COSTLY) ** 2
        if not little and np.isnan(self.to_beat):
            return True
        if n_rows < MANY_ROWS and np.isnan(self.floor):
            return not little or step.leapt or step.change > little
        if not self.rate >= SLOW:
            return True
        may_come = LEAPS_BEYOND * step.coming.gain
        speed = max(1 - self.rate, np.finfo(np.float64).eps)
        if self.to_beat - step.objective > may_come / min(speed, SLOWER):
            return False
        if not little or step.coming.gain > little:
            return True
        return 0 < self.floor - step.log_likelihood <= may_come / speed


@dataclass
class LikelihoodRule(_Progress):
    """Stop when the objective has no more than `tol` nats a row left to gain.

    What is left is Aitken's estimate from the last two gains d1, d2: with a = d2 / d1, the rest
    of a geometric series, d2 a / (1 - a) (Böhning et al. 1994). Unlike the last gain alone it
    is not fooled by slow progress.
    """

    was_small: bool = False

    def __call__(self, before: Step, step: Step) -> bool:
        """Whether the gain left is small."""
        del before
        change, n_rows = step.change, step.statistics.n_rows
        rate = self._rate(step)
        if step.leapt:
            return not self._is_worth_it(step)
        if change <= 8 * np.finfo(np.float64).eps * abs(step.objective):
            return True
        if n_rows >= MANY_ROWS and step.coming.gain <= SURE * self.tol * n_rows:
            return True
        if not self._is_worth_it(step):
            return True
        # when the fast directions are done, the rate rises once more: so it is asked twice
        small, self.was_small = (
            self.was_small,
            bool(rate < 1 and change * rate / (1 - rate) <= self.tol * n_rows),
        )
        return small and self.was_small


@dataclass
class ParameterRule(_Progress):
    """Stop when no parameter moves by more than `tol`.

    Weights in absolute terms; means in standard deviations of their component; variances and
    covariances relative to the product of the two standard deviations.
    """

    def __call__(self, before: Step, step: Step) -> bool:
        """Whether the last M-step moved no parameter by more than tol."""
        old, new = before.model, step.model
        if old.n_components != new.n_components:
            return False
        self._rate(step)
        if not self._is_worth_it(step):
            return True
        if step.leapt:
            return False
        variances = np.einsum("kii->ki", new.covariance.full())
        deviations = np.sqrt(variances)
        moved = np.abs(new.means - old.means) / deviations
        products = deviations[:, :, None] * deviations[:, None, :]
        spread = np.abs(new.covariance.full() - old.covariance.full()) / products
        shares = np.abs(new.weights - old.weights)
        return bool(max(moved.max(), spread.max(), shares.max()) <= self.tol)


RULES: dict[str, tuple[Callable[[float, float, float], Rule], float]] = {
    "likelihood": (LikelihoodRule, 1e-8),
    "parameters": (ParameterRule, 1e-6),
}
"""The stopping rules by name, each with its default tolerance."""
