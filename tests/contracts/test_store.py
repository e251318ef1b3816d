"""What every store promises, whichever database is behind it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tactful.decisions.base.snapshot import Contact
from tactful.serving.store.port import KnownCustomer, Profile, RecordStatus, Store
from tests.contracts.stores import BUY, DAY, EMAIL, Opener, T, draft, history, known
from tests.decisions.retailer import NOON, at


def test_nothing_is_known_of_a_stranger(store: Store) -> None:
    assert store.customers(T, [("c2", NOON), ("c1", NOON)])[0] is None


def test_a_customer_is_known_as_loaded(store: Store) -> None:
    profile = Profile("c2", "Asia/Tokyo", at(9), {"name": "Ada", "vip": True, "n": 3}, {EMAIL: True})
    contact = Contact(at(3), "mail", "", "campaign-1", ("a", "b"), "", False, "x1")
    store.load(T, history(profile, events=[("c2", BUY)], contacts=[("c2", contact)]))
    assert known(store, "c2") == KnownCustomer(
        id="c2",
        version=1,
        history_zone="Europe/Paris",
        zone="Asia/Tokyo",
        joined=at(9),
        attributes={"name": "Ada", "vip": True, "n": 3},
        consents={EMAIL: True},
        contacts=(contact,),
        events=[tuple(BUY)],
    )


def test_events_are_told_in_time_order_and_only_before_the_moment(store: Store) -> None:
    events = [BUY._replace(time=seconds * 1_000_000, id=f"e{seconds}") for seconds in (30, 10, 20)]
    store.load(T, history(events=[("c1", event) for event in events]))
    moment = datetime.fromtimestamp(30, tz=NOON.tzinfo)
    assert [event[0] for event in known(store, moment=moment).events] == [10_000_000, 20_000_000]


def test_loading_twice_changes_nothing(store: Store) -> None:
    contact = Contact(at(3), "mail", id="x1")
    whole = history(
        Profile("c1", attributes={"name": "Ada"}, consents={EMAIL: True}),
        events=[("c1", BUY)],
        contacts=[("c1", contact)],
    )
    store.load(T, whole)
    before = known(store)
    store.load(T, whole)
    assert replace(known(store), version=0) == replace(before, version=0)


def test_a_profile_adds_to_what_is_known(store: Store) -> None:
    store.load(T, history(Profile("c1", "Asia/Tokyo", at(9), {"name": "Ada", "city": "Nara"})))
    store.load(T, history(Profile("c1", None, at(5), {"name": "Eve"})))
    found = known(store)
    assert (found.zone, found.joined) == ("Asia/Tokyo", at(9))
    assert found.attributes == {"name": "Eve", "city": "Nara"}


def test_an_attribute_of_none_is_taken_away_and_objects_are_merged(store: Store) -> None:
    store.load(T, history(Profile("c1", attributes={"name": "Ada", "n": 1e22, "home": {"city": "Nara", "floor": 3}})))
    store.load(T, history(Profile("c1", attributes={"name": None, "home": {"floor": 4.0}})))
    assert repr(known(store).attributes["n"]) == "1e+22"
    assert known(store).attributes == {"n": 1e22, "home": {"city": "Nara", "floor": 4.0}}


def test_customers_are_told_in_the_order_of_their_ids(store: Store) -> None:
    store.load(T, history(*map(Profile, ("b", "é", "B", "a-b", "ab"))))
    assert store.customer_ids(T) == ["B", "a-b", "ab", "b", "c1", "é"]


def test_a_customer_may_be_wanted_at_several_moments(store: Store) -> None:
    store.record(T, [draft(known(store).version)])
    told = store.customers(T, [("c1", NOON), ("c2", NOON), ("c1", NOON + 2 * DAY)])
    assert [None if one is None else len(one.contacts or ()) for one in told] == [1, None, 0]


def test_the_newest_consent_holds(store: Store) -> None:
    store.load(T, history(Profile("c1", consents={EMAIL: False}), asserted=at(2)))
    store.load(T, history(Profile("c1", consents={EMAIL: True}), asserted=at(3)))
    assert known(store).consents == {EMAIL: False}
    store.load(T, history(Profile("c1", consents={EMAIL: True}), asserted=at(1)))
    assert known(store).consents == {EMAIL: True}


def test_tenants_see_nothing_of_each_other(store: Store) -> None:
    other = "market"
    store.record(T, [draft(known(store).version)])
    store.keep_catalogue(T, "v1", "f1", "content")
    assert store.customers(other, [("c1", NOON)]) == [None]
    assert store.customer_ids(other) == []
    assert store.decision(other, "d1") is None
    assert list(store.decision_log(other)) == []
    assert list(store.ledger(other)) == []
    assert store.catalogue(other, "v1", "f1") is None
    store.load(other, history(events=[("c1", BUY)]))
    assert known(store).events == []
    assert store.record(other, [draft(known(store, tenant=other).version)]) == [RecordStatus.RECORDED]


def test_a_recorded_decision_is_told_as_it_was(store: Store) -> None:
    made = draft(known(store).version)
    assert store.record(T, [made]) == [RecordStatus.RECORDED]
    stored = store.decision(T, "d1")
    assert stored is not None
    assert (stored.id, stored.customer, stored.opened_by) == ("d1", "c1", "e1")
    assert (stored.record, stored.inputs) == (made.decision.as_bytes(), b"inputs")
    assert list(store.decision_log(T)) == [stored]
    assert store.decision(T, "d2") is None


def test_a_recorded_decision_is_there_after_the_store_was_opened_again(opener: Opener, store: Store) -> None:
    store.record(T, [draft(known(store).version)])
    store.close()
    again = opener()
    assert again.decision(T, "d1") is not None
    assert [contact.id for contact in known(again).contacts or ()] == ["d1"]


def test_an_id_is_used_once(store: Store) -> None:
    store.record(T, [draft(known(store).version)])
    assert store.record(T, [draft(known(store).version)]) == [RecordStatus.KNOWN]
    assert len(list(store.ledger(T))) == 1


def test_of_many_ids_those_are_found_that_bear_a_decision_of_the_tenant(store: Store) -> None:
    store.record(T, [draft(known(store).version)])
    store.record(T, [draft(known(store).version, "d2")])
    assert sorted(one.id for one in store.decisions(T, ["d2", "d3", "d1", "d2"])) == ["d1", "d2"]
    assert store.decisions(T, []) == store.decisions("other", ["d1"]) == []


def test_a_decision_on_an_older_version_is_not_recorded(store: Store) -> None:
    version = known(store).version
    store.record(T, [draft(version)])
    assert store.record(T, [draft(version, "d2")]) == [RecordStatus.STALE]
    assert store.decision(T, "d2") is None
    assert store.record(T, [draft(known(store).version, "d2")]) == [RecordStatus.RECORDED]


def test_every_change_to_what_a_decision_reads_moves_the_version(store: Store) -> None:
    versions = [known(store).version]
    changes: list[Callable[[], object]] = [
        lambda: store.load(T, history(events=[("c1", BUY)])),
        lambda: store.load(T, history(Profile("c1", consents={EMAIL: True}))),
        lambda: store.record(T, [draft(known(store).version)]),
        lambda: store.set_status(T, "c1", "d1", "released"),
    ]
    for change in changes:
        change()
        versions.append(known(store).version)
    assert versions == sorted(set(versions))


def test_silence_reserves_nothing_and_holds_nobody_up(store: Store) -> None:
    version = known(store).version
    fates = store.record(T, [draft(version, f"d{i}", silent=True) for i in range(3)])
    assert fates == [RecordStatus.RECORDED] * 3
    assert known(store).version == version
    assert list(store.ledger(T)) == []


def test_each_draft_of_a_transaction_has_its_own_fate(store: Store) -> None:
    store.load(T, history(Profile("c2")))
    drafts = [
        draft(known(store).version),
        draft(known(store).version, "d2"),
        draft(known(store, "c2").version, "d3", "c2"),
    ]
    assert store.record(T, drafts) == [RecordStatus.RECORDED, RecordStatus.STALE, RecordStatus.RECORDED]


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    store.load(T, history(Profile("c2")))
    good, bad = draft(known(store).version), draft(known(store, "c2").version, "d2", "c2")
    unwritable = replace(bad, decision=replace(bad.decision, probability=float("nan")))
    with pytest.raises(ValueError, match="JSON"):
        store.record(T, [good, unwritable])
    assert store.decision(T, "d1") is None
    assert list(store.ledger(T)) == []
    assert store.record(T, [good]) == [RecordStatus.RECORDED]


def counted(store: Store, moment: datetime) -> list[str]:
    return [contact.id for contact in known(store, moment=moment).contacts or ()]


def test_a_reservation_counts_until_it_expires(store: Store) -> None:
    store.record(T, [draft(known(store).version)])
    assert counted(store, NOON + 2 * DAY - timedelta(microseconds=1)) == ["d1"]
    assert counted(store, NOON + 2 * DAY) == []


def test_a_confirmed_contact_counts_for_ever_even_if_the_confirmation_comes_late_or_twice(store: Store) -> None:
    store.record(T, [draft(known(store).version)])
    assert store.set_status(T, "c1", "d1", "sent")
    assert not store.set_status(T, "c1", "d1", "sent")
    assert counted(store, NOON + 99 * DAY) == ["d1"]
    assert not store.set_status(T, "c1", "d1", "released")
    assert counted(store, NOON) == ["d1"]


def test_a_released_contact_counts_no_more_unless_it_was_made_after_all(store: Store) -> None:
    store.record(T, [draft(known(store).version)])
    assert store.set_status(T, "c1", "d1", "released")
    assert not store.set_status(T, "c1", "d1", "released")
    assert counted(store, NOON) == []
    assert store.set_status(T, "c1", "d1", "sent")
    assert counted(store, NOON) == ["d1"]


def test_settling_what_does_not_exist_changes_nothing(store: Store) -> None:
    assert not store.set_status(T, "c1", "nothing", "sent")
    assert not store.set_status(T, "nobody", "d1", "released")


def test_what_was_settled_on_an_older_version_of_the_customer_changes_nothing(store: Store) -> None:
    store.record(T, [draft(known(store).version)])
    seen = known(store).version
    assert not store.set_status(T, "c1", "d1", "sent", seen - 1)
    assert store.set_status(T, "c1", "d1", "released", seen)
    assert not store.set_status(T, "c1", "d1", "sent", seen)
    assert counted(store, NOON) == []


def test_the_ledger_tells_every_entry_with_its_status(store: Store) -> None:
    store.load(T, history(Profile("c2"), contacts=[("c2", Contact(at(3), "mail", id="x1"))]))
    store.record(T, [draft(known(store).version)])
    assert [(customer, status, contact.id) for customer, status, contact in store.ledger(T)] == [
        ("c1", "reserved", "d1"),
        ("c2", "sent", "x1"),
    ]


def test_a_catalogue_is_kept_under_its_version_and_features(store: Store) -> None:
    store.keep_catalogue(T, "v1", "f1", "content")
    store.keep_catalogue(T, "v1", "f1", "content")
    assert store.catalogue(T, "v1", "f1") == "content"
    assert store.catalogue(T, "v1", "f2") is None
    store.check()


def test_of_many_writers_on_one_version_one_wins_each_time(opener: Opener, store: Store) -> None:
    rounds, writers = 10, 8
    stores = [store, *(opener() for _ in range(writers - 1))]
    with ThreadPoolExecutor(writers) as pool:
        for round_ in range(rounds):
            version = known(store).version

            def write(number: int, version: int = version, round_: int = round_) -> RecordStatus:
                return stores[number].record(T, [draft(version, f"d{round_}-{number}")])[0]

            fates = list(pool.map(write, range(writers)))
            assert fates.count(RecordStatus.RECORDED) == 1
            assert fates.count(RecordStatus.STALE) == writers - 1
    assert len(list(store.ledger(T))) == rounds


def test_groups_about_the_same_customers_never_wait_in_a_circle(opener: Opener, store: Store) -> None:
    customers = [f"g{number}" for number in range(8)]
    store.load(T, history(*map(Profile, customers)))

    def write(name: str, order: list[str]) -> list[RecordStatus]:
        writer, fates = opener(), list[RecordStatus]()
        for round_ in range(10):
            versions = [known(writer, customer).version for customer in order]
            drafts = [draft(v, f"{name}{round_}{c}", c) for v, c in zip(versions, order, strict=True)]
            fates += writer.record(T, drafts)
        return fates

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.submit(write, "x", customers), pool.submit(write, "y", customers[::-1])
        fates = one.result() + other.result()
    assert len(list(store.ledger(T))) == fates.count(RecordStatus.RECORDED) >= 80
    assert set(fates) <= {RecordStatus.RECORDED, RecordStatus.STALE}


def test_an_id_about_two_customers_at_once_is_kept_for_one(opener: Opener, store: Store) -> None:
    store.load(T, history(Profile("c2")))
    stores = {"c1": store, "c2": opener()}
    rounds = 10
    with ThreadPoolExecutor(2) as pool:
        for round_ in range(rounds):

            def write(customer: str, round_: int = round_) -> RecordStatus:
                version = known(stores[customer], customer).version
                return stores[customer].record(T, [draft(version, f"d{round_}", customer)])[0]

            assert set(pool.map(write, stores)) == {RecordStatus.RECORDED, RecordStatus.KNOWN}
    assert len(list(store.ledger(T))) == rounds
    assert known(store).version + known(store, "c2").version == 2 + rounds
