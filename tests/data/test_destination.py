"""Output that appears whole or not at all."""

import os
import stat
import subprocess
import sys

import pytest

from gmmcli.data import check_output, write_text
from gmmcli.data.destination import Destination
from gmmcli.errors import OutputError, UsageError


def test_a_file_is_written_whole(tmp_path):
    path = tmp_path / "out.json"
    write_text(str(path), "naïve\n")
    assert path.read_bytes() == "naïve\n".encode()
    assert os.listdir(tmp_path) == ["out.json"]


def test_the_mode_is_the_one_of_the_umask_or_of_the_old_file(tmp_path):
    path = tmp_path / "out"
    before = os.umask(0o027)
    try:
        write_text(str(path), "1")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        write_text(str(path), "2")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert path.read_text() == "2"


def test_the_path_holds_the_old_file_until_the_end(tmp_path):
    path = tmp_path / "out"
    path.write_text("old")
    with Destination(str(path)) as out:
        out.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ValueError])
def test_nothing_is_left_after_a_fault(tmp_path, fault):
    def write():
        with Destination(str(tmp_path / "out")) as out:
            out.write(b"new")
            raise fault

    with pytest.raises(fault):
        write()
    assert os.listdir(tmp_path) == []


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "target"
    target.write_text("old")
    link = tmp_path / "link"
    link.symlink_to(target)
    write_text(str(link), "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_folder_that_is_not_there_is_named_at_once(tmp_path):
    with pytest.raises(OutputError, match=r"cannot write .*: No such file or directory"):
        Destination(str(tmp_path / "nowhere" / "out"))
    with pytest.raises(OutputError, match="it is a folder"):
        Destination(str(tmp_path))


def test_what_may_not_be_written_is_named_at_once(tmp_path, monkeypatch):
    path = tmp_path / "out"
    path.write_text("old")
    # the tests may run as root, who may write everything
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="it is read-only"):
        Destination(str(path))


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "out"
    path.write_text("old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_text(str(path), "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_a_full_device_is_an_error():
    with pytest.raises(OutputError, match="cannot write /dev/full: No space left on device"):
        write_text("/dev/full", "x")


def test_special_files_are_written_directly(tmp_path):
    write_text("/dev/null", "x")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE) as reader:
        write_text(str(fifo), "through")
        assert reader.stdout.read() == b"through"
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def run(program, **how):
    program = "from gmmcli.data import write_text\n" + program
    return subprocess.run([sys.executable, "-c", program], check=False, timeout=60, **how)


def test_standard_output():
    done = run("print('first'); write_text('-', 'é'); print('last')", capture_output=True)
    assert done.stdout == "first\nélast\n".encode()


def test_standard_output_that_is_full():
    program = """
import os
from gmmcli.errors import OutputError
try:
    write_text('-', 'x')
except OutputError as error:
    assert 'standard output: No space left' in error.message, error.message
    os._exit(7)
"""
    with open("/dev/full", "wb") as full:
        assert run(program, stdout=full).returncode == 7


def test_a_closed_pipe_is_let_through():
    program = """
import os
try:
    for _ in range(1000):
        write_text('-', 'x' * 10000)
except BrokenPipeError:
    os._exit(7)
"""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert run(program, stdout=writing).returncode == 7
    finally:
        os.close(writing)


def test_an_output_that_is_an_input_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("x\n")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("a.csv")
    os.link("a.csv", "hard")
    for name in (str(path), "a.csv", "./a.csv", "link", "hard"):
        with pytest.raises(UsageError, match=r"is the input a\.csv"):
            check_output(name, ["b.csv", "a.csv"])
    check_output("b.csv", ["a.csv"])
    check_output("-", ["-", "a.csv"])
    check_output("/dev/null", ["/dev/null"])


def test_an_output_that_is_on_standard_input_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x\n")
    program = """
import sys
from gmmcli.data import check_output
from gmmcli.errors import UsageError
try:
    check_output(sys.argv[1], ['-'])
except UsageError as error:
    assert 'standard input' in error.message
    sys.exit(7)
"""
    with open(path, "rb") as stdin:
        done = subprocess.run([sys.executable, "-c", program, path], check=False, stdin=stdin)
    assert done.returncode == 7
