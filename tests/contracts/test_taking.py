"""What every store promises of messages it takes in: each once, under its customer, with what follows from it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from tactful.decisions.base.snapshot import Contact
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tactful.serving.store.port import Arrival, Outcome, Profile, Receipt, RecordStatus, Store, StoredEvent
from tactful.serving.store.schema import identities, outbox
from tests.contracts.stores import BUY, DAY, EMAIL, Opener, T, draft, history, known
from tests.decisions.retailer import NOON, at

CALL = ("call", "marketing")


def bought(name: str, customer: str = "c1", days: float = 1, **parts: object) -> Arrival:
    """A purchase some days ago."""
    event = BUY._replace(id=name, time=microseconds(at(days)))
    return replace(Arrival(name, customer, event), **parts)  # type: ignore[arg-type]


def told(name: str, customer: str = "c1", days: float = 0, **profile: object) -> Arrival:
    """What somebody said of a customer some days ago."""
    return Arrival(name, customer, profile=Profile(customer, **profile), time=microseconds(at(days)))  # type: ignore[arg-type]


def became(name: str, kind: str, decision: str = "d1", days: float = 0) -> Arrival:
    """What became of a decision some days ago."""
    return Arrival(name, "c1", outcome=Outcome(decision, kind, microseconds(at(days)), 2.5))


def ids(store: Store, customer: str = "c1") -> list[str]:
    """Ids of a customer's events."""
    return [event[8] for event in known(store, customer).events]


def test_an_event_is_kept_and_moves_the_version(store: Store) -> None:
    before = known(store)
    assert store.ingest(T, [bought("e1"), bought("e2", days=2)], NOON) == [Receipt.KEPT, Receipt.KEPT]
    assert ids(store) == ["e2", "e1"]
    assert known(store).version == before.version + 1
    assert list(store.events(T)) == [
        ("c1", StoredEvent(*bought(name, days=d).event or ())) for name, d in (("e2", 2), ("e1", 1))
    ]


def test_a_message_is_taken_once_however_often_it_comes(store: Store) -> None:
    messages = [bought("e1"), told("p1", attributes={"name": "Ada"})]
    assert store.ingest(T, [*messages, *messages], NOON) == [Receipt.KEPT] * 2 + [Receipt.DUPLICATE] * 2
    version = known(store).version
    store.ingest(T, [told("p2", attributes={"name": "Eve"})], NOON)
    assert store.ingest(T, messages, NOON) == [Receipt.DUPLICATE] * 2
    assert known(store).attributes == {"name": "Eve"}
    assert known(store).version == version + 1


def test_taking_nothing_in_does_nothing(store: Store) -> None:
    before = known(store)
    assert store.ingest(T, [], NOON) == []
    assert known(store) == before


def test_a_stranger_becomes_a_customer_who_joined_with_the_first_message(store: Store) -> None:
    store.ingest("new", [bought("e1", "c9", days=3), bought("e2", "c9", days=5)], NOON)
    found = known(store, "c9", tenant="new")
    assert (found.version, found.history_zone, found.joined, found.attributes) == (1, "UTC", at(5), {})
    store.ingest("new", [told("p1", "c9", joined=at(400), zone="Asia/Tokyo"), told("p2", "c9", joined=at(1))], NOON)
    assert (known(store, "c9", tenant="new").joined, known(store, "c9", tenant="new").zone) == (at(400), "Asia/Tokyo")


def test_a_profile_is_merged_into_what_is_known(store: Store) -> None:
    store.ingest(T, [told("p1", attributes={"name": "Ada", "city": "Nara"}, zone="Asia/Tokyo")], NOON)
    store.ingest(T, [told("p2", attributes={"name": "Eve", "city": None})], NOON)
    assert (known(store).attributes, known(store).zone) == ({"name": "Eve"}, "Asia/Tokyo")


def test_of_two_consents_the_newest_holds_and_of_equally_old_ones_the_refusal(store: Store) -> None:
    store.ingest(T, [told("p1", days=2, consents={EMAIL: False}), told("p2", days=3, consents={EMAIL: True})], NOON)
    assert known(store).consents == {EMAIL: False}
    store.ingest(T, [told("p3", days=1, consents={EMAIL: True}), told("p4", days=1, consents={EMAIL: False})], NOON)
    assert known(store).consents == {EMAIL: False}
    store.ingest(T, [told("p5", consents={EMAIL: True})], NOON)
    assert known(store).consents == {EMAIL: True}


