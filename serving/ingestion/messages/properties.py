"""From the properties of a message to the columns of an event."""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tactful.features.ids import PLACEHOLDER_IDS, canonical_id, folded
from tactful.features.one_line import one_line
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES, LARGEST
from tactful.serving.ingestion.messages.names import OUTCOMES, PAGE, SCREEN, Meaning, channel_of, is_bare_word
from tactful.serving.ingestion.messages.reading import LONGEST_TEXT, Message, identifier, text
from tactful.serving.ingestion.rules import Rules
from tactful.serving.ingestion.statuses import UnfitMessageError, fit_or
from tactful.serving.store.port import Outcome, StoredEvent

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""A number in text. Python's own reading takes `1_000` and digits of other scripts for numbers, too."""
_TYPES = {name: code for code, name in enumerate(EVENT_TYPES)}
_CHANNELS = {name: code for code, name in enumerate(CHANNELS)}
_PLACEHOLDERS = frozenset(map(folded, PLACEHOLDER_IDS))
_MONEY = frozenset({"purchase", "refund"})
"""Types whose amount is what they say: without it nothing is kept."""
_COUNTED = frozenset({"earned", "spent"})
"""Types whose quantity is what they say."""


def meaning_of(message: Message, rules: Rules) -> Meaning | None:
    """The event that a message reports; None for none."""
    if message.call == "track":
        return named(message.name, message.properties, rules)
    return {"page": PAGE, "screen": SCREEN}.get(message.call)


def named(name: str, properties: Mapping[str, Any], rules: Rules) -> Meaning | None:
    """The event that a track call of this name and these properties reports; None for none."""
    tied = properties.get("decision_id") not in (None, "")
    if not rules.is_own(name) and is_bare_word(name, tied=tied, channel=properties.get("channel")):
        return None
    return rules.meaning(name)


def event_of(
    message: Message, meaning: Meaning, rules: Rules, currency: str | None, left_out: list[str]
) -> StoredEvent:
    """The event that a message tells of, without the properties that are unfit.

    Args:
        message: The message.
        meaning: The meaning of its name.
        rules: The rules, with their category vocabulary.
        currency: The currency of amounts; any where None.
        left_out: Where the reasons of unfit properties are collected.

    Raises:
        UnfitMessageError: What the event is about is unfit: the amount of a purchase or a refund, the number of points,
            or the answer to a survey of known scale.
    """
    told = {"name": message.name, **message.properties} if message.call != "track" else message.properties
    none: Sequence[Mapping[str, Any]] = ()
    products = fit_or(none, left_out, _products, told)
    quantity = _quantity(told, meaning, products, left_out)
    return StoredEvent(
        time=microseconds(message.moment),
        type=_TYPES[meaning.type],
        channel=fit_or(_CHANNELS[meaning.channel], left_out, _channel, told, meaning),
        amount=_money(told, meaning, products, currency, left_out),
        discount=fit_or(0.0, left_out, _discount, told, meaning),
        quantity=quantity,
        categories=fit_or(0, left_out, _categories, told, meaning, products, rules),
        subject=_answer(quantity) if meaning.scale else fit_or("", left_out, _subject, told, meaning),
        id=message.id,
    )


def returns_order(message: Message, meaning: Meaning) -> bool:
    """Whether a message says that a whole order was returned: a refund that names the order and no amount."""
    told = message.properties
    stated = any(told.get(name) not in (None, "", []) for name in (*meaning.amount, "products", "price"))
    return meaning.type == "refund" and not stated and _order(told) != ""


def repeatable_id(message: Message, meaning: Meaning) -> str | None:
    """The id of what can happen once only: the purchase of an order, and the return of a whole order.

    A page that is loaded again sends the same order under another message id.

    Returns:
        The same for each message about it of one customer; None for everything else.
    """
    if meaning.type != "purchase" and not returns_order(message, meaning):
        return None
    order = _order(message.properties)
    digest = hashlib.blake2b(json.dumps([message.customer, order]).encode(), digest_size=12).hexdigest()
    return f"{meaning.type}-{digest}" if order else None


