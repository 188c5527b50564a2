"""What share of a row each component has, relative to the likeliest one, and their totals."""

import numpy as np
from numpy.lib.introspect import opt_func_info

from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.statistics import FAINT, NEXT_TO_NOTHING

FEW_LIVE = 1 / 3
"""Share of rows and components up to which it pays to pick those that are not faint."""
LOG_NEXT_TO_NOTHING = float(np.log(NEXT_TO_NOTHING))
LOG_GROUP = 32
"""Numbers up to a billion each whose product can be written."""


def exp_is_quick() -> bool:
    """Whether NumPy takes exp of eight numbers at once, with AVX-512.

    It takes 1.5 nanoseconds each then, less than it takes to pick some of them; else 8. But where
    the result is too small to be written, ten times as long.
    """
    loops = opt_func_info(func_name="^exp$", signature="^float64$").get("exp", {})
    return any(loop["current"] in {"AVX512_SKX", "X86_V4"} for loop in loops.values())


EXP_IS_QUICK = exp_is_quick()


def relative_shares(below: FloatArray) -> FloatArray:
    """exp of what the components are below the likeliest, (K, B), in place.

    Where most are faint, a slow exp is not taken of these: they have next to nothing. A quick one
    is taken of all, but none has less than that.
    """
    if EXP_IS_QUICK:
        np.maximum(below, LOG_NEXT_TO_NOTHING, out=below)
        return np.exp(below, out=below)
    live = below > -FAINT
    if np.count_nonzero(live) > FEW_LIVE * live.size:
        return np.exp(below, out=below)
    flat = below.reshape(-1)
    likeliest = flat == 0
    places = np.flatnonzero(live.reshape(-1) ^ likeliest)
    shares = np.exp(flat[places])
    np.add(likeliest, NEXT_TO_NOTHING, out=flat)
    flat[places] = shares
    return below


def sum_of_logs(totals: FloatArray) -> float:
    """Sum of ln of the totals of relative shares, each from 1 to K (B,): a log for every few."""
    products = np.multiply.reduceat(totals, np.arange(0, len(totals), LOG_GROUP))
    return float(np.log(products).sum())
