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
)

from features.errors import EventError
from features.ids import PLACEHOLDER_IDS, folded
from features.vocabulary import CHANNELS, EVENT_TYPES
from features.zones import utc_offsets

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
    """What DuckDB says is wrong, without the kind of error and the advice around it."""
    return str(error).splitlines()[0].split(": ", 1)[-1]


def _word_or_sql(words: Sequence[str]) -> AfterValidator:
    return AfterValidator(lambda text: f"'{text}'" if text in words else _parsed(text))


def _zone(name: str) -> str:
    try:
        utc_offsets(name)
    except EventError as error:
        raise ValueError(f"{error.message}; wanted {error.wanted}") from error
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
Character = Annotated[str, StringConstraints(min_length=1, max_length=1)]


class Declared(BaseModel):
    """A part of a mapping: no unknown keys, no changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Declared):
    """How the file is written.

    Attributes:
        format: `csv`, `spaced` (fields parted by runs of white space) or `parquet`; by default what the
            file's name says.
        delimiter: What parts the fields of a CSV.
        quote: What encloses a field of a CSV that holds a delimiter; doubled, it stands for itself.
        header: Whether the first line names the columns. They are text: cast what is a number.
        columns: Names of the columns, instead of the header's; required where there is none.
        encoding: Of a CSV or spaced file.
        nulls: Texts that stand for a missing value.
    """

    format: Literal["csv", "spaced", "parquet"] | None = None
    delimiter: Character = ","
    quote: Character = '"'
    header: bool = True
    columns: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    encoding: Literal["utf-8", "utf-16", "latin-1"] = "utf-8"
    nulls: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)] = ("",)


class Reject(Declared):
    """Rows that are no events.

    Attributes:
        reason: What the report says of them.
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


class Mapping(Fields):
    """A log's mapping to events, as `load_mapping` reads it.

    Attributes:
        zone: IANA zone of local times, and of the data set. A local time that the clock shows twice is
            taken as the later moment, so that nothing is known before it happened; one that it skips
            is rejected.
        time_format: How text is read as a time (`strptime`); ISO 8601 by default.
        source: How the file is written.
        placeholder_ids: Words that are no ids of customers, in place of those of `features.ids`.
        event_id: What tells events apart; by default the group, else the contents of the row.
        group_by: Rows alike in these are one event: at the first one's time, with numbers summed,
            categories joined, channel and subject of the first.
        categories: The category vocabulary, at most 64 names, so that files imported one after the other
            agree; by default what the file holds. A row with another name is rejected.
        reject: Rules, tried in order; the first that matches is the reason.
        events: Kinds of event, tried in order.
    """

    zone: Zone
    customer: Sql
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
        """The placeholder ids, as `features.ids.folded` gives them."""
        return frozenset(map(folded, self.placeholder_ids))

    def where(self, place: Place) -> str:
        """Where something is declared: file and line, if it came from a file, and the field."""
        return self._origin.where(place)

    def declared_in(self, origin: Origin) -> Self:
        """Remembers where it was declared."""
        self._origin = origin
        return self
