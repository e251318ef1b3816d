"""A look over a store finds what is planted, and nothing in a store that was only used."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, insert, text, update

from tactful.serving.store.admin.checking import Checked, Finding, check
from tactful.serving.store.admin.erasure import erase
from tactful.serving.store.port import Arrival, Profile, RecordStatus, Store
from tactful.serving.store.schema import customers, decisions, identities, ledger
from tests.contracts.stores import BUY, DAY, T, history, keep_catalogue, known, spoken
from tests.decisions.retailer import NOON, RETAILER, at, contact

WEEKLY = "3 contacts in a window of weekly, which allows 2"


def speak(store: Store, name: str = "d1", customer: str = "c1", days: float = 0) -> RecordStatus:
    """Record a decision for a message some days ago, whatever caps say."""
    return store.record(T, [spoken(known(store, customer).version, name, customer, days)])[0]


@pytest.fixture
def used(store: Store) -> Store:
    """A store in which two decisions were made within their caps."""
    keep_catalogue(store)
    store.load(T, history(Profile("c1"), contacts=[("c1", replace(contact(20), id="x1"))]))
    assert [speak(store, "d1", days=3), speak(store, "d2")] == [RecordStatus.RECORDED] * 2
    return store


def change(store: Store, *statements: Any) -> None:
    with store.database.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_store_that_was_only_used_is_clean(used: Store) -> None:
    assert check(used, T) == Checked(decisions=2, contacts=3, caps=2, uncounted=(), findings=())
    assert check(used, "another") == Checked(0, 0, 0, (), ())


def test_a_cap_that_was_broken_is_found(used: Store) -> None:
    speak(used, "d3", days=1)
    assert check(used, T).findings == (Finding("cap", "c1", WEEKLY),)


def test_contacts_of_others_break_no_promise(used: Store) -> None:
    used.load(T, history(contacts=[("c1", replace(contact(-1), id="x2"))]))
    assert check(used, T).findings == ()


def test_what_was_decided_before_two_became_one_is_no_broken_cap(used: Store) -> None:
    used.ingest(T, [Arrival("e1", "a1", BUY)], at(9))
    assert [speak(used, "d3", "a1", days=3), speak(used, "d4", "a1", days=2)] == [RecordStatus.RECORDED] * 2
    used.ingest(T, [Arrival("i1", "c1", alias="a1")], NOON + DAY)
    assert len(known(used).contacts or ()) == 5
    assert check(used, T).findings == ()
    erase(used.database, T, "a1", NOON)
    assert check(used, T).findings == ()


def test_what_is_decided_after_two_became_one_must_know_of_both(used: Store) -> None:
    used.ingest(T, [Arrival("e1", "a1", BUY)], at(9))
    speak(used, "d3", "a1", days=2)
    used.ingest(T, [Arrival("i1", "c1", alias="a1")], at(1.5))
    assert check(used, T).findings == (Finding("cap", "c1", WEEKLY),)


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        (
            delete(ledger).where(ledger.c.id == "d1"),
            Finding("ledger", "d1", "no contact, though a message was decided"),
        ),
        (
            update(ledger).where(ledger.c.id == "d1").values(channel="sms"),
            Finding("ledger", "d1", "another contact than was decided"),
        ),
        (
            update(ledger).where(ledger.c.id == "x1").values(status="reserved", expires=2**60),
            Finding("ledger", "x1", "a reservation of no decision"),
        ),
        (
            update(decisions).where(decisions.c.id == "d1").values(record=b"{"),
            Finding(
                "record",
                "d1",
                "unreadable: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            ),
        ),
        (
            update(decisions).where(decisions.c.id == "d1").values(customer="c2"),
            Finding("record", "d1", "about another decision, customer or choice than its row"),
        ),
        (
            insert(identities).values(tenant=T, alias="c1", customer="c1", since=0),
            Finding("identity", "c1", "both an alias and a customer"),
        ),
        (
            insert(identities).values(tenant=T, alias="a1", customer="c9", since=0),
            Finding("identity", "a1", "an alias of nobody"),
        ),
        (
            text("DELETE FROM catalogues"),
            Finding("catalogue", RETAILER.version, "decisions were made with it, and it was not kept"),
        ),
    ],
)
def test_what_does_not_agree_is_found(used: Store, statement: Any, finding: Finding) -> None:
    change(used, statement)
    assert finding in check(used, T).findings


def test_somebody_who_was_erased_and_is_known_again_is_found(used: Store) -> None:
    used.load(T, history(Profile("c2")))
    erase(used.database, T, "c2", NOON)
    assert check(used, T).findings == ()
    change(used, insert(customers).values(tenant=T, customer="c2", version=1, attributes="{}"))
    assert check(used, T).findings == (Finding("tombstone", "c2", "erased, and known again"),)
