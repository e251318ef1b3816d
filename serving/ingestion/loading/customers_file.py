"""Reads a file of customers: a row a customer, with zone, attributes and consents."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tactful.decisions.base.calendars import day_of, zone_of
from tactful.decisions.base.errors import SnapshotError
from tactful.decisions.catalogue.model import Attribute
from tactful.features.errors import TactfulError
from tactful.features.ids import canonical_id, fault_of
from tactful.features.importing.mapping import Source
from tactful.features.importing.reader import open_log, quoted_name
from tactful.features.importing.text_logs import PLACES, ROW
from tactful.features.vocabulary import CHANNELS
from tactful.serving.ingestion.messages.consents import PURPOSE
from tactful.serving.ingestion.messages.refusal_names import refused_by
from tactful.serving.ingestion.messages.traits import snake
from tactful.serving.store.port import Consent, Profile

BATCH = 5_000
"""Rows that are read at once."""
ID = "customer_id"
ZONES = ("zone", "timezone")
JOINED = ("joined", "created_at")
_CONSENT = re.compile(rf"consents?_(?:({'|'.join(CHANNELS[1:])})(?:_(\w+))?|\w+)")
REFUSED = "taken for a refusal"
_YES, _NO = frozenset({"true", "t", "yes", "y", "1"}), frozenset({"false", "f", "no", "n", "0"})

Field = Callable[[Any], Any]


@dataclass
class CustomersRead:
    """Counts what became of the rows of a file.

    Attributes:
        rows: Rows read, malformed lines included.
        rejected: Rows that are no customer, by reason.
        left_out: Values that do not fit their column and were left out, by column and reason; a consent that cannot
            be read counts as a refusal.
        undeclared: Columns that the catalogue does not declare; their values are kept as text.
    """

    rows: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    undeclared: tuple[str, ...] = ()


class CustomersFile:
    """A file of customers: CSV, plain or gzipped, or Parquet.

    The column `customer_id` is required. `zone` (or `timezone`) is an IANA zone, `joined` (or `created_at`) a moment,
    `consent_CHANNEL` and `consent_CHANNEL_PURPOSE` say true or false; every other column is an attribute. A column
    whose name and value refuse contacts, such as `unsubscribed` or `accepts_marketing`, is a refusal, as in tracking.

    Args:
        file: Where it is.
        declared: The attributes that the catalogue declares: their columns are read as values of these types.
        placeholders: Words that are no ids, as `tactful.features.ids.folded` gives them.

    Raises:
        MappingError: The file cannot be read.
        TactfulError: A column is missing, or a consent names an unknown channel.
    """

    def __init__(self, file: Path, declared: Mapping[str, Attribute], placeholders: Collection[str] = ()) -> None:
        self.file = file
        self._placeholders = placeholders
        self.read = CustomersRead()
        self._log = open_log(file, Source())
        self._columns = [
            name for name, *_ in self._log.execute("FROM raw LIMIT 0").description or [] if name not in PLACES
        ]
        names = [snake(name) for name in self._columns]
        if ID not in names:
            raise TactfulError("no column of ids", got=", ".join(self._columns), wanted=f"one column {ID}", where=file)
        if alike := sorted(name for name, count in Counter(names).items() if count > 1):
            raise TactfulError("columns named alike", got=", ".join(alike), wanted="each name once", where=file)
        self._id = names.index(ID)
        self._zone, self._joined = (_place(names, group) for group in (ZONES, JOINED))
        self._consents = {place: consent for place, name in enumerate(names) if (consent := _consent(name, file))}
        other = {self._id, self._zone, self._joined, *self._consents}
        self._attributes = {
            place: (name, _TYPES[declared[name].type] if name in declared else _plain)
            for place, name in enumerate(names)
            if place not in other
        }
        self.read.undeclared = tuple(name for name, _ in self._attributes.values() if name not in declared)

    @property
    def states_consents(self) -> bool:
        """Whether a column says what customers allow."""
        return bool(self._consents)

    def __len__(self) -> int:
        return int(self._log.execute("SELECT count(*) FROM raw").fetchall()[0][0])

    def batches(self) -> Iterator[list[Profile]]:
        """The customers, `BATCH` rows at a time; a row that is no customer is counted and passed over."""
        for reason, count in self._log.execute("SELECT reason, count(*) FROM malformed GROUP BY 1").fetchall():
            self.read.rejected[reason] += count
            self.read.rows += count
        columns = ", ".join(map(quoted_name, self._columns))
        query = f"SELECT {columns} FROM raw ORDER BY {ROW}"  # noqa: S608 # nosec B608 # quoted names
        rows = self._log.execute(query)
        while batch := rows.fetchmany(BATCH):
            self.read.rows += len(batch)
            yield [profile for row in batch if (profile := self._profile(row)) is not None]

    def close(self) -> None:
        """Releases the file."""
        self._log.close()

    def _profile(self, row: Sequence[Any]) -> Profile | None:
        customer = canonical_id(row[self._id]) or ""
        if fault := fault_of(customer, self._placeholders):
            self.read.rejected[f"customer_id: {fault}"] += 1
            return None
        consents = {consent: self._value(row, place, _allowed) for place, consent in self._consents.items()}
        attributes = {name: self._value(row, place, read) for place, (name, read) in self._attributes.items()}
        refused = self._refused(row)
        consents |= dict.fromkeys(((channel, PURPOSE) for channel in sorted(refused)), False)
        return Profile(
            customer,
            withdrawn=refused,
            zone=self._value(row, self._zone, _zone),
            joined=self._value(row, self._joined, _moment),
            attributes={name: value for name, value in attributes.items() if value is not None},
            consents={consent: allowed for consent, allowed in consents.items() if allowed is not None},
        )

    def _refused(self, row: Sequence[Any]) -> frozenset[str]:
        """The channels that a row refuses in columns of other names than `consent_…`; each such column is counted."""
        channels: frozenset[str] = frozenset()
        for column, refused in refused_by({self._columns[place]: row[place] for place in self._attributes}):
            self.read.left_out[f"{column}: {REFUSED}"] += 1
            channels |= refused
        return channels

    def _value(self, row: Sequence[Any], place: int | None, read: Field) -> Any:
        """A value as its column's type; None where there is none, or where it does not fit, which is counted."""
        if place is None or row[place] is None or row[place] == "":
            return None
        try:
            return read(row[place])
        except (ValueError, OverflowError, TypeError, SnapshotError):
            self.read.left_out[f"{self._columns[place]}: {_WANTED[read]}"] += 1
            return False if read is _allowed else None


