"""The grid of 14 models, K = 1 to 9, beside R's mclust, where that is at hand.

Whole processes: `gmmcli select-k -c all` and Rscript with mclust's Mclust(X), both from a CSV.
"""

import csv
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from measuring import Ratio, finish, interleaved, show
from process import GMMCLI, run

from gmmcli.mixture.synthesis import Recipe, generate

GRID = """
suppressMessages(library(mclust))
X <- as.matrix(read.csv(commandArgs(TRUE)[1]))
best <- Mclust(X, G = 1:9, verbose = FALSE)
cat(best$modelName, best$G, -best$bic, "\\n")
"""
FITS = """
suppressMessages(library(mclust))
for (path in commandArgs(TRUE)) {
  name <- strsplit(basename(path), "-")[[1]]
  X <- as.matrix(read.csv(path, header = FALSE))
  found <- Mclust(X, G = as.integer(name[2]), modelNames = name[3], verbose = FALSE)
  cat(if (is.null(found)) NaN else format(found$loglik, digits = 12), "\\n")
}
"""


def at_hand():
    """Whether R is there, with mclust."""
    if shutil.which("Rscript") is None:
        return False
    asked = subprocess.run(["Rscript", "-e", "library(mclust)"], capture_output=True, check=False)
    return asked.returncode == 0


def rscript(code, *arguments):
    done = subprocess.run(["Rscript", "-e", code, *arguments], capture_output=True, check=True)
    return done.stdout.decode()


def log_likelihoods(entries):
    """What mclust's defaults reach for each (X, K, model): nats, NaN where it gives nothing."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, (X, K, model) in enumerate(entries):
            code = {"E": "EII", "V": "VII"}.get(model, model)
            if X.shape[1] == 1:
                code = {"EII": "E", "EEE": "E"}.get(code, "V")
            paths.append(f"{folder}/{i}-{K}-{code}-.csv")
            np.savetxt(paths[-1], X, fmt="%.17g", delimiter=",")
        return [float(line) for line in rscript(FITS, *paths).split()]


def case(path, wanted, repeats):
    chosen = {}

    def ours():
        table = f"{path}.table.csv"
        run(GMMCLI, "select-k", path, "-k", "1-9", "-c", "all", "-o", table)
        with open(table, newline="", encoding="utf-8") as file:
            (best,) = [row for row in csv.DictReader(file) if row["best"] == "yes"]
        chosen["gmmcli"] = f"{best['covariance']} {best['k']} {float(best['bic']):.2f}"

    def theirs():
        model, k, bic = rscript(GRID, path).split()
        chosen["mclust"] = f"{model} {k} {float(bic):.2f}"

    mine, other = interleaved(ours, theirs, repeats=repeats)
    remark = "; ".join(f"{name}: {found}" for name, found in chosen.items())
    return Ratio(f"14 models, K = 1 to 9, {Path(path).name}", mine, other, wanted, remark)


def main():
    if not at_hand():
        print("R with mclust is not at hand: nothing to compare with", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        iris = f"{folder}/iris"
        with open("sample_data/iris.csv", newline="", encoding="utf-8") as file:
            rows = [row[:4] for row in csv.reader(file)]
        with open(iris, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        large = f"{folder}/20,000 x 8"
        X, _ = generate("random", 20_000, Recipe(n_features=8, n_components=5, seed=3))
        names = ",".join(f"x{i}" for i in range(8))
        np.savetxt(large, X, fmt="%.17g", delimiter=",", header=names, comments="")
        cases = map(partial(case), (iris, large), (None, 5), (1, 2))
        finish(show("the grid of 14 models, whole processes, seconds", cases))


if __name__ == "__main__":
    main()
