"""Text logs: CSV, spaced text and JSON lines as columns of text, with an exact account of their lines."""

import codecs
import csv
import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tactful.features.errors import MappingError
from tactful.features.importing.mapping import Source

ROW, LINE, LINES = PLACES = ("__row", "__line", "__lines")
"""Columns beside those of the file: the number of the row, from 1, malformed ones not counted; the line it begins
on, from 1; and how many lines it spans. The last two are NULL in Parquet."""

RESERVED = (
    *PLACES, "__kind", "__rule", "rejected_row", "rejected_reason", "rejected_line", "rejected_lines", "rejected_text"
)  # fmt: skip
"""Names no column of a file may have: those of the query and of the quarantine."""

UNCLOSED = "malformed line: unclosed quote"

Values = Sequence[str | None]
Record = tuple[Any, str]
"""What was read, and why it is no row ("" if it is one)."""
Columns = Callable[[Sequence[Any]], dict[str, Values]]
"""The columns of a chunk of rows."""

_BROKEN = "\ud800"
"""Stands for bytes that are no letters of the file's encoding: no text of a file can hold it."""
_CHUNK = 1024
"""Rows at a time: few enough to be gone before the garbage collector counts them as old."""
_WORD = re.compile(r"[^ \t\r\n\f\v]+")
_MALFORMED = pa.schema([("line", pa.int64()), ("lines", pa.int64()), ("reason", pa.string()), ("text", pa.string())])

codecs.register_error("tactful.broken", lambda error: (_BROKEN, error.end))  # type: ignore[attr-defined]


_PACKED = {
    b"PK\x03\x04": "a zip archive or an Excel file",
    b"\xfd7zXZ\x00": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"BZh91AY": "a bzip2 file",
    b"PAR1\x15": "a Parquet file",
}
"""What files that are no text begin with."""


class TextLog(NamedTuple):
    """A text as columns.

    Attributes:
        raw: `PLACES`, then the columns of the file, which are text.
        malformed: The records that are no rows: the first `line`, the number of `lines`, `reason` and `text`.
    """

    raw: pa.Table
    malformed: pa.Table


def read_text_log(file: Path, source: Source, form: str) -> TextLog:
    """Reads a text log, plain or gzipped.

    Args:
        file: The text.
        source: How it is written.
        form: `csv`, `spaced` or `jsonl`.

    Raises:
        MappingError: It names no columns, holds no object where it is JSON lines, or begins with the mark of an
            encoding that is not the declared one.
        OSError, EOFError: It cannot be read, or its compression is broken.
    """
    with _open(file, source) as stream, _fields_of_any_length():
        lines = _Lines(stream, source.skip_lines)
        records, columns = _FORMS[form](lines, source, file)
        log = _gather(lines, records, columns, source)
    if log.raw.num_columns == len(PLACES):
        raise MappingError("no line is a JSON object", wanted="one object a line", where=file)
    return log


def is_gzipped(file: Path) -> bool:
    """Whether a file is compressed by gzip, by its first bytes."""
    with file.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _open(file: Path, source: Source) -> IO[str]:
    with file.open("rb") as raw:
        start = raw.read(8)
    if packed := next((name for sign, name in _PACKED.items() if start.startswith(sign)), None):
        raise MappingError("a log that is not text", got=packed, wanted="text, plain or compressed by gzip", where=file)
    opened: Any = gzip.open if is_gzipped(file) else open
    with opened(file, "rb") as stream:
        marked = stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if marked and codecs.lookup(source.encoding).name not in ("utf-16", "utf-16-le", "utf-16-be"):
        raise MappingError(
            "the log begins with the mark of another encoding", got=source.encoding, wanted="utf-16", where=file
        )
    text: IO[str] = opened(file, "rt", encoding=source.encoding, newline="", errors="tactful.broken")
    return text


@contextmanager
def _fields_of_any_length() -> Iterator[None]:
    limit = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


class _Lines:
    """The lines of a file, counted; `record` holds those that were read since it was cleared."""

    def __init__(self, stream: Iterable[str], skipped: int) -> None:
        self._stream = iter(stream)
        self.number = len(list(islice(self._stream, skipped)))
        self.record: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._stream)
        if not self.number:
            line = line.removeprefix("\ufeff")
        self.number += 1
        self.record.append(line)
        return line


def _gather(lines: _Lines, records: Iterable[Record], columns: Columns, source: Source) -> TextLog:
    nulls = pa.array(source.nulls, pa.string())
    chunks: list[pa.Table] = []
    malformed: list[tuple[int, int, str, str]] = []
    rows: list[tuple[int, int, Any]] = []
    for values, fault in records:
        record, first = lines.record, lines.number - len(lines.record) + 1
        if fault := fault or _fault_of(record, source.max_lines):
            malformed.append((first, len(record), f"malformed line: {fault}", _shown(record)))
        else:
            rows.append((first, len(record), values))
        record.clear()
        if len(rows) == _CHUNK:
            chunks.append(_table(rows, len(chunks), columns, nulls))
            rows.clear()
    chunks.append(_table(rows, len(chunks), columns, nulls))
    return TextLog(
        pa.concat_tables(chunks, promote_options="default"),
        pa.table([list(column) for column in zip(*malformed, strict=True)] or [[]] * 4, schema=_MALFORMED),
    )


