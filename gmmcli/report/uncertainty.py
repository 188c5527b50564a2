"""Numbers with their standard errors beside them: `38.86 +- 0.26`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gmmcli.mixture.uncertainty import StandardErrors
from gmmcli.report.numerals import count, fixed


def with_errors(values: NDArray[np.float64], errors: NDArray[np.float64]) -> list[str]:
    """Numbers of one kind with the same decimals: two digits of a typical standard error."""
    least, middle = float(errors.min()), float(np.median(errors))
    resolution = 10 * (min(middle, 100 * least) or middle) or float(np.abs(values).max()) or 1.0
    texts = fixed([*values.tolist(), *errors.tolist()], resolution=resolution)
    numbers, beside = texts[: len(values)], texts[len(values) :]
    wide = max(map(len, beside))
    return [f"{n} +- {e:>{wide}}" for n, e in zip(numbers, beside, strict=True)]


def percent_with_errors(shares: Sequence[float], errors: NDArray[np.float64]) -> list[str]:
    """Shares in percent."""
    return [f"{text} %" for text in with_errors(100 * np.asarray(shares), 100 * errors)]


def legend(errors: StandardErrors) -> str:
    """What stands behind the sign."""
    replicates = count(errors.n_replicates, "replicate")
    return f"+- one standard error, from {replicates} of the bootstrap"