def test_a_contact_somebody_else_made_enters_the_ledger(store: Store) -> None:
    event = StoredEvent(
        microseconds(at(1)), EVENT_TYPES.index("contact"), CHANNELS.index("mail"), 0.0, 0.0, 0.0, 0, "spring", "e1"
    )
    store.ingest(T, [Arrival("e1", "c1", event)] * 2, NOON)
    assert list(store.ledger(T)) == [("c1", "sent", Contact(at(1), "mail", message="spring", id="e1"))]


def test_a_wake_is_in_the_outbox_once(store: Store) -> None:
    arrivals = [bought("e1", wake=b"one"), bought("e1", wake=b"two"), bought("e2")]
    store.ingest(T, arrivals, NOON)
    store.ingest(T, arrivals, NOON)
    moment = microseconds(NOON)
    with store.database.read() as connection:
        rows = [tuple(row) for row in connection.execute(select(outbox))]
    assert rows == [(T, "e1", "event", b"one", moment, moment, 0, None, None)]


def test_a_decision_is_told_to_receivers_in_its_own_transaction(store: Store) -> None:
    version = known(store).version
    drafts = [replace(draft(version), notify=b"told"), replace(draft(version, "d2"), notify=b"stale")]
    assert store.record(T, drafts) == [RecordStatus.RECORDED, RecordStatus.STALE]
    moment = microseconds(NOON)
    with store.database.read() as connection:
        rows = [tuple(row) for row in connection.execute(select(outbox))]
    assert rows == [(T, "d1", "decision", b"told", moment, moment, 0, None, None)]


@pytest.mark.parametrize("kind", ["delivered", "opened", "clicked", "converted", "dismissed", "bounced", "complained"])
def test_an_outcome_confirms_the_contact_of_its_decision(store: Store, kind: str) -> None:
    store.record(T, [draft(known(store).version)])
    version = known(store).version
    assert store.ingest(T, [became("m1", kind)] * 2, NOON) == [Receipt.KEPT, Receipt.DUPLICATE]
    assert [(who, status) for who, status, _ in store.ledger(T)] == [("c1", "sent")]
    assert list(store.outcomes(T)) == [("d1", "c1", kind, microseconds(NOON), 2.5)]
    assert known(store).version == version + 1


def test_an_outcome_after_the_release_shows_that_the_contact_was_made(store: Store) -> None:
    store.record(T, [draft(known(store).version)])
    store.set_status(T, "c1", "d1", "released")
    store.ingest(T, [became("m1", "opened")], NOON + 99 * DAY)
    assert [contact.id for contact in known(store, moment=NOON + 99 * DAY).contacts or ()] == ["d1"]


@pytest.mark.parametrize("kind", ["unsubscribed", "complained"])
def test_who_wants_no_more_withdraws_consent_for_the_channel_and_every_purpose(store: Store, kind: str) -> None:
    others = {("email", "service"): True, CALL: True}
    store.load(T, history(Profile("c1", consents={EMAIL: True, **others})))
    store.record(T, [draft(known(store).version)])
    store.ingest(T, [became("m1", kind, days=1)], NOON)
    assert known(store).consents == {EMAIL: False, ("email", "service"): False, CALL: True}
    store.ingest(T, [told("p1", days=2, consents={EMAIL: True})], NOON)
    assert known(store).consents[EMAIL] is False
    store.ingest(T, [became("m2", kind, days=0.9), told("p2", days=0.5, consents={EMAIL: True})], NOON)
    assert known(store).consents[EMAIL] is True
    store.ingest(T, [became("m2", kind, days=0.9)], NOON)
    assert known(store).consents[EMAIL] is True, "sent again, it changes nothing"
    store.ingest(T, [became("m3", kind, days=0.8)], NOON)
    assert known(store).consents[EMAIL] is False, "a refusal that is received later holds, whenever it was made"


def test_of_an_outcome_of_no_decision_the_rest_is_kept(store: Store) -> None:
    lost = became("m1", "clicked", "d9")
    assert (
        store.ingest(T, [lost, bought("e1", outcome=lost.outcome, wake=b"no")], NOON) == [Receipt.UNKNOWN_DECISION] * 2
    )
    assert ids(store) == ["e1"]
    assert list(store.outcomes(T)) == []
    store.record(T, [draft(known(store).version, "d9")])
    assert store.ingest(T, [lost], NOON) == [Receipt.KEPT]


