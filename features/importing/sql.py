"""A mapping as one query over the rows of a log, each expression checked against the file's columns."""

# ruff: noqa: S608  SQL is composed here by design: of a mapping's expressions, in a database locked and thrown away

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import duckdb

from tactful.features.errors import MappingError
from tactful.features.ids import LARGEST_NUMBER, WHOLE_NUMBER
from tactful.features.importing.mapping import COLUMN_NAME, LogMapping, Place, first_line
from tactful.features.importing.reader import quoted_name
from tactful.features.importing.text_logs import PLACES, ROW
from tactful.features.importing.text_values import UNIX, number_fault, quoted, unix_time
from tactful.features.importing.yaml import together
from tactful.features.timestamps import LATEST

NUMBERS = ("amount", "discount", "quantity")
AHEAD_OF_CLOCK = "time ahead of our clock"

_UNKNOWN = '"NULL"'
_INSTANT = r"TIMESTAMPTZ.*|TIMESTAMP WITH TIME ZONE"

_NAME = r"VARCHAR|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|UUID|DATE|TIMESTAMP.*|ENUM.*|BOOLEAN"
_TEXT = r"VARCHAR|ENUM.*"
_FLOAT = r"FLOAT|DOUBLE"
_DECIMAL = r"DECIMAL.*"
_ID = rf"{_NAME}|{_FLOAT}|{_DECIMAL}"
_NUMBER = r"VARCHAR|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*"
_MOMENT = r"VARCHAR|DATE|TIMESTAMP.*"
_READABLE = {
    _NAME: "text or a whole number: CAST(... AS BIGINT)",
    _ID: "text or a whole number",
    _TEXT: "text",
    _NUMBER: "a number",
    _MOMENT: "text, a date or a timestamp: time_format: unix for a number",
    "BOOLEAN": "a condition",
}


def compile_mapping(log: duckdb.DuckDBPyConnection, mapping: LogMapping, latest: datetime) -> str:
    """The query of the judged rows of a log.

    Its columns are `ROW`, `__kind` (which of the mapping's events), `__group` (its group, as text), those of an
    event, with `category` and the time in UTC, and `reason`: why the row is in no event, NULL if it is in one.

    Args:
        log: A log as `tactful.features.importing.reader.open_log` returns it.
        mapping: The meaning of its rows.
        latest: No event is later.

    Raises:
        MappingError: Expressions that name columns the file has not, or yield what the field is not; all
            mistakes together.
    """
    fields = _Fields(log, mapping)
    rules = [
        f"WHEN {fields.condition(rule.when, ('reject', place, 'when'))} THEN {quoted(rule.reason)}"
        for place, rule in enumerate(mapping.reject)
    ]
    kinds = [
        f"WHEN {fields.condition(kind.when or 'true', ('events', place, 'when'))} THEN {place}"
        for place, kind in enumerate(mapping.events)
    ]
    columns = {
        "customer_id": fields.by_kind("customer", fields.customer),
        "__inexact": fields.by_kind("customer", fields.inexact),
        "__local": fields.by_kind("time", fields.local),
        "__instant": fields.by_kind("time", fields.instant),
        "type": fields.by_kind("type", fields.text),
        **{name: fields.by_kind(name, fields.number, absent="0.0") for name in NUMBERS},
        **{f"__{name}_given": fields.by_kind(name, fields.is_given, absent="false") for name in NUMBERS},
        "channel": fields.by_kind("channel", fields.text),
        "subject": fields.by_kind("subject", fields.name),
        "category": fields.by_kind("category", fields.name),
        "event_id": fields.event_id(),
        "__zone": fields.name(mapping.customer_zone or "NULL::VARCHAR", ("customer_zone",)),
        "__group": fields.group(),
    }
    if fields.mistakes:
        raise together(list(fields.mistakes.values()))
    selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    chosen = f"SELECT *, {_case(rules)} AS __rule, {_case(kinds)} AS __kind FROM raw"  # nosec B608 # the mapping's words, quoted
    mapped = f"SELECT {ROW}, __rule, __kind, {selected} FROM ({chosen})"  # nosec B608 # the mapping's words, quoted
    zone = quoted(mapping.zone)
    timed = f"SELECT *, coalesce(__instant, timezone({zone}, __local)) AS time FROM ({mapped})"  # nosec B608 # the mapping's words, quoted
    return f"SELECT *, {_reason(mapping, latest)} AS reason FROM ({timed})"  # nosec B608 # the mapping's words, quoted


