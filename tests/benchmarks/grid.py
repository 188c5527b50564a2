"""select-k beside a loop over scikit-learn: K = 1 to 10, four structures, 100,000 x 10."""

import numpy as np
from measuring import Ratio, finish, interleaved, show
from sklearn.mixture import GaussianMixture as Peer

from gmmcli.execution import executor
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.grid import grid
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.shapes import WORDS
from gmmcli.mixture.synthesis import Recipe, generate

COUNTS = range(1, 11)


def case():
    rows, _ = generate("random", 100_000, Recipe(n_features=10, n_components=5, seed=2))
    X = np.ascontiguousarray(rows.T)
    mine, others = {}, {}

    def ours():
        with executor() as workers:
            cells = grid(
                Fitting(ArrayBatches(X), workers=workers),
                COUNTS,
                covariance_types=list(WORDS),
                options=FitOptions(),
            )
            for cell in cells:
                key = cell.covariance_type, cell.n_components
                mine[key] = cell.result.mean_log_likelihood

    def theirs():
        for name in WORDS:
            for n_components in COUNTS:
                peer = Peer(n_components, covariance_type=name, random_state=0).fit(rows)
                others[name, n_components] = peer.score(rows)

    seconds, other = interleaved(ours, theirs, repeats=2)
    behind = [key for key in mine if mine[key] < others[key] - 1e-6]
    remark = f"{len(behind)} of {len(mine)} cells lower by more than 1e-3 nats a thousand rows"
    return Ratio("select-k, K = 1 to 10, four structures", seconds, other, 10, remark)


if __name__ == "__main__":
    finish(show("a grid of 40 models, seconds", [case()]))
