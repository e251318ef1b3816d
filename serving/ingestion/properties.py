"""From the properties of a message to the columns of an event."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from features.vocabulary import CHANNELS, EVENT_TYPES, LARGEST
from features.zones import microseconds
from serving.ingestion.fates import UnfitMessageError
from serving.ingestion.messages import Message, identifier, text
from serving.ingestion.names import OUTCOMES, PAGE, SCREEN, Meaning
from serving.ingestion.rules import Rules
from serving.store.port import Outcome, StoredEvent

_TYPES = {name: code for code, name in enumerate(EVENT_TYPES)}
_CHANNELS = {name: code for code, name in enumerate(CHANNELS)}


def meaning_of(message: Message, rules: Rules) -> Meaning | None:
    """What a message says happened; None for nothing."""
    if message.call == "track":
        return rules.meaning(message.name)
    return {"page": PAGE, "screen": SCREEN}.get(message.call)


def event_of(message: Message, meaning: Meaning, rules: Rules, currency: str | None) -> StoredEvent:
    """The event that a message tells of.

    Args:
        message: The message.
        meaning: What it means.
        rules: Whose category vocabulary holds.
        currency: The currency of amounts; any where None.

    Raises:
        UnfitMessageError: A property is of the wrong type, out of range or in another currency.
    """
    told = {"name": message.name, **message.properties} if message.call != "track" else message.properties
    products = _products(told)
    amount = _amount(told, meaning, products)
    if amount and currency and text(told, "currency").upper() not in ("", currency):
        raise UnfitMessageError("another currency", wanted=currency, where="currency")
    quantity = _number(told, *meaning.quantity)
    discount = _number(told, *meaning.discount) or 0.0
    if discount < 0:
        raise UnfitMessageError("a negative discount", wanted="a number of at least 0", where="discount")
    return StoredEvent(
        time=microseconds(message.moment),
        type=_TYPES[meaning.type],
        channel=_channel(told, meaning),
        amount=amount,
        discount=discount,
        quantity=_bounded(sum(map(_units, products)), "products") if quantity is None else quantity,
        categories=_categories(told, meaning, products, rules),
        subject=text(told, *meaning.subject),
        id=message.id,
    )


def outcome_of(message: Message, meaning: Meaning) -> Outcome | None:
    """What a message says became of a decision, if it names one.

    Raises:
        UnfitMessageError: The decision's id or the value is of the wrong type.
    """
    decision = identifier(message.properties, "decision_id")
    if decision is None or meaning.type not in OUTCOMES:
        return None
    return Outcome(
        decision, meaning.type, microseconds(message.moment), _number(message.properties, "value", "revenue")
    )


def _amount(told: Mapping[str, Any], meaning: Meaning, products: Sequence[Mapping[str, Any]]) -> float:
    """Currency received: a purchase's at least 0, a refund's at most 0, however its sender wrote it."""
    found = _number(told, *meaning.amount)
    if found is None:
        prices = ((_number(product, "price") or 0.0) * _units(product) for product in products or [told])
        found = _bounded(sum(prices), "products")
    if meaning.type == "refund":
        return -abs(found)
    if meaning.type == "purchase" and found < 0:
        raise UnfitMessageError("a purchase of less than nothing", wanted="an amount of at least 0", where="properties")
    return found


def _units(product: Mapping[str, Any]) -> float:
    quantity = _number(product, "quantity")
    return 1.0 if quantity is None else quantity


def _products(told: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    products = told.get("products") or ()
    if not isinstance(products, list | tuple) or not all(isinstance(product, dict) for product in products):
        raise UnfitMessageError("not a list of products", wanted="a list of JSON objects", where="products")
    return products


def _channel(told: Mapping[str, Any], meaning: Meaning) -> int:
    """A property of another vocabulary, such as Segment's `server`, does not name a channel."""
    return _CHANNELS.get(text(told, "channel") or meaning.channel, _CHANNELS[meaning.channel])


def _categories(told: Mapping[str, Any], meaning: Meaning, products: Sequence[Mapping[str, Any]], rules: Rules) -> int:
    """The bit set of the categories in the vocabulary, as the signed number a database holds."""
    if not rules.categories:
        return 0
    bits = rules.category(text(told, *meaning.category))
    for product in products:
        bits |= rules.category(text(product, "category"))
    return bits - 2**64 if bits >= 2**63 else bits


def _number(fields: Mapping[str, Any], *names: str) -> float | None:
    """The first of some fields that is there, as a number; numbers in text are read too."""
    for name in names:
        value = fields.get(name)
        if value is None or value == "":
            continue
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        return _bounded(number, name)
    return None


def _bounded(number: float, name: str) -> float:
    if not abs(number) <= LARGEST:
        raise UnfitMessageError("not a number", wanted=f"a number of at most {LARGEST:g}", where=name)
    return float(number)
