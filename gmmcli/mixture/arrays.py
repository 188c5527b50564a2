"""The array types of the room: float64 numbers, integer labels."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def frozen(values: npt.ArrayLike) -> FloatArray:
    """Give a read-only float64 copy, so that a value that holds it cannot change."""
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array
