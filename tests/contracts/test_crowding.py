"""A customer has so many events a day and no more; what forbids contacts is always kept."""

from dataclasses import replace
from datetime import timedelta

from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.serving.store.port import EVENTS_READ, Arrival, History, Profile, Receipt, Store, StoredEvent
from tests.contracts.stores import T, known
from tests.decisions.retailer import NOON

VIEW, CONTACT, UNSUBSCRIBED = map(EVENT_TYPES.index, ("view", "contact", "unsubscribed"))
EMAIL = CHANNELS.index("email")


def told(id_: str, kind: int = VIEW, customer: str = "c1", days: int = 0) -> Arrival:
    time = microseconds(NOON - timedelta(days=days, hours=1))
    return Arrival(id_, customer, event=StoredEvent(time, kind, EMAIL, 0.0, 0.0, 0.0, 0, "", id_), time=time)


def test_events_of_a_customer_and_day_are_bounded_across_batches(store: Store) -> None:
    first = store.ingest(T, [told(f"e{n}") for n in range(5)], NOON, events=3)
    assert first == [Receipt.KEPT] * 3 + [Receipt.DAY_LIMIT] * 2
    others = [told("f1"), told("f2", customer="c2"), told("f3", days=1), told("e0"), told("f4", days=20_000 * 2)]
    wanted = [Receipt.DAY_LIMIT, Receipt.KEPT, Receipt.KEPT, Receipt.DUPLICATE, Receipt.KEPT]
    assert store.ingest(T, others, NOON, events=3) == wanted
    assert {event[8] for event in known(store, "c1").events} <= {"e0", "e1", "e2", "f3", "f4"}
    assert store.ingest(T, [told("e4")], NOON, events=4) == [Receipt.KEPT], "what was not kept may be sent again"


def test_refusals_and_contacts_are_kept_beyond_the_bound(store: Store) -> None:
    store.ingest(T, [told("e0")], NOON, events=1)
    refusal = replace(told("u1", UNSUBSCRIBED), profile=Profile("c1", consents={("email", "marketing"): False}))
    profile = replace(
        told("e1"), profile=Profile("c1", attributes={"name": "Ada"}, consents={("sms", "marketing"): False})
    )
    receipts = store.ingest(T, [refusal, told("k1", CONTACT), profile], NOON, events=1)
    assert receipts == [Receipt.KEPT, Receipt.KEPT, Receipt.DAY_LIMIT]
    found = known(store, "c1")
    assert found.consents == {("email", "marketing"): False, ("sms", "marketing"): False}
    assert (found.attributes["name"], {event[8] for event in found.events}) == ("Ada", {"e0", "u1", "k1"})
    assert [contact.id for contact in found.contacts or ()] == ["k1"]


def test_a_decision_reads_the_newest_events_and_every_one_that_forbids_contacts(store: Store) -> None:
    start = microseconds(NOON - timedelta(days=40))
    views = [(start + n, VIEW, EMAIL, 0.0, 0.0, 0.0, 0, "", f"v{n:06d}") for n in range(EVENTS_READ + 30)]
    refusal = (start - 1, UNSUBSCRIBED, EMAIL, 0.0, 0.0, 0.0, 0, "", "u1")
    events = [("hot", StoredEvent(*fields)) for fields in [refusal, *views]]
    store.load(T, History("UTC", NOON - timedelta(days=50), [Profile("hot"), Profile("cool")], events))
    store.ingest(T, [told("k1", customer="cool")], NOON)
    hot, cool = known(store, "hot"), known(store, "cool")
    assert [event[8] for event in hot.events] == ["u1", *(f"v{n:06d}" for n in range(30, EVENTS_READ + 30))]
    assert [event[8] for event in cool.events] == ["k1"]
