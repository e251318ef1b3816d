"""A foreign log as a table of DuckDB that nothing beyond the table can be reached from."""

# ruff: noqa: S608  SQL is composed here by design: names and literals are quoted, the database is locked and thrown away

from pathlib import Path

import duckdb

from tactful.features.errors import MappingError
from tactful.features.importing.mapping import Source, first_line
from tactful.features.importing.text_logs import LINE, LINES, ROW, check_names, read_text_log
from tactful.features.importing.text_values import TIME_MACROS, number_macro, quoted

_FORMATS = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def open_log(file: Path, source: Source) -> duckdb.DuckDBPyConnection:
    """Reads a log into memory.

    Args:
        file: A CSV, spaced text or JSON lines, plain or gzipped, or Parquet.
        source: How it is written.

    Returns:
        A connection with the tables `raw` (`PLACES` and the columns of the file, in its order) and `malformed`
        (line, lines, reason, text: the records that are no rows), and with the function `number` of the text of a
        number. It can open no file and no network address, and its settings are locked.

    Raises:
        MappingError: There is no such file, or it is not written as declared.
    """
    if not file.is_file() or set("*?[") & set(str(file)):
        raise MappingError("cannot read the log", got=str(file), wanted="an existing file, no * ? [ in its name")
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    for setting in ("enable_progress_bar = false", "python_enable_replacements = false", "TimeZone = 'UTC'"):
        connection.execute(f"SET {setting}")
    try:
        form = source.format or _format(file)
        if form == "parquet":
            _read_parquet(connection, file, source)
        else:
            _read_text(connection, file, source, form)
        for macro in (*TIME_MACROS, number_macro(source)):
            connection.execute(macro)
    except (duckdb.Error, OSError, EOFError, UnicodeError) as error:
        message = first_line(error) if isinstance(error, duckdb.Error) else str(error)
        raise MappingError("the log is not written as declared", got=message, where=file) from error
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def quoted_name(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _format(file: Path) -> str:
    suffixes = [suffix.lower() for suffix in file.suffixes if suffix.lower() != ".gz"]
    if not suffixes or suffixes[-1] not in _FORMATS:
        raise MappingError("unknown format", got=file.name, wanted=f"source.format, or {', '.join(_FORMATS)}")
    return _FORMATS[suffixes[-1]]


def _read_parquet(connection: duckdb.DuckDBPyConnection, file: Path, source: Source) -> None:
    log = f"read_parquet({quoted(str(file))})"
    present = [name for name, *_ in connection.execute(f"DESCRIBE FROM {log}").fetchall()]
    names = list(source.columns or present)
    check_names(names, file)
    if len(names) != len(present):
        raise MappingError("not the columns of the log", got=names, wanted=", ".join(present), where=file)
    columns = ", ".join(map(quoted_name, names))
    connection.execute(
        f"CREATE TABLE raw AS SELECT row_number() OVER () AS {ROW}, NULL::BIGINT AS {LINE}, NULL::BIGINT AS {LINES}, *"
        f" FROM {log} AS log({columns})"  # nosec B608 # quoted names
    )
    connection.execute("CREATE TABLE malformed (line BIGINT, lines BIGINT, reason VARCHAR, text VARCHAR)")


def _read_text(connection: duckdb.DuckDBPyConnection, file: Path, source: Source, form: str) -> None:
    for name, table in read_text_log(file, source, form)._asdict().items():
        connection.register("read", table)
        connection.execute(f"CREATE TABLE {name} AS FROM read")
        connection.unregister("read")
