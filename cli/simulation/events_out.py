"""The events of a world, as the messages that a shop's systems would send."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tactful.experiments.world.events import Told
from tactful.experiments.world.parameters import CATEGORIES
from tactful.experiments.world.trial import Ids

NAMES = {
    "contact": "Email Sent",
    "opened": "Email Opened",
    "clicked": "Email Link Clicked",
    "unsubscribed": "Unsubscribed",
    "purchase": "Order Completed",
    "cart": "Product Added",
}
"""By type of event, what Segment calls it."""


def messages(told: Iterable[Told], ids: Ids, decisions: Mapping[int, str], currency: str) -> Iterator[dict[str, Any]]:
    """Track calls about some events, in their order.

    Args:
        told: The events, of a day on which each customer was contacted once at most.
        ids: Ids of the customers, by number.
        decisions: The decision behind the contact of each customer who was contacted, by number.
        currency: Of amounts.
    """
    for part in told:
        timestamp = datetime.fromtimestamp(part.time / 1e6, UTC).isoformat()
        for i, paid, discount, detail in zip(
            part.customers.tolist(), part.amount.tolist(), part.discount.tolist(), part.detail.tolist(), strict=True
        ):
            yield {
                "type": "track",
                "messageId": f"{part.type}-{i}-{part.time}",
                "userId": ids[i],
                "event": NAMES[part.type],
                "timestamp": timestamp,
                "properties": _sale(paid, discount, detail, currency)
                if part.type == "purchase"
                else _answer(part.type, decisions.get(i)),
            }


def _sale(paid: float, discount: float, category: int, currency: str) -> dict[str, Any]:
    return {
        "total": paid,
        "discount": discount,
        "currency": currency,
        "category": CATEGORIES[category],
        "channel": "web",
    }


def _answer(type_: str, decision: str | None) -> dict[str, Any]:
    if type_ == "cart":
        return {"channel": "web"}
    return {} if decision is None else {"decision_id": decision}