def _reason(mapping: LogMapping, latest: datetime) -> str:
    """The first thing wrong with a mapped row, NULL if nothing is."""
    faults = {
        "no kind of event declared for it": "__kind IS NULL",
        "customer_id not a whole number": "__inexact",
        "missing customer_id": "customer_id IS NULL",
        "time missing or not readable": "time IS NULL",
        "local time that the clock skips": f"timezone({quoted(mapping.zone)}, time) <> __local",
        AHEAD_OF_CLOCK: f"time > {_literal(latest)} AND time < {_literal(LATEST)}",
        "missing type": "type IS NULL",
    }
    for name in NUMBERS:
        unfit = f"NOT coalesce(isfinite({name}), false)"
        faults[number_fault(name, mapping.source)] = f"__{name}_given AND {unfit}"
        faults[f"{name} missing or not a number"] = unfit
    if mapping.categories:
        names = ", ".join(map(quoted, mapping.categories))
        faults["unknown category"] = f"category NOT IN ({names})"
    if mapping.group_by:
        faults["missing group_by"] = "__group IS NULL"
    if mapping.event_id:
        faults["missing event_id"] = "event_id IS NULL"
    found = [f"WHEN {fault} THEN {quoted(text)}" for text, fault in faults.items()]
    return f"coalesce(__rule, {_case(found)})"


