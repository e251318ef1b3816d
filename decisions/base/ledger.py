"""Scopes, and one customer's ledger as contact policies look at it."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from tactful.decisions.base.snapshot import Contact, Event
from tactful.decisions.base.values import Names, Value

_TIME = attrgetter("time")
Grouping = Literal["channel", "programme", "message"]


class Scope(Value):
    """Which contacts and actions a policy is about; an empty field means all.

    Args:
        channel: The channels.
        programme: The programmes, by id.
        message: The messages, by id.
        tag: The tags of messages; one that matches is enough.

    Example:
        >>> Scope(channel="email").covers("email", "welcome", "hello", ())
        True
    """

    channel: Names = ()
    programme: Names = ()
    message: Names = ()
    tag: Names = ()

    def covers(self, channel: str, programme: str, message: str, tags: Sequence[str]) -> bool:
        """Whether a contact or an action of these traits is in scope."""
        return (
            (not self.channel or channel in self.channel)
            and (not self.programme or programme in self.programme)
            and (not self.message or message in self.message)
            and (not self.tag or not set(self.tag).isdisjoint(tags))
        )

    def narrowed(self, grouping: Grouping, name: str) -> "Scope":
        """The part of this scope with one channel, programme or message."""
        return self.model_copy(update={grouping: (name,)})


EVERYTHING = Scope()


class Addressed(Protocol):
    """The part of an action that a scope compares."""

    @property
    def channel(self) -> str: ...  # noqa: D102
    @property
    def programme(self) -> str: ...  # noqa: D102
    @property
    def message(self) -> str: ...  # noqa: D102
    @property
    def tags(self) -> tuple[str, ...]: ...  # noqa: D102


class Ledger:
    """The inputs of a policy: one customer's contacts and events around a moment, and the local clock.

    Args:
        moment: The moment of the decision, UTC.
        contacts: The customer's contacts, in any order.
        events: The customer's events, in any order.
        zone: The customer's zone, the catalogue's where that is unknown, or None.
    """

    __slots__ = ("_by_type", "_counted", "contacts", "events", "local", "moment", "zone")

    def __init__(
        self, moment: datetime, contacts: Sequence[Contact], events: Sequence[Event], zone: ZoneInfo | None
    ) -> None:
        self.moment = moment
        self.contacts = sorted(contacts, key=_TIME)
        self.events = events
        self.zone = zone
        self.local = moment.astimezone(zone) if zone else None
        self._counted = [contact for contact in self.contacts if contact.counts]
        self._by_type: dict[str, list[Event]] = {}
        for event in events:
            self._by_type.setdefault(event.type, []).append(event)

    def times(self, scope: Scope, *, since: datetime | None = None, uncounted: bool = False) -> list[datetime]:
        """When the contacts in scope were or will be made, in order.

        Args:
            scope: The scope.
            since: Leave out those before this moment.
            uncounted: With those that count toward no cap or gap.
        """
        contacts = self.contacts if uncounted else self._counted
        first = 0 if since is None else bisect_left(contacts, since, key=_TIME)
        return [
            contact.time
            for contact in contacts[first:]
            if scope.covers(contact.channel, contact.programme, contact.message, contact.tags)
        ]

    def events_of(self, types: Collection[str]) -> Sequence[Event]:
        """The events of some types, in the order they were given in."""
        present = [type_ for type_ in types if type_ in self._by_type]
        if not present:
            return ()
        if len(present) == 1:
            return self._by_type[present[0]]
        return [event for event in self.events if event.type in types]
