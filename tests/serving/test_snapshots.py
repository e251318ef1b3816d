"""Snapshots: the features of the one kernel, the events that matter, and bytes that a decision can be replayed from."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.decisions.base.snapshot import Contact, Event, Snapshot
from tactful.decisions.kernel.decide import Request, RunContext, decide
from tactful.features.build import build_pairs
from tactful.features.definitions.standard import STANDARD
from tactful.features.timestamps import microseconds
from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.engine.batch import decide_all
from tactful.serving.engine.service import DecisionService
from tactful.serving.engine.snapshots import as_bytes, from_bytes, snapshot
from tactful.serving.store.inputs import unpacked
from tactful.serving.store.port import Arrival, History, Profile, StoredEvent
from tests.decisions.retailer import RETAILER
from tests.serving.shop import NOW, write


def of(service: DecisionService, customer: str, moment: datetime = NOW) -> Snapshot:
    (known,) = service.store.customers(service.tenant, [(customer, moment)])
    assert known is not None
    return snapshot(known, moment, service.champions.present())


def test_features_are_the_same_bits_as_offline(service: DecisionService, tmp_path: Path) -> None:
    dataset = write(tmp_path / "events")
    for bucket in range(dataset.buckets):
        events = dataset.events(bucket)
        for days in (0, 3, 40):
            moment = NOW - timedelta(days=days)
            offline = build_pairs(events, list(events.customers), [moment] * len(events.customers), STANDARD)
            online = [of(service, customer, moment).features for customer in events.customers]
            np.testing.assert_array_equal(np.array(online).reshape(offline.values.shape), offline.values)


def test_only_events_that_the_catalogue_looks_at_are_seen(service: DecisionService) -> None:
    assert {event.type for event in of(service, "complainer").events} == {"purchase", "complained"}
    assert of(service, "leaver").events == ()


def test_a_complaint_that_is_dated_ahead_counts_now_and_nothing_else_that_is(service: DecisionService) -> None:
    """A clock that ran ahead and was put right reopens nothing."""
    before = of(service, "thankful")
    assert service.decide("thankful", "d1").decision.choice is not None
    ahead = NOW + timedelta(hours=3)
    events = [
        StoredEvent(microseconds(ahead), EVENT_TYPES.index(kind), 1, 80.0, 0.0, 1.0, 0, "", kind)
        for kind in ("complained", "purchase")
    ]
    arrivals = [Arrival(event.id, "thankful", event=event) for event in events]
    service.store.ingest(service.tenant, arrivals, ahead)
    found = of(service, "thankful")
    assert [event.id for event in found.events if event not in before.events] == ["complained"]
    np.testing.assert_array_equal(found.features, before.features)
    decided = service.decide("thankful", "d2").decision
    assert decided.choice is None
    assert "suppression" in {one.gate for candidate in decided.candidates for one in candidate.exclusions}


def test_a_past_contact_counts(service: DecisionService) -> None:
    (contact,) = of(service, "leaver").contacts or ()
    assert (contact.time, contact.channel) == (NOW - timedelta(days=50), "mail")


def test_attributes_take_their_declared_types(service: DecisionService) -> None:
    stored = {"first_name": "Ada", "birthday": "1990-05-06", "goal": 3, "undeclared": 1}
    service.store.load(service.tenant, History("UTC", NOW, [Profile("new", attributes=stored)]))
    found = of(service, "new")
    assert found.attributes == {"first_name": "Ada", "birthday": date(1990, 5, 6), "goal": 3.0}
    assert isinstance(found.attributes["goal"], float)
    assert found.contacts == ()


@pytest.mark.parametrize(
    ("written", "zone", "day"),
    [
        ("1990-05-17T22:00:00.000Z", "Europe/Berlin", 18),
        ("1990-05-17T22:00:00+00:00", "America/New_York", 17),
        ("1990-05-17T22:00:00Z", None, 17),
        ("1990-05-18T03:00:00Z", None, 17),
        ("1990-05-17T00:00:00Z", "America/New_York", 17),
        ("1990-05-17T00:00:00.000-05:00", "Europe/Berlin", 17),
        ("1990-05-17T23:30:00-05:00", "Europe/Berlin", 18),
        ("1990-05-17T22:00:00", "Europe/Berlin", 17),
        ("1990-05-17 22:00", "Europe/Berlin", 17),
        (" 1990-05-17 ", "Europe/Berlin", 17),
        ("19900517", "Europe/Berlin", 17),
        ("19900517T220000Z", "Europe/Berlin", 18),
        ("1990-W20-4", "Europe/Berlin", 17),
    ],
)
def test_a_date_of_the_profile_is_a_day_of_the_customer(
    service: DecisionService, written: str, zone: str | None, day: int
) -> None:
    """Without a zone of the customer's it is a day where the catalogue is: in New York."""
    profiles = [Profile("new", zone, attributes={"birthday": written})]
    service.store.load(service.tenant, History("UTC", NOW, profiles))
    found = of(service, "new")
    assert found.attributes == {"birthday": date(1990, 5, day)}
    declared = service.champions.present().compiled.catalogue.attributes
    assert from_bytes(as_bytes(found), declared).attributes == found.attributes


