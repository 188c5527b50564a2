"""A model as the text of its file."""

import json
from dataclasses import asdict
from typing import Any

from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.projection import Projection
from gmmcli.mixture.uncertainty import StandardErrors
from gmmcli.modelfile.bayes import bayes_object
from gmmcli.modelfile.model import FORMAT, VERSION, FitSummary, Model


def dumps(model: Model) -> str:
    """The text of the model file: the same model gives the same bytes, all of them ASCII."""
    mixture = model.mixture
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "columns": list(model.columns),
        "covariance_type": mixture.covariance.name,
        "weights": mixture.weights.tolist(),
        "means": mixture.means.tolist(),
        "covariances": mixture.covariance.values.tolist(),
    }
    if model.clusters is not None:
        document["clusters"] = list(model.clusters)
    if model.constant_columns:
        document["constant_columns"] = model.constant_columns
    if model.projection is not None:
        document["pca"] = _pca_object(model.projection, mixture)
    if model.fit is not None:
        document["fit"] = _fit_object(model.fit)
        if model.standard_errors is not None:
            document["fit"]["standard_errors"] = _standard_errors(model.standard_errors)
    if model.bayes is not None:
        document["bayes"] = bayes_object(model.bayes)
    # The one control character that JSON leaves as it is; column names may hold it.
    return _pretty(document, indent="").replace("\x7f", "\\u007f") + "\n"


def _fit_object(fit: FitSummary) -> dict[str, Any]:
    members = asdict(fit)
    if fit.n_rows.is_integer():
        members["n_rows"] = int(fit.n_rows)
    notes = members.pop("notes")
    return members | {"notes": list(notes)} if notes else members


def _pca_object(projection: Projection, mixture: GaussianMixture) -> dict[str, Any]:
    means, covariances = projection.to_user(mixture)
    return {
        "shift": projection.shift.tolist(),
        "scale": projection.scale.tolist(),
        "components": projection.components.tolist(),
        "explained_variance_ratio": projection.explained_variance_ratio.tolist(),
        "means": means.tolist(),
        "covariances": covariances.tolist(),
    }


def _standard_errors(errors: StandardErrors) -> dict[str, Any]:
    lost = {"n_lost": errors.n_lost} if errors.n_lost else {}
    return {
        "n_replicates": errors.n_replicates,
        **lost,
        "weights": errors.weights.tolist(),
        "means": errors.means.tolist(),
        "standard_deviations": errors.deviations.tolist(),
        "covariances": errors.covariances.tolist(),
    }


def _pretty(value: object, *, indent: str) -> str:
    """JSON with a line for each key and for each row of numbers."""
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        lines = [f"{deeper}{json.dumps(k)}: {_pretty(v, indent=deeper)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], list):
        lines = [f"{deeper}{_pretty(row, indent=deeper)}" for row in value]
        return "[\n" + ",\n".join(lines) + f"\n{indent}]"
    return json.dumps(value, allow_nan=False)
