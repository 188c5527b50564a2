"""A path -> the writer behind it: CSV, TSV or Parquet, compressed by the path's extension."""

from collections.abc import Sequence

from gmmcli.data.csv_writer import CsvWriter
from gmmcli.data.destination import Destination
from gmmcli.data.paths import split_extension
from gmmcli.data.table import Table, TextRules
from gmmcli.data.writer import AppendedColumn, Writer
from gmmcli.errors import UsageError

_PLAIN = TextRules(
    header=None, delimiter=",", line_end=b"\n", encoding="utf-8", byte_order_mark=False
)


def open_writer(
    path: str,
    *,
    like: Table | None,
    columns: Sequence[AppendedColumn],
    features: Sequence[str] = (),
    flag: str = "",
) -> Writer:
    """Opens an output for the rows of a table with columns appended, or for columns alone.

    Parameters
    ----------
    path : its extension decides the format and the compression; "-" is standard output, as CSV.
    like : the table that the rows come from; None for a table of `columns` alone.
    features : those of its columns that are numbers in a Parquet output made from CSV.
    flag : the option with which appended columns get another name, for the message.

    Raises
    ------
    UsageError : the input has a column of such a name already.
    OutputError : the output cannot be written.
    """
    _check_clash(like, columns, flag)
    output_format, compression = split_extension(path)
    destination = Destination(path)
    try:
        if output_format == "parquet":
            # costs 60 ms to import
            from gmmcli.data.parquet_writer import ParquetWriter  # noqa: PLC0415

            return ParquetWriter(destination, compression, like, columns, features)
        rules = (like.text_rules if like is not None else None) or _PLAIN
        delimiter = rules.delimiter
        if output_format == "tsv":
            delimiter = "\t"
        elif output_format == "csv" and delimiter == "\t":
            delimiter = ","
        return CsvWriter(destination, compression, like, columns, (rules, delimiter))
    except BaseException as error:
        destination.__exit__(type(error), error, error.__traceback__)
        raise


def _check_clash(like: Table | None, columns: Sequence[AppendedColumn], flag: str) -> None:
    if like is None:
        return
    for column in columns:
        if column.name in like.columns:
            raise UsageError(
                f"{like.name} has a column '{column.name}' already",
                f"choose another name with {flag}" if flag else "rename that column",
            )
