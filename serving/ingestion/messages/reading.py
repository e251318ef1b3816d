"""Segment's messages, read: https://segment.com/docs/connections/spec/ defines their fields."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from tactful.features.ids import LONGEST_ID, PLACEHOLDER_IDS, canonical_id, fault_of, folded
from tactful.features.one_line import one_line
from tactful.serving.ingestion.bodies import LARGEST_MESSAGE, size
from tactful.serving.ingestion.messages import moments
from tactful.serving.ingestion.messages.consents import Statement, beside
from tactful.serving.ingestion.statuses import MessageStatus, UnfitMessageError, fit_or

Call = Literal["track", "identify", "page", "screen", "group", "alias"]
"""What a message is."""

LONGEST_TEXT = 500
"""Longer texts, other than ids, are cut."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, its parts of the right types.

    Args:
        id: Its identity; the same when it is sent again.
        call: Its type.
        customer: Whom it is about: the user's id, or the anonymous one.
        is_user: Whether that is the id of a user, rather than an anonymous one.
        alias: Another id of the same person, or None.
        moment: When it happened, by our clock.
        clamped: Whether the moment is that of its receipt because it was a little ahead of our clock.
        name: Name of the event, page or screen; an empty string where there is none.
        properties: The properties of the event.
        traits: The traits of the customer or the group.
        group: Id of the group, or None.
        zone: IANA zone of the device it was sent from, or None.
        left_out: Why fields were left out.
        consents: Its statements of consent beside the traits of its customer.
    """

    id: str
    call: Call
    customer: str
    is_user: bool
    alias: str | None
    moment: datetime
    clamped: bool
    name: str
    properties: Mapping[str, Any]
    traits: Mapping[str, Any]
    group: str | None
    zone: str | None
    left_out: tuple[str, ...] = ()
    consents: tuple[Statement, ...] = ()


def read(
    raw: object,
    received: datetime,
    *,
    reach: timedelta,
    call: str | None = None,
    batch: Any = None,
    placeholders: Collection[str] = PLACEHOLDER_IDS,
) -> Message:
    """The message of a JSON value.

    A missing `messageId` is made from the contents: a message with a `timestamp` gets the same one when it
    is sent again; one without gets its identity from its receipt.

    Args:
        raw: The value.
        received: When it was received.
        reach: How far back an event may lie.
        call: Its type, where the path says so.
        batch: The batch it came in, whose `context` and `sentAt` hold for messages without their own.
        placeholders: Words that are no ids, as `tactful.features.ids.folded` gives them.

    Raises:
        UnfitMessageError: It is malformed, oversized, late or future-dated.
    """
    if not isinstance(raw, dict):
        raise UnfitMessageError("not a JSON object", where="the message")
    if size(raw) > LARGEST_MESSAGE:
        limit = f"at most {LARGEST_MESSAGE} bytes"
        raise UnfitMessageError("too large", fate=MessageStatus.OVERSIZED, wanted=limit, where="the message")
    around = {} if batch is None else batch
    kind = call_of(raw, call)
    left_out: list[str] = []
    customer, is_user, alias = _persons(raw, kind, placeholders, left_out)
    timestamp, sent = _times(raw, around, left_out)
    moment, clamped = moments.placed(timestamp, sent, received, reach=reach)
    context = _context(raw, around, left_out)
    return Message(
        id=fit_or(None, left_out, _message_id, raw, placeholders) or digest(raw, kind, received),
        call=kind,
        customer=customer,
        is_user=is_user,
        alias=alias,
        moment=moment,
        clamped=clamped,
        name=_name(raw, kind, left_out),
        properties=_object(raw, "properties") if kind == "track" else _fit_object(raw, "properties", left_out),
        traits=traits_of(raw, context, left_out),
        group=fit_or(None, left_out, identifier, raw, "groupId"),
        zone=fit_or("", left_out, text, context, "timezone") or None,
        left_out=tuple(left_out),
        consents=beside(raw, context, kind),
    )


def traits_of(raw: Mapping[str, Any], context: Mapping[str, Any], left_out: list[str]) -> dict[str, Any]:
    """The traits of a message, which RudderStack's clients put into its context.

    Args:
        raw: The message.
        context: Its context, with that of its batch.
        left_out: Where the reasons of unfit fields are collected.
    """
    return _fit_object(context, "traits", left_out) | _fit_object(raw, "traits", left_out)


def identifier(fields: Mapping[str, Any], name: str) -> str | None:
    """An id: text or a whole number; None where it is missing or empty.

    Raises:
        UnfitMessageError: It is something else, or too long.
    """
    value = fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > LONGEST_ID or not value.isprintable():
        raise UnfitMessageError("unfit id", wanted=f"text of at most {LONGEST_ID} printable characters", where=name)
    return value


def text(fields: Mapping[str, Any], *names: str) -> str:
    """The first of some fields that is there, as text; an empty string where none is.

    Raises:
        UnfitMessageError: It is neither text nor a number.
    """
    for name in names:
        value = fields.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise UnfitMessageError("not text", wanted="text or a number", where=name)
        return one_line(str(value))[:LONGEST_TEXT]
    return ""


def call_of(raw: Mapping[str, Any], call: str | None) -> Call:
    """The type of a message: by its path, else by its own `type`.

    Raises:
        UnfitMessageError: Neither says it.
    """
    found = call or raw.get("type")
    for known in get_args(Call):
        if found == known:
            return known  # type: ignore[no-any-return]
    raise UnfitMessageError("unknown type of message", wanted=f"one of {', '.join(get_args(Call))}", where="type")


def _persons(
    raw: Mapping[str, Any], call: Call, placeholders: Collection[str], left_out: list[str]
) -> tuple[str, bool, str | None]:
    """Whom a message is about, whether that is a user, and the other id that it says is the same person's."""
    user = person(raw, "userId", placeholders)
    if user is None:
        anonymous = person(raw, "anonymousId", placeholders)
    else:
        anonymous = fit_or(None, left_out, person, raw, "anonymousId", placeholders)
    customer = user or anonymous
    if customer is None:
        wanted = "userId or anonymousId, and no placeholder such as null"
        raise UnfitMessageError("about nobody", wanted=wanted, where="the message")
    if call == "alias":
        alias = person(raw, "previousId", placeholders)
        if alias is None or user is None:
            raise UnfitMessageError("an alias of nothing", wanted="userId and previousId", where="the message")
    else:
        alias = anonymous if call == "identify" else None
    return customer, user is not None, alias if alias != customer else None


