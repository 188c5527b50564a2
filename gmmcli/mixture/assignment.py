"""Which row goes with which column, so that the costs add up to the least.

SciPy has it. It is imported when it is called, since few commands need it and it takes a third of
a second.

Source: Kuhn (1955), The Hungarian method for the assignment problem; the shortest augmenting paths
of Crouse (2016).
"""

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray


def assign(costs: FloatArray) -> IntArray:
    """The column of each row: (R,), each column taken once at most.

    Parameters
    ----------
    costs : (R, C), finite, with no more rows than columns.
    """
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - see above

    return np.asarray(linear_sum_assignment(costs)[1], dtype=np.int64)
