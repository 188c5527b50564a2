"""The parts of a JSON document, each checked before it is used, with a ModelError that names it.

A key is written as a person would point at it: `covariances[1][0]`, `fit.n_iter`.
"""

import json
import math
import re
import reprlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmcli.errors import ModelError

_MAX_AXES = 3
_ADVICE = {
    "columns": "columns is a list of distinct names, one for each feature",
    "weights": "weights has one number for each component; together they are 1",
    "means": "means has one row for each component, with one number for each feature",
    "covariances": "covariances takes the shape of its covariance_type, see README.md",
    "clusters": "clusters has one whole number for each component: 0, 1 and so on, none left out",
    "constant_columns": "constant_columns maps names that are not in columns to numbers",
    "pca": "pca holds shift, scale, components and explained_variance_ratio",
    "bayes": "bayes may be left out; where it is given, it is given whole",
    "fit": "fit may be left out; where it is given, it is given whole",
}


def member(members: dict[str, Any], key: str) -> Any:
    """What stands in an object under the last part of the key."""
    name = key.rpartition(".")[2]
    if name not in members:
        raise fault(key, f"{key} is missing")
    return members[name]


def mapping(value: object, key: str) -> dict[str, Any]:
    """An object: names to values."""
    if not isinstance(value, dict):
        raise fault(key, f"{key} must be an object, not {shown(value)}")
    return value


def text(value: object, key: str) -> str:
    """Text that can be written as UTF-8, which JSON's escapes for half a character cannot."""
    if not isinstance(value, str):
        raise fault(key, f"{key} must be text, not {shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise fault(key, f"{key} holds half a surrogate pair: {shown(value)}") from error
    return value


def number(value: object, key: str) -> float:
    """A finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fault(key, f"{key} must be a number, not {shown(value)}")
    try:
        converted = float(value)
    except OverflowError:
        converted = math.inf
    if not math.isfinite(converted):
        raise fault(key, f"{key} is beyond the range of a 64-bit float")
    return converted


def whole(value: object, key: str) -> int:
    """A whole number, written without a point."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise fault(key, f"{key} must be a whole number, not {shown(value)}")
    return value


def not_negative(value: object, key: str) -> float:
    """A finite number that is 0 or greater."""
    converted = number(value, key)
    if converted < 0:
        raise fault(key, f"{key} must be 0 or greater, not {shown(value)}")
    return converted


def tally(value: object, key: str) -> int:
    """A whole number that is 0 or greater, and no larger than a float can be."""
    counted = whole(value, key)
    not_negative(counted, key)
    return counted


def within(values: NDArray[np.float64], key: str, least: float, most: float) -> NDArray[np.float64]:
    """Numbers of which none is less than the least, or more than the most."""
    if values.size and not (least <= values.min() and values.max() <= most):
        span = f"{least:g} or greater" if most == math.inf else f"between {least:g} and {most:g}"
        raise fault(key, f"{key} must be {span}")
    return values


def truth(value: object, key: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise fault(key, f"{key} must be true or false, not {shown(value)}")
    return value


def array(value: object, key: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Nested lists of numbers, as an array of this shape; a first length of -1 is any but 0.

    The shape () is one number.
    """
    if shape[:1] == (-1,):
        shape = (len(value) if isinstance(value, list) else 0, *shape[1:])
    if 0 in shape:
        raise fault(key, f"{key} must be a list with numbers in it")
    # Without a count: the array grows with the numbers that are there, not with those promised.
    return np.fromiter(_entries(value, key, shape), dtype=np.float64).reshape(shape)


def leading_shape(value: object) -> tuple[int, ...]:
    """The lengths along the first entries of nested lists; () for what is no list."""
    shape: tuple[int, ...] = ()
    while isinstance(value, list) and len(shape) < _MAX_AXES:
        shape += (len(value),)
        value = value[0] if value else None
    return shape


def shown(value: object) -> str:
    """A value as a message shows it: short, and with escapes for what is not printable."""
    return json.dumps(value) if value is None or isinstance(value, bool) else reprlib.repr(value)


def fault(key: str, message: str) -> ModelError:
    """The error for a key, with the advice for its top-level key."""
    return ModelError(message, advice(key))


def advice(about: str) -> str:
    """What to do about a fault in the key that a text starts with."""
    root = re.split(r"\W", about, maxsplit=1)[0]
    return _ADVICE.get(root, f"a model file needs {root}")


def _entries(value: object, key: str, shape: tuple[int, ...]) -> Iterator[float]:
    if not shape:
        yield number(value, key)
        return
    if not isinstance(value, list):
        raise fault(key, f"{key} must be a list of {shape[0]}, not {shown(value)}")
    if len(value) != shape[0]:
        raise fault(key, f"{key} has length {len(value)} where {shape[0]} is needed")
    for i, entry in enumerate(value):
        yield from _entries(entry, f"{key}[{i}]", shape[1:])
