"""How often defaults reach the best known optimum, beside scikit-learn's: seeds 0 to 9.

`python tests/benchmarks/starts.py`. Pure likelihood here, scikit-learn as it comes; the entries
are those of tests/reference/best_known_fits.json.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.mixture import GaussianMixture as ScikitMixture

sys.path.insert(0, str(Path(__file__).parents[1]))

from mixture.problems import known_table, reference, rows

from gmmcli.execution import executor
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.shapes import WORDS

WORD_OF = {**{code: word for word, code in WORDS.items()}, "E": "tied", "V": "full"}
"""scikit-learn's names for the structures that it has."""
SEEDS = range(10)
CLOSE = 0.01
"""Nats within which an optimum counts as reached."""


def gaps_of_gmmcli(X, entry, workers):
    """Nats short of the best known optimum, for each seed."""
    fitting = Fitting(rows(X), workers=workers)
    gaps = []
    for seed in SEEDS:
        options = FitOptions(covariance_type=WORD_OF[entry["model"]], reg_covar=0, seed=seed)
        gaps.append(entry["log_likelihood"] - fitting.fit(entry["K"], options).log_likelihood)
    return np.array(gaps)


def gaps_of_scikit_learn(X, entry):
    """The same for scikit-learn; infinite where it raises an error."""
    gaps = []
    for seed in SEEDS:
        model = ScikitMixture(
            entry["K"],
            covariance_type=WORD_OF[entry["model"]],
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                gaps.append(entry["log_likelihood"] - model.fit(X).score(X) * len(X))
            except ValueError:
                gaps.append(np.inf)
    return np.array(gaps)


def main():
    entries = [entry for entry in reference("best_known_fits") if entry["model"] in WORD_OF]
    print(
        f"runs of {len(SEEDS)} within {CLOSE} nats of the best known optimum, and the worst gap\n"
    )
    head = f"{'data':26} {'K':>2} {'structure':10} {'gmmcli':>6} {'worst':>8}"
    print(f"{head} {'sklearn':>8} {'worst':>8}")
    reached = np.zeros(2, dtype=int)
    with executor() as workers:
        for entry in entries:
            X = known_table(entry["dataset"])
            both = (gaps_of_gmmcli(X, entry, workers), gaps_of_scikit_learn(X, entry))
            counts = [int(np.sum(gaps <= CLOSE)) for gaps in both]
            reached += counts
            print(
                f"{entry['dataset']:26} {entry['K']:2} {WORD_OF[entry['model']]:10}"
                f" {counts[0]:6} {max(both[0].max(), 0):8.3f}"
                f" {counts[1]:8} {max(both[1].max(), 0):8.3f}",
                flush=True,
            )
    total = len(entries) * len(SEEDS)
    print(f"\nreached: gmmcli {reached[0] / total:.1%}, scikit-learn {reached[1] / total:.1%}")


if __name__ == "__main__":
    main()
