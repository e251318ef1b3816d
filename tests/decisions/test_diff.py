"""Two catalogues on the same customers, slates, and what each factor decides."""

import json

import pytest

from decisions.decide import Request
from decisions.diff import diff
from decisions.policies import Greedy, RandomEligible
from decisions.sensitivity import sensitivity
from decisions.slate import slate
from tests.decisions.retailer import (
    CATALOGUE,
    LAPSING,
    RETAILER,
    VOCABULARY,
    KnownScorer,
    compiled,
    decided,
    event,
    having,
)

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
    assert "| everybody | win_back | 2 | 1 | -1 |" in found.markdown()


def test_events_that_the_log_cannot_bear_are_named() -> None:
    carts = compiled(CATALOGUE.replace("type: purchase", "type: cart"))
    found = diff(REQUESTS, VOCABULARY.features, RETAILER, carts, KnownScorer())
    assert found.unseen == ("cart",)
    assert "The log bears no cart events" in found.markdown()


def test_a_slate_has_at_most_one_message_a_programme_and_its_probabilities() -> None:
    thankful = having(events=(event("purchase", 1, id="p", amount=80.0),))
    places = slate(decided(thankful), Greedy(kind="greedy"), places=3)
    assert [place.candidate.action.id for place in places] == [
        "win_back/come_back_coupon/email",
        "thanks/thank_you/email",
    ]
    assert [place.probability for place in places] == [1.0, 1.0]
    assert len(slate(decided(thankful), Greedy(kind="greedy"), places=1)) == 1
    (first, *_rest) = slate(decided(thankful), RandomEligible(kind="random"), places=1) or [None]
    assert first is None or first.probability == pytest.approx(1 / 6)


def test_a_slate_takes_only_the_channels_of_its_page() -> None:
    (only,) = slate(decided(LAPSING), Greedy(kind="greedy"), places=2, channels=["mail"])
    assert only.candidate.action.channel == "mail"


def test_a_factor_that_decides_nothing_has_no_share() -> None:
    shares = sensitivity([decided(LAPSING), decided(POOR), decided(CONTENT)])
    assert shares["shadow_price"] == shares["fatigue_price"] == shares["lever"] == 0
    assert shares["value"] == 0.5
    assert sensitivity([decided(CONTENT)])["value"] == 0
