"""A path and its options -> the table behind it."""

from gmmcli.data.csv_file import CsvTable
from gmmcli.data.paths import files_of
from gmmcli.data.source import Source
from gmmcli.data.table import ReadOptions, Table
from gmmcli.errors import DataError, UsageError

_FORMATS = ("csv", "tsv", "parquet")
# with the first byte of what follows, since a column may be named PAR1
_PARQUET_MAGIC = b"PAR1\x15"


def open_table(path: str, options: ReadOptions) -> Table:
    """Opens an input and judges its columns by the first rows.

    Parameters
    ----------
    path : a file or a pipe; "-" is standard input, which is copied so that it can be read again;
        a folder of Parquet files or a pattern of their names, which are one table.

    Raises
    ------
    DataError : the file is not there, cannot be read, or is not a table.
    UsageError : an option that cannot be.
    """
    if options.input_format not in (None, *_FORMATS):
        raise UsageError(
            f"unknown input format '{options.input_format}'", f"it is one of {', '.join(_FORMATS)}"
        )
    files = files_of(path)
    if files is not None:
        if options.input_format not in (None, "parquet"):
            raise UsageError(
                f"{path} is several files, and only Parquet files are joined",
                "join them first, and give the result as a file or through a pipe",
            )
        from gmmcli.data.parquet_folder import ParquetFolder  # noqa: PLC0415

        _check_no_text_options(path, options)
        return ParquetFolder(path, files, options)
    source = Source(path, options.max_spool)
    try:
        input_format = _format(source, options)
        if input_format == "parquet":
            # pyarrow.parquet costs 60 ms to import
            from gmmcli.data.parquet_file import ParquetTable  # noqa: PLC0415

            _check_no_text_options(source.name, options)
            return ParquetTable(source, options)
        return CsvTable(source, options, tab=input_format == "tsv")
    except BaseException:
        source.close()
        raise


def _format(source: Source, options: ReadOptions) -> str | None:
    """As asked for, or by the extension, or Parquet by the first bytes; None is CSV."""
    if options.input_format is not None or not source.starts_with(_PARQUET_MAGIC):
        return options.input_format or source.format
    if source.format not in (None, "parquet"):
        raise DataError(
            f"{source.name} is a Parquet file by another name", "add --input-format parquet"
        )
    return "parquet"


def _check_no_text_options(name: str, options: ReadOptions) -> None:
    """Raises UsageError for an option that says how text is to be read, where there is none."""
    for flag, given in (
        ("--delimiter", options.delimiter is not None),
        ("--no-header", not options.header),
        ("--encoding", options.encoding != ReadOptions.encoding),
    ):
        if given:
            raise UsageError(f"{flag} is about text, and {name} is Parquet", f"leave {flag} out")
