"""Leaps: where EM crawls, the path so far tells where it leads.

Two kinds take turns. SQUAREM (Varadhan & Roland 2008, Scandinavian J. Statistics 35, scheme S3):
with the last two moves r and r + v of the estimates, go to  start + 2 a r + a^2 v,  a = |r| / |v|.
Anderson's (Walker & Ni 2011, SIAM J. Numerical Analysis 49; for EM Henderson & Varadhan 2019, J.
Computational and Graphical Statistics 28): of the last estimates x_i and EM's moves f_i from them,
go to the combination of the x_i + f_i, with weights that sum to 1, whose moves cancel best. It
finds the end of a path that nears it slowly in several directions; but where the objective is not
concave yet, it may lead to a saddle, and SQUAREM does not. It also makes more of differences in the
last digits, so of few rows, where steps cost little, all leaps are SQUAREM's.

The estimates are weights, means and spreads before the M-step, so every structure and penalty
takes part without knowing, and the M-step smooths what the leap has roughened.
"""

from dataclasses import dataclass, field

import numpy as np

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.statistics import Estimates

SLOW = 0.5
"""Ratio of two successive gains from which EM counts as slow."""
LATE = 1e-4
"""Gain in nats a row below which EM has chosen its optimum, so that no leap changes it."""
SHORTEST = 4.0
"""Length of a leap at first, in moves; it grows with every leap that pays."""

LONGEST = 4.0**8
MANY_ROWS = 10_000
"""Rows from which a pass takes much longer than an M-step, so that Anderson's leaps pay."""
FEWEST_MOVES, MOST_MOVES = 3, 11
"""EM's last moves that are combined."""
MOST_NUMBERS = 200_000
"""The numbers in all of them, at most: they are part of a checkpoint."""
LEAST_SHARE = 1e-3
"""Of the longest combination of changes of moves, below which one is taken for rounding."""
MOST_TURNS = 32
"""Leaps of SQUAREM between two of Anderson's: one, but twice as many after one that did not pay."""


@dataclass
class Leaps:
    """Watches the plain steps and proposes a leap after every second one, if they are slow.

    late : gain in nats a row below which leaps are taken; None for LATE.
    origin : what the M-step made the present mixture of; None if that is not known.
    moves : earlier ones, and where EM moved them, less themselves.
    turns, left : of SQUAREM until Anderson's next, in all and still to come.
    is_combined : whether the last leap was one of Anderson's.
    """

    longest: float = SHORTEST
    last_change: float = np.nan
    path: list[Estimates] = field(default_factory=list)
    late: float | None = None
    origin: FloatArray | None = None
    moves: list[tuple[FloatArray, FloatArray]] = field(default_factory=list)
    turns: int = 1
    left: int = 0
    _proposed: FloatArray | None = None
    is_combined: bool = False

    def estimates(self, current: Estimates, change: float) -> Estimates | None:
        """Where to leap from the step that gained `change`; None for a plain step."""
        late = LATE if self.late is None else self.late
        slow = SLOW * self.last_change < change < late * current.n_rows
        self.last_change = change
        here = current.vector()
        if np.isnan(change):
            # a start, or a component was repaired or went
            self.path, self.moves, self.origin = [], [], None
        # who leaps early leaps where the objective is not concave
        if current.n_rows >= MANY_ROWS and self.late is None:
            self._remember(here)
        self.path.append(current)
        if len(self.path) < 3:
            return None
        if not slow:
            self.path = self.path[1:]
            return None
        path = [estimates.vector() for estimates in self.path]
        self.path = []
        self.is_combined = not self.left and len(self.moves) >= FEWEST_MOVES
        self.left = max(self.left - 1, 0)
        far = _combined(self.moves) if self.is_combined else _squared(path, self.longest)
        if far is None:
            return None
        proposed = current.of_vector(far)
        self._proposed = proposed.vector()
        return proposed

    def _remember(self, here: FloatArray) -> None:
        """Where EM has moved the present mixture's origin to."""
        most = min(MOST_MOVES, MOST_NUMBERS // (2 * len(here)))
        if most < FEWEST_MOVES:
            return
        if self.origin is not None:
            self.moves = [*self.moves, (self.origin, here - self.origin)][-most:]
        # of the plain step that comes; a leap that is kept has another
        self.origin = here

    def judge(self, change: float) -> None:
        """Longer leaps after one that paid, short ones after one that did not; or fewer."""
        paid = change >= 0
        self.last_change = np.nan
        if paid and self.origin is not None:
            self.origin = self._proposed
        if self.is_combined:
            self.turns = 1 if paid else min(2 * self.turns, MOST_TURNS)
            self.left = self.turns
        else:
            self.longest = min(4 * self.longest, LONGEST) if paid else SHORTEST


def _squared(path: list[FloatArray], longest: float) -> FloatArray | None:
    """SQUAREM's leap; None if it is shorter than EM's own moves."""
    start, middle, end = path
    r = middle - start
    v = (end - middle) - r
    norm = float(np.linalg.norm(v))
    length = min(float(np.linalg.norm(r)) / norm, longest) if norm > 0 else 1.0
    return start + 2 * length * r + length**2 * v if length > 1 else None


def _combined(moves: list[tuple[FloatArray, FloatArray]]) -> FloatArray:
    """Anderson's leap."""
    x, f = (np.stack(vectors, axis=1) for vectors in zip(*moves, strict=True))
    dx, df = np.diff(x), np.diff(f)
    lengths = np.linalg.norm(df, axis=0)
    scale = np.where(lengths > 0, lengths, 1)
    shares = np.linalg.lstsq(df / scale, f[:, -1], rcond=LEAST_SHARE)[0] / scale
    far: FloatArray = x[:, -1] + f[:, -1] - (dx + df) @ shares
    return far
