"""From what the store knows to what a decision is made from, and that as bytes to keep beside the decision."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

from tactful.decisions.base import canonical_json as canonical
from tactful.decisions.base.calendars import day_of, zone_of
from tactful.decisions.base.errors import SnapshotError
from tactful.decisions.base.snapshot import Contact, Event, Snapshot
from tactful.decisions.catalogue.model import Attribute
from tactful.features.build import build_one
from tactful.features.events.history import history
from tactful.features.timestamps import is_zone, microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.serving.engine.in_force.champion import Champion
from tactful.serving.store.inputs import packed, unpacked
from tactful.serving.store.port import KnownCustomer, StoredEvent, from_micros

LAST = 2**63 - 1
"""No event is later, in microseconds since the epoch."""


def snapshot(known: KnownCustomer, moment: datetime, champion: Champion) -> Snapshot:
    """The snapshot of a customer for a decision.

    Features come from every event by the one kernel; of the events themselves, the decision sees those that the
    catalogue looks at: of its types, and as far back as it looks. An event that suppresses contacts and is dated ahead,
    because a clock was, counts as of now.

    Args:
        known: The customer before the moment.
        moment: The moment of the decision.
        champion: The champion that will decide.
    """
    now = microseconds(moment)
    since = {code: now - span for code, span in champion.memory.items()}
    return Snapshot(
        customer=known.id,
        moment=moment,
        features=_features(known, moment, champion),
        contacts=known.contacts,
        events=(
            *(_event(row) for row in known.events if row[0] >= since.get(row[1], LAST)),
            *(_event((now - 1, *row[1:])) for row in known.ahead if row[1] in champion.suppressing),
        ),
        attributes=_live_attributes(known, champion),
        consents=known.consents,
        zone=known.zone,
        joined=known.joined,
    )


def as_bytes(snapshot: Snapshot) -> bytes:
    """A snapshot as canonical JSON, compressed where it is long; events and contacts are lists of their fields."""
    contacts, joined = snapshot.contacts, snapshot.joined
    document = {
        "customer": snapshot.customer,
        "moment": snapshot.moment.isoformat(),
        "features": [value if math.isfinite(value) else None for value in snapshot.features],
        "contacts": None if contacts is None else [_contact_row(contact) for contact in contacts],
        "events": [_event_row(event) for event in snapshot.events],
        "attributes": {name: _untyped(value) for name, value in snapshot.attributes.items()},
        "consents": sorted([channel, purpose, allowed] for (channel, purpose), allowed in snapshot.consents.items()),
        "zone": snapshot.zone,
        "joined": joined.isoformat() if joined else None,
    }
    return packed(canonical.of(document))


def from_bytes(content: bytes, declared: Mapping[str, Attribute]) -> Snapshot:
    """The snapshot that `as_bytes` wrote: a decision made on it again is the same decision.

    Args:
        content: The bytes.
        declared: The attributes as the catalogue of the decision declares them.
    """
    found = unpacked(content)
    contacts, joined = found["contacts"], found["joined"]
    return Snapshot(
        customer=found["customer"],
        moment=datetime.fromisoformat(found["moment"]),
        features=tuple(math.nan if value is None else value for value in found["features"]),
        contacts=None if contacts is None else tuple(_contact_of(row) for row in contacts),
        events=tuple(Event(type_, datetime.fromisoformat(time), *rest) for type_, time, *rest in found["events"]),
        attributes=_attributes(found["attributes"], declared),
        consents={(channel, purpose): allowed for channel, purpose, allowed in found["consents"]},
        zone=found["zone"],
        joined=datetime.fromisoformat(joined) if joined else None,
    )


def _features(known: KnownCustomer, moment: datetime, champion: Champion) -> tuple[float, ...]:
    columns = list(zip(*known.events, strict=True)) or [()] * 8
    time, kind, channel, amount, discount, quantity, categories, subject = columns[:8]
    events = history(
        _zone(known, champion),
        time,
        kind,
        channel=channel,
        amount=amount,
        discount=discount,
        quantity=quantity,
        categories=np.array(categories, dtype=np.int64).view(np.uint64),
        subject=subject,
    )
    return tuple(build_one(events, moment, champion.program).tolist())


def _zone(known: KnownCustomer, champion: Champion) -> str:
    """The zone of local days: the customer's, else the catalogue's, else that of the history that was loaded."""
    own = known.zone if known.zone and is_zone(known.zone) else None
    return own or champion.compiled.catalogue.timezone or known.history_zone


def _event(row: Sequence[Any]) -> Event:
    e = StoredEvent(*row)
    amount = e.amount if e.claimed is None else e.claimed
    type_, channel, verified = EVENT_TYPES[e.type], CHANNELS[e.channel], e.claimed is None
    return Event(type_, from_micros(e.time), e.id, e.subject, amount, channel, e.programme, verified)


def _live_attributes(known: KnownCustomer, champion: Champion) -> dict[str, Any]:
    """The declared attributes; a moment becomes the day that it is for the customer, else where the catalogue is."""
    compiled = champion.compiled
    declared, zone = compiled.catalogue.attributes, known.zone or compiled.catalogue.timezone
    days = {
        name: _day(value, zone)
        for name, value in known.attributes.items()
        if name in declared and declared[name].type == "date" and isinstance(value, str)
    }
    return _attributes({**known.attributes, **days}, declared)


def _day(text: str, zone: str | None) -> str:
    """The day of a date in ISO 8601; what is none stays as it is, and its conditions fail."""
    try:
        return day_of(text, zone_of(zone) if zone else None).isoformat()
    except (ValueError, OverflowError, SnapshotError):
        return text


def _attributes(stored: Mapping[str, Any], declared: Mapping[str, Attribute]) -> dict[str, Any]:
    """The declared attributes that have a value."""
    known = {name: value for name, value in stored.items() if name in declared and value is not None}
    return {name: _typed(value, declared[name].type) for name, value in known.items()}


def _typed(value: Any, kind: str) -> Any:
    """A value of JSON in its declared type; what does not fit stays as it is, and its conditions fail."""
    if kind == "number" and isinstance(value, int) and not isinstance(value, bool):
        return _or_as_it_is(float, value)
    if kind == "date" and isinstance(value, str):
        return _or_as_it_is(date.fromisoformat, value)
    return value


def _or_as_it_is(read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except (ValueError, OverflowError):
        return value


def _untyped(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _event_row(e: Event) -> list[Any]:
    row = [e.type, e.time.isoformat(), e.id, e.subject, e.amount, e.channel, e.programme]
    return row if e.verified else [*row, e.verified]


def _contact_row(c: Contact) -> list[Any]:
    return [c.time.isoformat(), c.channel, c.programme, c.message, c.tags, c.opening, c.counts, c.id]


def _contact_of(row: Sequence[Any]) -> Contact:
    time, channel, programme, message, tags, *rest = row
    return Contact(datetime.fromisoformat(time), channel, programme, message, tuple(tags), *rest)