def test_an_alias_brings_its_past_to_the_customer(store: Store) -> None:
    store.ingest(T, [bought("e1", "a1", days=4), told("p1", "a1", days=3, consents={EMAIL: True, CALL: True})], NOON)
    store.ingest(T, [told("p2", "a1", attributes={"city": "Nara", "name": "?"}), bought("e2", "c1")], NOON)
    store.ingest(T, [told("p3", days=2, attributes={"name": "Ada"}, consents={CALL: False})], NOON)
    store.record(T, [draft(known(store, "a1").version, "d1", "a1")])
    version = known(store).version
    assert store.ingest(T, [Arrival("i1", "c1", alias="a1"), bought("e3", "a1", days=0.5)], NOON) == [Receipt.KEPT] * 2
    found = known(store)
    assert (found.id, found.version, found.joined) == ("c1", version + 1, at(4))
    assert found.attributes == {"city": "Nara", "name": "Ada"}
    assert found.consents == {EMAIL: True, CALL: False}
    assert [contact.id for contact in found.contacts or ()] == ["d1"]
    assert ids(store) == ["e1", "e2", "e3"]
    assert known(store, "a1") == found
    assert store.customer_ids(T) == ["c1"]
    assert (store.resolve(T, "a1"), store.resolve(T, "c1"), store.resolve(T, "c9")) == ("c1", "c1", "c9")


def test_what_is_decided_on_an_alias_before_the_merge_is_stale_after_it(store: Store) -> None:
    store.ingest(T, [bought("e1", "a1")], NOON)
    alone, both = known(store, "a1").version, known(store).version
    store.ingest(T, [Arrival("i1", "c1", alias="a1")], NOON)
    assert store.record(T, [draft(alone, "d1", "a1"), draft(both, "d2")]) == [RecordStatus.STALE] * 2
    assert store.record(T, [draft(known(store, "a1").version)]) == [RecordStatus.RECORDED]


def test_what_is_said_of_a_decision_about_an_alias_counts_for_the_customer(store: Store) -> None:
    store.load(T, history(Profile("c1", consents={EMAIL: True})))
    store.ingest(T, [bought("e1", "a1")], NOON)
    store.record(T, [draft(known(store, "a1").version, f"d{i}", "a1") for i in range(1)])
    store.ingest(T, [Arrival("i1", "c1", alias="a1")], NOON)
    assert store.set_status(T, "a1", "d0", "released")
    store.ingest(T, [replace(became("m1", "unsubscribed", "d0"), customer="a1")], NOON)
    assert known(store).consents == {EMAIL: False}
    assert [(who, status) for who, status, _ in store.ledger(T)] == [("c1", "sent")]
    assert [(row[0], row[1]) for row in store.outcomes(T)] == [("d0", "c1")]


def test_a_chain_of_aliases_ends_with_one_customer(store: Store) -> None:
    ties = [("i1", "a2", "a1"), ("i2", "c1", "a2"), ("i3", "a1", "c1"), ("i4", "c1", "a3")]
    store.ingest(T, [bought(f"e{n}", f"a{n}", days=n) for n in (1, 2)], NOON)
    store.ingest(T, [Arrival(name, customer, alias=alias) for name, customer, alias in ties], NOON)
    assert ids(store) == ["e2", "e1"]
    with store.database.read() as connection:
        rows = connection.execute(select(identities.c.alias, identities.c.customer).order_by(identities.c.alias))
        assert [tuple(row) for row in rows] == [("a1", "c1"), ("a2", "c1"), ("a3", "c1")]


def test_a_device_of_two_people_stays_with_the_first(store: Store) -> None:
    store.ingest(T, [Arrival("i1", "c1", alias="a1"), bought("e1", "a1")], NOON)
    store.ingest(T, [bought("e2", "c2", alias="a1")], NOON)
    assert (ids(store), ids(store, "c2")) == (["e1"], ["e2"])


def test_a_loaded_history_of_an_alias_is_the_customers(store: Store) -> None:
    store.ingest(T, [Arrival("i1", "c1", alias="a1")], NOON)
    store.load(T, history(Profile("a1", attributes={"city": "Nara"}), events=[("a1", BUY)]))
    assert (ids(store), known(store).attributes, store.customer_ids(T)) == (["e1"], {"city": "Nara"}, ["c1"])


def test_tenants_take_nothing_from_each_other(store: Store) -> None:
    store.record(T, [draft(known(store).version)])
    others = [bought("e1"), Arrival("i1", "c1", alias="a1"), became("m1", "opened")]
    assert store.ingest("market", others, NOON) == [Receipt.KEPT, Receipt.KEPT, Receipt.UNKNOWN_DECISION]
    assert (ids(store), list(store.outcomes(T)), store.resolve(T, "a1")) == ([], [], "a1")
    assert [status for _, status, _ in store.ledger(T)] == ["reserved"]
    assert store.ingest(T, [bought("e1")], NOON) == [Receipt.KEPT]


