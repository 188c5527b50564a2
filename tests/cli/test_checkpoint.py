"""fit --checkpoint and --log-every, by running the command and stopping it."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from effort import some

from gmmcli.cli import keeping
from gmmcli.cli.stopping import Stopped
from gmmcli.errors import OutputError
from gmmcli.mixture import heats

KILLS = some(3, 50)
EAGER = (
    "import gmmcli.cli.keeping as keeping; keeping.INTERVAL = 0.02; "
    "from gmmcli.cli import main; main()"
)
# the first state is remembered, and there is no time to write it before the signal
ENDED = """
import os, signal
from gmmcli.cli import keeping, main
keep = keeping.Checkpoint.keep
def keep_and_end(self, snapshot):
    keep(self, snapshot)
    os.kill(os.getpid(), signal.SIGTERM)
keeping.Checkpoint.keep = keep_and_end
keeping.INTERVAL = 1000
main()
"""
# never satisfied, so it takes as long as --max-iter says
SLOW = ["-k", "4", "--converge-on", "parameters", "--tol", "1e-300", "--max-iter", "800", "-q"]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """12,000 rows of clusters that overlap."""
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((12_000, 3)) + 1.2 * rng.integers(4, size=(12_000, 1))
    path = tmp_path_factory.mktemp("many") / "many.csv"
    np.savetxt(path, rows, delimiter=",", header="a,b,c", comments="", fmt="%.17g")
    return path


@pytest.fixture
def broken_off(cli, monkeypatch, overlapping, tmp_path):
    """The checkpoint of a run that was broken off after its first step."""
    state, write = tmp_path / "state", keeping.write_text

    def write_and_end(path, text):
        write(path, text)
        raise OutputError("broken off", "")

    monkeypatch.setattr(keeping, "INTERVAL", 0.0)
    monkeypatch.setattr(keeping, "write_text", write_and_end)
    assert cli("fit", overlapping, "-k", 3, "--checkpoint", state).code == 1
    monkeypatch.setattr(keeping, "write_text", write)
    return state


@pytest.mark.heavy
def test_after_a_kill_it_goes_on_and_ends_in_the_same_bytes(many, tmp_path):
    whole, model, state = (tmp_path / name for name in ("whole.json", "model.json", "state"))
    fit = [sys.executable, "-c", EAGER, "fit", str(many), *SLOW]
    subprocess.run([*fit, "-m", whole], check=True, stdout=subprocess.DEVNULL)
    rng = np.random.default_rng()
    resumed = [*fit, "-m", model, "--checkpoint", state]
    for _ in range(KILLS):
        run = subprocess.Popen(resumed, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(rng.uniform(0.3, 1.5))
        run.kill()
        assert b"error" not in run.communicate()[1]
    subprocess.run(resumed, check=True, stdout=subprocess.DEVNULL)
    assert model.read_bytes() == whole.read_bytes()
    assert not state.exists()


@pytest.mark.heavy
def test_a_polite_end_keeps_the_last_state(overlapping, tmp_path):
    state = tmp_path / "state"
    fit = [sys.executable, "-c", ENDED, "fit", str(overlapping), *SLOW, "--checkpoint", state]
    done = subprocess.run(fit, check=False, capture_output=True)
    assert done.returncode == 128 + signal.SIGTERM
    assert json.loads(state.read_text())["ascents"]


def test_stopped_in_the_search_it_leaves_nothing(cli, monkeypatch, overlapping, tmp_path):
    def stopped(*_arguments, **_options):
        raise Stopped(signal.SIGTERM)

    monkeypatch.setattr(heats, "race", stopped)
    state = tmp_path / "state"
    assert cli("fit", overlapping, "-k", 3, "--checkpoint", state).code == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize(
    ("changed", "word"),
    [
        (["-k", 2], "(k: 3, not 2)"),
        (["--seed", 1], "(seed: 0, not 1)"),
        (["-c", "tied"], "(covariance_type: full, not tied)"),
        (["-C", "!c"], "(columns: "),
        (["--reg-covar", 0], "(reg_covar: "),
        (["--converge-on", "parameters"], "(converge_on: likelihood, not parameters)"),
    ],
)
def test_another_fit_is_refused(cli, overlapping, broken_off, changed, word):
    before = broken_off.read_bytes()
    done = cli("fit", overlapping, "-k", 3, "--checkpoint", broken_off, *changed)
    assert done.code == 1
    assert word in done.err
    assert "taken up" not in done.err
    assert broken_off.read_bytes() == before
    assert cli("fit", overlapping, "-k", 3, "--checkpoint", broken_off).code == 0
    assert not broken_off.exists()


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("damage", ['"rule": []', '"means": [[1]]', '"weights": NaN', '"path": 3'])
def test_a_damaged_one_is_refused(cli, overlapping, broken_off, damage):
    name = damage.split(":")[0]
    text = broken_off.read_text().replace(f"{name}:", f'{damage}, "was":', 1)
    broken_off.write_text(text)
    done = cli("fit", overlapping, "-k", 3, "--checkpoint", broken_off)
    assert done.code == 1
    assert "is damaged" in done.err
    assert broken_off.read_text() == text


@pytest.mark.heavy
def test_it_says_that_it_goes_on(cli, overlapping, broken_off):
    assert "taken up from" in cli("fit", overlapping, "-k", 3, "--checkpoint", broken_off).err


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": "gmmcli-checkpoint"}', "[" * 99999])
def test_what_is_no_checkpoint_is_left_alone(cli, overlapping, tmp_path, text):
    state = tmp_path / "state"
    state.write_text(text)
    done = cli("fit", overlapping, "-k", 3, "--checkpoint", state)
    assert done.code == 1
    assert "is not a checkpoint" in done.err
    assert state.read_text() == text


def test_a_checkpoint_is_a_file_of_its_own(cli, overlapping):
    assert cli("fit", overlapping, "-k", 3, "--checkpoint", "-").code == 2
    assert cli("fit", overlapping, "-k", 3, "--checkpoint", overlapping).code == 2


@pytest.mark.heavy
def test_a_log_for_those_without_a_terminal(cli, overlapping):
    fit = ["fit", overlapping, "-k", 3, "-q"]
    assert cli(*fit).err == ""
    lines = cli(*fit, "--log-every", "1e-9").err.splitlines()
    assert any("iteration" in line and "log-likelihood" in line for line in lines)
    assert any("rows a second" in line for line in lines)
    assert cli(*fit, "--log-every", 0).code == 2
    chosen = cli("select-k", overlapping, "-k", "1-2", "-c", "full", "-q", "--log-every", "1e-9")
    assert "fit 2 of 2" in chosen.err
