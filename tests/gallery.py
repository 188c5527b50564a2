"""The pictures in README.md: drawn by the commands that stand beside them.

`python tests/gallery.py` (`make docs`) draws them into sample_data/gallery; a test compares them
with what the commands draw today.
"""

import base64
import io
import re
import shutil
import tempfile
from itertools import count
from math import isclose
from pathlib import Path

import numpy as np
import transcripts
from PIL import Image
from transcripts import ROOT

FOLDER = Path("sample_data", "gallery")
README = ROOT / "README.md"

_SECTION = re.compile(r"(?<=^## Pictures\n).*?(?=^## )", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)", re.IGNORECASE)
_IDENTITY = re.compile(r'(?<=id=")[^"]+(?=")')
_IMAGE = re.compile(r"data:image/png;base64,\s*([\w+/=\s]+)")


def drawn() -> dict[str, str]:
    """Name -> SVG of the pictures, as the commands of the README draw them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / FOLDER).mkdir(parents=True)
        for example in transcripts.examples(section()):
            transcripts.run(example.command, folder=folder)
        return kept(folder)


def section() -> str:
    """What the README says about pictures."""
    (found,) = _SECTION.findall(README.read_text(encoding="utf-8"))
    return found


def parts() -> list[transcripts.Part]:
    """The parts of the README that draw the pictures."""
    readme = transcripts.parts(README.read_text(encoding="utf-8"))
    return [part for part in readme if part.name.startswith("Pictures, ")]


def kept(root: Path = ROOT) -> dict[str, str]:
    """Name -> SVG of the pictures in a folder that has the gallery."""
    files = sorted((root / FOLDER).iterdir())
    return {path.name: path.read_text(encoding="utf-8") for path in files}


def same(left: str, right: str) -> bool:
    """Whether two SVGs look the same: text exactly, places to a thousandth of a point.

    Another BLAS changes the last digits of a number, hence the names that are hashes of them, and
    the shade of a pixel here and there.
    """
    pairs = list(zip(_IMAGE.findall(left), _IMAGE.findall(right), strict=False))
    left_parts, right_parts = (_NUMBER.split(_plain(svg)) for svg in (left, right))
    return (
        len(left_parts) == len(right_parts)
        and left_parts[::2] == right_parts[::2]
        and all(
            isclose(float(a), float(b), rel_tol=1e-6, abs_tol=1e-3)
            for a, b in zip(left_parts[1::2], right_parts[1::2], strict=True)
        )
        and all(_pixels_agree(*pair) for pair in pairs)
    )


def _plain(svg: str) -> str:
    """An SVG with images left out, and names counted in their order."""
    numbers = count()
    names = {name: f"name{next(numbers)}" for name in dict.fromkeys(_IDENTITY.findall(svg))}
    svg = _IMAGE.sub("", svg)
    return re.sub(r"[\w.:-]+", lambda word: names.get(word.group(), word.group()), svg)


def _pixels_agree(left: str, right: str) -> bool:
    first, second = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(text))), dtype=float)
        for text in (left, right)
    )
    return first.shape == second.shape and bool(np.abs(first - second).mean() < 0.5)


def write() -> None:
    """Draw the gallery anew; pictures that look the same keep their bytes."""
    pictures = drawn()
    target = ROOT / FOLDER
    target.mkdir(exist_ok=True)
    old = kept()
    shutil.rmtree(target)
    target.mkdir()
    for name, svg in pictures.items():
        still = name in old and same(old[name], svg)
        (target / name).write_text(old[name] if still else svg, encoding="utf-8")


if __name__ == "__main__":
    write()
