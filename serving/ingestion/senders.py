"""Senders of messages and their rights: a server may report everything, a page or an app little.

The write key of a page is in its source. Anybody who reads it can send any message with it, about anybody. So a key of
scope `track` reports behaviour, and nothing that grants, moves or forges something.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from tactful.decisions.catalogue.model import Browser
from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.ingestion.statuses import MessageStatus, UnfitMessageError
from tactful.serving.store.port import Arrival, Profile, StoredEvent

BEHAVIOUR = frozenset({"purchase", "view", "search", "cart", "checkout", "signup", "redeemed", "survey", "review"})
"""Types of events that anybody may report of a customer."""
REFUSALS = frozenset({"unsubscribed", "complained"})
"""Types of events that refuse contacts: they count from whoever they come."""
_RANDOM = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of messages.

    Args:
        key: The id of its key, or of the first that this one took the place of.
        trusted: Whether it may say everything about everybody, as a server may.
        merges: Whether it may merge users.

    Example:
        >>> Sender("0123456789abcdef", trusted=False).message_id("m1"), Sender("0123456789abcdef").message_id("m1")
        ('0123456789abcdef:m1', 'm1')
    """

    key: str = ""
    trusted: bool = True
    merges: bool = False

    def message_id(self, id_: str) -> str:
        """The id that a message is kept under: no key that is not trusted can register an id of others' messages."""
        return id_ if self.trusted else f"{self.key}:{id_}"

    def permitted(self, arrival: Arrival, call: str, believed: Browser) -> Arrival:
        """The part of an arrival that the sender may report.

        A refusal always counts. Consents that are granted, outcomes, and attributes that the catalogue does not open
        are left out. An amount is claimed, not verified, unless the catalogue believes it. An anonymous id is tied to a
        customer only where nobody can have guessed it: it is a UUID, as the clients make them.

        Args:
            arrival: The content of a message.
            call: The type of the message.
            believed: The catalogue's trust in senders that are not servers.

        Raises:
            UnfitMessageError: The sender may report none of it.
        """
        arrival = replace(arrival, merges_users=self.merges, caller=self.key)
        if self.trusted:
            return arrival
        event = StoredEvent(*arrival.event) if arrival.event else None
        kind = EVENT_TYPES[event.type] if event else ""
        if call == "alias" or (kind and kind not in BEHAVIOUR | REFUSALS):
            reason = "a message that a key of scope track may not send"
            raise UnfitMessageError(
                reason, fate=MessageStatus.FORBIDDEN, wanted="a key of scope ingest", where=kind or call
            )
        alias = arrival.alias if arrival.alias and _RANDOM.fullmatch(arrival.alias) else None
        if event and not believed.amounts:
            event = event._replace(amount=0.0, discount=0.0, claimed=event.amount)
        profile = _open(arrival.profile, believed.attributes)
        return replace(arrival, alias=alias, outcome=None, event=event, profile=profile)


NOTHING_BELIEVED = Browser()
"""What is believed where no catalogue says it."""
SERVER = Sender()
"""A sender that may say everything."""


def _open(profile: Profile | None, names: Collection[str]) -> Profile | None:
    """The part of a profile that anybody may report: attributes of some names, and consents that are refused."""
    if profile is None:
        return None
    return Profile(
        profile.customer,
        zone=profile.zone if "timezone" in names else None,
        attributes={name: value for name, value in profile.attributes.items() if name in names},
        consents={consent: allowed for consent, allowed in profile.consents.items() if not allowed},
        withdrawn=profile.withdrawn,
    )
