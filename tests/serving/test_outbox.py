"""Events are decided upon unasked and receivers told; whatever they do, who dedupes hears of each decision once."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from tactful.serving.api.document.webhooks import DecisionMade
from tactful.serving.delivery.breaker import LONGEST_PAUSE, MOST_FAILURES
from tactful.serving.delivery.outbox import LEASE, MOST_ATTEMPTS, Dispatcher
from tactful.serving.engine.drafts import DecisionCommand
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.engine.service import DecisionService
from tactful.serving.engine.wakeups import ScheduledDecision, TriggerIndex
from tactful.serving.errors import SettingsError
from tactful.serving.ingestion.intake import Intake
from tactful.serving.ingestion.rules import Rules
from tactful.serving.settings import Settings
from tactful.serving.signing.webhooks import Receivers, Webhook
from tactful.serving.store.admin.erasure import erase
from tactful.serving.store.port import StoredEvent
from tactful.serving.store.queries import outbox
from tactful.serving.store.schema import outbox as outbox_table
from tests.patience import PATIENCE, measured_pause
from tests.serving.receiver import SECRET, Receiver, receiving
from tests.serving.shop import CATALOGUE, NOW, service_of

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
CART = """  - id: cart
    trigger: {kind: absence, type: cart, without: [purchase], within: 1h, expiry: 1d}
    messages:
      - {id: come_back, channels: sms, value: 9, response: {mean: 0.3}, content: {body: Your cart waits.}}
