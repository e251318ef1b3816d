"""Consents and refusals in the traits of a customer.

A consent is given by exactly `true`, for a channel by its exact name. Whatever else is written in its place is a
refusal, unless it looks like an attempt to say yes: that changes nothing and is reported. A refusal for a channel that
cannot be recognised is a refusal for every channel to which the same message does not consent.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tactful.features.vocabulary import CHANNELS
from tactful.serving.ingestion.messages.names import channel_of, key
from tactful.serving.ingestion.messages.refusal_names import EVERY_CHANNEL, refused_by
from tactful.serving.ingestion.rules import Rules
from tactful.serving.store.port import Consent

PURPOSE = "marketing"
"""What a consent is for that names no purpose."""
TRAIT = "consents"
LONGEST_PURPOSE = 100
_YES = frozenset(
    {"true", "t", "yes", "y", "1", "on", "in", "optin", "optedin", "granted", "allowed", "accepted", "subscribed"}
)
"""Words that try to say yes, as `key` gives them."""


@dataclass(frozen=True, slots=True)
class Consents:
    """The consents and refusals of a customer's traits.

    Args:
        granted: Channels and purposes that are allowed.
        refused: Channels and purposes that are refused.
        withdrawn: Channels that are refused for every purpose.
        left_out: Why parts of it change nothing, or more than they name.
    """

    granted: frozenset[Consent] = frozenset()
    refused: frozenset[Consent] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()

    @property
    def by_purpose(self) -> dict[Consent, bool]:
        """Whether each channel and purpose is allowed."""
        return {**dict.fromkeys(sorted(self.granted), True), **dict.fromkeys(sorted(self.refused), False)}


@dataclass(frozen=True, slots=True)
class Statement:
    """The value of `consents` somewhere in a message, and whether a consent counts there: a refusal always does."""

    value: Any
    may_grant: bool


@dataclass(slots=True)
class _Found:
    granted: set[Consent] = field(default_factory=set)
    refused: set[Consent] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    left_out: dict[str, None] = field(default_factory=dict)
    unrecognised: bool = False

    def add_all(self, value: Any, *, may_grant: bool = True) -> None:
        """All that `consents` says."""
        if isinstance(value, dict):
            for name, purpose, allowed in _by_purpose(value):
                self.add(name, purpose, allowed, may_grant=may_grant)
        elif value is True or _is_yes(value):
            self.leave_out("not consents", "true or false by channel")
        else:
            self.withdrawn |= EVERY_CHANNEL

    def add(self, name: str, purpose: str, value: Any, *, may_grant: bool = True) -> None:
        """One statement about a channel and a purpose."""
        if not may_grant and (value is True or _is_yes(value)):
            self.leave_out("a consent in another place", "it among the traits of identify")
        elif value is True or _is_yes(value):
            self._grant(name, purpose, exact=value is True)
        else:
            self._refuse(name, purpose)

    def leave_out(self, what: str, wanted: str) -> None:
        self.left_out[f"{what}: wanted {wanted}; at {TRAIT}"] = None

    def _grant(self, name: str, purpose: str, *, exact: bool) -> None:
        if not exact or name not in EVERY_CHANNEL:
            self.leave_out("not a consent", f"true or false for one of {', '.join(CHANNELS[1:])}")
        elif not _is_purpose(purpose):
            self.leave_out("not a purpose", f"at most {LONGEST_PURPOSE} printable characters")
        else:
            self.granted.add((name, purpose))

    def _refuse(self, name: str, purpose: str) -> None:
        channel = name if name in EVERY_CHANNEL else channel_of(name)
        if not channel:
            self.unrecognised = True
            self.leave_out("a refusal for an unknown channel: every channel is refused", ", ".join(CHANNELS[1:]))
        elif not _is_purpose(purpose):
            self.withdrawn.add(channel)
            self.leave_out(
                "a refusal for an unfit purpose: every purpose is refused",
                f"at most {LONGEST_PURPOSE} printable characters",
            )
        else:
            self.refused |= {(channel, purpose), (channel, purpose.strip().casefold())}

    def consents(self) -> Consents:
        """All of them: a refusal goes before a consent in the same message."""
        granted = {one for one in self.granted - self.refused if one[0] not in self.withdrawn}
        others = EVERY_CHANNEL - {channel for channel, _ in granted} if self.unrecognised else frozenset()
        return Consents(
            frozenset(granted), frozenset(self.refused), frozenset(self.withdrawn | others), tuple(self.left_out)
        )


def consents_of(traits: Mapping[str, Any], rules: Rules, beside: Iterable[Statement] = ()) -> Consents:
    """The consents and refusals of a message, whatever is wrong with the rest of it; it raises nothing.

    Args:
        traits: The traits of its customer.
        rules: Which traits are consents besides `consents`, and which are attributes whatever their names mean.
        beside: Its statements of consent in other places, as `beside` gives them.

    Example:
        >>> found = consents_of({"consents": {"email": False, "sms": True, "Push": "no", "web": "yes"}}, Rules())
        >>> sorted(found.granted), sorted(found.refused)
        ([('sms', 'marketing')], [('email', 'marketing'), ('push', 'marketing')])
        >>> len(found.left_out)
        1
    """
    found = _Found()
    others = {trait: value for trait, value in traits.items() if trait not in rules.traits}
    for trait, value in traits.items():
        if place := rules.consent(trait):
            channel, _, purpose = place.partition(".")
            found.add(channel, purpose or PURPOSE, value if trait in rules.consents or value is not True else "yes")
        elif key(trait) == TRAIT:
            found.add_all(value)
        else:
            continue
        others.pop(trait, None)
    for statement in beside:
        found.add_all(statement.value, may_grant=statement.may_grant)
    for trait, channels in refused_by(others):
        found.withdrawn |= channels
        found.leave_out(f"{trait} is taken for a refusal", "consents, or the trait among the traits of tracking.yaml")
    return found.consents()


def beside(raw: Mapping[str, Any], context: Mapping[str, Any], call: str) -> tuple[Statement, ...]:
    """A message's statements of consent in other places than the traits of its customer.

    Args:
        raw: The message.
        context: Its context, with that of its batch.
        call: Its type.
    """
    places = [(raw, False), (context, False), (raw.get("properties"), False)]
    places.append((context.get("traits"), True) if call == "identify" else (raw.get("traits"), False))
    return tuple(
        Statement(value, may_grant)
        for place, may_grant in places
        if isinstance(place, dict)
        for name, value in place.items()
        if key(name) == TRAIT
    )


def is_consent(trait: str, rules: Rules) -> bool:
    """Whether a trait is about consents, however its name is written."""
    return key(trait) == TRAIT or rules.consent(trait) is not None


def _by_purpose(given: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for name, allowed in given.items():
        purposes = allowed if isinstance(allowed, dict) else {PURPOSE: allowed}
        yield from ((name, purpose, value) for purpose, value in purposes.items())


def _is_yes(value: Any) -> bool:
    return key(value) in _YES if isinstance(value, str) else isinstance(value, int | float) and value == 1


def _is_purpose(name: str) -> bool:
    return 0 < len(name) <= LONGEST_PURPOSE and name.isprintable()
