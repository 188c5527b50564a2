"""A snapshot of a fit <-> versioned JSON, which no other release need understand."""

import json
from dataclasses import asdict
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
    try:
        document = json.loads(text, parse_constant=_refuse)
        ours = {"format": FORMAT, "gmmcli": __version__, "columns": columns, **asdict(options)}
        theirs = {**document["key"], **document}
        other = next((what for what, value in ours.items() if theirs[what] != value), None)
        if other is None:
            return Snapshot.of_plain(document, options)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"{name} is not a checkpoint of gmmcli, or is damaged"
        raise DataError(message, "remove the file to begin anew, or give another path") from error
    raise DataError(
        f"{name} is of another fit ({other}: {theirs[other]}, not {ours[other]})",
        "give the options of then, or remove the file to begin anew",
    )


def _refuse(token: str) -> float:
    raise ValueError(token)
