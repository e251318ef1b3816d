"""From the traits of a customer or a group to a profile."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tactful.decisions.base.calendars import zone_of
from tactful.decisions.base.errors import SnapshotError
from tactful.serving.ingestion.messages import moments
from tactful.serving.ingestion.messages.consents import TRAIT as CONSENTS
from tactful.serving.ingestion.messages.consents import consents_of, is_consent
from tactful.serving.ingestion.messages.names import key
from tactful.serving.ingestion.messages.reading import LONGEST_TEXT, Message
from tactful.serving.ingestion.rules import Rules
from tactful.serving.ingestion.statuses import fit_or
from tactful.serving.store.port import Profile

OWN = {
    "timezone": "the customer's IANA zone",
    "createdAt": "when the customer joined",
    "consents": "what may be sent: by channel, true or false, or by channel and purpose",
}
"""Traits that are no attributes."""
LARGEST_NUMBER = 2.0**63
"""No attribute is a larger number, in either direction."""
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_LONGEST_NAME = 100
_ATTRIBUTE = re.compile(rf"[a-z][a-z0-9_]{{,{_LONGEST_NAME - 1}}}")
_UNFIT_NAME = "a name that no attribute can have: wanted letters, digits and underscores; in traits"


def profile_of(message: Message, rules: Rules, left_out: list[str]) -> Profile | None:
    """The profile in a message, without the traits that are unfit; None where there is none.

    Args:
        message: The message.
        rules: The meaning of foreign names of traits.
        left_out: Where the reasons of unfit traits are collected.
    """
    traits = message.traits if message.call == "identify" else {}
    consents = consents_of(traits, rules, message.consents)
    left_out += consents.left_out
    if message.call != "identify":
        told = _group(message)
        if not told and not consents.refused and not consents.withdrawn:
            return None
        attributes = dict(_flat(told, left_out, "group_"))
        return Profile(
            message.customer, attributes=attributes, consents=consents.by_purpose, withdrawn=consents.withdrawn
        )
    attributes = {
        k: v for k, v in traits.items() if k not in OWN and k not in rules.traits and not is_consent(k, rules)
    }
    renamed = {attribute: traits[trait] for trait, attribute in rules.traits.items() if trait in traits}
    return Profile(
        message.customer,
        zone=_zone(traits, message.zone, left_out),
        joined=fit_or(None, left_out, moments.read, traits.get("createdAt"), "createdAt"),
        attributes={**dict(_flat(attributes, left_out)), **dict(_flat(renamed, left_out))},
        consents=consents.by_purpose,
        withdrawn=consents.withdrawn,
    )


def _group(message: Message) -> dict[str, Any]:
    """The traits of the customer's group."""
    if message.call != "group":
        return {}
    told = {name: value for name, value in message.traits.items() if key(name) != CONSENTS}
    return {**told, **({} if message.group is None else {"id": message.group})}


def snake(name: str) -> str:
    """A trait's name as attributes are written.

    Example:
        >>> snake("firstName"), snake("Postal Code"), snake("loyalty-tier")
        ('first_name', 'postal_code', 'loyalty_tier')
    """
    return "_".join(filter(None, _WORD.split(name))).lower()


def _flat(traits: Mapping[str, Any], left_out: list[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The attributes of traits: a trait inside another one has the outer name before its own; lists are no values.

    A name that is no attribute's is reported without the name, which may be personal.
    """
    for trait, value in traits.items():
        name = prefix + snake(trait)
        if isinstance(value, dict) and len(name) < _LONGEST_NAME:
            yield from _flat(value, left_out, f"{name}_")
        elif not _ATTRIBUTE.fullmatch(name) or isinstance(value, dict):
            left_out += [_UNFIT_NAME] if _UNFIT_NAME not in left_out else []
        elif isinstance(value, list):
            left_out.append(f"a list: wanted a text, a number, true, false or null; at {name}")
        elif isinstance(value, int | float) and not abs(value) <= LARGEST_NUMBER:
            left_out.append(f"not a number: wanted a finite one of at most {LARGEST_NUMBER:g}; at {name}")
        else:
            yield name, value[:LONGEST_TEXT] if isinstance(value, str) else value


def _zone(traits: Mapping[str, Any], device: str | None, left_out: list[str]) -> str | None:
    """The customer's own zone, else the device's where that is one: without, quiet hours fail closed."""
    own = traits.get("timezone")
    if own is not None and not _is_zone(own):
        left_out.append("unknown time zone: wanted an IANA name such as Europe/Paris; at timezone")
        own = None
    return next((str(zone) for zone in (own, device) if _is_zone(zone)), None)


def _is_zone(name: object) -> bool:
    try:
        return isinstance(name, str) and name != "" and zone_of(name) is not None
    except (SnapshotError, OSError):
        return False
