"""From the traits of a customer or a group to a profile."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from decisions.calendars import zone_of
from decisions.errors import SnapshotError
from features.vocabulary import CHANNELS
from serving.ingestion import moments
from serving.ingestion.fates import UnfitMessageError
from serving.ingestion.messages import LONGEST_TEXT, Message
from serving.ingestion.rules import Rules
from serving.store.port import Consent, Profile

PURPOSE = "marketing"
"""What a consent is for that names no purpose."""
OWN = {
    "timezone": "the customer's IANA zone",
    "createdAt": "when the customer joined",
    "consents": "what may be sent: by channel, true or false, or by channel and purpose",
}
"""Traits that are no attributes."""
_DATES = ("birthday", "birthdate", "date_of_birth")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_LONGEST_NAME = 100
_ATTRIBUTE = re.compile(rf"[a-z][a-z0-9_]{{,{_LONGEST_NAME - 1}}}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def profile_of(message: Message, rules: Rules) -> Profile | None:
    """What a message says of its customer; None where it says nothing.

    Raises:
        UnfitMessageError: A zone, a moment or a consent is of the wrong type or unknown.
    """
    if message.call == "group":
        told = {**message.traits, **({} if message.group is None else {"id": message.group})}
        return Profile(message.customer, attributes=dict(_flat(told, "group_"))) if told else None
    if message.call != "identify":
        return None
    traits = message.traits
    consents = dict(_consents(traits, rules))
    attributes = {k: v for k, v in traits.items() if k not in OWN and k not in rules.consents and k not in rules.traits}
    renamed = {attribute: traits[trait] for trait, attribute in rules.traits.items() if trait in traits}
    return Profile(
        message.customer,
        zone=_zone(traits, message.zone),
        joined=_joined(traits),
        attributes={**dict(_flat(attributes)), **dict(_flat(renamed))},
        consents=consents,
    )


def snake(name: str) -> str:
    """A trait's name as attributes are written.

    Example:
        >>> snake("firstName"), snake("Postal Code"), snake("loyalty-tier")
        ('first_name', 'postal_code', 'loyalty_tier')
    """
    return "_".join(filter(None, _WORD.split(name))).lower()


def _flat(traits: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The attributes of traits: what stands inside another trait bears its name before its own; lists are no values."""
    for trait, value in traits.items():
        name = prefix + snake(trait)
        if isinstance(value, dict) and len(name) < _LONGEST_NAME:
            yield from _flat(value, f"{name}_")
        elif _ATTRIBUTE.fullmatch(name) and not isinstance(value, list | dict):
            yield name, _value(name, value)


def _value(name: str, value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise UnfitMessageError("not a number", wanted="a finite one", where=name)
    if not isinstance(value, str):
        return value
    return value[:10] if name in _DATES and _DAY.match(value) else value[:LONGEST_TEXT]


def _zone(traits: Mapping[str, Any], device: str | None) -> str | None:
    """The customer's own zone, else the device's where that is one: without, quiet hours fail closed."""
    if (own := traits.get("timezone")) is not None:
        if not _is_zone(own):
            raise UnfitMessageError("unknown time zone", wanted="an IANA name such as Europe/Paris", where="timezone")
        return str(own)
    return device if _is_zone(device) else None


def _is_zone(name: object) -> bool:
    try:
        return isinstance(name, str) and name != "" and zone_of(name) is not None
    except (SnapshotError, OSError):
        return False


def _joined(traits: Mapping[str, Any]) -> datetime | None:
    return moments.read(traits.get("createdAt"), "createdAt")


def _consents(traits: Mapping[str, Any], rules: Rules) -> Iterator[tuple[Consent, bool]]:
    given = traits.get("consents") or {}
    if not isinstance(given, dict):
        raise UnfitMessageError("not consents", wanted="true or false by channel", where="consents")
    for channel, allowed in given.items():
        by_purpose = allowed if isinstance(allowed, dict) else {PURPOSE: allowed}
        for purpose, value in by_purpose.items():
            yield (channel, _purpose(purpose)), _allowed(channel, value)
    for trait, place in rules.consents.items():
        if trait in traits:
            channel, _, purpose = place.partition(".")
            yield (channel, purpose or PURPOSE), _allowed(channel, traits[trait])


def _purpose(name: str) -> str:
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        wanted = f"at most {_LONGEST_NAME} printable characters"
        raise UnfitMessageError("not a purpose", wanted=wanted, where="consents")
    return name


def _allowed(channel: str, value: Any) -> bool:
    if channel not in CHANNELS[1:] or not isinstance(value, bool):
        raise UnfitMessageError(
            "not a consent", wanted=f"true or false for one of {', '.join(CHANNELS[1:])}", where="consents"
        )
    return value
