"""How a run ends when the world is not kind: pipes, full disks, signals, odd folders."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from shlex import quote

import pytest

ROWS = 200_000


@pytest.fixture(scope="module")
def many_rows(tmp_path_factory):
    """More rows than any pipe or block holds, for the model of the blobs."""
    path = tmp_path_factory.mktemp("many") / "many.csv"
    path.write_text("x,y\n" + "0.5,1.25\n8.5,-0.25\n" * (ROWS // 2))
    return path


def shell(line, **options):
    """Run a line of bash; gives its exit codes, stdout and stderr."""
    done = subprocess.run(
        ["bash", "-c", f'{line}; echo "${{PIPESTATUS[@]}}"'],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )
    *out, codes = done.stdout.splitlines()
    return [int(code) for code in codes.split()], out, done.stderr


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize(
    "arguments",
    ["generate -n 100000", "predict {model} {rows} --proba", "fit {blobs} -k 3 -l - -q", "--help"],
)
@pytest.mark.parametrize("reader", ["head -n 1", "true"])
def test_a_closed_pipe_ends_quietly_with_0(command, model, many_rows, blobs, arguments, reader):
    line = arguments.format(model=model, rows=many_rows, blobs=blobs)
    codes, _, err = shell(f"{quote(command)} {line} | {reader}")
    assert codes[0] == 0
    assert err == ""


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize(
    "arguments",
    [
        "generate -n 5",
        "generate -n 100000",
        "fit {blobs} -k 3 -q",
        "fit {blobs} -k 3 --json -q",
        "fit {blobs} -k 3 -l - -q",
        "select-k {blobs} -k 1-2 -c full -q",
        "--help",
        "fit --help",
        "--version",
        "predict {model} {blobs}",
    ],
)
def test_a_full_disk_never_ends_with_0(command, model, blobs, arguments):
    line = arguments.format(model=model, blobs=blobs)
    codes, _, err = shell(f"{quote(command)} {line} > /dev/full")
    assert codes == [1]
    assert re.search(r"^gmmcli: error: .*standard output.*No space left", err, flags=re.MULTILINE)
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert err.count("error:") == 1


@pytest.mark.heavy
def test_a_full_disk_under_a_file(command, model, blobs):
    for line in (f"predict {model} {blobs} -o /dev/full", f"fit {blobs} -k 2 -q -m /dev/full"):
        codes, _, err = shell(f"{quote(command)} {line}")
        assert codes == [1]
        assert "/dev/full" in err


@pytest.mark.heavy
def test_standard_error_that_cannot_be_written_does_not_lose_the_result(command, blobs, installed):
    expected = installed("fit", blobs, "-k", 3).out.splitlines()
    for target in ("2> /dev/full", "2>&-"):
        codes, out, _ = shell(f"{quote(command)} fit {blobs} -k 3 {target}")
        assert codes == [0]
        assert out == expected


def test_closed_standard_streams_are_told_of(command, blobs, tmp_path):
    codes, _, err = shell(f"{quote(command)} fit -k 3 <&-")
    assert codes == [2]
    assert "Usage: gmmcli fit" in err
    target = tmp_path / "m.json"
    codes, _, _ = shell(f"{quote(command)} fit {blobs} -k 3 -q -m {target} >&- 2>{tmp_path}/err")
    assert codes == [1]
    assert "standard output is closed" in (tmp_path / "err").read_text()


def wait_for(condition):
    for _ in range(400):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("it did not come")


@pytest.fixture
def heeding_sigint():
    """Commands heed SIGINT, though the tests were started where it is ignored: behind an &."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def half_done(command, model, tmp_path):
    """A predict that has begun its output file and waits for more rows."""
    target = tmp_path / "out.csv"
    target.write_text("what was there before\n")
    run = subprocess.Popen(
        [command, "predict", str(model), "-", "-o", str(target)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    run.stdin.write(b"x,y\n" + b"0.5,1.25\n" * 1_000_000)
    run.stdin.flush()
    wait_for(lambda: list(tmp_path.glob(".*.tmp")))
    yield run, target
    run.kill()
    run.stdin.close()
    run.stderr.close()
    run.wait()


@pytest.mark.heavy(cases=1)
@pytest.mark.usefixtures("heeding_sigint")
@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_a_signal_ends_it_with_its_code_and_leaves_nothing_behind(half_done, number, code, word):
    run, target = half_done
    run.send_signal(number)
    assert run.wait(timeout=20) == code
    assert run.stderr.read().decode() == f"gmmcli: {word}\n"
    assert target.read_text() == "what was there before\n"
    assert list(target.parent.glob(".*.tmp")) == []


def test_a_signal_that_does_not_interrupt_the_wait_is_noticed_all_the_same():
    # as when it comes just before a blocking call: the main thread sleeps on, unless it is woken
    script = (
        "import os, signal, threading, time\n"
        "from gmmcli.cli.stopping import Stopped, stop_on_signals\n"
        "stop_on_signals()\n"
        "def elsewhere():\n"
        "    time.sleep(0.3)\n"
        "    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)\n"
        "    time.sleep(60)\n"
        "threading.Thread(target=elsewhere, daemon=True).start()\n"
        "try:\n"
        "    os.read(os.pipe()[0], 1)\n"
        "except Stopped as stop:\n"
        "    os._exit(stop.exit_code)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=20)
    assert done.returncode == 143


@pytest.mark.heavy
def test_a_kill_leaves_the_old_file(half_done):
    run, target = half_done
    run.kill()
    run.wait(timeout=20)
    assert target.read_text() == "what was there before\n"


@pytest.mark.heavy
def test_a_signal_during_em(command, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + "".join(f"{i * i % 997},{i * 31 % 101}\n" for i in range(60_000)))
    run = subprocess.Popen(
        [command, "fit", str(path), "-k", "12", "--n-init", "100"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert run.stderr.readline().startswith(b"gmmcli: note: columns used")
    time.sleep(1.5)
    run.send_signal(signal.SIGTERM)
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out, err) == (143, b"", b"gmmcli: terminated\n")


@pytest.mark.heavy
def test_a_background_job_may_go_on_ignoring_sigint(command, tmp_path):
    line = f"trap '' INT; exec {quote(command)} generate -n 2000000 -o {tmp_path}/x.csv -q"
    run = subprocess.Popen(["bash", "-c", line])
    wait_for(lambda: any(tmp_path.iterdir()))
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=60) == 0


@pytest.mark.parametrize(
    "command_line", ["fit {blobs} -k 3 -q {flag}", "select-k {blobs} -q {flag}"]
)
@pytest.mark.parametrize("flag", ["-m {path}", "-l {path}"])
def test_an_output_that_cannot_be_made_is_told_before_the_work(
    cli, blobs, tmp_path, command_line, flag
):
    for path, words in (
        (tmp_path / "nowhere" / "x.out", "no folder"),
        (blobs / "x.out", "no folder"),
    ):
        line = command_line.format(blobs=blobs, flag=flag.format(path=path))
        outcome = cli(*line.split())
        assert (outcome.code, outcome.out) == (1, "")
        assert words in outcome.err
        assert str(path) in outcome.err


ROOT = os.geteuid() == 0
# root writes where it likes, unless it is without the capability to
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]


@pytest.mark.skipif(ROOT and shutil.which("setpriv") is None, reason="root, and no setpriv")
@pytest.mark.parametrize("line", ["fit {blobs} -k 3 -m", "predict {model} {blobs} -o"])
def test_a_read_only_folder(command, blobs, model, tmp_path, line):
    folder = tmp_path / "closed"
    folder.mkdir()
    target = folder / "out.csv"
    words = line.format(blobs=blobs, model=model).split()
    folder.chmod(0o500)
    try:
        done = subprocess.run(
            [*(UNPRIVILEGED if ROOT else []), command, *words, str(target)],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        folder.chmod(0o700)
    assert (done.returncode, done.stdout) == (1, "")
    said, way_out = done.stderr.splitlines()
    assert said == f"gmmcli: error: cannot write {target}: the folder {folder} is read-only"
    assert way_out == "choose another folder"
    assert list(folder.iterdir()) == []


def test_an_output_that_is_an_input_or_another_output_is_refused(cli, blobs, model, tmp_path):
    before = blobs.read_bytes()
    link = tmp_path / "link.csv"
    link.symlink_to(blobs)
    for target in (blobs, link):
        for arguments in (
            ("fit", blobs, "-k", 3, "-l", target),
            ("select-k", blobs, "-o", target),
            ("predict", model, blobs, "-o", target),
        ):
            outcome = cli(*arguments)
            assert (outcome.code, outcome.out) == (2, "")
            assert "is the input" in outcome.err
    assert cli("predict", model, blobs, "-o", model).code == 2
    assert cli("generate", "--model", model, "-o", model).code == 2
    assert cli("fit", blobs, "--start", model, "-m", model).code == 2
    same = tmp_path / "same"
    twice = cli("fit", blobs, "-k", 3, "-m", same, "-l", tmp_path / "." / "same")
    assert twice.code == 2
    assert "--model and --labels both write" in twice.err
    assert blobs.read_bytes() == before
    assert not same.exists()


STDOUT = [
    "/dev/stdout",
    "/dev/fd/1",
    "/proc/self/fd/1",
    "//dev/./stdout",
    "/proc/self/../self/fd/1",
]


@pytest.mark.heavy(cases=1)
@pytest.mark.parametrize("name", STDOUT)
def test_one_thing_at_a_time_goes_to_standard_output_by_any_name(cli, blobs, model, name):
    for line in (
        ("fit", blobs, "-k", 3, "-m", name, "-l", "-"),
        ("fit", blobs, "-k", 3, "-m", name, "--json"),
        ("select-k", blobs, "-o", name, "-m", "-"),
        ("select-k", blobs, "-o", name, "--best"),
        ("merge", model, blobs, "-o", name, "-l", name),
    ):
        outcome = cli(*line)
        assert (outcome.code, outcome.out) == (2, "")
        assert "both write to standard output" in outcome.err
    # the summary makes room, as it does for -
    by_name, by_dash = (cli("fit", blobs, "-k", 3, "-m", path) for path in (name, "-"))
    assert by_name == by_dash
    page = cli("select-k", blobs, "--report", name)
    assert (page.code, page.out) == (2, "")


def test_a_link_to_standard_output_is_standard_output(cli, blobs, model, tmp_path):
    link = tmp_path / "out.csv"
    link.symlink_to("/dev/stdout")
    outcome = cli("fit", blobs, "-k", 3, "-l", link, "-m", "-")
    assert (outcome.code, outcome.out) == (2, "")
    assert cli("predict", model, blobs, "-o", link).out == cli("predict", model, blobs).out
    assert link.is_symlink()


def test_two_inputs_cannot_be_standard_input_by_any_name(cli, blobs):
    outcome = cli("predict", "/dev/stdin", stdin=blobs.read_bytes())
    assert outcome.code == 2
    assert "MODEL and INPUT are both read from standard input" in outcome.err


def test_devices_are_written_to_and_not_replaced(cli, blobs):
    outcome = cli("fit", blobs, "-k", 3, "-m", "/dev/null", "-l", "/dev/null")
    assert outcome.code == 0
    assert os.path.exists("/dev/null")
    assert not os.path.isfile("/dev/null")


def test_a_failed_run_leaves_the_old_files(cli, blobs, tmp_path):
    model, labels = tmp_path / "m.json", tmp_path / "l.csv"
    model.write_text("old model")
    labels.write_text("old labels")
    outcome = cli("fit", blobs, "-k", 301, "-m", model, "-l", labels)
    assert outcome.code == 1
    assert (model.read_text(), labels.read_text()) == ("old model", "old labels")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["l.csv", "m.json"]


@pytest.mark.heavy
def test_files_are_written_before_a_reader_can_close_the_pipe(command, blobs, tmp_path):
    for options in ("fit {} -k 3 -l - --proba", "select-k {} -k 2-3 -c full -o -"):
        model = tmp_path / "m.json"
        codes, _, _ = shell(f"{quote(command)} {options.format(blobs)} -q -m {model} | true")
        assert codes[0] == 0
        assert model.exists()
        model.unlink()
