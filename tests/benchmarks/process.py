"""Whole processes, file to files, beside scripts of pandas and scikit-learn; time and memory."""

import os
import subprocess
import sys
import sysconfig
import tempfile
from functools import partial
from pathlib import Path

from measuring import Ratio, finish, interleaved, show

GMMCLI = str(Path(sysconfig.get_path("scripts")) / "gmmcli")
ROWS, FEATURES, K = 1_000_000, 10, 10
SCRIPT = """
import sys
import joblib
import pandas as pd
from sklearn.mixture import GaussianMixture
command, source, k, model, labels = sys.argv[1:]
table = pd.read_csv(source)
numbers = table.select_dtypes("number")
if command == "fit":
    mixture = GaussianMixture(int(k), random_state=0).fit(numbers)
    joblib.dump(mixture, model)
else:
    mixture = joblib.load(model)
table["cluster"] = mixture.predict(numbers)
table.to_csv(labels, index=False)
"""


def run(*command):
    """Run a command; returns its largest resident set in MB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return usage.ru_maxrss / 1024


def cases(folder):
    small = "sample_data/iris.csv"
    tables = {apart: f"{folder}/big-{apart}.csv" for apart in (6, 3)}
    for apart, path in tables.items():
        # in a process of its own: a child's peak counts what its parent held
        recipe = ["--kind", "random", "-n", str(ROWS), "-d", str(FEATURES), "-k", str(K)]
        recipe += ["--separation", str(apart), "--no-labels", "-o", path]
        run(GMMCLI, "generate", *recipe)
    big = tables[6]
    script = [sys.executable, "-c", SCRIPT]
    peaks = {}

    def fit(source, k):
        outputs = ["-m", f"{folder}/m.json", "-l", f"{folder}/l.csv"]
        peaks["gmmcli"] = run(GMMCLI, "fit", source, "-k", str(k), *outputs)

    def peer_fit(source, k):
        outputs = [f"{folder}/m.bin", f"{folder}/p.csv"]
        peaks["script"] = run(*script, "fit", source, str(k), *outputs)

    def compared(what, ours, theirs, wanted, repeats):
        mine, other = interleaved(ours, theirs, repeats=repeats)
        remark = f"peak {peaks['gmmcli']:.0f} MB, the script's {peaks['script']:.0f} MB"
        return Ratio(what, mine, other, wanted, remark)

    for apart, path in tables.items():
        what = f"fit {ROWS:,} x {FEATURES}, K = {K}, {apart} sd apart"
        ours, theirs = partial(fit, path, K), partial(peer_fit, path, K)
        yield compared(what, ours, theirs, 10, 2)

    def predict():
        peaks["gmmcli"] = run(GMMCLI, "predict", f"{folder}/m.json", big, "-o", f"{folder}/o.csv")

    def peer_predict():
        outputs = [f"{folder}/m.bin", f"{folder}/p.csv"]
        peaks["script"] = run(*script, "predict", big, str(K), *outputs)

    what = f"predict {ROWS:,} x {FEATURES}, K = {K}, CSV to CSV"
    yield compared(what, predict, peer_predict, 3, 3)
    what = "fit iris, K = 3, CSV to model and labels"
    yield compared(what, lambda: fit(small, 3), lambda: peer_fit(small, 3), 1 / 0.6, 5)

    def fit_alone():
        peaks["gmmcli"] = run(GMMCLI, "fit", big, "-k", str(K))

    fit_alone()
    matrix = ROWS * FEATURES * 8 / 1e6
    print(f"\npeak of a fit alone: {peaks['gmmcli']:.0f} MB; the matrix is {matrix:.0f} MB")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        finish(show("whole processes, seconds", cases(folder)))
