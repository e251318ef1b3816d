"""An audit finds what is planted, and nothing where every window is within its cap."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.decisions.base.snapshot import Contact, Snapshot
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.catalogue.policies.frequency import Cap
from tactful.serving.errors import StoreError
from tactful.serving.store.admin.audit import Audit, Recorded, audit, broken_windows
from tactful.serving.store.port import Draft, History, Profile, RecordStatus
from tactful.serving.store.sqlite.store import SqliteStore
from tests.decisions.retailer import CATALOGUE, LAPSING, NOON, RETAILER, compiled, decided

HOUR = 3_600_000_000
DAY = 24 * HOUR
WEEKLY = Cap(id="weekly", kind="cap", max=2, window=timedelta(days=7))


def at(*hours: int, customer: str = "c1", channel: str = "email", **traits: Any) -> list[Recorded]:
    return [Recorded(customer, f"{customer}-{hour}", hour * HOUR, channel, **traits) for hour in hours]


def broken(ledger: list[Recorded], cap: Cap = WEEKLY) -> list[tuple[str, int]]:
    return [(v.customer, v.observed) for v in broken_windows(ledger, [cap], {contact.id for contact in ledger})]


def test_a_full_window_is_within_the_cap_and_one_more_contact_is_not() -> None:
    assert broken(at(0, 24)) == []
    assert broken(at(0, 24, 7 * 24 - 1)) == [("c1", 3)]


def test_windows_are_half_open() -> None:
    assert broken(at(0, 24, 7 * 24)) == []


def test_contacts_of_different_customers_do_not_add_up() -> None:
    assert broken(at(0, 1) + at(2, 3, customer="c2")) == []


def test_contacts_that_do_not_count_are_left_out() -> None:
    assert broken(at(0, 1) + at(2, counts=False)) == []


def test_a_scope_is_heeded() -> None:
    mail = WEEKLY.model_copy(update={"scope": WEEKLY.scope.model_copy(update={"channel": ("mail",)})})
    assert broken(at(0, 1, 2), mail) == []
    assert broken(at(0, 1, 2, channel="mail"), mail) == [("c1", 3)]


def test_a_scope_of_tags_is_heeded() -> None:
    promotions = WEEKLY.model_copy(update={"scope": WEEKLY.scope.model_copy(update={"tag": ("promotion",)})})
    assert broken(at(0, 1) + at(2, tags=("promotion",)), promotions) == []
    assert broken(at(0, 1, 2, tags=("promotion", "other")), promotions) == [("c1", 3)]


def test_a_cap_per_channel_counts_each_channel_alone() -> None:
    per_channel = WEEKLY.model_copy(update={"per": "channel"})
    assert broken(at(0, 1) + at(2, channel="mail"), per_channel) == []
    assert broken(at(0, 1, 2) + at(3, channel="mail"), per_channel) == [("c1", 3)]


def test_contacts_that_others_made_break_no_promise_of_ours() -> None:
    ledger = at(0, 1, 2)
    assert broken_windows(ledger, [WEEKLY], set()) == []
    assert broken_windows(ledger, [WEEKLY], {"c1-1"}) == []
    assert len(broken_windows(ledger, [WEEKLY], {"c1-2"})) == 1


def test_messages_that_caps_do_not_bind_are_exempt() -> None:
    ledger = at(0, 1) + at(2, message="recall")
    assert broken_windows(ledger, [WEEKLY], {"c1-2"}, exempt={"recall"}) == []


def test_a_reservation_that_had_lapsed_is_no_contact() -> None:
    lapsed = at(0, 1, expires=DAY)
    assert broken(lapsed + at(24)) == []
    assert broken(lapsed + at(23)) == [("c1", 3)]


@given(
    st.lists(st.integers(0, 40), max_size=12, unique=True),
    st.integers(1, 4),
    st.integers(1, 20),
)
def test_it_finds_a_broken_window_exactly_where_one_exists(hours: list[int], most: int, length: int) -> None:
    cap = Cap(id="cap", kind="cap", max=most, window=timedelta(hours=length))
    fullest = max((sum(start <= hour < start + length for hour in hours) for start in range(41)), default=0)
    assert bool(broken(at(*hours), cap)) == (fullest > most)


def stored(folder: Path, snapshots: list[Snapshot], *, reserve: bool = True, before: int = 0) -> SqliteStore:
    """A store in which each snapshot was decided, and `before` contacts were made in the hours before."""
    store = SqliteStore(folder / "tactful.db")
    contacts = [
        (snapshot.customer, Contact(NOON - timedelta(hours=hour), "email", id=f"before-{hour}"))
        for snapshot in snapshots
        for hour in range(1, before + 1)
    ]
    profiles = [Profile(snapshot.customer) for snapshot in snapshots]
    store.load("default", History("America/New_York", NOON, profiles, contacts=contacts))
    for number, snapshot in enumerate(snapshots):
        decision = decided(snapshot, decision_id=f"d{number}")
        reservation = None
        if reserve and decision.choice is not None:
            action = decision.choice.action
            reservation = Contact(NOON, action.channel, action.programme, action.message, action.tags, id=decision.id)
        known = store.customers("default", [(snapshot.customer, NOON)])[0]
        assert known is not None
        draft = Draft(
            decision,
            inputs=b"",
            based_on=known.version,
            reservation=reservation,
            expires=NOON + timedelta(days=30),
        )
        assert store.record("default", [draft]) == [RecordStatus.RECORDED]
    return store


def audited(store: SqliteStore, catalogue: Catalogue = RETAILER.catalogue) -> Audit:
    """What an audit of a store finds; it is closed then."""
    try:
        return audit(store.database, catalogue)
    finally:
        store.close()


def test_it_reads_what_the_store_recorded(tmp_path: Path) -> None:
    silent = replace(LAPSING, customer="c2", features=(1.0, 10.0))
    found = audited(stored(tmp_path, [LAPSING, silent], before=1))
    assert (found.decisions, found.messages, found.customers, found.contacts) == (2, 1, 2, 3)
    assert found.violations == ()
    assert found.load["weekly"] == {1: 1, 2: 1}


def test_it_finds_a_decision_that_the_caps_forbade(tmp_path: Path) -> None:
    found = audited(stored(tmp_path, [LAPSING], before=2))
    assert [(v.rule, v.observed, v.limit) for v in found.violations] == [("weekly", 3, 2)]


def test_it_finds_a_message_that_the_ledger_lacks(tmp_path: Path) -> None:
    found = audited(stored(tmp_path, [LAPSING], reserve=False))
    assert [v.rule for v in found.violations] == ["ledger"]


def test_a_cap_of_a_segment_cannot_be_audited(tmp_path: Path) -> None:
    segmented = compiled(CATALOGUE.replace("id: weekly, kind: cap,", "id: weekly, kind: cap, segment: rich,"))
    with pytest.raises(StoreError, match="weekly"):
        audited(stored(tmp_path, [LAPSING]), segmented.catalogue)
