"""A model from the text of its file, believing nothing in it."""

import json
import math
import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Never

import numpy as np

from gmmcli.errors import ModelError
from gmmcli.mixture.arrays import FloatArray
from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.uncertainty import StandardErrors
from gmmcli.modelfile.bayes import read_bayes
from gmmcli.modelfile.checks import (
    advice,
    array,
    fault,
    leading_shape,
    mapping,
    member,
    not_negative,
    number,
    shown,
    tally,
    text,
    truth,
    whole,
    within,
)
from gmmcli.modelfile.model import FORMAT, VERSION, FitSummary, Model

MAX_BYTES = 256 * 2**20

_NO_MODEL = "a model file is JSON, as `gmmcli fit -m` saves it"
_ROUNDING = 1e-6
"""How far sums and products may be off in a file written by hand."""
_CHECKS: dict[object, Callable[[object, str], object]] = {
    float: number,
    int: tally,
    bool: truth,
    str: text,
}
_RANGES: dict[str, Callable[[object, str], object]] = {
    "reg_covar": not_negative,
    "tol": not_negative,
}
"""Of the numbers of `fit`, those that are of one sign."""


def loads(document: str, *, name: str) -> Model:
    """The model that a text holds.

    `name` stands for the text in messages. Raises ModelError, naming the key at fault.
    """
    try:
        return _model(_parse(document))
    except ModelError as error:
        # The mixture knows what is wrong with its numbers, not that they stand in a file.
        way_out = error.advice or advice(error.message)
        raise ModelError(f"{name}: {error.message}", way_out) from error


def read(path: str) -> Model:
    """The model in a file, or on standard input for `-`. Raises ModelError."""
    name = "standard input" if path == "-" else path
    try:
        if path == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"{name}: cannot be read: {error.strerror}"
        raise ModelError(message, "give the path of a model that `gmmcli fit -m` saved") from error
    if len(content) > MAX_BYTES:
        message = f"{name}: larger than {MAX_BYTES // 2**20} MB"
        raise ModelError(message, "no model that gmmcli writes is that large; check the path")
    try:
        document = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{name}: not UTF-8 text (byte {error.start + 1})"
        raise ModelError(message, _NO_MODEL) from error
    return loads(document, name=name)


def _parse(document: str) -> dict[str, Any]:
    try:
        members = json.loads(document, parse_constant=_refuse, object_pairs_hook=_object)
    except RecursionError as error:
        raise ModelError("nested too deeply", _NO_MODEL) from error
    except json.JSONDecodeError as error:
        message = f"not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise ModelError(message, _NO_MODEL) from error
    except ValueError as error:
        # Python converts no integer of more than 4300 digits.
        raise ModelError("holds a number of thousands of digits", _NO_MODEL) from error
    if not isinstance(members, dict):
        raise ModelError("holds no JSON object", _NO_MODEL)
    return members


def _refuse(token: str) -> Never:
    raise ModelError(f"holds {token}, which is no JSON number", "every number in a model is finite")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise ModelError(f"the key {shown(key)} occurs twice", "keep one of the two")
        members[key] = value
    return members


def _model(document: dict[str, Any]) -> Model:
    _check_version(document)
    columns = _columns(member(document, "columns"))
    projection = None
    if "pca" in document:
        projection = _projection(mapping(document["pca"], "pca"), n_columns=len(columns))
    n_features = len(columns if projection is None else projection.components)

    weights = array(member(document, "weights"), "weights", (-1,))
    means = array(member(document, "means"), "means", (len(weights), n_features))
    covariances = member(document, "covariances")
    mixture = GaussianMixture.from_arrays(
        weights,
        means,
        array(covariances, "covariances", leading_shape(covariances)),
        covariance_type=_covariance_type(member(document, "covariance_type")),
    )
    _check_spread(mixture)
    fit = mapping(document["fit"], "fit") if "fit" in document else {}
    errors = fit.get("standard_errors")
    bayes = None
    if "bayes" in document:
        bayes = read_bayes(mapping(document["bayes"], "bayes"), mixture)
    return Model(
        mixture=mixture,
        columns=columns,
        constant_columns=_constant_columns(document.get("constant_columns", {}), columns),
        projection=projection,
        fit=_fit(fit) if "fit" in document else None,
        standard_errors=None if errors is None else _standard_errors(errors, mixture),
        clusters=_clusters(document["clusters"], len(weights)) if "clusters" in document else None,
        bayes=bayes,
    )


def _check_version(document: dict[str, Any]) -> None:
    if document.get("format") != FORMAT:
        message = f'"format" is not "{FORMAT}"'
        raise ModelError(message, f'a model file starts with "format": "{FORMAT}", "version": 1')
    version = member(document, "version")
    if type(version) is not int or version != VERSION:
        message = f"version {shown(version)} is not known; this gmmcli reads {VERSION}"
        raise ModelError(message, "use the gmmcli that wrote the model, or a newer one")