@dataclass
class _Fields:
    """Turns the expressions of a mapping into SQL that yields NULL where it cannot be computed."""

    log: duckdb.DuckDBPyConnection
    mapping: LogMapping
    mistakes: dict[Place, MappingError] = field(default_factory=dict)

    @cached_property
    def columns(self) -> list[str]:
        """Those of the file."""
        return [name for name, *_ in self.log.execute("DESCRIBE raw").fetchall() if name not in PLACES]

    def by_kind(self, name: str, compiled: Callable[[str, Place], str], absent: str = "NULL::VARCHAR") -> str:
        """A field, from the expression of the row's kind of event."""
        declared = [self.mapping.field(kind, name) for kind in range(len(self.mapping.events))]
        values = [absent if sql is None else compiled(sql, place) for sql, place in declared]
        if len(set(values)) == 1:
            return values[0]
        return _case([f"WHEN __kind = {kind} THEN {value}" for kind, value in enumerate(values)])

    def condition(self, sql: str, place: Place) -> str:
        return self._checked(sql, place, "BOOLEAN")[0]

    def customer(self, sql: str, place: Place) -> str:
        """An id as text; a whole number that is written as a decimal, as that number."""
        value, kind = self._checked(sql, place, _ID)
        if re.fullmatch(f"{_FLOAT}|{_DECIMAL}", kind):
            return f"CASE WHEN NOT ({self.inexact(sql, place)}) THEN CAST(TRY_CAST({value} AS HUGEINT) AS VARCHAR) END"
        text = f"nullif(trim(CAST({value} AS VARCHAR)), '')"
        return f"regexp_replace({text}, {quoted(WHOLE_NUMBER)}, '\\1')" if re.fullmatch(_TEXT, kind) else text

    def inexact(self, sql: str, place: Place) -> str:
        """Whether an id is a number that is not whole, or is so large that two customers might read the same."""
        value, kind = self._checked(sql, place, _ID)
        if re.fullmatch(_DECIMAL, kind):
            return f"{value} <> trunc({value})"
        if re.fullmatch(_FLOAT, kind):
            exact = f"isfinite({value}) AND {value} = trunc({value}) AND abs({value}) < {LARGEST_NUMBER}"
            return f"NOT isnan({value}) AND NOT ({exact})"
        return "false"

    def name(self, sql: str, place: Place) -> str:
        return f"nullif(trim(CAST({self._checked(sql, place, _NAME)[0]} AS VARCHAR)), '')"

    def text(self, sql: str, place: Place) -> str:
        return f"nullif(trim(CAST({self._checked(sql, place, _TEXT)[0]} AS VARCHAR)), '')"

    def number(self, sql: str, place: Place) -> str:
        number, kind = self._checked(sql, place, _NUMBER)
        return f"number({number})" if kind == "VARCHAR" else f"TRY_CAST({number} AS DOUBLE)"

    def is_given(self, sql: str, place: Place) -> str:
        """Whether there is a text, even one that is not a number."""
        number, kind = self._checked(sql, place, _NUMBER)
        return f"coalesce(trim({number}), '') <> ''" if kind == "VARCHAR" else "false"

    def local(self, sql: str, place: Place) -> str:
        moment, kind = self._moment(sql, place)
        if kind == "VARCHAR":
            return f"local_time({moment})"
        return "NULL::TIMESTAMP" if re.fullmatch(_INSTANT, kind) else f"TRY_CAST({moment} AS TIMESTAMP)"

    def instant(self, sql: str, place: Place) -> str:
        moment, kind = self._moment(sql, place)
        if kind == "VARCHAR":
            return f"instant({moment})"
        return f"TRY_CAST({moment} AS TIMESTAMPTZ)" if re.fullmatch(_INSTANT, kind) else "NULL::TIMESTAMPTZ"

    def event_id(self) -> str:
        """As declared; else, unless rows are grouped, sixteen hexadecimal digits of the contents of the whole row."""
        if self.mapping.event_id or self.mapping.group_by:
            return self.name(self.mapping.event_id or "NULL::VARCHAR", ("event_id",))
        texts = ", ".join(f"CAST({quoted_name(name)} AS VARCHAR)" for name in self.columns)
        return f"left(md5(CAST(to_json([{texts}]) AS VARCHAR)), 16)"

    def group(self) -> str:
        keys = [self.name(sql, ("group_by", place)) for place, sql in enumerate(self.mapping.group_by)]
        if len(keys) < 2:
            return keys[0] if keys else "NULL::VARCHAR"
        complete = " AND ".join(f"{key} IS NOT NULL" for key in keys)
        return f"CASE WHEN {complete} THEN CAST([{', '.join(keys)}] AS VARCHAR) END"

    def _moment(self, sql: str, place: Place) -> tuple[str, str]:
        """The expression of a time, and its type, once text is read as the mapping says."""
        written = self.mapping.time_format
        if written is None:
            return self._checked(sql, place, _MOMENT)
        column = self._column_or_sql(sql)
        if written in UNIX:
            return self._checked(unix_time(column, written), place, _MOMENT)
        return self._checked(f"try_strptime(CAST(({column}\n) AS VARCHAR), {quoted(written)})", place, _MOMENT)

    def _column_or_sql(self, sql: str) -> str:
        return quoted_name(sql) if sql in self.columns else sql

    def _checked(self, sql: str, place: Place, wanted: str) -> tuple[str, str]:
        """The expression, NULL where it fails, and its type; a mistake noted if it is not of the type wanted."""
        try:
            guarded, kind = self._guarded(self._column_or_sql(sql))
        except duckdb.Error as error:
            self.mistakes[place] = self._error(error, sql, place)
            return "NULL", _UNKNOWN
        if not re.fullmatch(f"{wanted}|{_UNKNOWN}", kind):
            where = self.mapping.where(place)
            self.mistakes[place] = MappingError("unfit type", got=kind, wanted=_READABLE[wanted], where=where)
        return guarded, kind

    def _guarded(self, sql: str) -> tuple[str, str]:
        """DuckDB's TRY takes no window functions and subqueries: those stand bare."""
        try:
            return self._typed(f"TRY(({sql}\n))")
        except duckdb.BinderException:
            return self._typed(f"(({sql}\n))")

    def _typed(self, sql: str) -> tuple[str, str]:
        described = self.log.execute(f"DESCRIBE SELECT {ROW}, {sql} AS value FROM raw").fetchall()  # nosec B608 # the mapping's words, quoted
        return sql, described[1][1]

    def _error(self, error: duckdb.Error, sql: str, place: Place) -> MappingError:
        where = self.mapping.where(place)
        missing = re.search(r'Referenced column "(.+?)" not found', str(error))
        if missing or (isinstance(error, duckdb.ParserException) and COLUMN_NAME.fullmatch(sql)):
            wanted = "a column of the log: " + ", ".join(self.columns)
            return MappingError("no such column", got=missing[1] if missing else sql, wanted=wanted, where=where)
        return MappingError("not computable", got=first_line(error), where=where)


def _literal(moment: datetime) -> str:
    return f"TIMESTAMPTZ {quoted(moment.isoformat())}"


def _case(branches: Sequence[str]) -> str:
    return f"CASE {' '.join(branches)} END" if branches else "NULL"
