"""Random numbers from one seed: a stream for each purpose, and no two of them the same.

NumPy fills a short list of numbers up with zeros, so that [seed, 2] and [seed, 2, 0] are one
stream. Numbers of a spawn key follow the seed's own four words and are not filled up.
"""

from enum import IntEnum, unique

import numpy as np


@unique
class Purpose(IntEnum):
    """What random numbers are for. A number is part of every result that was made with it."""

    STARTS = 1
    """number: of components"""
    TREES = 2
    SAMPLES = 3
    FOLDS = 4
    RATIO_TESTS = 5
    """numbers: of components, of the draw"""
    STANDARD_ERRORS = 6
    """numbers: of the replicate, of the batch"""
    RARE_ROWS = 7


def stream(seed: int, purpose: Purpose, *numbers: int) -> np.random.Generator:
    """The generator of a purpose.

    Parameters
    ----------
    seed : the user's, 0 or more.
    numbers : which of the purpose's streams, each from 0 to 2**32 - 1.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, *numbers)))
