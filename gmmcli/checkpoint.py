"""A snapshot of a fit <-> versioned JSON, which no other release need understand."""

import json
from typing import Any

from gmmcli import __version__
from gmmcli.errors import DataError
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.snapshot import Snapshot

FORMAT = "gmmcli-checkpoint"


def dumps(plain: dict[str, Any], columns: list[str]) -> str:
    """The text of a checkpoint.

    Parameters
    ----------
    plain : of a Snapshot.
    columns : the names of the features.
    """
    head = {"format": FORMAT, "gmmcli": __version__, "columns": columns}
    return json.dumps({**head, **plain}, allow_nan=False) + "\n"


def loads(text: str, options: FitOptions, columns: list[str], *, name: str) -> Snapshot:
    """The snapshot in a text.

    Raises
    ------
    DataError : it is no checkpoint, of another release, or of other columns or options.
    """
    advice = "remove the file to begin anew"
    try:
        document = json.loads(text)
        is_ours = document["format"] == FORMAT
        others = {"release of gmmcli": document["gmmcli"], "set of columns": document["columns"]}
        theirs_covariance = document["key"]["covariance_type"]
        same_structure = is_ours and theirs_covariance == options.covariance_type
        snapshot = Snapshot.of_plain(document, options) if same_structure else None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{name} is not a checkpoint of gmmcli, or is damaged", advice) from error
    if not is_ours:
        raise DataError(f"{name} is not a checkpoint of gmmcli", "give another path")
    ours = {"release of gmmcli": __version__, "set of columns": columns}
    for what, value in ours.items():
        if others[what] != value:
            raise DataError(f"{name} is of another {what}: {others[what]}, not {value}", advice)
    if snapshot is None:
        raise DataError(
            f"{name} is of another covariance_type: {theirs_covariance}, "
            f"not {options.covariance_type}",
            advice,
        )
    return snapshot
