"""The amounts of refunds: together they return an order once, in whatever order the messages come."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.store.counting import counted, is_once
from tactful.serving.store.ingest.session import Session
from tactful.serving.store.port import Arrival, StoredEvent

PURCHASE, REFUND = map(EVENT_TYPES.index, ("purchase", "refund"))
_MONEY = (PURCHASE, REFUND)
_PAID = (
    "SELECT customer, time, type, 0, amount, 0, 0, 0, subject, id FROM events WHERE tenant = ? AND type IN (?, ?)"
    " AND customer = ANY(?) AND subject = ANY(?) ORDER BY customer, time, id"
)
_RETURN = "UPDATE events SET amount = ? WHERE tenant = ? AND id = ?"

Order = tuple[str, str]
"""A customer, and the id of an order."""


@dataclass(slots=True)
class _Orders:
    """The rest of each known order, and the returns of whole orders that came before their orders did."""

    left: defaultdict[Order, float] = field(default_factory=lambda: defaultdict(float))
    known: set[Order] = field(default_factory=set)
    early: dict[Order, str] = field(default_factory=dict)

    def add(self, order: Order, event: StoredEvent) -> None:
        self.left[order] += event.amount
        if event.type == PURCHASE:
            self.known.add(order)
        elif event.amount == 0 and is_once(event):
            self.early[order] = event.id

    def take(self, order: Order, most: float | None) -> float:
        """Take the rest of an order, or as much of it as is asked for."""
        rest = max(self.left[order], 0.0)
        taken = rest if most is None else min(most, rest)
        self.left[order] -= taken
        return taken


def priced(session: Session, told: Sequence[tuple[str, Arrival]]) -> list[StoredEvent]:
    """The events of messages, with the amounts that refunds really return.

    A refund that names its order alone returns what is left of the order; one that states an amount returns no more
    than that. A refund of an order that the store does not know returns what it states. Where an order comes after its
    refund, the refund that is stored already gets its amount now.

    Args:
        session: The transaction, which has locked the customers.
        told: The events with their customers.
    """
    events = [(customer, StoredEvent(*a.event or ()), a.returns_order) for customer, a in told]
    named = {(customer, event.subject) for customer, event, _ in events if event.type in _MONEY and event.subject}
    if not named:
        return [event for _, event, _ in events]
    orders = _orders(session, named, [(customer, event) for customer, event, _ in events if event.type == PURCHASE])
    found = []
    for customer, event, returned in events:
        order = customer, event.subject
        if event.type == REFUND and (returned or order in orders.known):
            event = event._replace(amount=-orders.take(order, None if returned else -event.amount))
        found.append(event)
    late = [(-orders.take(order, None), session.tenant, id_) for order, id_ in orders.early.items()]
    session.write(_RETURN, [row for row in late if row[0]])
    return found


def _orders(session: Session, named: set[Order], bought: Iterable[tuple[str, StoredEvent]]) -> _Orders:
    """The orders that messages name, as they are stored and as the same batch brings them."""
    customers, subjects = ([pair[place] for pair in named] for place in (0, 1))
    stored = session.select(_PAID, session.tenant, PURCHASE, REFUND, customers, subjects)
    paid = [(customer, StoredEvent(*event)) for customer, *event in stored]
    paid += [(customer, event) for customer, event in bought if event.subject]
    orders = _Orders()
    for customer, theirs in groupby(sorted(paid, key=itemgetter(0)), key=itemgetter(0)):
        for event in counted(event for _, event in theirs):
            orders.add((customer, event.subject), event)
    return orders
