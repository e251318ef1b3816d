"""Recheck at send: what came in between holds a message back."""

from dataclasses import replace
from datetime import timedelta

from tactful.decisions.base.snapshot import Contact, Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.kernel.recheck import recheck
from tests.decisions.retailer import CATALOGUE, LAPSING, NOON, RETAILER, KnownScorer, compiled, decided, event, having

LATER = NOON + timedelta(hours=2)
DECISION = decided(LAPSING)
RESERVED = Contact(NOON, "email", "win_back", "come_back_coupon", opening="win_back:first", id=DECISION.id)


def gates(snapshot: Snapshot, catalogue: CompiledCatalogue = RETAILER) -> set[str]:
    found = recheck(decided(LAPSING, catalogue), snapshot, catalogue, KnownScorer())
    return {exclusion.gate for exclusion in found}


def test_its_own_reservation_does_not_hold_it_back() -> None:
    assert gates(having(moment=LATER, contacts=(RESERVED,))) == set()


def test_a_complaint_a_night_and_a_withdrawn_consent_do() -> None:
    assert gates(having(moment=LATER, contacts=(RESERVED,), events=(event("complained", -0.05),))) == {"suppression"}
    assert gates(having(moment=NOON + timedelta(hours=10), contacts=(RESERVED,))) == {"quiet_hours"}
    assert gates(having(moment=LATER, contacts=(RESERVED,), consents={})) == {"consent"}


def test_an_opening_that_is_gone_does_too() -> None:
    assert gates(having(moment=LATER, contacts=(RESERVED,), features=(1.0, 200.0))) == {"trigger"}


def test_a_programme_may_do_without() -> None:
    trusting = compiled(CATALOGUE.replace("reentry: 28d", "reentry: 28d\n    recheck_at_send: false"))
    assert gates(having(moment=LATER, consents={}), trusting) == set()


def test_silence_is_never_sent() -> None:
    silent = replace(LAPSING, features=(1.0, 1.0))
    assert recheck(decided(silent), having(silent, moment=LATER), RETAILER, KnownScorer()) == ()
