"""Streams of random numbers: no two are one."""

from itertools import product

import numpy as np
import pytest

from gmmcli.mixture.streams import Purpose, stream


def beginning(generator):
    return tuple(generator.integers(2**63, size=2).tolist())


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**64 + 5])
def test_no_two_purposes_or_numbers_share_a_stream(seed):
    keys = [
        (purpose, *numbers)
        for purpose in Purpose
        for length in range(4)
        for numbers in product(range(4), repeat=length)
    ]
    drawn = {beginning(stream(seed, *key)) for key in keys}
    assert len(drawn) == len(keys)


def test_lists_of_numbers_as_seeds_would_share_one():
    # the negative control: what NumPy does with a list
    zeros = [beginning(np.random.default_rng([7, 2, *[0] * n])) for n in range(3)]
    assert len(set(zeros)) == 1


def test_seeds_differ_and_the_same_numbers_give_the_same_stream():
    seeds = [0, 1, 2, 2**31, 2**32, 2**33, 10**30]
    drawn = [beginning(stream(seed, Purpose.FOLDS)) for seed in seeds]
    assert len(set(drawn)) == len(seeds)
    assert drawn == [beginning(stream(seed, Purpose.FOLDS)) for seed in seeds]
    # streams are those of seeds that nobody else is given, NumPy's own included
    assert beginning(np.random.default_rng(0)) not in drawn
