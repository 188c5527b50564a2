"""How far two partitions of the same rows agree.

Source: Hubert & Arabie (1985), Comparing partitions, Journal of Classification 2.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.mixture.assignment import assign


@dataclass(frozen=True, eq=False)
class Agreement:
    """Two partitions, as the table of how many rows are in each group of both.

    counts : (R, C), R groups of the first partition and C of the second.
    """

    counts: IntArray

    @property
    def n_rows(self) -> int:
        """Rows that both partitions know."""
        return int(self.counts.sum())

    @property
    def adjusted_rand_index(self) -> float:
        """Pairs of rows that are together in both, beyond those by chance (equation 5).

        1 for the same partition, 0 on average for unrelated ones; it may be negative.
        """
        together = _pairs(self.counts).sum()
        first, second = (_pairs(self.counts.sum(axis=axis)).sum() for axis in (1, 0))
        expected = first * second / max(float(_pairs(np.array(self.n_rows))), 1.0)
        most = (first + second) / 2
        # both all in one group, or both each row its own: nothing is left to differ
        return 1.0 if most == expected else float((together - expected) / (most - expected))

    @cached_property
    def _matching(self) -> tuple[FloatArray, IntArray]:
        """The table filled up with zeros to a square, and the column that matches each row."""
        n_groups, n_others = self.counts.shape
        square = np.zeros((max(n_groups, n_others),) * 2)
        square[:n_groups, :n_others] = self.counts
        return square, assign(-square)

    @property
    def order(self) -> IntArray:
        """The columns, each beside the row that it matches, one to one; then the others: (C,)."""
        columns: IntArray = self._matching[1]
        order: IntArray = columns[columns < self.counts.shape[1]]
        return order

    @property
    def n_matched(self) -> int:
        """Rows that agree when each group is named after the one that it matches."""
        square, columns = self._matching
        return int(square[np.arange(len(square)), columns].sum())


def _pairs(counts: IntArray) -> FloatArray:
    """How many pairs there are in groups of these sizes."""
    sizes = counts.astype(np.float64)
    pairs: FloatArray = sizes * (sizes - 1) / 2
    return pairs
