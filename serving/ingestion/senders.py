"""Who sends messages, and what they may say: a server everything, a page or an app only what a stranger may claim.

The write key of a page is in its source. Whoever reads it can send any message with it, about anybody. So a key of
scope `track` reports behaviour, and nothing that grants, moves or forges something.
"""

import re
from dataclasses import dataclass, replace

from features.vocabulary import EVENT_TYPES
from serving.ingestion.fates import MessageFate, UnfitMessageError
from serving.store.port import Arrival, Profile, StoredEvent

BEHAVIOUR = frozenset({"purchase", "view", "search", "cart", "checkout", "signup", "redeemed", "survey", "review"})
"""Types of events that anybody may report of a customer."""
REFUSALS = frozenset({"unsubscribed", "complained"})
"""Types of events that refuse contacts: they count from whoever they come."""
_RANDOM = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of messages.

    Args:
        key: The id of its key.
        trusted: Whether it may say everything about everybody, as a server may.

    Example:
        >>> Sender("0123456789abcdef", trusted=False).message_id("m1"), Sender("0123456789abcdef").message_id("m1")
        ('0123456789abcdef:m1', 'm1')
    """

    key: str = ""
    trusted: bool = True

    def message_id(self, id_: str) -> str:
        """The id that a message is kept under: no key that is not trusted can register an id of others' messages."""
        return id_ if self.trusted else f"{self.key}:{id_}"

    def permitted(self, arrival: Arrival, call: str) -> Arrival:
        """The part of an arrival that the sender may report.

        A refusal always counts. Consents that are granted, attributes and outcomes are left out. An anonymous id is
        tied to a customer only where nobody can have guessed it: it is a UUID, as the clients make them.

        Args:
            arrival: What a message says.
            call: The type of the message.

        Raises:
            UnfitMessageError: The sender may report none of it.
        """
        if self.trusted:
            return arrival
        kind = EVENT_TYPES[StoredEvent(*arrival.event).type] if arrival.event else ""
        if call == "alias" or (kind and kind not in BEHAVIOUR | REFUSALS):
            reason = "a message that a key of scope track may not send"
            raise UnfitMessageError(
                reason, fate=MessageFate.FORBIDDEN, wanted="a key of scope ingest", where=kind or call
            )
        alias = arrival.alias if arrival.alias and _RANDOM.fullmatch(arrival.alias) else None
        return replace(arrival, alias=alias, outcome=None, profile=_open(arrival.profile))


SERVER = Sender()
"""A sender that may say everything."""


def _open(profile: Profile | None) -> Profile | None:
    """The part of a profile that anybody may report."""
    if profile is None:
        return None
    refused = {consent: allowed for consent, allowed in profile.consents.items() if not allowed}
    return Profile(profile.customer, consents=refused)
