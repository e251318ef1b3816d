"""The inputs of a decision: one customer at one moment, as plain frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tactful.decisions.base.errors import SnapshotError


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the customer.

    Args:
        type: A word of the event vocabulary, such as `purchase` or `unsubscribed`.
        time: When, an aware UTC moment.
        id: Identifies the event among the customer's events.
        subject: The campaign or product that it concerns; for an outcome, the message.
        amount: Money in the catalogue's currency.
        channel: The channel it came by, or an empty string.
        programme: For an outcome, the programme of the contact it answers.
        verified: Whether somebody who may be trusted reported the amount. Conditions read any amount; the worth of a
            message takes one that is not verified for 0.
    """

    type: str
    time: datetime
    id: str = ""
    subject: str = ""
    amount: float = 0.0
    channel: str = ""
    programme: str = ""
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Contact:
    """An entry of the ledger: a contact that was made, or is reserved.

    Args:
        time: When it was or will be made, an aware UTC moment.
        channel: Its channel.
        programme: Its programme, or an empty string for a contact made outside the catalogue.
        message: Its message, or an empty string.
        tags: The tags of the message, for scopes.
        opening: Dedupe key of the opening it answered.
        counts: Whether it counts toward caps and gaps.
        id: The decision that led to it, or the sender's own id.
    """

    time: datetime
    channel: str
    programme: str = ""
    message: str = ""
    tags: tuple[str, ...] = ()
    opening: str = ""
    counts: bool = True
    id: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One customer at one moment: everything a decision may look at.

    Args:
        customer: Pseudonymous id of the customer.
        moment: The moment of the decision, an aware UTC moment.
        features: One number a feature, in the order of the feature set; NaN where unknown.
        contacts: The ledger's entries, or None where the ledger cannot be read: then nobody is contacted.
        events: The customer's events before the moment, in time order.
        attributes: Profile values by declared name.
        consents: Whether (channel, purpose) is allowed; a missing pair is a refusal.
        zone: IANA name of the customer's time zone, or None where unknown.
        joined: When the customer became known, or None.

    Raises:
        SnapshotError: If the moment has no zone, or an event lies at or after it.

    Example:
        >>> from datetime import UTC
        >>> Snapshot("c1", datetime(2026, 5, 1, tzinfo=UTC), features=(3.0,), contacts=()).customer
        'c1'
    """

    customer: str
    moment: datetime
    features: tuple[float, ...]
    contacts: tuple[Contact, ...] | None
    events: tuple[Event, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    consents: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    zone: str | None = None
    joined: datetime | None = None

    def __post_init__(self) -> None:
        if self.moment.tzinfo is None:
            raise SnapshotError(
                "a moment needs a zone", got=self.moment, wanted="an aware datetime", where=self.customer
            )
        if self.events and max(event.time for event in self.events) >= self.moment:
            raise SnapshotError(
                "an event at or after the moment of decision",
                got=max(event.time for event in self.events).isoformat(),
                wanted=f"before {self.moment.isoformat()}",
                where=f"customer {self.customer}",
            )


def event_facts(event: Event, moment: datetime) -> dict[str, Any]:
    """The facts of an event at a moment that texts and conditions may read, by name."""
    return {
        "type": event.type,
        "subject": event.subject,
        "channel": event.channel,
        "amount": event.amount,
        "age_days": (moment - event.time).total_seconds() / 86400,
    }
