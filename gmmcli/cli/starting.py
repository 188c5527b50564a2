"""Starts that are given: a model of an earlier fit, or a partition in a column."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gmmcli.errors import UsageError
from gmmcli.mixture.arrays import IntArray
from gmmcli.mixture.model import GaussianMixture
from gmmcli.modelfile import Model, read
from gmmcli.report.numerals import count


class GivenStart(NamedTuple):
    """Where to start from, and what that says of the fit; `start` is None for a search."""

    start: GaussianMixture | IntArray | None
    n_components: int
    covariance_type: str = "full"


def read_start(path: str | None, *, n_components: int | None, pca: int | None) -> Model | None:
    """The model to start from, if there is one.

    Raises
    ------
    UsageError : it has another number of components, or of principal components, than asked for.
    ModelError : it is no model.
    """
    if path is None:
        return None
    model = read(path)
    n_there = model.mixture.n_components
    if n_components not in (None, n_there):
        has = count(n_there, "component")
        message = f"-k {n_components} contradicts --start {path}, which has {has}"
        raise UsageError(message, "leave -k out")
    axes = model.projection.n_components if model.projection is not None else None
    if pca not in (None, axes):
        has = f"has --pca {axes}" if axes else "has no projection"
        message = f"--pca {pca} contradicts --start {path}, which {has}"
        raise UsageError(message, "leave --pca out: the projection is that of the start")
    return model


def given_start(
    model: Model | None, labels: Sequence[str] | None, *, n_components: int | None
) -> GivenStart:
    """The start that was given, or none.

    Parameters
    ----------
    labels : one text a row; equal texts are one component.

    Raises
    ------
    UsageError : there are more or fewer labels than components asked for.
    """
    if model is not None:
        mixture = model.mixture
        return GivenStart(mixture, mixture.n_components, mixture.covariance.name)
    if labels is None:
        return GivenStart(None, n_components or 1)
    names, codes = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)
    if n_components not in (None, len(names)):
        labels_there = count(len(names), "different label")
        message = f"-k {n_components} contradicts --start-labels: {labels_there}"
        raise UsageError(message, "leave -k out")
    return GivenStart(codes.astype(np.int64), len(names))
