"""Two catalogues on the same customers, slates, and what each factor decides."""

import json
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.decisions.analysis.diff import diff
from tactful.decisions.analysis.rollforward import contact_of, decide_forward
from tactful.decisions.analysis.sensitivity import sensitivity
from tactful.decisions.base.snapshot import Contact, Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.selection import Greedy, RandomEligible
from tactful.decisions.kernel.decide import Request, decide
from tactful.decisions.kernel.slate import slate
from tests.decisions.retailer import (
    CATALOGUE,
    LAPSING,
    NOON,
    RETAILER,
    VOCABULARY,
    KnownScorer,
    compiled,
    contact,
    decided,
    event,
    having,
)
from tests.decisions.test_properties import snapshots

GREEDY = Greedy(kind="greedy")
POOR = having(customer="c2", features=(30.0, 50.0))
CONTENT = having(customer="c3", features=(1.0, 10.0))
REQUESTS = [Request(f"d{i}", snapshot) for i, snapshot in enumerate([LAPSING, POOR, CONTENT])]


def test_the_same_catalogue_changes_nothing() -> None:
    found = diff(REQUESTS, VOCABULARY.features, RETAILER, compiled(), KnownScorer())
    assert (found.changed, found.changes, found.starving, found.silenced) == (0, (), (), ())
    assert found.contacts.mean == found.value.mean == 0


def test_a_dearer_channel_silences_starves_and_costs() -> None:
    dear = compiled(CATALOGUE.replace("cost: 0.01", "cost: 2").replace("cost: 0.5", "cost: 2.5"))
    found = diff(REQUESTS, VOCABULARY.features, RETAILER, dear, KnownScorer())
    assert found.changed == 1
    assert found.silenced == ("c2",)
    assert found.starving == ("win_back/miss_you/email",)
    assert found.contacts.mean == pytest.approx(-1 / 3)
    assert found.value.mean == pytest.approx((-1.99 - 0.99) / 3)
    assert found.value.low < found.value.mean < found.value.high
    everybody = {c.subject: (c.before, c.after) for c in found.changes if c.segment == "everybody"}
    assert everybody == {"win_back": (2, 1), "silence": (1, 2)}
    assert json.loads(json.dumps(found.as_dict()))["changed"] == 1
    assert "| everybody | win_back | 2 | 1 | -0.333 (-0.987 to +0.320) |" in found.markdown()


WEEKS = "{id: weekly, kind: cap, max: 2, window: 7d}"
REENTRY = "reentry: 28d"


def daily(catalogue: CompiledCatalogue, days: int) -> list[Request]:
    """A request a day about one customer, with the contacts of a catalogue, and one made elsewhere the day before."""
    requests: list[Request] = []
    ledger = [contact(1, "mail", id="elsewhere")]
    for day in range(days):
        moment = NOON + timedelta(days=day)
        seen = tuple(c for c in ledger if c.time < moment)
        requests.append(Request(f"d{day}", having(moment=moment, contacts=seen)))
        made = contact_of(decide([requests[-1]], catalogue, GREEDY, KnownScorer())[0], catalogue.catalogue)
        ledger += [made] if made else []
    return requests


def test_a_looser_cap_counts_the_contacts_it_allows_and_no_more() -> None:
    assert WEEKS in CATALOGUE
    assert REENTRY in CATALOGUE
    text = CATALOGUE.replace(REENTRY, "reentry: 1h").replace("min: 24h", "min: 1h")
    capped = {most: compiled(text.replace(WEEKS, WEEKS.replace("2", str(most), 1))) for most in (1, 3)}
    requests = daily(capped[1], 21)
    found = diff(requests[::-1], VOCABULARY.features, capped[1], capped[3], KnownScorer())
    everybody = {c.subject: (c.before, c.after) for c in found.changes if c.segment == "everybody"}
    assert everybody["win_back"] == (len([6, 13, 20]), len([0, 1, 6, 7, 8, 13, 14, 15, 20]))
    assert everybody["silence"] == (18, 12)
    assert found.contacts.mean == 6