def _columns(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise fault("columns", "columns must be a list of names")
    places: dict[str, int] = {}
    for i, name in enumerate(value):
        first = places.setdefault(text(name, f"columns[{i}]"), i)
        if first != i:
            raise fault("columns", f"columns[{first}] and columns[{i}] are both {shown(name)}")
    return tuple(places)


def _covariance_type(value: object) -> str:
    if not isinstance(value, str) or value not in STRUCTURES:
        message = f"covariance_type {shown(value)} does not exist"
        raise ModelError(message, f"those that do: {', '.join(STRUCTURES)}")
    return value


def _constant_columns(value: object, columns: tuple[str, ...]) -> dict[str, float]:
    features = set(columns)
    constants = {}
    for name, constant in mapping(value, "constant_columns").items():
        key = f"constant_columns.{shown(name)}"
        if text(name, key) in features:
            raise fault(key, f"{key} is one of columns as well")
        constants[name] = number(constant, key)
    return constants


def _clusters(value: object, n_components: int) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) != n_components:
        raise fault("clusters", f"clusters must be a list of {n_components} numbers")
    clusters = tuple(whole(number, f"clusters[{k}]") for k, number in enumerate(value))
    if set(clusters) != set(range(len(set(clusters)))):
        numbers = shown(sorted(set(clusters)))
        raise fault("clusters", f"clusters holds {numbers}, not the numbers from 0 without a gap")
    return clusters


def _projection(pca: dict[str, Any], *, n_columns: int) -> Projection:
    # pca.means and pca.covariances follow from the rest: they are there for other readers.
    components = array(member(pca, "pca.components"), "pca.components", (-1, n_columns))
    scale = array(member(pca, "pca.scale"), "pca.scale", (n_columns,))
    if not (scale > 0).all():
        raise fault("pca.scale", "pca.scale must be greater than 0")
    # lengths first: the square of a number may be beyond floating point
    lengths = np.hypot.reduce(components, axis=1)
    upright = np.abs(lengths - 1).max() <= _ROUNDING
    if not upright or np.abs(components @ components.T - np.eye(len(components))).max() > _ROUNDING:
        message = "pca.components must be of length 1, and at right angles to each other"
        raise fault("pca.components", message)
    key = "pca.explained_variance_ratio"
    ratio = within(array(member(pca, key), key, (len(components),)), key, 0, 1)
    if ratio.sum() > 1 + _ROUNDING:
        raise fault(key, f"{key} sums to {ratio.sum():.9g}, and all there is is 1")
    return Projection(
        shift=array(member(pca, "pca.shift"), "pca.shift", (n_columns,)),
        scale=scale,
        components=components,
        explained_variance_ratio=ratio,
    )


def _fit(members: dict[str, Any]) -> FitSummary:
    values: dict[str, Any] = {}
    for part in fields(FitSummary):
        if part.name == "notes":
            continue
        key = f"fit.{part.name}"
        check = _RANGES.get(part.name) or _CHECKS[part.type]
        values[part.name] = check(member(members, key), key)
    if values["n_rows"] <= 0:
        raise fault("fit.n_rows", "fit.n_rows must be greater than 0")
    return FitSummary(notes=_notes(members.get("notes", [])), **values)


def _notes(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise fault("fit.notes", f"fit.notes must be a list of texts, not {shown(value)}")
    return tuple(text(note, f"fit.notes[{i}]") for i, note in enumerate(value))


def _standard_errors(value: object, mixture: GaussianMixture) -> StandardErrors:
    key = "fit.standard_errors"
    members = mapping(value, key)

    def part(name: str, shape: tuple[int, ...], most: float = math.inf) -> FloatArray:
        numbers = array(member(members, f"{key}.{name}"), f"{key}.{name}", shape)
        return within(numbers, f"{key}.{name}", 0, most)

    return StandardErrors(
        n_replicates=tally(member(members, f"{key}.n_replicates"), f"{key}.n_replicates"),
        # shares are between 0 and 1, so no two of them differ by more
        weights=part("weights", mixture.weights.shape, 1),
        means=part("means", mixture.means.shape),
        deviations=part("standard_deviations", mixture.means.shape),
        covariances=part("covariances", mixture.covariance.values.shape),
        n_lost=tally(members.get("n_lost", 0), f"{key}.n_lost"),
    )


def _check_spread(mixture: GaussianMixture) -> None:
    """Means so far apart, or spreads so wide, that no variance of all rows can be told."""
    with np.errstate(over="ignore", invalid="ignore"):
        overall = mixture.weights @ mixture.means
        deviations = mixture.means - overall
        variances = np.einsum("kdd->kd", mixture.covariance.full()) + deviations**2
        sound = np.isfinite(mixture.weights @ (4 * variances))
    if not sound.all():
        d = int(np.argmin(sound))
        message = f"means and covariances of feature {d + 1} leave the range of a 64-bit float"
        raise ModelError(f"{message} when their spread is squared", "rescale the column")
