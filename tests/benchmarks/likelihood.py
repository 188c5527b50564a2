"""Seconds to the same mean log-likelihood: scikit-learn with tol=1e-6, gmmcli at its defaults."""

import numpy as np
from measuring import Ratio, finish, interleaved, show
from sklearn.mixture import GaussianMixture as Peer

from gmmcli.execution import executor
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.fitting import fit
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.synthesis import Recipe, generate

# rows, separation, n_init, wanted ratio, repeats
CASES = [
    (1_000_000, 6.0, 1, 30, 3),
    (1_000_000, 2.0, 1, 30, 1),
    (100_000, 6.0, 1, 10, 3),
    (100_000, 2.0, 1, 10, 2),
    (100_000, 6.0, 10, 20, 1),
    (100_000, 2.0, 10, 20, 1),
]


def case(n_rows, separation, n_init, wanted, repeats):
    recipe = Recipe(n_features=10, n_components=10, separation=separation, seed=1)
    rows, _ = generate("random", n_rows, recipe)
    X = np.ascontiguousarray(rows.T)
    means, peers = {}, []

    def ours():
        with executor() as workers:
            result = fit(ArrayBatches(X), 10, options=FitOptions(n_init=n_init), workers=workers)
        means["ours"] = result.mean_log_likelihood

    def theirs():
        peers.append(Peer(10, tol=1e-6, max_iter=500, n_init=n_init, random_state=0).fit(rows))

    mine, other = interleaved(ours, theirs, repeats=repeats)
    # it does not say at the end of a fit what it has reached
    means["theirs"] = peers[-1].score(rows)
    ahead = means["ours"] - means["theirs"]
    what = f"{n_rows:,} x 10, K = 10, {separation:g} sd apart, n_init={n_init}"
    verdict = "" if ahead >= -1e-6 else "  LOWER"
    return Ratio(what, mine, other, wanted, f"{ahead:+.2g} nats a row{verdict}")


if __name__ == "__main__":
    finish(show("a fit to the same log-likelihood, seconds", (case(*c) for c in CASES)))
