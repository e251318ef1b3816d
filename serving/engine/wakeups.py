"""Events that are answered unasked: which of them a catalogue's triggers listen to, and when to decide upon one."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.catalogue.triggers import AbsenceTrigger, EventTrigger
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.store.port import StoredEvent, from_micros

_INSTANT = timedelta(microseconds=1)
_LATEST = 253_402_300_800_000_000
"""The year 10000, in microseconds: no moment of ours is that late."""


@dataclass(frozen=True, slots=True)
class ScheduledDecision:
    """An event to decide upon.

    Args:
        customer: The customer.
        event: Its id.
        moments: When to decide, in microseconds, soonest first.
    """

    customer: str
    event: str
    moments: tuple[int, ...]

    @property
    def decision(self) -> str:
        """Id of the decision at the first of the moments."""
        return decision_id(self.event, self.moments[0])

    @property
    def due(self) -> datetime:
        """The first of the moments."""
        return from_micros(self.moments[0])

    @property
    def rest(self) -> "ScheduledDecision | None":
        """The rest of it once the first of the moments is over."""
        return ScheduledDecision(self.customer, self.event, self.moments[1:]) if len(self.moments) > 1 else None

    def as_bytes(self) -> bytes:
        """The scheduled decision as an outbox record holds it."""
        return json.dumps([self.customer, self.event, *self.moments]).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> "ScheduledDecision":
        """The inverse of `as_bytes`.

        Raises:
            ValueError: It is no wake.
        """
        fields = json.loads(body)
        if not isinstance(fields, list) or len(fields) < 3:
            raise ValueError("not a customer, an event and moments")
        customer, event, *moments = fields
        if not isinstance(customer, str) or not isinstance(event, str) or not all(map(_is_moment, moments)):
            raise ValueError("not a customer, an event and moments")
        return cls(customer, event, tuple(moments))


def _is_moment(value: object) -> bool:
    return type(value) is int and 0 <= value < _LATEST


class TriggerIndex:
    """Which events a catalogue's triggers listen to.

    An event trigger opens its programme after its delay, an absence trigger once the time to answer is over; steps of a
    journey wait for contacts and are not opened by events alone.

    Args:
        catalogue: The catalogue.
        at_once: Whether triggers that wait for nothing are among them.
    """

    def __init__(self, catalogue: Catalogue, *, at_once: bool = True) -> None:
        self._catalogue = catalogue
        spans: dict[int, set[tuple[timedelta, timedelta]]] = defaultdict(set)
        for programme in catalogue.programmes:
            trigger = programme.trigger
            if trigger.after is None and isinstance(trigger, EventTrigger | AbsenceTrigger):
                wait = trigger.delay if isinstance(trigger, EventTrigger) else trigger.within
                if wait or at_once:
                    spans[EVENT_TYPES.index(trigger.type)].add((wait, trigger.expiry))
        self._spans: Mapping[int, set[tuple[timedelta, timedelta]]] = spans

    def waiting(self) -> "TriggerIndex":
        """Without the triggers that wait for nothing."""
        return TriggerIndex(self._catalogue, at_once=False)

    def wake(self, customer: str, event: StoredEvent, received: datetime) -> bytes | None:
        """The outbox record of an event; None where no trigger listens, or what it opened is over already."""
        now = microseconds(received)
        moments = {
            max(event.time + wait // _INSTANT, now)
            for wait, expiry in self._spans.get(event.type, ())
            if event.time + (wait + expiry) // _INSTANT > now
        }
        return ScheduledDecision(customer, event.id, tuple(sorted(moments))).as_bytes() if moments else None


def decision_id(message: str, moment: int | None = None) -> str:
    """The id of the decision that answers a message, the same whenever it is derived.

    Args:
        message: The message's id.
        moment: Of the deciding, where one message is answered more than once.

    Example:
        >>> decision_id("m1") == decision_id("m1"), decision_id("m1") == decision_id("m1", 0)
        (True, False)
    """
    named = f"{message}\0{'' if moment is None else moment}"
    return f"e-{hashlib.sha256(named.encode()).hexdigest()[:30]}"
