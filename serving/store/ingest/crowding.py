"""Bounds the events of a customer and day, so that no decision about anybody costs much more than another."""

from collections.abc import Sequence

from tactful.serving.store.ingest.keep import Known
from tactful.serving.store.ingest.session import Session
from tactful.serving.store.port import FORBIDDING, Arrival, StoredEvent

_DAY = 86_400_000_000
_COUNTS = (
    f"SELECT customer, time / {_DAY}, count(*) FROM events"  # noqa: S608 # nosec B608 # our own number
    " WHERE tenant = ? AND customer = ANY(?) AND time >= ? AND time < ? GROUP BY 1, 2"
)


def crowded(session: Session, arrivals: Sequence[Arrival], known: Known, most: int) -> list[int]:
    """The places of messages whose events are too many of their customer and day.

    Args:
        session: The transaction, which has locked the customers.
        arrivals: The messages, in their order.
        known: The known customers.
        most: How many events of a customer and day are kept.
    """
    found = [(place, known.whose(a.customer), StoredEvent(*a.event)) for place, a in enumerate(arrivals) if a.event]
    bounded = [(place, customer, event.time) for place, customer, event in found if event.type not in FORBIDDING]
    if not bounded:
        return []
    days = [_day(time) for *_, time in bounded]
    span = (min(days) * _DAY, (max(days) + 1) * _DAY)
    rows = session.select(_COUNTS, session.tenant, sorted({customer for _, customer, _ in bounded}), *span)
    counts = {(customer, int(day)): number for customer, day, number in rows}
    beyond = []
    for (place, customer, _), day in zip(bounded, days, strict=True):
        number = counts[customer, day] = counts.get((customer, day), 0) + 1
        if number > most:
            beyond.append(place)
    return beyond


def _day(time: int) -> int:
    """The day in UTC; rounded towards 1970, as the databases divide."""
    return time // _DAY if time >= 0 else -(-time // _DAY)
