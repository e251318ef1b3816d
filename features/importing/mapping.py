"""How a foreign log becomes events: a declaration in YAML, checked before a row is read.

Every field is a column's name, as it is, or an SQL expression of DuckDB's dialect over the columns; `type` and
`channel` also take a word of their vocabulary, before anything else. A field given beside `events` holds for
every kind of event, one given inside a kind for that kind alone:

    zone: Europe/London
    customer: CAST("Customer ID" AS BIGINT)
    time: InvoiceDate
    amount: Quantity * Price
    group_by: Invoice
    reject:
      - {reason: no price, when: Price = 0}
    events:
      - {type: refund, when: "starts_with(Invoice, 'C')"}
      - {type: purchase}
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

import duckdb
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    model_validator,
)

from tactful.features.errors import EventError
from tactful.features.ids import PLACEHOLDER_IDS, folded
from tactful.features.timestamps import utc_offsets
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES

Place = tuple[int | str, ...]

COLUMN_NAME = re.compile(r"[\w .-]+")
"""What may be the name of a column, though it is no SQL: order, Customer ID, user-id."""


class Origin(NamedTuple):
    """The file a mapping came from, and the line each part of it begins at."""

    name: str = ""
    lines: dict[Place, int] | None = None

    def line(self, place: Place) -> int:
        """The line of a field, or of the nearest thing around it."""
        lines = self.lines or {}
        return next((lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in lines), 0)

    def where(self, place: Place) -> str:
        """File, line and field, as errors show it."""
        field = ".".join(map(str, place))
        return f"{self.name}:{self.line(place)} {field}".strip() if self.lines else field


def _parsed(text: str) -> str:
    try:
        duckdb.SQLExpression(text)
    except duckdb.Error as error:
        if COLUMN_NAME.fullmatch(text):
            return text
        raise ValueError(f"not an SQL expression ({first_line(error)})") from error
    return text


def first_line(error: duckdb.Error) -> str:
    """DuckDB's message, without the kind of error and the advice around it."""
    return str(error).splitlines()[0].split(": ", 1)[-1]


def _word_or_sql(words: Sequence[str]) -> AfterValidator:
    return AfterValidator(lambda text: f"'{text}'" if text in words else _parsed(text))


def _zone(name: str) -> str:
    try:
        utc_offsets(name)
    except EventError as error:
        raise ValueError(f"{error.message}; wanted {error.wanted}") from error
    return name


def _encoding(name: str) -> str:
    try:
        "a".encode(name)
    except (LookupError, UnicodeError, ValueError) as error:
        raise ValueError("unknown encoding; wanted one such as utf-8, utf-16, latin-1, windows-1252") from error
    return name


