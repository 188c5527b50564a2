"""What a path alone tells: format, compression, and which files it stands for."""

import glob
import os

from gmmcli.errors import DataError, UsageError

COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
FORMATS = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet"}

_OTHERS = (
    *(".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".feather", ".arrow", ".ipc", ".orc", ".avro"),
    *(".json", ".jsonl", ".ndjson", ".xml", ".html", ".yaml", ".pdf", ".png", ".svg", ".zip"),
    *(".h5", ".hdf5", ".npy", ".npz", ".pkl", ".pickle", ".mat", ".rds", ".rdata", ".dta", ".sav"),
    *(".sas7bdat", ".db", ".sqlite", ".sqlite3", ".duckdb"),
)
"""Extensions by which other programs would take CSV for what it is not."""
_MOST_LINKS = 40
_DEVICES = {0: "/dev/stdin", 1: "/dev/stdout"}
"""Where these are no links."""


def standard_stream(path: str, number: int) -> str:
    """The path itself, or "-" where it is another name of this process's stream of that number.

    /dev/stdout is a link to /proc/self/fd/1, as /dev/fd is one to its folder, and links of one's
    own may lead there: followed one by one, since what the last of them is called is a pipe's or a
    file's affair.
    """
    streams = os.path.realpath("/dev/fd")
    name = os.path.abspath(path)
    for _ in range(_MOST_LINKS):
        folder, last = os.path.split(name)
        name = os.path.join(os.path.realpath(folder), last)
        if name == os.path.join(streams, str(number)) or name == _DEVICES.get(number):
            return "-"
        if not os.path.islink(name):
            break
        name = os.path.join(os.path.dirname(name), os.readlink(name))
    return path


def split_extension(path: str) -> tuple[str | None, str | None]:
    """What a path's extensions say: (format or None, compression or None)."""
    stem, extension = os.path.splitext(path.lower())
    compression = None
    if extension in COMPRESSIONS:
        compression = extension[1:]
        extension = os.path.splitext(stem)[1]
    return FORMATS.get(extension), compression


def check_table_format(path: str) -> None:
    """Refuses a table under the extension of a format that cannot be written.

    CSV has any name: .txt, .dat, .out or none at all.

    Raises
    ------
    UsageError : a spreadsheet would not open CSV that is called .xlsx.
    """
    stem, extension = os.path.splitext(path.lower())
    if extension in COMPRESSIONS:
        extension = os.path.splitext(stem)[1]
    if extension in _OTHERS:
        known = ", ".join(FORMATS)
        raise UsageError(
            f"{path}: a table cannot be written as {extension}",
            f"choose one of {known}; any other name is CSV",
        )


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
