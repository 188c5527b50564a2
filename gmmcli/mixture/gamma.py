"""The gamma function's logarithm and its derivative, entry by entry.

SciPy has them. It is imported when one of them is called, since nothing but the Bayesian fit needs
it and it takes a tenth of a second.
"""

import numpy as np

from gmmcli.mixture.arrays import FloatArray


def log_gamma(x: FloatArray | float) -> FloatArray:
    """ln Gamma(x), for x > 0."""
    from scipy.special import gammaln  # noqa: PLC0415 - see above

    return np.asarray(gammaln(x))


def digamma(x: FloatArray | float) -> FloatArray:
    """d ln Gamma(x) / dx, for x > 0."""
    from scipy.special import psi  # noqa: PLC0415 - see above

    return np.asarray(psi(x))


def log_beta(a: FloatArray | float, b: FloatArray | float) -> FloatArray:
    """ln [Gamma(a) Gamma(b) / Gamma(a + b)], for a, b > 0."""
    from scipy.special import betaln  # noqa: PLC0415 - see above

    return np.asarray(betaln(a, b))
