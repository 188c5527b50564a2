"""Which row goes with which column, so that the costs add up to the least.

Source: Kuhn (1955), The Hungarian method for the assignment problem; the shortest augmenting paths
of Jonker & Volgenant (1987).
"""

import numpy as np

from gmmcli.mixture.arrays import FloatArray, IntArray


def assign(costs: FloatArray) -> IntArray:
    """The column of each row: (R,), each column taken once at most.

    Parameters
    ----------
    costs : (R, C), finite, with no more rows than columns.
    """
    n_rows, n_columns = costs.shape
    row_prices, column_prices = np.zeros(n_rows), np.zeros(n_columns)
    row_of = np.full(n_columns, -1)
    for row in range(n_rows):
        distance = np.full(n_columns, np.inf)
        before = np.full(n_columns, -1)
        done = np.zeros(n_columns, dtype=bool)
        here, place, travelled = row, -1, 0.0
        while here >= 0:
            reduced = travelled + costs[here] - row_prices[here] - column_prices
            nearer = ~done & (reduced < distance)
            distance[nearer], before[nearer] = reduced[nearer], place
            place = int(np.argmin(np.where(done, np.inf, distance)))
            done[place], travelled = True, distance[place]
            here = int(row_of[place])
        paid = done & (row_of >= 0)
        row_prices[row] += travelled
        row_prices[row_of[paid]] += travelled - distance[paid]
        column_prices[paid] -= travelled - distance[paid]
        while place >= 0:
            row_of[place] = row if before[place] < 0 else row_of[before[place]]
            place = int(before[place])
    columns = np.empty(n_rows, dtype=np.int64)
    taken = np.flatnonzero(row_of >= 0)
    columns[row_of[taken]] = taken
    return columns
