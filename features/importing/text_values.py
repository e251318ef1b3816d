"""How numbers and times that are written as text are read: expressions of DuckDB's SQL."""

import re

from tactful.features.importing.mapping import Source

_DATE = r"\d{4}-\d\d-\d\d|\d{8}"
_CLOCK = r"(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,6})\d*)?)?)?"
_OFFSET = r"[Zz]|UTC|GMT|(?:UTC|GMT)?[+-](?:0\d|1[0-8])(?::?[0-5]\d)?"
_TIME = rf"^\s*({_DATE})(?:(?:[Tt]|\s+){_CLOCK}\s*({_OFFSET})?)?\s*$"
_PARTS = "['date', 'hour', 'minute', 'second', 'fraction', 'zone']"
_UNIX_NUMBER = r"^\s*[+-]?\d+(?:\.\d*)?(?:[eE][+]?\d+)?\s*$"

_OTHER_SIGNS = "\u00a0\u2009\u202f\u2212\u2019"
_USUAL_SIGNS = "   -'"

UNIX = {"unix": "1000000", "unix_ms": "1000", "unix_us": "1", "unix_ns": "0.001"}
"""Formats of a time that is a number since 1970-01-01 UTC, and the microseconds of its unit."""

TIME_MACROS = (
    f"CREATE MACRO __time_parts(written) AS regexp_extract(written, '{_TIME}', {_PARTS})",
    (
        "CREATE MACRO __wall_clock(parts) AS TRY_CAST("
        r"regexp_replace(parts.date, '^(\d{4})(\d\d)(\d\d)$', '\1-\2-\3')"
        " || ' ' || if(parts.hour = '', '00', parts.hour)"
        " || ':' || if(parts.minute = '', '00', parts.minute)"
        " || ':' || if(parts.second = '', '00', parts.second)"
        " || if(parts.fraction = '', '', '.' || parts.fraction) AS TIMESTAMP)"
    ),
    r"CREATE MACRO __offset_digits(parts) AS regexp_replace(parts.zone, '[^0-9+-]', '', 'g')",
    (
        "CREATE MACRO __offset_minutes(digits) AS CASE WHEN digits = '' THEN 0 ELSE"
        " CAST(left(digits, 1) || '1' AS INTEGER) * (CAST(substr(digits, 2, 2) AS INTEGER) * 60"
        " + coalesce(TRY_CAST(substr(digits, 4, 2) AS INTEGER), 0)) END"
    ),
    (
        "CREATE MACRO local_time(written) AS"
        " CASE WHEN __time_parts(written).zone = '' THEN __wall_clock(__time_parts(written)) END"
    ),
    (
        "CREATE MACRO instant(written) AS CASE WHEN __time_parts(written).zone <> '' THEN timezone('UTC',"
        " __wall_clock(__time_parts(written))"
        " - to_minutes(__offset_minutes(__offset_digits(__time_parts(written))))) END"
    ),
)
"""The statements that define `local_time(text)`, a TIMESTAMP, NULL where there is an offset, and `instant(text)`, a
TIMESTAMPTZ, NULL where there is none; of ISO 8601, calendar dates, basic or extended, or with blanks."""


def unix_time(sql: str, time_format: str) -> str:
    """A TIMESTAMPTZ, rounded to microseconds, of a number since 1970-01-01 UTC, or of its text."""
    text = f"CAST(({sql}\n) AS VARCHAR)"
    number = f"CASE WHEN regexp_matches({text}, '{_UNIX_NUMBER}') THEN TRY_CAST({text} AS DECIMAL(32, 6)) END"
    return f"timezone('UTC', make_timestamp(CAST({number} * {UNIX[time_format]} AS BIGINT)))"


def quoted(text: str) -> str:
    """A text literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def number_macro(source: Source) -> str:
    """The statement that defines `number(text)`: a DOUBLE, NULL where the text is not a number as `source` says."""
    decimal = re.escape(source.decimal)
    digits = r"\d+"
    if source.thousands:
        digits += rf"|\d{{1,3}}(?:{re.escape(source.thousands)}\d{{2,3}})*{re.escape(source.thousands)}\d{{3}}"
    form = rf"^[+-]?(?:(?:{digits})(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?$"
    text = f"trim(translate(CAST(written AS VARCHAR), {quoted(_OTHER_SIGNS)}, {quoted(_USUAL_SIGNS)}))"
    plain = f"replace(replace({text}, {quoted(source.thousands)}, ''), {quoted(source.decimal)}, '.')"
    return (
        f"CREATE MACRO number(written) AS CASE WHEN regexp_matches({text}, {quoted(form)})"
        f" THEN TRY_CAST({plain} AS DOUBLE) END"
    )


def number_fault(name: str, source: Source) -> str:
    """Why the text of a number is none."""
    thousands = f"thousands sign {source.thousands!r}" if source.thousands else "no thousands sign"
    return f"{name} is not a number with decimal sign {source.decimal!r} and {thousands}"
