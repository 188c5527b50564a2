"""Seconds for one EM iteration from the same parameters, and how far that is from the floor.

The floor: the multiplications and additions that the formulas need at the measured rate of matrix
products, and one exp a row and component at its measured rate, shared by all CPUs.
"""

import numpy as np
from measuring import Ratio, finish, interleaved, seconds, show
from sklearn.mixture import GaussianMixture as Peer
from threadpoolctl import threadpool_limits

from gmmcli.execution import available_cpus, executor
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.penalty import Penalty
from gmmcli.mixture.problem import Problem

# structure, rows, features, components, wanted ratio
CASES = [
    ("full", 1_000_000, 2, 5, 8),
    ("full", 1_000_000, 10, 10, 12),
    ("full", 200_000, 32, 16, 6),
    ("full", 50_000, 100, 20, 2),
    ("full", 5_000, 25, 5, 2),
    ("diag", 1_000_000, 10, 10, 4),
    ("tied", 200_000, 32, 16, 3),
    ("spherical", 200_000, 32, 16, 3),
]


def mixture(name, n_features, n_components, rng):
    structure = STRUCTURES[name]
    roots = 0.3 * rng.standard_normal((n_components, n_features, n_features))
    matrices = roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(n_features)
    scatters = np.stack([structure.form.of_matrix(matrix) for matrix in matrices])
    covariance = structure.from_scatter(np.ones(n_components), scatters)
    weights = np.full(n_components, 1 / n_components)
    return GaussianMixture(weights, rng.standard_normal((n_components, n_features)), covariance)


def peer_of(model):
    """scikit-learn's mixture with the same parameters, ready for one iteration."""
    name, values = model.covariance.name, model.covariance.values
    peer = Peer(model.n_components, covariance_type=name, reg_covar=0)
    peer.weights_, peer.means_ = model.weights, model.means
    factors = model.covariance.factors
    peer.precisions_cholesky_ = {
        "full": lambda: factors.transpose(0, 2, 1).copy(),
        "tied": factors[0].T.copy,
        "diag": lambda: 1 / np.sqrt(values),
        "spherical": lambda: 1 / np.sqrt(values),
    }[name]()
    return peer


def rates():
    """Operations a second of one core's matrix product, and exponentials a second."""
    a, b, x = np.ones((512, 512)), np.ones((512, 512)), np.linspace(-30, 0, 1_000_000)
    with threadpool_limits(1):
        product = min(seconds(lambda: a @ b) for _ in range(20))
        exponential = min(seconds(lambda: np.exp(x)) for _ in range(20))
    return 2 * 512**3 / product, len(x) / exponential


def case(name, n_rows, n_features, n_components, wanted):
    rng = np.random.default_rng(0)
    model = mixture(name, n_features, n_components, rng)
    X = 1.5 * rng.standard_normal((n_features, n_rows))
    rows = np.ascontiguousarray(X.T)
    form = model.covariance.form
    zero = np.zeros_like(form.of_matrix(np.eye(n_features)))
    with executor() as workers:
        problem = Problem(
            ArrayBatches(X),
            type(model.covariance),
            Penalty(0.0, zero, zero, np.zeros(len(X))),
            np.abs(X).max(axis=1),
            workers,
        )

        def ours():
            problem.m_step(problem.e_step(model).estimates())

        def theirs():
            peer = peer_of(model)
            _, log_responsibilities = peer._e_step(rows)
            peer._m_step(rows, log_responsibilities)

        mine, other = interleaved(ours, theirs)
    per_second, exponentials = rates()
    operations = 4.0 * n_rows * n_components * form.width(n_features)
    floor = operations / per_second + n_rows * n_components / exponentials
    share = floor / available_cpus() / mine
    what = f"{name} {n_rows:,} x {n_features}, K = {n_components}"
    return Ratio(what, mine, other, wanted, f"{share:.0%} of the floor's speed")


if __name__ == "__main__":
    finish(show("one EM iteration, seconds", (case(*c) for c in CASES)))
