"""The refusal in a message that is unfit otherwise: it takes effect at once, whatever else is wrong."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, get_args

from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.serving.ingestion.messages.consents import beside, consents_of
from tactful.serving.ingestion.messages.moments import INSTANT
from tactful.serving.ingestion.messages.names import channel_of, key
from tactful.serving.ingestion.messages.properties import named
from tactful.serving.ingestion.messages.reading import Call, digest, identifier, person, text, traits_of
from tactful.serving.ingestion.messages.refusal_names import channels_named
from tactful.serving.ingestion.rules import Rules
from tactful.serving.ingestion.senders import NOTHING_BELIEVED, REFUSALS, SERVER, Sender
from tactful.serving.ingestion.statuses import UnfitMessageError
from tactful.serving.store.port import Arrival, Outcome, Profile, StoredEvent


def refusal_in(
    raw: object,
    received: datetime,
    rules: Rules,
    *,
    call: str | None = None,
    batch: Mapping[str, Any] | None = None,
    sender: Sender = SERVER,
) -> Arrival | None:
    """The refusal in an unfit message, as of its receipt; None where there is none, or nobody can be recognised.

    Args:
        raw: The message as a JSON value.
        received: When it was received.
        rules: The meanings of foreign names.
        call: Its type, where the path says it.
        batch: The batch it came in.
        sender: The sender.
    """
    if not isinstance(raw, dict):
        return None
    people = (_tried(person, raw, name, rules.placeholders) for name in ("userId", "anonymousId"))
    customer = next(filter(None, people), None)
    if customer is None:
        return None
    kind = _kind(raw, call)
    own = _tried(identifier, raw, "messageId") or _content(raw, kind, received)
    id_ = f"refusal:{hashlib.sha256(sender.message_id(own).encode()).hexdigest()[:32]}"
    bare = Arrival(id_, customer, time=microseconds(received - INSTANT))
    profile = _profile(raw, rules, bare.customer, kind, batch or {})
    event = _event(raw, rules, bare) if kind == "track" else None
    if event is None and profile is None:
        return None
    channels = channels_named(_properties(raw)) if event else frozenset()
    if channels:
        profile = profile or Profile(bare.customer)
        profile = replace(profile, withdrawn=profile.withdrawn | channels)
    return sender.permitted(replace(event or bare, profile=profile), "identify", NOTHING_BELIEVED)


def _kind(raw: Mapping[str, Any], call: str | None) -> str:
    """A message of unknown type is an event where it names one, and else concerns a customer."""
    found = call or raw.get("type")
    kind = key(found) if isinstance(found, str) else ""
    return kind if kind in get_args(Call) else "track" if "event" in raw else "identify"


def _event(raw: Mapping[str, Any], rules: Rules, bare: Arrival) -> Arrival | None:
    """The event of a refusal, without what is said of it besides its channel and its decision."""
    properties = _properties(raw)
    name = raw.get("event")
    meaning = named(name, properties, rules) if isinstance(name, str) else None
    if meaning is None or meaning.type not in REFUSALS:
        return None
    moment = bare.time or 0
    channel = channel_of(_tried(text, properties, "channel") or "") or meaning.channel
    event = StoredEvent(moment, EVENT_TYPES.index(meaning.type), CHANNELS.index(channel), 0.0, 0.0, 0.0, 0, "", bare.id)
    decision = _tried(identifier, properties, "decision_id")
    return replace(bare, event=event, outcome=Outcome(decision, meaning.type, moment) if decision else None)


def _properties(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = raw.get("properties")
    return properties if isinstance(properties, dict) else {}


def _profile(
    raw: Mapping[str, Any], rules: Rules, customer: str, kind: str, batch: Mapping[str, Any]
) -> Profile | None:
    """The refusals that a message states beside its event; None for none."""
    contexts = (one.get("context") for one in (batch, raw))
    context = {name: value for one in contexts if isinstance(one, dict) for name, value in one.items()}
    traits = traits_of(raw, context, []) if kind == "identify" else {}
    found = consents_of(traits, rules, beside(raw, context, kind))
    if not found.refused and not found.withdrawn:
        return None
    refused = dict.fromkeys(sorted(found.refused), False)
    return Profile(customer, consents=refused, withdrawn=found.withdrawn)


def _content(raw: Mapping[str, Any], call: str, received: datetime) -> str:
    try:
        return digest(raw, call, received)
    except RecursionError:
        return received.isoformat()


def _tried(read: Callable[..., str | None], *given: Any) -> str | None:
    try:
        return read(*given)
    except UnfitMessageError:
        return None