def _not_empty(kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    """Unlike pydantic's `min_length`, which counts an invalid item as none."""
    if not kinds:
        raise ValueError("at least one is wanted")
    return kinds


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Text = Annotated[str, StringConstraints(min_length=1)]
Sql = Annotated[Text, AfterValidator(_parsed)]
TypeSql = Annotated[Text, _word_or_sql(EVENT_TYPES)]
ChannelSql = Annotated[Text, _word_or_sql(CHANNELS)]
Zone = Annotated[str, AfterValidator(_zone)]
Character = Annotated[str, StringConstraints(min_length=1, max_length=1, pattern=r"[^\r\n]")]


class Declared(BaseModel):
    """A part of a mapping: no unknown keys, no changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Declared):
    """How the file is written.

    Attributes:
        format: `csv`, `spaced` (runs of white space separate the fields), `jsonl` (one JSON object a line) or
            `parquet`; by default, the file's name says it.
        delimiter: Separates the fields of a CSV.
        quote: Encloses a field of a CSV that holds a delimiter; doubled, it means itself. Empty where no field is
            quoted.
        escape: Before a character of a CSV, takes its special meaning away.
        header: Whether the first line names the columns. They are text: `number(column)` is a number.
        skip_lines: How many lines come before the header, or before the rows where there is none.
        max_lines: A row of a CSV that spans more lines is malformed: an unclosed quote swallows the rows below it.
        columns: Names of the columns, instead of the header's; required where there is none. For JSON lines, keys
            that may be absent from the file.
        encoding: A text encoding that Python knows, such as `windows-1252`; Parquet needs none.
        decimal: Sign between units and decimals of a number that is written as text.
        thousands: Sign between thousands of such a number; a blank includes the blanks that do not break.
        nulls: Texts that mean a missing value.
    """

    format: Literal["csv", "spaced", "jsonl", "parquet"] | None = None
    delimiter: Character = ","
    quote: Literal[""] | Character = '"'
    escape: Character | None = None
    header: bool = True
    skip_lines: Annotated[int, Field(ge=0)] = 0
    max_lines: Annotated[int, Field(ge=1)] = 100
    columns: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'", "_"] = ""
    nulls: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)] = ("",)

    @model_validator(mode="after")
    def _signs_differ(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("one sign for decimals and thousands")
        signs = [self.delimiter, *filter(None, (self.quote, self.escape))]
        if len(set(signs)) < len(signs):
            raise ValueError("delimiter, quote and escape must differ")
        return self


class Reject(Declared):
    """Rows that are no events.

    Attributes:
        reason: Their reason in the report.
        when: A condition; where it is unknown (NULL) the row is not rejected by it.
    """

    reason: Text
    when: Sql


class Fields(Declared):
    """Where the values of an event come from; those of no use to a kind of event stay out.

    Attributes:
        customer: Text or a whole number; one written as a decimal (`13085.0`) is the whole number.
        time: A date, a timestamp or text. Without an offset it is local time of the mapping's zone.
        amount: Currency; a purchase's >= 0, a refund's <= 0. Numbers are summed over a group.
        discount: Currency not asked for, >= 0.
        quantity: Units.
        channel: A channel, or an expression that yields one.
        subject: The campaign, message or product concerned.
        category: Text; an event holds the set of those of its rows.
    """

    customer: Sql | None = None
    time: Sql | None = None
    amount: Sql | None = None
    discount: Sql | None = None
    quantity: Sql | None = None
    channel: ChannelSql | None = None
    subject: Sql | None = None
    category: Sql | None = None


class EventKind(Fields):
    """One kind of event in the file; a row is of the first kind whose condition holds.

    Attributes:
        type: An event type, or an expression that yields one.
        when: A condition; every row by default.
    """

    type: TypeSql
    when: Sql | None = None


class LogMapping(Fields):
    """A log's mapping to events, as `load_mapping` reads it.

    Attributes:
        zone: IANA zone of local times, and of customers whose own zone is unknown. A local time that the clock
            shows twice is taken as the later moment, so that nothing is known before it happened; one that it
            skips is rejected.
        customer_zone: The IANA zone of a row's customer; the latest of a customer's rows holds for all of them. What
            is no zone is passed over.
        time_format: How text is read as a time (`strptime`), or `unix`, `unix_ms`, `unix_us`, `unix_ns` for a number
            since 1970-01-01 UTC; ISO 8601 by default.
        source: How the file is written.
        placeholder_ids: Words that are no ids of customers, in place of those of `tactful.features.ids`.
        event_id: The identity of an event; by default the group, else the contents of the row.
        group_by: Rows alike in these are one event: at the first one's time, with numbers summed,
            categories joined, channel and subject of the first.
        categories: The category vocabulary, at most 64 names, so that files imported one after the other
            agree; by default what the file holds. A row with another name is rejected.
        reject: Rules, tried in order; the first that matches is the reason.
        events: Kinds of event, tried in order.
    """

    zone: Zone
    customer: Sql
    customer_zone: Sql | None = None
    time: Sql
    time_format: Text | None = None
    source: Source = Source()
    placeholder_ids: tuple[str, ...] = PLACEHOLDER_IDS
    event_id: Sql | None = None
    group_by: Annotated[tuple[Sql, ...], BeforeValidator(_listed)] = ()
    categories: Annotated[tuple[Text, ...], Field(min_length=1, max_length=64)] | None = None
    reject: tuple[Reject, ...] = ()
    events: Annotated[tuple[EventKind, ...], AfterValidator(_not_empty)]
    _origin: Origin = PrivateAttr(default=Origin())

    def field(self, kind: int, name: str) -> tuple[Any, Place]:
        """The value of a field for a kind of event, None if neither gives it, and its place."""
        own = getattr(self.events[kind], name)
        return (own, ("events", kind, name)) if own is not None else (getattr(self, name), (name,))

    @property
    def placeholders(self) -> frozenset[str]:
        """The placeholder ids, as `tactful.features.ids.folded` gives them."""
        return frozenset(map(folded, self.placeholder_ids))

    def where(self, place: Place) -> str:
        """Where something is declared: file and line, if it came from a file, and the field."""
        return self._origin.where(place)

    def declared_in(self, origin: Origin) -> Self:
        """Remembers where it was declared."""
        self._origin = origin
        return self