def _order(told: Mapping[str, Any]) -> str:
    """The id of an order, by the rule for ids; empty where none tells the order from others, such as `null`."""
    order = canonical_id(told.get("order_id")) or ""
    return "" if len(order) > LONGEST_TEXT or folded(order) in _PLACEHOLDERS else one_line(order)


def _subject(told: Mapping[str, Any], meaning: Meaning) -> str:
    return (_order(told) if meaning.type in _MONEY and meaning.subject[:1] == ("order_id",) else "") or text(
        told, *meaning.subject
    )


def outcome_of(message: Message, meaning: Meaning, left_out: list[str]) -> Outcome | None:
    """The outcome of a decision that a message reports, if it names one by a fit id."""
    if meaning.type not in OUTCOMES:
        return None
    decision = fit_or(None, left_out, identifier, message.properties, "decision_id")
    if decision is None:
        return None
    value = fit_or(None, left_out, _number, message.properties, "value", "revenue")
    return Outcome(decision, meaning.type, microseconds(message.moment), value)


def _money(
    told: Mapping[str, Any],
    meaning: Meaning,
    products: Sequence[Mapping[str, Any]],
    currency: str | None,
    left_out: list[str],
) -> float:
    """The amount in the catalogue's currency; 0 where it is unfit and the event is about something else."""
    if meaning.type in _MONEY:
        if _number(told, *meaning.amount) is None:
            _products(told)
        return _amount_in(told, meaning, products, currency)
    return fit_or(0.0, left_out, _amount_in, told, meaning, products, currency)


def _amount_in(
    told: Mapping[str, Any], meaning: Meaning, products: Sequence[Mapping[str, Any]], currency: str | None
) -> float:
    amount = _amount(told, meaning, products)
    if amount and currency and text(told, "currency").upper() not in ("", currency):
        raise UnfitMessageError("another currency", wanted=currency, where="currency")
    return amount


def _discount(told: Mapping[str, Any], meaning: Meaning) -> float:
    discount = _number(told, *meaning.discount) or 0.0
    if discount < 0:
        raise UnfitMessageError("a negative discount", wanted="a number of at least 0", where="discount")
    return discount


def _quantity(
    told: Mapping[str, Any], meaning: Meaning, products: Sequence[Mapping[str, Any]], left_out: list[str]
) -> float:
    if meaning.scale:
        return _score(told, meaning)
    if meaning.type in _COUNTED:
        return _units_in(told, meaning, products)
    return fit_or(0.0, left_out, _units_in, told, meaning, products)


def _units_in(told: Mapping[str, Any], meaning: Meaning, products: Sequence[Mapping[str, Any]]) -> float:
    quantity = _number(told, *meaning.quantity)
    if quantity is None:
        return _bounded(sum(map(_units, products)), "products")
    return abs(quantity) if meaning.type == "spent" else quantity


def _score(told: Mapping[str, Any], meaning: Meaning) -> float:
    score = _number(told, *meaning.quantity)
    if score is None or not 0 <= score <= 10:
        raise UnfitMessageError("not an answer", wanted="a number from 0 to 10", where=meaning.quantity[0])
    return score


def _answer(score: float) -> str:
    """The kind of an answer, by the usual cuts of the net promoter score (Reichheld 2003)."""
    return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"


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
    return _CHANNELS[channel_of(text(told, "channel")) or meaning.channel]


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
            is_number = not isinstance(value, bool | str) or (
                isinstance(value, str) and _NUMBER.fullmatch(value.strip())
            )
            number = float(value) if is_number else math.nan
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        return _bounded(number, name)
    return None


def _bounded(number: float, name: str) -> float:
    if not abs(number) <= LARGEST:
        raise UnfitMessageError("not a number", wanted=f"a number of at most {LARGEST:g}", where=name)
    return float(number)
