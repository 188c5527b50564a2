"""How often defaults reach the best known optimum, beside scikit-learn's and mclust's.

`python tests/benchmarks/starts.py`: seeds 0 to 9; mclust, which has no seed, where R is at hand.
Pure likelihood here, the others as they come; the entries are those of
tests/reference/best_known_fits.json. A dash: scikit-learn does not have that structure.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.mixture import GaussianMixture as ScikitMixture

sys.path.insert(0, str(Path(__file__).parents[1]))

import mclust
from mixture.problems import known_table, reference, rows

from gmmcli.execution import executor
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.shapes import WORDS

WORD_OF = {code: word for word, code in WORDS.items()}
"""scikit-learn's names for the structures that it has."""
SEEDS = range(10)
CLOSE = 0.01
"""Nats within which an optimum counts as reached."""


def gaps_of_gmmcli(X, entry, workers):
    """Nats short of the best known optimum, for each seed."""
    fitting = Fitting(rows(X), workers=workers)
    gaps = []
    for seed in SEEDS:
        options = FitOptions(covariance_type=entry["model"], reg_covar=0, seed=seed)
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
    entries = reference("best_known_fits")
    tables = [known_table(entry["dataset"]) for entry in entries]
    others = [np.nan] * len(entries)
    if mclust.at_hand():
        others = mclust.log_likelihoods(
            [(X, e["K"], e["model"]) for X, e in zip(tables, entries, strict=True)]
        )
    print(f"runs of {len(SEEDS)} within {CLOSE} nats of the best known optimum; the worst gap\n")
    head = f"{'data':26} {'K':>2} {'model':5} {'':6} {'gmmcli':>6} {'worst':>8}"
    print(f"{head} {'sklearn':>8} {'worst':>8} {'mclust: gap':>12}")
    reached = {}
    with executor() as workers:
        for entry, X, other in zip(entries, tables, others, strict=True):
            gaps = {"gmmcli": gaps_of_gmmcli(X, entry, workers)}
            if entry["model"] in WORD_OF:
                gaps["scikit-learn"] = gaps_of_scikit_learn(X, entry)
            if not np.isnan(other):
                gaps["mclust"] = np.array([entry["log_likelihood"] - other])
            line = f"{entry['dataset']:26} {entry['K']:2} {entry['model']:5} "
            line += f"{entry['confidence'][:6]:6}"
            for name, width in (("gmmcli", 6), ("scikit-learn", 8), ("mclust", 3)):
                if name not in gaps:
                    line += f" {'-':>{width}} {'':8}"
                    continue
                close = gaps[name] <= CLOSE
                reached.setdefault((name, entry["confidence"]), []).extend(close)
                shown = "" if name == "mclust" else f"{int(close.sum())}"
                line += f" {shown:>{width}} {max(gaps[name].max(), 0):8.3f}"
            print(line, flush=True)
    print()
    for (name, confidence), close in reached.items():
        print(f"{name}, {confidence}: {np.mean(close):.1%} of {len(close)} runs")


if __name__ == "__main__":
    main()