@given(st.lists(snapshots, min_size=1, max_size=6), st.data())
def test_what_a_catalogue_logged_it_decides_again(found: list[Snapshot], data: st.DataObject) -> None:
    """Rolled forward under its own catalogue, a log comes out as it was made."""
    order = data.draw(st.permutations(range(len(found))))
    made: dict[str, list[Contact]] = defaultdict(list)
    requests, decisions = [], []
    for i, snapshot in enumerate(found):
        moment = NOON + timedelta(hours=i + 1)
        contacts = None if snapshot.contacts is None else (*snapshot.contacts, *made[snapshot.customer])
        requests.append(Request(f"d{i}", replace(snapshot, moment=moment, contacts=contacts)))
        decisions += decide([requests[-1]], RETAILER, GREEDY, KnownScorer())
        chosen = contact_of(decisions[-1], RETAILER.catalogue)
        made[snapshot.customer] += [chosen] if chosen else []
    again = decide_forward([requests[i] for i in order], RETAILER, KnownScorer())
    assert [decision.as_bytes() for decision in again] == [decisions[i].as_bytes() for i in order]


def test_events_that_the_log_cannot_bear_are_named() -> None:
    carts = compiled(CATALOGUE.replace("type: purchase", "type: cart"))
    found = diff(REQUESTS, VOCABULARY.features, RETAILER, carts, KnownScorer())
    assert found.unseen == ("cart",)
    assert "The log lacks cart events" in found.markdown()


def test_a_slate_has_at_most_one_message_a_programme_and_its_probabilities() -> None:
    thankful = having(events=(event("purchase", 1, id="p", amount=80.0),))
    places = slate(decided(thankful), Greedy(kind="greedy"), places=3)
    assert [place.candidate.action.id for place in places] == [
        "win_back/come_back_coupon/email",
        "thanks/thank_you/email",
    ]
    assert [place.probability for place in places] == [1.0, 1.0]
    assert len(slate(decided(thankful), Greedy(kind="greedy"), places=1)) == 1
    explored = decided(thankful, policy=RandomEligible(kind="random"))
    places = slate(explored, RandomEligible(kind="random"), places=3)
    assert [place.candidate for place in places][:1] == ([explored.choice] if explored.choice else [])
    assert all(place.probability == pytest.approx(1 / 6) for place in places[:1])


def test_a_slate_begins_with_what_is_mandatory() -> None:
    text = CATALOGUE.replace("value: 5\n", "value: 0\n        mandatory: true\n")
    recalled = decided(having(attributes={"birthday": date(1990, 5, 6)}), compiled(text))
    places = slate(recalled, Greedy(kind="greedy"), places=2)
    assert [place.candidate.action.message for place in places] == ["happy_birthday", "come_back_coupon"]


def test_silence_is_an_empty_slate() -> None:
    assert slate(decided(CONTENT), Greedy(kind="greedy"), places=2) == ()


def test_values_in_other_currencies_are_not_compared() -> None:
    found = diff(REQUESTS, VOCABULARY.features, RETAILER, compiled(CATALOGUE.replace("USD", "JPY")), KnownScorer())
    assert found.value is None
    assert "not comparable" in found.markdown()


def test_events_looked_at_farther_back_are_named() -> None:
    longer = compiled(CATALOGUE.replace("lasts: 30d", "lasts: 90d"))
    assert diff(REQUESTS, VOCABULARY.features, RETAILER, longer, KnownScorer()).unseen == ("complained",)


def test_a_factor_that_decides_nothing_has_no_share() -> None:
    shares = sensitivity([decided(LAPSING), decided(POOR), decided(CONTENT)])
    assert shares["shadow_price"] == shares["unsubscribe"] == shares["lever"] == 0
    assert shares["value"] == 0.5
    assert sensitivity([decided(CONTENT)])["value"] == 0
