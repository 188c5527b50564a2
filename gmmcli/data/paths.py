"""What a path alone tells: format, compression, and which files it stands for."""

import glob
import os

from gmmcli.errors import DataError

COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
FORMATS = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet"}


def split_extension(path: str) -> tuple[str | None, str | None]:
    """What a path's extensions say: (format or None, compression or None)."""
    stem, extension = os.path.splitext(path.lower())
    compression = None
    if extension in COMPRESSIONS:
        compression = extension[1:]
        extension = os.path.splitext(stem)[1]
    return FORMATS.get(extension), compression


def files_of(path: str) -> list[str] | None:
    """The files of a folder of Parquet files, or of a pattern, by name; None for any other path.

    A folder's hidden files and those that begin with "_" are no data: so writers mark them.

    Raises
    ------
    DataError : the folder holds no Parquet file, or nothing matches the pattern.
    """
    try:
        if os.path.isdir(path):
            names = [name for name in os.listdir(path) if not name.startswith((".", "_"))]
            files = [os.path.join(path, name) for name in names]
            files = [file for file in files if split_extension(file)[0] == "parquet"]
            what = f"the folder {path} holds no Parquet file"
        elif glob.has_magic(path) and not os.path.lexists(path):
            files = [file for file in glob.glob(path) if not os.path.isdir(file)]
            what = f"no file matches {path}"
        else:
            return None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "check its permissions") from error
    if not files:
        raise DataError(what, "name a file, a folder of Parquet files, or a quoted pattern of them")
    return sorted(file for file in files if os.path.isfile(file))