@pytest.mark.parametrize("written", ["soon", "0001-01-01T00:30:00+14:00", "9999-12-31T23:00:00Z", "1990-13-01", ""])
def test_what_is_no_date_stays_a_text(service: DecisionService, written: str) -> None:
    profiles = [Profile("new", "Asia/Tokyo", attributes={"birthday": written})]
    service.store.load(service.tenant, History("UTC", NOW, profiles))
    assert of(service, "new").attributes == {"birthday": written}
    assert service.decide("new", "d1").decision.choice is None


def test_a_decision_is_made_again_from_the_bytes_kept_with_it(
    service: DecisionService, open_shop: Callable[[], DecisionService]
) -> None:
    decide_all(service, "run")
    champion = open_shop().champions.present()
    catalogue = champion.compiled.catalogue
    log = list(service.store.decision_log(service.tenant))
    assert len(log) > 5
    for stored in log:
        assert stored.inputs is not None
        request = Request(stored.id, from_bytes(stored.inputs, catalogue.attributes))
        (again,) = decide([request], champion.compiled, catalogue.policy, champion.bundle, RunContext())
        assert again.as_bytes() == stored.record


moments = st.datetimes(datetime(2000, 1, 1), datetime(2026, 5, 1), timezones=st.just(UTC))  # noqa: DTZ001
words = st.text(max_size=8)
events = st.builds(
    Event,
    type=st.sampled_from(["purchase", "complained"]),
    time=moments,
    id=words,
    subject=words,
    amount=st.floats(-1e9, 1e9),
    channel=words,
    programme=words,
)
contacts = st.builds(
    Contact,
    time=moments,
    channel=words,
    programme=words,
    message=words,
    tags=st.lists(words, max_size=2).map(tuple),
    opening=words,
    counts=st.booleans(),
    id=words,
)


@given(
    st.builds(
        Snapshot,
        customer=words,
        moment=st.just(NOW),
        features=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=4).map(tuple),
        contacts=st.none() | st.lists(contacts, max_size=3).map(tuple),
        events=st.lists(events, max_size=3).map(tuple),
        attributes=st.fixed_dictionaries({}, optional={"first_name": words, "birthday": st.dates()}),
        consents=st.dictionaries(st.tuples(words, words), st.booleans(), max_size=3),
        zone=st.none() | st.just("Europe/Paris"),
        joined=st.none() | moments,
    )
)
def test_the_bytes_of_a_snapshot_bear_all_of_it(made: Snapshot) -> None:
    assert from_bytes(as_bytes(made), RETAILER.catalogue.attributes) == made


def test_an_unknown_feature_stays_unknown(service: DecisionService) -> None:
    found = of(service, "celebrant")
    again = from_bytes(as_bytes(found), service.champions.present().compiled.catalogue.attributes)
    np.testing.assert_array_equal(again.features, found.features)
    assert np.isnan(found.features).any()
    assert replace(again, features=()) == replace(found, features=())


def test_a_long_snapshot_is_kept_short_and_read_again(service: DecisionService) -> None:
    one = of(service, "thankful")
    event = Event("view", NOW - timedelta(days=1), "e", "sku")
    long = replace(one, events=tuple(replace(event, id=f"e{number}") for number in range(10_000)))
    content = as_bytes(long)
    assert len(content) < 100_000
    declared = service.champions.present().compiled.catalogue.attributes
    assert from_bytes(content, declared).events == long.events
    assert unpacked(as_bytes(one))["customer"] == "thankful"
