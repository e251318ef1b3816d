"""Orders and points that clients report in other ways than once and in full."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tactful.features.events.history import history
from tactful.features.events.schema import validate
from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.engine.records.export import export_events
from tactful.serving.engine.service import DecisionService
from tactful.serving.ingestion.intake import Intake
from tactful.serving.ingestion.rules import Rules
from tactful.serving.ingestion.statuses import MessageStatus
from tactful.serving.store.port import StoredEvent
from tests.serving.shop import NOW


class Client:
    """Sends track calls of one customer, each with an id of its own, and reads what is kept."""

    def __init__(self, service: DecisionService) -> None:
        self.service = service
        self.intake = Intake(service.store, service.tenant, Rules())
        self.sent = 0

    def track(self, name: str, customer: str = "c1", **properties: Any) -> MessageStatus:
        return self.batch((name, properties), customer=customer)[0]

    def batch(self, *calls: tuple[str, dict[str, Any]], customer: str = "c1") -> list[MessageStatus]:
        self.sent += len(calls)
        raw = [
            {
                "type": "track", "messageId": f"m{self.sent}-{place}", "userId": customer, "event": name,
                "timestamp": (NOW - timedelta(hours=1) + timedelta(seconds=self.sent)).isoformat(),
                "properties": properties,
            }
            for place, (name, properties) in enumerate(calls)
        ]  # fmt: skip
        return [told.fate for told in self.intake.ingest(raw, NOW)]

    def kept(self, customer: str = "c1") -> list[StoredEvent]:
        return [event for who, event in self.service.store.events(self.service.tenant) if who == customer]

    def revenue(self, customer: str = "c1") -> float:
        return sum(event.amount for event in self.kept(customer))


@pytest.fixture
def client(service: DecisionService) -> Client:
    return Client(service)


def test_an_order_that_is_sent_again_under_another_message_id_is_one_purchase(client: Client) -> None:
    fates = [client.track("Order Completed", order_id="o1", revenue=80) for _ in range(3)]
    assert fates == [MessageStatus.KEPT, MessageStatus.DUPLICATE, MessageStatus.DUPLICATE]
    assert client.batch(*[("Order Completed", {"order_id": 7, "revenue": 5})] * 2)[1] is MessageStatus.DUPLICATE
    assert client.revenue() == 85.0


def test_orders_without_an_id_and_of_other_customers_are_purchases_of_their_own(client: Client) -> None:
    client.track("Order Completed", revenue=80)
    client.track("Order Completed", revenue=80)
    client.track("Order Completed", order_id="o1", revenue=80)
    client.track("Order Completed", "c2", order_id="o1", revenue=80)
    assert (client.revenue(), client.revenue("c2")) == (240.0, 80.0)


def keep(client: Client, **message: Any) -> None:
    client.sent += 1
    sent = {"messageId": f"m{client.sent}", "timestamp": (NOW - timedelta(hours=2)).isoformat(), **message}
    assert [told.fate for told in client.intake.ingest([sent], NOW)] == [MessageStatus.KEPT]


@pytest.mark.parametrize("tied_first", [True, False])
def test_an_order_sent_before_and_after_its_customer_is_known_is_one_purchase(
    client: Client, tied_first: bool, tmp_path: Path
) -> None:
    order = {"order_id": "o1", "revenue": 80}
    store, tenant, device = client.service.store, client.service.tenant, "0b6d7e9c-8a1f-4c55-9a51-3f0f7b3f9f10"
    keep(client, type="track", event="Order Completed", anonymousId=device, properties=order)
    if tied_first:
        keep(client, type="identify", userId="c1", anonymousId=device)
    client.track("Order Completed", **order)
    if not tied_first:
        keep(client, type="identify", userId="c1", anonymousId=device)
    assert (client.revenue(), client.revenue(device)) == (80.0, 0.0)
    (known,) = store.customers(tenant, [("c1", NOW)])
    assert known is not None
    assert sum(StoredEvent(*event).amount for event in known.events) == 80.0
    exported = export_events(store, tenant, tmp_path / "events")
    names = [exported.table(bucket, ["customer_id"])["customer_id"].to_pylist() for bucket in range(exported.buckets)]
    assert sum(part.count("c1") for part in names) == 1
    client.track("Order Refunded", order_id="o1")
    assert client.revenue() == 0.0
    store.unmerge(tenant, device, NOW)
    assert client.revenue(device) == 80.0


@pytest.mark.parametrize("name", ["Order Refunded", "Order Cancelled", "refund"])
def test_a_refund_by_its_order_alone_returns_what_is_left_of_it(client: Client, name: str) -> None:
    client.track("Order Completed", order_id="o1", revenue=80)
    client.track("Order Completed", order_id="o2", revenue=30)
    client.track("Order Refunded", order_id="o1", total=20)
    properties = {"order_id": "o1", "reason": "too large"}
    assert client.track(name, **properties) is MessageStatus.KEPT
    assert client.revenue() == 30.0
    assert client.track(name, **properties) is MessageStatus.DUPLICATE
    assert client.revenue() == 30.0


def test_an_order_and_its_refund_may_come_in_one_batch_in_any_order(client: Client) -> None:
    calls = [("Order Completed", {"order_id": "o1", "revenue": 80}), ("Order Refunded", {"order_id": "o1"})]
    client.batch(*calls)
    client.batch(*reversed(calls), customer="c2")
    assert [client.revenue(customer) for customer in ("c1", "c2")] == [0.0, 0.0]


def test_a_refund_of_an_unknown_order_returns_nothing(client: Client) -> None:
    client.track("Order Completed", "c2", order_id="o1", revenue=80)
    assert client.track("Order Refunded", order_id="o1") is MessageStatus.KEPT
    assert client.track("Order Refunded", order_id="o1", total=0) is MessageStatus.KEPT
    assert client.revenue() == 0.0


def test_a_refund_that_comes_before_its_order_returns_it_once_it_comes(client: Client) -> None:
    client.track("Order Refunded", order_id="o1")
    client.track("Order Refunded", order_id="o2")
    assert client.revenue() == 0.0
    client.track("Order Completed", order_id="o1", revenue=80)
    client.track("Order Completed", order_id="o3", revenue=30)
    assert client.revenue() == 30.0
    assert sorted(event.amount for event in client.kept()) == [-80.0, 0.0, 30.0, 80.0]


def test_refunds_return_no_more_than_was_paid(client: Client) -> None:
    client.track("Order Completed", order_id="o1", revenue=80)
    client.track("Order Refunded", order_id="o1")
    client.track("Order Refunded", order_id="o1", total=20)
    assert client.revenue() == 0.0
    client.batch(
        *[("Order Refunded", {"order_id": "o2", "total": 50})] * 2,
        ("Order Completed", {"order_id": "o2", "revenue": 80}),
    )
    assert client.revenue() == 0.0
    client.track("Order Refunded", order_id="of before", total=15)
    assert client.revenue() == -15.0, "an order that is not known returns what its refund states"


@pytest.mark.parametrize("points", [-40, 40, "-40", "40.0"])
def test_points_that_are_spent_are_spent_whatever_their_sign(client: Client, points: object) -> None:
    client.track("Points Spent", points=points)
    client.track("Points Earned", points=-10)
    spent, corrected = client.kept()
    assert (EVENT_TYPES[spent.type], spent.quantity) == ("spent", 40.0)
    assert (EVENT_TYPES[corrected.type], corrected.quantity) == ("earned", -10.0)


def test_points_spent_in_an_imported_log_have_no_sign_either() -> None:
    import pandas as pd

    times = pd.to_datetime([NOW, NOW], utc=True)
    frame = pd.DataFrame({"customer_id": ["a", "b"], "time": times, "type": "spent", "quantity": [-40.0, 40.0]})
    assert validate(frame).events["quantity"].tolist() == [40.0, 40.0]


def test_points_spent_that_an_earlier_release_kept_below_zero_do_not_add() -> None:
    spent = EVENT_TYPES.index("spent")
    past = history("UTC", [1, 2], [EVENT_TYPES.index("earned"), spent], quantity=[100.0, -40.0])
    assert past.quantity.tolist() == [100.0, 40.0]
