"""A foreign log as a table of DuckDB that nothing beyond the table can be reached from."""

# ruff: noqa: S608  SQL is composed here by design: names and literals are quoted, the database is locked and thrown away

import csv
import gzip
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import duckdb

from features.errors import MappingError
from features.mapping import Source, first_line

ROW = "__row"
"""The column beside those of the file: which row it was, from 1, malformed lines not counted."""

RESERVED = (ROW, "__kind", "__rule", "rejected_row", "rejected_reason", "rejected_line", "rejected_text")
"""Names no column of a file may have: those of the query and of the quarantine."""

_FORMATS = {".parquet": "parquet", ".csv": "csv", ".txt": "csv"}
_UNUSED = "\x1f"


def open_log(file: Path, source: Source) -> duckdb.DuckDBPyConnection:
    """Reads a log into memory.

    Args:
        file: A CSV or spaced text, plain or gzipped, or Parquet.
        source: How it is written.

    Returns:
        A connection with the tables `raw` (`ROW` and the columns of the file, in its order) and `malformed`
        (line, text, reason: what could not be parted into the file's columns). It can open no file and no
        network address, and its settings are locked.

    Raises:
        MappingError: There is no such file, or it is not written as declared.
    """
    if not file.is_file() or set("*?[") & set(str(file)):
        raise MappingError("cannot read the log", got=str(file), wanted="an existing file, no * ? [ in its name")
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    for setting in ("enable_progress_bar = false", "python_enable_replacements = false", "TimeZone = 'UTC'"):
        connection.execute(f"SET {setting}")
    try:
        _READERS[source.format or _format(file)](connection, file, source)
    except (duckdb.Error, OSError, EOFError, csv.Error, UnicodeError) as error:
        message = first_line(error) if isinstance(error, duckdb.Error) else str(error)
        raise MappingError("the log is not written as declared", got=message, where=file) from error
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def quoted(text: str) -> str:
    """A text literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _format(file: Path) -> str:
    suffix = Path(file.stem).suffix if file.suffix == ".gz" else file.suffix
    if suffix.lower() not in _FORMATS:
        raise MappingError("unknown format", got=file.name, wanted=f"source.format, or {', '.join(_FORMATS)}")
    return _FORMATS[suffix.lower()]


def _read_parquet(connection: duckdb.DuckDBPyConnection, file: Path, source: Source) -> None:
    log = f"read_parquet({quoted(str(file))})"
    present = [name for name, *_ in connection.execute(f"DESCRIBE FROM {log}").fetchall()]
    names = _checked(source.columns or present, file)
    if len(names) != len(present):
        raise MappingError("not the columns of the log", got=names, wanted=", ".join(present), where=file)
    _create_raw(connection, f"{log} AS log({', '.join(map(quoted_name, names))})")
    connection.execute("CREATE TABLE malformed (line BIGINT, text VARCHAR, reason VARCHAR)")


def _read_csv(connection: duckdb.DuckDBPyConnection, file: Path, source: Source) -> None:
    with _open(file, source) as lines:
        header = next(csv.reader(lines, delimiter=source.delimiter, quotechar=source.quote), [])
    names = _checked(source.columns or _header(header, source, file), file)
    _create_raw(connection, _text_reader(file, source, names, source.delimiter, source.quote))
    connection.execute(
        "CREATE TABLE malformed AS SELECT CAST(line AS BIGINT) AS line, trim(any_value(csv_line), E'\\r\\n') AS text,"
        " 'malformed line: ' || lower(CAST(any_value(error_type) AS VARCHAR)) AS reason"
        " FROM reject_errors GROUP BY line, line_byte_position"
    )


def _read_spaced(connection: duckdb.DuckDBPyConnection, file: Path, source: Source) -> None:
    with _open(file, source) as lines:
        header = next(lines, "").split()
    names = _checked(source.columns or _header(header, source, file), file)
    whole = _text_reader(file, source.model_copy(update={"nulls": ("",)}), ["text"], _UNUSED, "")
    connection.execute(
        f"CREATE TABLE lines AS SELECT *, regexp_split_to_array(trim(text), '\\s+') AS field"
        f" FROM (SELECT row_number() OVER () + {int(source.header)} AS line, text FROM {whole})"
        " WHERE trim(text) <> ''"
    )
    nulls = f"[{', '.join(map(quoted, source.nulls))}]"
    columns = ", ".join(
        f"CASE WHEN NOT list_contains({nulls}, field[{place}]) THEN field[{place}] END AS {quoted_name(name)}"
        for place, name in enumerate(names, 1)
    )
    _create_raw(connection, f"(SELECT {columns} FROM lines WHERE len(field) = {len(names)} ORDER BY line)")
    connection.execute(
        "CREATE TABLE malformed AS SELECT line, text, 'malformed line: '"
        f" || CASE WHEN len(field) < {len(names)} THEN 'missing columns' ELSE 'too many columns' END AS reason"
        f" FROM lines WHERE len(field) <> {len(names)}"
    )


_READERS = {"csv": _read_csv, "spaced": _read_spaced, "parquet": _read_parquet}


def _create_raw(connection: duckdb.DuckDBPyConnection, log: str) -> None:
    connection.execute(f"CREATE TABLE raw AS SELECT row_number() OVER () AS {ROW}, * FROM {log}")


def _text_reader(file: Path, source: Source, names: Sequence[str], delimiter: str, quote: str) -> str:
    """DuckDB's CSV reader with nothing left to its guesses, lines that do not fit set aside."""
    columns = ", ".join(f"{quoted_name(name)}: 'VARCHAR'" for name in names)
    options = {
        "auto_detect": "false",
        "columns": f"{{{columns}}}",
        "delim": quoted(delimiter),
        "quote": quoted(quote),
        "escape": quoted(quote),
        "header": str(source.header).lower(),
        "encoding": quoted(source.encoding),
        "nullstr": f"[{', '.join(map(quoted, source.nulls))}]",
        "store_rejects": "true",
        "rejects_limit": "0",
    }
    return f"read_csv({quoted(str(file))}, {', '.join(f'{name} = {value}' for name, value in options.items())})"


def _open(file: Path, source: Source) -> IO[str]:
    encoding = "utf-8-sig" if source.encoding == "utf-8" else source.encoding
    if file.suffix == ".gz":
        return gzip.open(file, "rt", encoding=encoding, newline="", errors="replace")
    return file.open(encoding=encoding, newline="", errors="replace")


def _header(header: Sequence[str], source: Source, file: Path) -> list[str]:
    if not source.header or not header:
        raise MappingError("no names for the columns", wanted="a header or source.columns", where=file)
    return [name.strip() or f"column{place}" for place, name in enumerate(header, 1)]


def _checked(names: Sequence[str], file: Path) -> list[str]:
    counts = Counter(name.lower() for name in [*names, *RESERVED])
    if repeated := [name for name in names if counts[name.lower()] > 1]:
        raise MappingError("columns named alike", got=repeated, wanted="source.columns with other names", where=file)
    return list(names)
