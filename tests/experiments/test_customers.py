"""Generated customers: the same for the same seed, valid, plausible, and plainly generated."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactful.experiments.samples.customers import CONTRACT, END, STYLES, Customers, generate
from tactful.experiments.samples.requests import requests
from tactful.features.build import build
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.schema import validate
from tests.decisions.rehearsal import example

RETAIL, SUBSCRIPTION = example("retail.yaml"), example("subscription.yaml")


@pytest.fixture(scope="module")
def made() -> Customers:
    return generate(300, seed=5)


def test_the_same_seed_makes_the_same_customers_and_another_makes_others() -> None:
    first, again, other = generate(6, seed=3), generate(6, seed=3), generate(6, seed=4)
    pd.testing.assert_frame_equal(first.table, again.table)
    assert first.profiles == again.profiles
    assert len(other.table) != len(first.table)


def test_more_customers_leave_the_first_ones_as_they_are() -> None:
    few, many = generate(3, seed=3), generate(7, seed=3)
    assert many.profiles[:3] == few.profiles
    pd.testing.assert_frame_equal(many.table.iloc[: len(few.table)], few.table)


@given(st.integers(0, 2**32))
@settings(max_examples=15)
def test_every_event_is_valid_whatever_the_seed(seed: int) -> None:
    table = generate(4, seed=seed).table
    valid, rejected = validate(table)
    assert rejected.empty
    assert len(valid) == len(table)
    assert (table["time"] < pd.Timestamp(END)).all()


def test_every_id_says_that_it_is_generated(made: Customers) -> None:
    assert all(profile.customer.startswith("generated-5-") for profile in made.profiles)
    assert made.table["customer_id"].str.startswith("generated-").all()
    assert made.table["event_id"].is_unique


def test_a_history_begins_with_signing_up(made: Customers) -> None:
    first = made.table.groupby("customer_id").first()
    assert (first["type"] == "signup").all()
    joined = {profile.customer: pd.Timestamp(profile.joined) for profile in made.profiles}
    assert first["time"].to_dict() == joined


def test_all_kinds_of_customer_and_event_are_there(made: Customers) -> None:
    assert {profile.style for profile in made.profiles} == set(STYLES)
    assert set(made.table["type"]) >= {
        "purchase", "refund", "view", "search", "cart", "checkout", "signup", "contact", "delivered", "opened",
        "clicked", "complained", "unsubscribed", "redeemed", "survey", "review", "contract", "earned", "spent",
    }  # fmt: skip
    assert set(made.table.loc[made.table["type"] == "survey", "subject"]) == {"promoter", "passive", "detractor"}
    contracts = made.table.loc[made.table["type"] == "contract", "subject"]
    assert set(contracts) == {"started", "renewed", "payment_failed", "cancelled"}


@pytest.mark.parametrize("events", [100, 300])
def test_a_regular_customer_has_about_as_many_events_as_asked_for(events: int) -> None:
    made = generate(250, seed=2, events=events)
    counts = made.table.groupby("customer_id").size()
    regular = [profile.customer for profile in made.profiles if profile.style == "regular"]
    assert counts[regular].mean() == pytest.approx(events, rel=0.15)
    assert counts.max() >= events


def test_styles_shop_differently(made: Customers) -> None:
    frame = build(made.events, [END]).to_pandas().droplevel("as_of")
    style = {profile.customer: profile.style for profile in made.profiles}
    means = frame.groupby(style).mean()
    assert means.loc["loyal", "spend_365d"] > 2 * means.loc["regular", "spend_365d"]
    assert means.loc["lapsed", "days_since_purchase"] > 2 * means.loc["regular", "days_since_purchase"]
    assert means.loc["bargain hunter", "discounted_share_365d"] > 0.6
    assert means.loc["newcomer", "days_since_first_event"] < 45
    assert means.loc["window shopper", "purchases_total"] < 3


class TestRequests:
    moment = datetime(2026, 5, 20, 12, tzinfo=UTC)

    def test_everybody_who_had_signed_up_is_asked_about_as_of_the_moment(self, made: Customers) -> None:
        asked = requests(made, self.moment, RETAIL)
        known = {profile.customer for profile in made.profiles if profile.joined < self.moment}
        assert {request.snapshot.customer for request in asked} == known
        assert len({request.id for request in asked}) == len(asked) == len(known)
        later = requests(made, self.moment + timedelta(days=30), RETAIL)
        assert len(later) > len(asked)

    def test_features_are_those_of_the_kernel_with_the_catalogues_own(self, made: Customers) -> None:
        features = RETAIL.catalogue.feature_set(STANDARD)
        frame = build(made.events, [self.moment], features).to_pandas().droplevel("as_of")
        for request in requests(made, self.moment, RETAIL)[:20]:
            wanted = frame.loc[request.snapshot.customer].tolist()
            assert request.snapshot.features == pytest.approx(wanted, rel=0, abs=0, nan_ok=True)

    def test_a_snapshot_holds_what_the_catalogue_looks_at_and_every_contact(self, made: Customers) -> None:
        now = pd.Timestamp(self.moment)
        past = made.table[made.table["time"] < now]
        looked_at = past[past["time"] >= now - past["type"].map(RETAIL.memory).fillna(pd.Timedelta(0))]
        events = looked_at.groupby("customer_id").size()
        contacts = past[past["type"] == "contact"].groupby("customer_id").size()
        for request in requests(made, self.moment, RETAIL):
            snapshot = request.snapshot
            assert len(snapshot.events) == events.get(snapshot.customer, 0)
            assert len(snapshot.contacts or ()) == contacts.get(snapshot.customer, 0)
            assert set(snapshot.attributes) <= set(RETAIL.catalogue.attributes)

    def test_a_channel_can_be_asked_for(self, made: Customers) -> None:
        assert {request.channels for request in requests(made, self.moment, RETAIL, channels=("web",))} == {("web",)}

    def test_a_contract_ends_a_year_after_it_began_unless_it_was_cancelled(self, made: Customers) -> None:
        ends = {r.snapshot.customer: r.snapshot.attributes["contract_ends"] for r in requests(made, END, SUBSCRIPTION)}
        contracts = made.table[(made.table["type"] == "contract") & (made.table["subject"] != "payment_failed")]
        last = contracts.groupby("customer_id").last()
        for customer, time, subject in zip(last.index, last["time"], last["subject"], strict=True):
            wanted: date | None = None if subject == "cancelled" else (time.to_pydatetime() + CONTRACT).date()
            assert ends[customer] == wanted
        assert any(value is None for value in ends.values())