"""


@dataclass
class Clock:
    """A clock that stands until it is set."""

    moment: datetime = NOW + SECOND

    def __call__(self) -> datetime:
        return self.moment


@dataclass
class House:
    """A shop, a clock, a receiver, and what tells it of decisions."""

    service: DecisionService
    clock: Clock
    receiver: Receiver
    dispatcher: Dispatcher
    counted: Counter[str]

    def orders(self, *ids: str, customer: str = "thankful", name: str = "Order Completed") -> None:
        """Messages of events come in."""
        catalogue = self.service.champions.present().compiled.catalogue
        intake = Intake(self.service.store, "default", Rules(), "USD", listening=TriggerIndex(catalogue))
        raw = [{"messageId": id_, "userId": customer, "event": name, "properties": {"revenue": 80}} for id_ in ids]
        assert all(not told.reason for told in intake.ingest(raw, self.clock(), call="track"))

    def allow(self, *customers: str) -> None:
        """Customers allow e-mail."""
        traits = {"consents": {"email": True}}
        raw = [{"userId": customer, "traits": traits} for customer in customers]
        Intake(self.service.store, "default", Rules()).ingest(raw, NOW, call="identify")

    def work(self) -> None:
        self.dispatcher.decide()
        self.dispatcher.deliver()

    def census(self) -> dict[str, int]:
        return dict(outbox.census(self.service.store.database))


@contextmanager
def built(shop: Settings) -> Iterator[House]:
    clock, counted = Clock(), Counter[str]()
    service = service_of(shop, clock)
    with receiving() as receiver:
        dispatcher = Dispatcher(
            Tenants.only(service),
            Receivers(Webhook.of(receiver.url, SECRET)),
            count=lambda state: counted.update([state]),
            clock=clock,
            jitter=lambda: 0.5,
            patience=measured_pause().total_seconds(),
        )
        yield House(service, clock, receiver, dispatcher, counted)
        dispatcher.close()
    service.store.close()


@pytest.fixture
def house(shop: Settings) -> Iterator[House]:
    with built(shop) as house:
        yield house


def test_an_event_that_a_trigger_listens_to_is_decided_upon_and_told(house: House) -> None:
    house.orders("m1")
    house.work()
    ((id_, body),) = house.receiver.heard
    told = json.loads(body)
    assert (told["type"], told["tenant"], told["timestamp"]) == ("decision.made", "default", house.clock().isoformat())
    DecisionMade.model_validate(told, extra="forbid")
    assert told["data"]["id"] == id_
    assert told["data"]["choice"]["message"] == "thank_you"
    assert house.service.decision(id_).decision.customer == "thankful"
    assert house.census() == {"waiting": 0, "delivered": 2, "refused": 0}
    assert house.counted == {"delivered": 1}


def test_other_events_silence_and_messages_sent_again_are_not_told(house: House) -> None:
    house.orders("m1", name="Product Viewed")
    house.orders("m2", customer="refuser")
    house.orders("m2", customer="refuser")
    house.work()
    assert house.receiver.heard == []
    assert [stored.customer for stored in house.service.store.decision_log("default")] == ["refuser"]


@pytest.mark.parametrize("trouble", [500, 404, 302, "cut", "hang", "drip"])
def test_a_receiver_that_fails_is_told_again_after_a_while(house: House, trouble: int | str) -> None:
    house.receiver.answers += [trouble, trouble]
    house.orders("m1")
    house.work()
    assert (len(house.receiver.heard), house.census()["waiting"]) == (1, 1)
    house.work()
    assert len(house.receiver.heard) == 1, "not before a second has passed"
    house.clock.moment += SECOND
    house.work()
    house.clock.moment += SECOND
    house.work()
    assert len(house.receiver.heard) == 2, "not before two more have"
    house.clock.moment += SECOND
    house.work()
    assert (len(set(house.receiver.heard)), len(house.receiver.heard)) == (1, 3), "the same id and body each time"
    assert house.counted == {"retried": 2, "delivered": 1}


def test_a_receiver_that_never_answers_is_given_up_and_the_record_kept(house: House) -> None:
    house.receiver.answers += [500] * 100
    house.orders("m1")
    for _ in range(MOST_ATTEMPTS + 5):
        house.work()
        house.clock.moment += 2 * HOUR
    assert len(house.receiver.heard) == MOST_ATTEMPTS
    assert house.census() == {"waiting": 0, "delivered": 1, "refused": 1}
    assert house.counted["refused"] == 1


def test_a_receiver_that_is_gone_is_not_asked_again(house: House) -> None:
    house.receiver.answers += [410]
    house.orders("m1")
    house.work()
    assert house.census()["refused"] == 1


def test_a_receiver_that_fails_again_and_again_is_left_alone_for_a_while(house: House) -> None:
    house.receiver.answers += [503] * 8
    customers = [f"c{number}" for number in range(3 * MOST_FAILURES)]
    house.allow(*customers)
    for customer in customers:
        house.orders(f"order of {customer}", customer=customer)
    house.dispatcher.decide()
    house.dispatcher.deliver()
    asked = len(house.receiver.heard)
    assert asked == 8 > MOST_FAILURES
    assert house.dispatcher.deliver() == 0
    house.clock.moment += LONGEST_PAUSE
    assert house.dispatcher.deliver() == 1, "one is tried after the pause"
    assert len(house.receiver.heard) == asked + 1
    house.clock.moment += HOUR
    while house.dispatcher.deliver():
        pass
    told = {json.loads(body)["data"]["customer_id"] for _, body in house.receiver.heard}
    assert (told, house.census()["waiting"]) == (set(customers), 0)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"{}", b"[1]", b'["c", "e", "soon"]', b'["c", "e", 1e99]', b"[[],[],[]]"]
)
def test_a_record_that_nobody_can_read_is_set_aside_alone(house: House, body: bytes) -> None:
    house.orders("m1")
    house.orders("m2", customer="regular")
    with house.service.store.database.begin() as connection:
        connection.execute(update(outbox_table).where(outbox_table.c.id == "m1").values(body=body))
    house.work()
    assert [json.loads(told)["data"]["customer_id"] for _, told in house.receiver.heard] == ["regular"]
    assert house.counted == {"corrupt": 1, "delivered": 1}
    assert house.census() == {"waiting": 0, "delivered": 2, "refused": 1}


def test_closing_waits_for_no_receiver(house: House) -> None:
    house.receiver.answers += ["hang"]
    slow = Dispatcher(
        Tenants.only(house.service),
        Receivers(Webhook.of(house.receiver.url, SECRET)),
        clock=house.clock,
        patience=PATIENCE,
    )
    house.orders("m1")
    slow.start()
    house.receiver.asked.acquire()
    slow.close()
    assert house.census()["waiting"] == 1
    house.clock.moment += LEASE
    house.dispatcher.deliver()
    assert house.counted == {"delivered": 1}


def test_one_that_fails_holds_no_other_back(house: House) -> None:
    house.receiver.answers += ["hang"]
    house.orders("m1")
    house.orders("m2", customer="regular")
    house.work()
    assert house.counted == {"retried": 1, "delivered": 1}


def test_an_absence_is_decided_upon_once_the_time_to_answer_is_over(shop: Settings) -> None:
    shop.catalogue.write_text(CATALOGUE + CART)
    with built(shop) as house:
        house.orders("m1", name="Product Added")
        house.work()
        house.clock.moment += HOUR - SECOND
        house.work()
        assert list(house.service.store.decision_log("default")) == []
        house.clock.moment += SECOND
        house.work()
        assert [json.loads(body)["data"]["choice"]["message"] for _, body in house.receiver.heard] == ["come_back"]


def test_each_moment_of_an_event_has_its_own_decision(shop: Settings) -> None:
    both = CART + CART.replace("cart\n", "cart_later\n").replace("1h", "2h").replace("come_back", "last_call")
    shop.catalogue.write_text(CATALOGUE + both)
    with built(shop) as house:
        house.orders("m1", name="Product Added")
        for _ in range(3):
            house.work()
            house.clock.moment += HOUR
        assert len(list(house.service.store.decision_log("default"))) == 2
        assert len({id_ for id_, _ in house.receiver.heard}) == 2


def test_what_was_decided_but_not_marked_is_decided_once(house: House) -> None:
    house.orders("m1")
    (record,) = outbox.claim(house.service.store.database, "event", house.clock(), LEASE, 10)
    wake = ScheduledDecision.from_bytes(record.body)
    house.service.decide_many([DecisionCommand(wake.customer, wake.decision, house.clock(), notify=True)])
    house.clock.moment += LEASE
    house.work()
    house.work()
    assert [id_ for id_, _ in house.receiver.heard] == [wake.decision]
    assert len(list(house.service.store.decision_log("default"))) == 1


def test_several_who_work_at_once_tell_each_decision_once(house: House) -> None:
    customers = [f"c{number}" for number in range(40)]
    house.allow(*customers)
    for customer in customers:
        house.orders(f"order of {customer}", customer=customer)
    tenants, webhook = Tenants.only(house.service), Receivers(Webhook.of(house.receiver.url, SECRET))
    dispatchers = [Dispatcher(tenants, webhook, clock=house.clock) for _ in range(3)]

    def work(dispatcher: Dispatcher) -> None:
        while dispatcher.decide() + dispatcher.deliver():
            pass
        dispatcher.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, dispatchers))
    house.work()
    heard = Counter(json.loads(body)["data"]["customer_id"] for _, body in house.receiver.heard)
    assert heard == Counter(customers)


def test_who_was_erased_is_not_told_of(house: House) -> None:
    house.orders("m1")
    house.dispatcher.decide()
    erase(house.service.store.database, "default", "thankful", house.clock())
    house.dispatcher.deliver()
    assert house.receiver.heard == []
    assert house.census()["waiting"] == 0


def test_who_is_erased_between_claim_and_decision_is_in_no_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.orders("o1")
    looks = itertools.count()

    def erasing() -> datetime:
        if next(looks) == 1:
            erase(house.service.store.database, "default", "thankful", NOW)
        return house.clock()

    webhook = Receivers(Webhook.of(house.receiver.url, SECRET))
    late = Dispatcher(Tenants.only(house.service), webhook, clock=erasing)
    assert late.decide() == 1
    late.close()
    assert "outbox record refused" in caplog.messages
    assert "thankful" not in str([vars(record) for record in caplog.records])


def test_without_models_events_wait(house: House, shop: Settings) -> None:
    house.orders("m1")
    bare = service_of(Settings(data=shop.data / "nothing", store=shop.store), house.clock)
    webhook = Receivers(Webhook.of(house.receiver.url, SECRET))
    dispatcher = Dispatcher(Tenants.only(bare), webhook, clock=house.clock, jitter=lambda: 0.5)
    dispatcher.decide()
    dispatcher.close()
    bare.store.close()
    assert house.census() == {"waiting": 1, "delivered": 0, "refused": 0}
    house.clock.moment += SECOND
    house.work()
    assert len(house.receiver.heard) == 1


def test_listening_passes_over_what_is_over(house: House) -> None:
    compiled = house.service.champions.present().compiled
    listening = TriggerIndex(compiled.catalogue)
    event = StoredEvent(int(NOW.timestamp() * 1e6), 0, 0, 80.0, 0.0, 0.0, 0, "", "m1")
    body = listening.wake("c1", event, NOW + 2 * 24 * HOUR)
    assert body is not None
    assert ScheduledDecision.from_bytes(body).moments == (int((NOW + 2 * 24 * HOUR).timestamp() * 1e6),)
    assert listening.wake("c1", event, NOW + 3 * 24 * HOUR) is None


@pytest.mark.parametrize(
    ("url", "secret", "says"),
    [
        ("http://sender.example/hook", SECRET, "a webhook others could read: got 'http://sender.example/hook'"),
        ("ftp://127.0.0.1/", SECRET, "a webhook others could read"),
        ("https://", SECRET, "a webhook others could read"),
        ("https://sender.example/", "pass", "an unfit webhook secret: wanted whsec_ and at least 24 bytes"),
        ("https://sender.example/", "whsec_AAAA", "an unfit webhook secret"),
        ("https://sender.example/", "whsec_*", "an unfit webhook secret"),
    ],
)
def test_unsafe_webhooks_are_refused(url: str, secret: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as refused:
        Webhook.of(url, secret)
    assert secret not in str(refused.value)


def test_a_webhook_and_its_secret_come_together(shop: Settings) -> None:
    with pytest.raises(SettingsError, match="one without the other"):
        Settings.of(shop.data, webhook_url="https://sender.example/")
    with pytest.raises(SettingsError, match="a webhook others could read"):
        Settings.of(shop.data, webhook_url="http://sender.example/", webhook_secret=SECRET)
    whole = Settings.of(shop.data, webhook_url="https://sender.example/", webhook_secret=SECRET)
    assert SECRET not in repr(whole)


NEW_SECRET = "whsec_" + "B" * 40


def test_both_secrets_sign_while_one_replaces_the_other(house: House, shop: Settings) -> None:
    settings = Settings.of(shop.data, webhook_url=house.receiver.url, webhook_secret=f"{NEW_SECRET} {SECRET}")
    rotating = Dispatcher(Tenants.only(house.service), settings.receivers, clock=house.clock)
    house.orders("m1")
    rotating.decide()
    rotating.deliver()
    rotating.close()
    assert (len(house.receiver.heard), house.receiver.forged) == (1, []), "the old secret still verifies"
    signed = settings.receivers.others
    assert signed is not None
    both = signed.headers("e-1", 1, b"{}")["webhook-signature"].split()
    alone = [Webhook.of("https://a.example/", one).headers("e-1", 1, b"{}") for one in (NEW_SECRET, SECRET)]
    assert both == [headers["webhook-signature"] for headers in alone]


def test_each_tenant_has_its_own_receiver_and_one_that_hangs_delays_no_other(house: House, shop: Settings) -> None:
    market = DecisionService(house.service.store, house.service.champions, house.service.maker, house.clock, "market")
    tenants = Tenants(market.store, lambda tenant: market if tenant == "market" else house.service)
    trigger_index = TriggerIndex(market.champions.present().compiled.catalogue)
    with receiving() as hung:
        hung.answers += ["hang"] * 2
        own = {"market": {"url": hung.url, "secrets": [SECRET]}}
        settings = Settings.of(shop.data, webhook_url=house.receiver.url, webhook_secret=SECRET, webhooks=own)
        for tenant in ("market", "default"):
            intake = Intake(market.store, tenant, Rules(), "USD", listening=trigger_index)
            intake.ingest([{"userId": "thankful", "traits": {"consents": {"email": True}}}], NOW, call="identify")
            order = {"messageId": f"of {tenant}", "userId": "thankful", "event": "Order Completed"}
            intake.ingest([{**order, "properties": {"revenue": 80}}], house.clock(), call="track")
        dispatcher = Dispatcher(tenants, settings.receivers, clock=house.clock, patience=PATIENCE)
        dispatcher.start()
        assert hung.asked.acquire(timeout=PATIENCE)
        assert house.receiver.asked.acquire(timeout=PATIENCE), "the other tenant waits for the receiver that hangs"
        hung.over.set()
        dispatcher.close()
    assert {json.loads(body)["tenant"] for _, body in house.receiver.heard} == {"default"}
    assert {json.loads(body)["tenant"] for _, body in hung.heard} == {"market"}