def _fault_of(record: Sequence[str], max_lines: int) -> str:
    """The fault of a record whose fields could be separated; "" if it has none."""
    if len(record) > max_lines:
        return f"more than {max_lines} lines"
    text = "".join(record)
    return "invalid encoding" if not text.isascii() and _BROKEN in text else ""


def _shown(record: Iterable[str]) -> str:
    return "".join(record).replace(_BROKEN, "\ufffd").strip("\r\n")


def _table(rows: Sequence[tuple[int, int, Any]], before: int, columns: Columns, nulls: pa.Array) -> pa.Table:
    first, spans, values = zip(*rows, strict=True) if rows else ((), (), ())
    numbers = range(before * _CHUNK + 1, before * _CHUNK + len(rows) + 1)
    places = {name: pa.array(of, pa.int64()) for name, of in zip(PLACES, (numbers, first, spans), strict=True)}
    texts = {name: pa.array(of, pa.string()) for name, of in columns(values).items()}
    read = {name: pc.if_else(pc.is_in(text, value_set=nulls), None, text) for name, text in texts.items()}
    return pa.table(places | read)


def _csv(lines: _Lines, source: Source, file: Path) -> tuple[Iterator[Record], Columns]:
    reader = csv.reader(
        lines, delimiter=source.delimiter, quotechar=source.quote or None, escapechar=source.escape, strict=True,
        quoting=csv.QUOTE_MINIMAL if source.quote else csv.QUOTE_NONE,
    )  # fmt: skip
    return _in_columns(_csv_records(reader), lines, source, file)


def _csv_records(reader: Iterator[list[str]]) -> Iterator[Record]:
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield [], "unclosed quote" if "end of data" in str(error) else "text after a closing quote"
        else:
            yield fields, ""


def _spaced(lines: _Lines, source: Source, file: Path) -> tuple[Iterator[Record], Columns]:
    return _in_columns(((_WORD.findall(line), "") for line in lines), lines, source, file)


def _in_columns(
    records: Iterator[Record], lines: _Lines, source: Source, file: Path
) -> tuple[Iterator[Record], Columns]:
    """The records below the header, as wide as it, and how they become columns."""
    filled = _not_blank(records, lines)
    header, fault = next(filled, ([], "")) if source.header else ([], "")
    lines.record.clear()
    names = source.columns or [name.strip() or f"column{place}" for place, name in enumerate(header, 1)]
    if fault or not names:
        raise MappingError(
            "no names for the columns", got=fault or None, wanted="a header or source.columns", where=file
        )
    check_names(names, file)
    return _of_width(filled, len(names)), lambda rows: dict(
        zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True)
    )


def _not_blank(records: Iterable[Record], lines: _Lines) -> Iterator[Record]:
    for fields, fault in records:
        if fields or fault:
            yield fields, fault
        else:
            lines.record.clear()


def _of_width(records: Iterable[Record], width: int) -> Iterator[Record]:
    """A delimiter after the last field adds none."""
    for fields, fault in records:
        if fault or len(fields) == width:
            yield fields, fault
        elif len(fields) == width + 1 and not fields[-1]:
            yield fields[:-1], ""
        else:
            yield [], "missing columns" if len(fields) < width else "too many columns"


def _json_lines(lines: _Lines, source: Source, file: Path) -> tuple[Iterator[Record], Columns]:
    """Columns are the keys of all objects; a key that an object lacks is missing there."""

    def columns(rows: Sequence[dict[str, str | None]]) -> dict[str, Values]:
        names = list(dict.fromkeys((*(source.columns or ()), *(name for row in rows for name in row))))
        check_names(names, file)
        return {name: [row.get(name) for row in rows] for name in names}

    return _not_blank(map(_json_record, lines), lines), columns


def _json_record(line: str) -> Record:
    if not line.strip():
        return {}, ""
    try:
        found = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return {}, "not JSON"
    if type(found) is not dict or not found:
        return {}, "not a JSON object with keys"
    if "\\u" in line and any("\ud800" <= letter <= "\udfff" for letter in json.dumps(found, ensure_ascii=False)):
        return {}, "invalid encoding"
    nested = {name for name, value in found.items() if type(value) in (dict, list)}
    exact = json.loads(line) if nested else {}
    return {name: _json_text(exact[name] if name in nested else value) for name, value in found.items()}, ""


def _json_text(value: Any) -> str | None:
    """Numbers as they are written, objects and lists as JSON."""
    return value if value is None or type(value) is str else json.dumps(value, ensure_ascii=False)


def check_names(names: Sequence[str], file: Path) -> None:
    """Refuses columns that cannot be told apart, or that are named as those of the query and of the quarantine.

    Raises:
        MappingError: Names are alike but for their case, or reserved.
    """
    counts = Counter(name.lower() for name in (*names, *RESERVED))
    if repeated := [name for name in names if counts[name.lower()] > 1]:
        raise MappingError("columns named alike", got=repeated, wanted="source.columns with other names", where=file)


_FORMS = {"csv": _csv, "spaced": _spaced, "jsonl": _json_lines}