def test_a_batch_that_fails_leaves_nothing(store: Store) -> None:
    broken = bought("e2", event=("not", "an", "event"))
    with pytest.raises((TypeError, ValueError, IndexError)):
        store.ingest(T, [bought("e1"), broken], NOON)
    assert ids(store) == []
    assert store.ingest(T, [bought("e1")], NOON) == [Receipt.KEPT]


def at_once(opener: Opener, work: Callable[[Store, int], None], workers: int = 4) -> None:
    """The same work on as many stores of one database at once."""
    stores = [opener() for _ in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, store, number) for number, store in enumerate(stores)]:
            done.result()


def test_messages_that_come_several_times_at_once_are_kept_once(opener: Opener, store: Store) -> None:
    """Four clients send the same hundred events of ten strangers, each in an order of its own."""
    events = [bought(f"e{n}", f"s{n % 10}", days=1 + n / 100) for n in range(100)]
    receipts: list[Receipt] = []

    def send(other: Store, number: int) -> None:
        for start in range(0, 100, 20):
            group = events[start : start + 20]
            receipts.extend(other.ingest(T, group if number % 2 else group[::-1], NOON))

    at_once(opener, send)
    assert receipts.count(Receipt.KEPT) == 100
    assert len(list(store.events(T))) == 100
    assert [len(ids(store, f"s{n}")) for n in range(10)] == [10] * 10


def test_merges_that_cross_each_other_lose_nothing(opener: Opener, store: Store) -> None:
    """Four clients tie the same six ids, each in another order and direction, while events of all of them come in."""
    names = [f"x{n}" for n in range(6)]

    def tie(other: Store, number: int) -> None:
        for step in range(6):
            one, two = names[(step + number) % 6], names[(step * (number + 1) + 3) % 6]
            other.ingest(T, [bought(f"e{number}-{step}", one), Arrival(f"i{number}-{step}", two, alias=one)], NOON)
        other.ingest(T, [Arrival(f"z{number}-{name}", names[0], alias=name) for name in names], NOON)

    at_once(opener, tie)
    with store.database.read() as connection:
        whose = dict(connection.execute(select(identities.c.alias, identities.c.customer)).all())
    standing = [name for name in store.customer_ids(T) if name != "c1"]
    assert set(whose.values()) <= set(standing)
    assert set(whose) | set(standing) == set(names)
    assert not set(whose) & set(standing)
    assert sorted(event.id for _, event in store.events(T)) == sorted(f"e{n}-{s}" for n in range(4) for s in range(6))


def test_a_history_loaded_while_its_customers_are_merged_is_the_customers(opener: Opener, store: Store) -> None:
    def work(other: Store, number: int) -> None:
        for n in range(10):
            if number == 0:
                other.ingest(T, [Arrival(f"i{n}", "c1", alias=f"a{n}", merges_users=True)], NOON)
            else:
                event = BUY._replace(id=f"e{number}-{n}")
                other.load(T, history(Profile(f"a{n}", attributes={f"n{n}": number}), events=[(f"a{n}", event)]))

    at_once(opener, work)
    assert store.customer_ids(T) == ["c1"]
    assert sorted(ids(store)) == sorted(f"e{number}-{n}" for number in (1, 2, 3) for n in range(10))
    assert known(store).attributes.keys() == {f"n{n}" for n in range(10)}


def test_contacts_of_a_customer_who_is_merged_meanwhile_are_neither_lost_nor_twice(
    opener: Opener, store: Store
) -> None:
    store.load(T, history(*(Profile(f"a{n}") for n in range(10))))

    def work(other: Store, number: int) -> None:
        for n in range(10):
            if number == 0:
                other.ingest(T, [Arrival(f"i{n}", "c1", alias=f"a{n}", merges_users=True)], NOON)
            else:
                found = known(other, f"a{n}")
                other.record(T, [draft(found.version, f"d{number}-{n}", found.id)])

    at_once(opener, work)
    contacts = {contact.id for _, _, contact in store.ledger(T)}
    assert contacts == {decision.id for decision in store.decision_log(T)}
    assert {who for who, _, _ in store.ledger(T)} <= {"c1"}


def test_a_log_is_streamed_while_others_write(store: Store) -> None:
    store.ingest(T, [bought(f"e{n:04}", days=1 + n / 10_000) for n in range(2_500)], NOON, events=2_500)
    stream = store.events(T)
    first = next(stream)
    store.ingest(T, [bought("late", days=0.5)], NOON + timedelta(seconds=1))
    assert len([first, *stream]) == 2_500
