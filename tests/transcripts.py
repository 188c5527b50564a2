"""Transcripts: Markdown in which `console` blocks hold commands and what they print.

    $ gmmcli generate -n 2 | wc -l
    3

README.md and the files in tests/golden are transcripts. The tests run each command and compare
what it prints; `python tests/transcripts.py FILE...` (`make docs`, `make golden`) runs them and
writes what is printed into the files. A block may read files that earlier blocks make: to run it
alone, the commands that make them go before it (`parts`).
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isclose
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
PROMPT = "$ "
CONTINUED = "> "

_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)", re.IGNORECASE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_WORD = re.compile(r"[\w.$*/-]+")
_MADE = re.compile(r"(?:(?<!\w)(?:-[olm]|--plot|--report|mkdir)\s+|>\s*)([\w.$*/-]+)")


@dataclass(frozen=True)
class Example:
    """A command, of one line or several, and what it prints on stdout and on stderr."""

    command: str
    output: str

    def __str__(self) -> str:
        return f"{PROMPT}{self.command}".replace("\n", f"\n{CONTINUED}") + f"\n{self.output}"


def examples(text: str) -> list[Example]:
    """All examples of a transcript, in order."""
    return [example for block in _BLOCK.findall(text) for example in _split(block)]


def _split(block: str) -> Iterator[Example]:
    for part in re.split(rf"^{re.escape(PROMPT)}", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        while output.startswith(CONTINUED):
            line, _, output = output.removeprefix(CONTINUED).partition("\n")
            command += f"\n{line}"
        yield Example(command, output)


@dataclass(frozen=True)
class Part:
    """A block of a transcript that can be run alone.

    before : the earlier examples that make what the block reads, in order.
    """

    name: str
    before: tuple[Example, ...]
    examples: tuple[Example, ...]


def parts(text: str) -> list[Part]:
    """The blocks of a transcript, in order, named by the heading above and counted."""
    found: list[Part] = []
    earlier: list[Example] = []
    for match in _BLOCK.finditer(text):
        headings = _HEADING.findall(_BLOCK.sub("", text[: match.start()]))
        title = headings[-1] if headings else "top"
        number = 1 + sum(part.name.startswith(f"{title}, ") for part in found)
        block = tuple(_split(match.group()))
        found.append(Part(f"{title}, {number}", _makers(block, earlier), block))
        earlier += block
    return found


def _makers(block: tuple[Example, ...], earlier: list[Example]) -> tuple[Example, ...]:
    """Of earlier examples those that make what a block reads, or what another of them reads."""
    wanted = {path for example in block for path in _read(example)}
    makers = []
    for example in reversed(earlier):
        if any(_overlap(made, path) for made in _made(example) for path in wanted):
            makers.append(example)
            wanted |= _read(example)
    return tuple(reversed(makers))


def _made(example: Example) -> set[PurePosixPath]:
    return _paths(_MADE.findall(example.command))


def _read(example: Example) -> set[PurePosixPath]:
    """All words that may be paths, but for what the command makes itself."""
    return _paths(_WORD.findall(example.command)) - _made(example)


def _paths(words: list[str]) -> set[PurePosixPath]:
    """Words as paths, each up to where the shell would fill something in."""
    known = (re.sub(r"[^/]*[$*].*", "", word) for word in words if not word.startswith("-"))
    return {PurePosixPath(path) for path in known if path.strip("./")}


def _overlap(left: PurePosixPath, right: PurePosixPath) -> bool:
    """Whether two paths are one, or one is the folder of the other."""
    return left == right or (left in right.parents or right in left.parents)


def run(command: str, *, folder: Path) -> str:
    """What a command line prints. A command that fails, in whatever part, is an error here."""
    environment = {
        "COLUMNS": "100",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"{command} ends with {result.returncode}:\n{result.stdout}")
    return result.stdout


@contextmanager
def new_folder() -> Iterator[Path]:
    """A folder for a while, with the sample data in it."""
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(ROOT / "sample_data", Path(name) / "sample_data")
        yield Path(name)


def replayed(text: str) -> Iterator[tuple[Example, Example]]:
    """Each example as it stands, and as it is when run, one after the other in a new folder."""
    with new_folder() as folder:
        for example in examples(text):
            yield example, Example(example.command, run(example.command, folder=folder))


def played(part: Part, *, folder: Path) -> tuple[Example, ...]:
    """The examples of a part with the outputs of today, where they differ."""
    for example in part.before:
        run(example.command, folder=folder)
    today = (Example(old.command, run(old.command, folder=folder)) for old in part.examples)
    pairs = zip(part.examples, today, strict=True)
    return tuple(old if same(old.output, new.output) else new for old, new in pairs)


def same(left: str, right: str) -> bool:
    """Whether two outputs agree: text exactly, numbers to 6 digits.

    Another BLAS adds in another order, which changes the last digits.
    """
    left_parts, right_parts = _NUMBER.split(left), _NUMBER.split(right)
    return (
        len(left_parts) == len(right_parts)
        and left_parts[::2] == right_parts[::2]
        and all(
            isclose(float(a), float(b), rel_tol=1e-6, abs_tol=1e-9)
            for a, b in zip(left_parts[1::2], right_parts[1::2], strict=True)
        )
    )


def updated(text: str) -> str:
    """The transcript with the outputs of today, where they differ."""
    current = (old if same(old.output, new.output) else new for old, new in replayed(text))

    def block(match: re.Match[str]) -> str:
        return "".join(str(next(current)) for _ in _split(match.group()))

    return _BLOCK.sub(block, text)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        path = Path(argument)
        path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