def _place(names: Sequence[str], group: Sequence[str]) -> int | None:
    return next((names.index(name) for name in group if name in names), None)


def _consent(name: str, file: Path) -> Consent | None:
    found = _CONSENT.fullmatch(name)
    if found is None:
        return None
    if found[1] is None:
        wanted = f"consent_ and one of {', '.join(CHANNELS[1:])}"
        raise TactfulError("a consent for an unknown channel", got=name, wanted=wanted, where=file)
    return found[1], found[2] or PURPOSE


def _zone(value: Any) -> str:
    zone_of(str(value))
    return str(value)


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _allowed(value: Any) -> bool:
    """A consent; an unreadable one counts as a refusal."""
    return _boolean(value)


def _boolean(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _YES | _NO:
        raise ValueError(word)
    return word in _YES


def _date(value: Any) -> str:
    """A date or a moment, as it is written: which day that is depends on the customer's zone."""
    text = str(value).strip()
    day_of(text, None)
    return text


def _number(value: Any) -> float:
    number = float(value)
    if not abs(number) < float("inf"):
        raise ValueError(value)
    return number


def _integer(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError(value)
    return int(number)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    return value if isinstance(value, bool | int | float | str) else str(value)


_TYPES: Mapping[str, Field] = {
    "string": str,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
}
_WANTED: Mapping[Field, str] = {
    _zone: "not an IANA zone",
    _moment: "not a moment in ISO 8601",
    _boolean: "neither true nor false",
    _allowed: "neither true nor false, taken for a refusal",
    _date: "not a date in ISO 8601",
    _number: "not a number",
    _integer: "not a whole number",
}
