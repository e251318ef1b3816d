"""Names by which events and traits refuse contacts: one word of a refusal, channels, and words that change nothing.

A name counts only where every part of it is understood: `Email List Unsubscribed` is a refusal, and
`Unsubscribe Page Viewed` or `Cookies Opted Out` is none.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from tactful.features.vocabulary import CHANNELS
from tactful.serving.ingestion.messages.names import CHANNEL_NAMES, Meaning, channel_of, key, outcome

EVERY_CHANNEL = frozenset(CHANNELS[1:])
NO = frozenset(
    {"false", "f", "no", "n", "0", "off", "out", "none", "never", "optout", "optedout", "unsubscribe", "unsubscribed"}
    | {"refused", "denied", "declined", "rejected", "withdrawn", "revoked", "notsubscribed", "disabled"}
)
"""Words that say no, as `key` gives them."""
_BESIDE = (
    *("user", "contact", "customer", "subscriber", "member", "list", "group", "all", "everything", "global"),
    *("globally", "marketing", "promotional", "communications", "messages", "message", "link", "clicked", "received"),
    *("requested", "confirmed", "completed", "event", "has", "hs", "is", "was", "been", "from", "of", "to", "the"),
    *("and", "for", "as", "at", "on", "date", "status", "state", "value", "subscription", "preferences"),
)
_ALL = frozenset({"all", "any", "every", "everything", "allchannels"})
_WORD = "|".join(sorted({*CHANNEL_NAMES, *_BESIDE}, key=len, reverse=True))
_WORDS = re.compile(_WORD)
_LONGEST, _MOST_BESIDE, _DEEPEST = 80, 5, 4
_UNSUBSCRIBED = "unsubscribed?|unsub|opt(?:ed)?out|donotcontact|consent(?:withdrawn|revoked|refused|denied|declined)"


def _named(words: str) -> re.Pattern[str]:
    beside = f"(?:{_WORD}){{0,{_MOST_BESIDE}}}"
    return re.compile(f"({beside})({words})({beside})")


_EVENTS = (
    ("unsubscribed", _named(f"{_UNSUBSCRIBED}"), False),
    ("unsubscribed", _named("stop|donot|subscriptioncancell?ed|disabled|turnedoff"), True),
    (
        "complained",
        _named("markedasspam|markedasjunk|(?:reported|marked)(?:as)?spam|spam(?:reported|report|complaint)?"),
        False,
    ),
    ("complained", _named("complain(?:ed|t)|abuse(?:reported|report|complaint)?"), True),
)
"""The type of an event, its names, and whether they must name a channel."""
_REFUSED_IF_SET = ((_named(_UNSUBSCRIBED), False), (_named("donot"), True))
_REFUSED_IF_NO = (
    (_named("subscribed?|opt(?:ed)?in|consent(?:ed|s)?|acceptsmarketing|marketing|newsletter"), False),
    (_named("subscription|notifications?|enabled|allowed|permission|accept(?:s|ed)?"), True),
)
_ANY = re.compile(f"(?:{_WORD}){{1,{_MOST_BESIDE}}}")


@lru_cache(4096)
def refusal_of(name: str) -> Meaning | None:
    """The refusal that an event's name means; None for none.

    Example:
        >>> found = refusal_of("Email List Unsubscribed")
        >>> (found.type, found.channel) if found else None
        ('unsubscribed', 'email')
        >>> refusal_of("Unsubscribe Page Viewed"), refusal_of("Complaint")
        (None, None)
    """
    for kind, pattern, wants_channel in _EVENTS:
        channels = _channels(pattern, key(name))
        if channels is not None and (channels or not wants_channel):
            return outcome(kind, *channels) if len(channels) == 1 else outcome(kind, "")
    return None


def channels_named(properties: Mapping[str, Any]) -> frozenset[str]:
    """The channels that the properties of a refusal list, or name by a word for all of them, such as `all`.

    The one channel that the property `channel` names is the event's own, and not among them.

    Example:
        >>> sorted(channels_named({"channel": ["SMS", "fax"], "channels": "push, e-mail"}))
        ['email', 'push', 'sms']
    """
    own = properties.get("channel")
    told = [None if isinstance(own, str) and channel_of(own) else own, properties.get("channels")]
    listed = [one for some in told for one in (some if isinstance(some, list) else [some]) if isinstance(one, str)]
    names = [name for one in listed for name in one.split(",")]
    return (
        EVERY_CHANNEL if any(key(name) in _ALL for name in names) else frozenset(filter(None, map(channel_of, names)))
    )


def refused_by(traits: Mapping[str, Any], prefix: str = "", deep: int = 1) -> Iterator[tuple[str, frozenset[str]]]:
    """The traits that refuse contacts by their names and values, and the channels that each refuses.

    Example:
        >>> list(refused_by({"email_opt_in": "no", "smsOptOut": False, "preferences": {"push_enabled": 0}}))
        [('email_opt_in', frozenset({'email'})), ('preferences.push_enabled', frozenset({'push'}))]
    """
    for trait, value in traits.items():
        name = f"{prefix}{trait}"
        if isinstance(value, dict):
            if deep < _DEEPEST:
                yield from refused_by(value, f"{name}.", deep + 1)
        elif (channels := _refused(name, value)) is not None:
            yield name, channels or EVERY_CHANNEL


def _refused(name: str, value: Any) -> frozenset[str] | None:
    """The channels that a trait refuses, none of them where it names none; None where it refuses nothing."""
    if value is None or isinstance(value, list):
        return None
    is_no = key(value) in NO if isinstance(value, str) else value == 0
    set_, no, any_ = _statement(name)
    if is_no and no is not None:
        return no
    if set_ is not None and not is_no and value != "":
        return set_
    return any_ if isinstance(value, str) and re.fullmatch(_UNSUBSCRIBED, key(value[:_LONGEST])) else None


@lru_cache(4096)
def _statement(name: str) -> tuple[frozenset[str] | None, frozenset[str] | None, frozenset[str] | None]:
    """The channels that a trait refuses where it is set, where it says no, and where its value is a word of refusal."""
    word = key(name)
    found = []
    for patterns in (_REFUSED_IF_SET, _REFUSED_IF_NO):
        some = (
            channels
            for pattern, wants_channel in patterns
            if (channels := _channels(pattern, word)) is not None and (channels or not wants_channel)
        )
        found.append(next(some, None))
    plain = len(word) <= _LONGEST and _ANY.fullmatch(word)
    return found[0], found[1], _channels_in(word) if plain else None


def _channels(pattern: re.Pattern[str], word: str) -> frozenset[str] | None:
    """The channels that a name names; None where it is no such name."""
    found = pattern.fullmatch(word) if len(word) <= _LONGEST else None
    if found is None:
        return None
    what = {CHANNEL_NAMES[found[2]]} if found[2] in CHANNEL_NAMES else set()
    return frozenset(what | _channels_in(found[1]) | _channels_in(found[3]))


def _channels_in(words: str) -> frozenset[str]:
    return frozenset(CHANNEL_NAMES[one] for one in _WORDS.findall(words) if one in CHANNEL_NAMES)
