"""A foreign log to events: every row of the file ends in an event or, with a reason, in the quarantine."""

# ruff: noqa: S608  SQL is composed here by design: of a mapping's expressions, in a database locked and thrown away

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pandas as pd

from tactful.features.errors import MappingError
from tactful.features.events.schema import validate
from tactful.features.importing.mapping import LogMapping, first_line
from tactful.features.importing.reader import open_log
from tactful.features.importing.sql import NUMBERS, compile_mapping
from tactful.features.importing.text_logs import LINE, LINES, PLACES, ROW, UNCLOSED
from tactful.features.importing.text_values import quoted
from tactful.features.timestamps import LATEST, is_zone

EVENT = "__event"


class Swallowed(NamedTuple):
    """Lines of a text that became one malformed row.

    Attributes:
        first: The line it begins on, from 1.
        lines: How many lines it holds.
        reason: The fault of the row.
    """

    first: int
    lines: int
    reason: str

    @property
    def last(self) -> int:
        """The line it ends on."""
        return self.first + self.lines - 1


@dataclass(frozen=True, eq=False)
class Imported:
    """The result of an import; `rows_read == rows_used + len(rejected)`.

    Attributes:
        events: Canonical events, as `tactful.features.events.schema.validate` returns them.
        rejected: The rows in no event: `rejected_row` (in the file, from 1), `rejected_reason`, `rejected_line`
            (the first of the row; missing in Parquet), `rejected_lines` (how many it spans), then the columns of
            the file. A malformed row has no number; it has its lines in `rejected_text`. Arrow types.
        zone: The mapping's zone.
        zones: The zones of customers that have one of their own, by their ids.
        unknown_zones: Texts that are no zones, and how many rows hold each.
        categories: The category vocabulary: bit i of an event's categories is the i-th name.
        rows_read: Rows in the file; blank lines are none.
        rows_used: Rows that are part of an event.
    """

    events: pd.DataFrame
    rejected: pd.DataFrame
    zone: str
    zones: dict[str, str]
    unknown_zones: dict[str, int]
    categories: tuple[str, ...]
    rows_read: int
    rows_used: int

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows each reason rejected, the most frequent first."""
        return {str(reason): int(count) for reason, count in self.rejected["rejected_reason"].value_counts().items()}

    @property
    def lines(self) -> dict[str, int]:
        """How many lines of the file the rows of each reason span; empty for Parquet."""
        spans = self.rejected.dropna(subset="rejected_lines").groupby("rejected_reason")["rejected_lines"].sum()
        return {reason: int(spans[reason]) for reason in self.reasons} if len(spans) else {}

    @property
    def swallowed(self) -> tuple[Swallowed, ...]:
        """The malformed rows that hold other rows: those of several lines, and an unclosed quote."""
        malformed = self.rejected[self.rejected["rejected_text"].notna()]
        holds = (malformed["rejected_lines"] > 1) | (malformed["rejected_reason"] == UNCLOSED)
        columns = malformed.loc[holds, ["rejected_line", "rejected_lines", "rejected_reason"]]
        return tuple(Swallowed(int(line), int(lines), str(why)) for line, lines, why in columns.itertuples(index=False))


def import_log(
    file: Path,
    mapping: LogMapping,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    *,
    latest: datetime = LATEST,
) -> Imported:
    """Reads a log by its mapping.

    Args:
        file: CSV, spaced text, JSON lines or Parquet.
        mapping: The meaning of its rows.
        progress: Told after each step how many are done, and how many there are.
        latest: A row of a later time is rejected; `tactful.features.timestamps.AHEAD` from now, as tracking has it.

    Raises:
        MappingError: The file is not as the mapping says, or not one of its rows is an event.
    """
    with open_log(file, mapping.source) as log:
        progress(1, 3)
        try:
            _judge(log, mapping, latest)
            categories = _vocabulary(log, mapping)
            candidates = _gather(log, mapping, categories)
        except duckdb.Error as error:
            raise MappingError(
                "an expression fails on the log", got=first_line(error), wanted="TRY_CAST, or a rule that rejects"
            ) from error
        progress(2, 3)
        events, refused = validate(candidates.drop(columns="rows"), mapping.placeholders)
        imported = Imported(
            events=events.reset_index(drop=True),
            rejected=_quarantine(log, refused["reason"]),
            zone=mapping.zone,
            zones=_zones(log),
            unknown_zones={name: rows for name, rows in _zone_names(log).items() if not is_zone(name)},
            categories=categories,
            rows_read=_count(log, "raw") + _count(log, "malformed"),
            rows_used=int(candidates["rows"].loc[events.index].sum()),
        )
    _check(imported, file)
    progress(3, 3)
    return imported


def _judge(log: duckdb.DuckDBPyConnection, mapping: LogMapping, latest: datetime) -> None:
    """Makes the table `judged`: a row's fields, its event's number, and the reason why it is in none."""
    log.execute(f"CREATE TABLE mapped AS {compile_mapping(log, mapping, latest)}")
    first = f"min({ROW}) OVER (PARTITION BY reason IS NULL, __kind, type, customer_id, __group)"
    event = first if mapping.group_by else ROW
    log.execute(f"CREATE TABLE judged AS SELECT *, CASE WHEN reason IS NULL THEN {event} END AS {EVENT} FROM mapped")  # nosec B608 # the mapping's words, quoted


def _vocabulary(log: duckdb.DuckDBPyConnection, mapping: LogMapping) -> tuple[str, ...]:
    found = log.execute(
        "SELECT DISTINCT category FROM judged WHERE reason IS NULL AND category IS NOT NULL ORDER BY 1"
    ).fetchall()
    names = mapping.categories or tuple(name for (name,) in found)
    if len(names) > 64:
        raise MappingError(
            "too many categories", got=len(names), wanted="at most 64: a coarser expression",
            where=mapping.where(("category",)),
        )  # fmt: skip
    return names


def _zone_names(log: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many rows of events name a zone, the most frequent first."""
    query = (
        "SELECT __zone, count(*) FROM judged WHERE reason IS NULL AND __zone IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return dict(log.execute(query).fetchall())


def _zones(log: duckdb.DuckDBPyConnection) -> dict[str, str]:
    known = ", ".join(quoted(name) for name in _zone_names(log) if is_zone(name)) or "NULL"
    query = (
        f"SELECT customer_id, last(__zone ORDER BY time, {ROW}) FROM judged"
        f" WHERE reason IS NULL AND __zone IN ({known}) GROUP BY 1"  # nosec B608 # the mapping's words, quoted
    )
    return dict(log.execute(query).fetchall())


def _gather(log: duckdb.DuckDBPyConnection, mapping: LogMapping, categories: tuple[str, ...]) -> pd.DataFrame:
    """The candidates, a row an event, indexed by their number, with the count of their rows."""
    names = f"CAST([{', '.join(map(quoted, categories))}] AS VARCHAR[])"
    bits = f"CASE WHEN category IS NULL THEN 0 ELSE 1::UBIGINT << (list_position({names}, category) - 1) END"
    judged = f"SELECT * REPLACE (CAST({bits} AS UBIGINT) AS category) FROM judged WHERE reason IS NULL"  # nosec B608 # the mapping's words, quoted
    query = _grouped(judged, bool(mapping.event_id)) if mapping.group_by else _ungrouped(judged)
    return _frame(log, query).set_index(EVENT)


def _ungrouped(judged: str) -> str:
    return (
        f"SELECT {EVENT}, customer_id, time, type, event_id, amount, discount, quantity, category AS categories,"
        f" channel, subject, 1 AS rows FROM ({judged}) ORDER BY {EVENT}"  # nosec B608 # the mapping's words, quoted
    )


def _grouped(judged: str, identified: bool) -> str:
    """Sums in the order of the rows, so that the same file gives the same bits."""
    group = "concat_ws('|', type, customer_id, any_value(__group))"
    columns = {
        "time": "min(time)",
        "event_id": f"first(event_id ORDER BY {ROW})" if identified else group,
        **{name: f"sum({name} ORDER BY {ROW})" for name in NUMBERS},
        "categories": "bit_or(category)",
        "channel": f"first(channel ORDER BY {ROW})",
        "subject": f"first(subject ORDER BY {ROW})",
        "rows": "count(*)",
    }
    selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    return (
        f"SELECT {EVENT}, customer_id, type, {selected} FROM ({judged})"
        f" GROUP BY {EVENT}, customer_id, type ORDER BY {EVENT}"  # nosec B608 # the mapping's words, quoted
    )


def _quarantine(log: duckdb.DuckDBPyConnection, refused: "pd.Series[str]") -> pd.DataFrame:
    """The rejected rows as they were read; `refused` holds the reason against each event that is none."""
    log.register("refused", pd.DataFrame({"event": refused.index.astype("int64"), "why": refused.astype("str")}))
    query = (
        f"SELECT raw.{ROW} AS rejected_row, coalesce(judged.reason, refused.why) AS rejected_reason,"
        f" raw.{LINE} AS rejected_line, raw.{LINES} AS rejected_lines,"
        f" NULL::VARCHAR AS rejected_text, raw.* EXCLUDE ({', '.join(PLACES)})"
        f" FROM raw JOIN judged ON raw.{ROW} = judged.{ROW} LEFT JOIN refused ON judged.{EVENT} = refused.event"
        " WHERE rejected_reason IS NOT NULL"
        " UNION ALL BY NAME"
        " SELECT reason AS rejected_reason, line AS rejected_line, lines AS rejected_lines, text AS rejected_text"
        " FROM malformed"
        " ORDER BY rejected_row, rejected_line"  # nosec B608 # the mapping's words, quoted
    )
    return _frame(log, query, types_mapper=pd.ArrowDtype)


def _frame(log: duckdb.DuckDBPyConnection, query: str, **options: Any) -> pd.DataFrame:
    frame: pd.DataFrame = log.sql(query).to_arrow_table().to_pandas(**options)
    return frame


def _count(log: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(log.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])  # nosec B608 # the mapping's words, quoted


def _check(imported: Imported, file: Path) -> None:
    rejected = len(imported.rejected)
    if imported.rows_read != imported.rows_used + rejected:
        got = f"{imported.rows_read} read, {imported.rows_used} used, {rejected} rejected"
        raise MappingError("rows were lost", got=got, wanted="read = used + rejected", where=file)
    if not imported.rows_used:
        reasons = ", ".join(f"{count} {reason}" for reason, count in imported.reasons.items())
        raise MappingError("no row is an event", got=reasons or "no rows", wanted="at least one", where=file)