def person(raw: Mapping[str, Any], name: str, placeholders: Collection[str]) -> str | None:
    """The id of a person; None where it is missing, empty or a placeholder.

    Raises:
        UnfitMessageError: It is no id of one customer.
    """
    value = raw.get(name)
    if value is None or value == "":
        return None
    id_ = canonical_id(value)
    if id_ is None:
        raise UnfitMessageError("unfit id", wanted="text or a whole number", where=name)
    if not id_ or folded(id_) in placeholders:
        return None
    if fault := fault_of(id_, placeholders):
        raise UnfitMessageError(f"unfit id ({fault})", wanted="an id of one customer", where=name)
    return id_


def _message_id(raw: Mapping[str, Any], placeholders: Collection[str]) -> str | None:
    """The id of a message; None where it is missing, empty or a placeholder, which all messages would share."""
    id_ = identifier(raw, "messageId")
    return None if id_ is None or folded(id_) in placeholders else id_


def _times(
    raw: Mapping[str, Any], around: Mapping[str, Any], left_out: list[str]
) -> tuple[datetime | None, datetime | None]:
    """When it happened and when it was sent, by the sender's clock.

    Raises:
        UnfitMessageError: It says when it happened, and nothing of that can be read.
    """
    stamps = [name for name in ("timestamp", "originalTimestamp") if raw.get(name)]
    if len(stamps) == 2:
        first = fit_or(None, left_out, moments.read, raw["timestamp"], "timestamp")
        timestamp = first or moments.read(raw["originalTimestamp"], "originalTimestamp")
    else:
        timestamp = moments.read(raw[stamps[0]], stamps[0]) if stamps else None
    told = raw.get("sentAt") or around.get("sentAt") or None
    return timestamp, fit_or(None, left_out, moments.sent, told, timestamp)


def _context(raw: Mapping[str, Any], around: Mapping[str, Any], left_out: list[str]) -> dict[str, Any]:
    return _fit_object(around, "context", left_out) | _fit_object(raw, "context", left_out)


def _name(raw: Mapping[str, Any], call: Call, left_out: list[str]) -> str:
    if call != "track":
        return fit_or("", left_out, text, raw, "name", "category")
    name = text(raw, "event")
    if not name:
        raise UnfitMessageError("an event without a name", wanted="text", where="event")
    return name


def _object(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnfitMessageError("not a JSON object", where=name)
    return value


def _fit_object(fields: Mapping[str, Any], name: str, left_out: list[str]) -> dict[str, Any]:
    empty: dict[str, Any] = {}
    return fit_or(empty, left_out, _object, fields, name)


def digest(raw: Mapping[str, Any], call: str, received: datetime) -> str:
    """An id made from the contents of a message, and from its receipt where it says no moment of its own."""
    told = {name: value for name, value in raw.items() if name != "sentAt"}
    when = "" if raw.get("timestamp") or raw.get("originalTimestamp") else received.isoformat()
    content = json.dumps([call, told, when], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()[:32]
