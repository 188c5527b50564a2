"""Leaps: where EM crawls, the path so far tells where it leads.

SQUAREM (Varadhan & Roland 2008, Scandinavian J. Statistics 35, scheme S3): with the last two
moves r and r + v of the estimates, go to  start + 2 a r + a^2 v,  a = |r| / |v|. The estimates
are weights, means and spreads before the M-step, so every structure and penalty takes part
without knowing, and the M-step smooths what the leap has roughened.
"""

from dataclasses import dataclass, field

import numpy as np

from gmmcli.mixture.statistics import Estimates

SLOW = 0.5
"""Ratio of two successive gains from which EM counts as slow."""
LATE = 1e-4
"""Gain in nats a row below which EM has chosen its optimum, so that no leap changes it."""
SHORTEST = 4.0
"""Length of a leap at first, in moves; it grows with every leap that pays."""

LONGEST = 4.0**8


@dataclass
class Leaps:
    """Watches the plain steps and proposes a leap after every second one, if they are slow.

    late : gain in nats a row below which leaps are taken; None for LATE.
    """

    longest: float = SHORTEST
    last_change: float = np.nan
    path: list[Estimates] = field(default_factory=list)
    late: float | None = None

    def estimates(self, current: Estimates, change: float) -> Estimates | None:
        """Where to leap from the step that gained `change`; None for a plain step."""
        late = LATE if self.late is None else self.late
        slow = SLOW * self.last_change < change < late * current.n_rows
        self.last_change = change
        self.path.append(current)
        if len(self.path) < 3:
            return None
        if not slow or self.path[0].means.shape != current.means.shape:
            self.path = self.path[1:]
            return None
        start, middle, end = (estimates.vector() for estimates in self.path)
        r = middle - start
        v = (end - middle) - r
        norm = float(np.linalg.norm(v))
        length = min(float(np.linalg.norm(r)) / norm, self.longest) if norm > 0 else 1.0
        self.path = []
        if length <= 1:
            return None
        return current.of_vector(start + 2 * length * r + length**2 * v)

    def judge(self, change: float) -> None:
        """Longer leaps after one that paid, short ones after one that did not."""
        self.longest = min(4 * self.longest, LONGEST) if change >= 0 else SHORTEST
        self.last_change = np.nan
