"""One row a customer: each column by hand, at its edges."""

from datetime import timedelta

import pandas as pd
import pytest

from tactful.experiments.base.errors import ReadoutError
from tactful.experiments.readout.outcomes import outcomes
from tests.experiments.trials import START, moment

UNTIL = START + timedelta(days=60)


def events(*rows: tuple[float, str, float, str]) -> pd.DataFrame:
    days, kinds, amounts, subjects = zip(*rows, strict=True)
    times = pd.Series([moment(day) for day in days]).dt.tz_convert("UTC")
    return pd.DataFrame({"customer_id": "ada", "time": times, "type": kinds, "amount": amounts, "subject": subjects})


def enrolled(*customers: str, day: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame({"customer": list(customers), "entered": moment(day)})


def of_ada(told: pd.DataFrame, **options: timedelta) -> pd.Series:
    return outcomes(told, enrolled("ada"), UNTIL, **options).iloc[0]


def test_sums_begin_with_entering_and_end_before_the_end() -> None:
    told = events(
        (-0.001, "purchase", 7.0, ""),
        (0.0, "purchase", 10.0, ""),
        (59.9, "refund", -4.0, ""),
        (60.0, "purchase", 99.0, ""),
    )
    row = of_ada(told)
    assert (row["revenue"], row["sales"], row["orders"], row["converted"]) == (6.0, 10.0, 1.0, 1.0)
    assert (row["before_revenue"], row["before_orders"], row["before_converted"]) == (7.0, 1.0, 1.0)


def test_the_time_before_is_as_long_as_asked() -> None:
    told = events((-28.0, "purchase", 5.0, ""), (-28.1, "purchase", 50.0, ""), (-3.0, "contact", 0.0, ""))
    row = of_ada(told)
    assert (row["before_revenue"], row["before_contacts"]) == (5.0, 1.0)
    assert of_ada(told, before=timedelta(days=2))["before_revenue"] == 0.0


def test_retention_looks_at_the_four_weeks_up_to_the_day() -> None:
    row = of_ada(events((27.9, "purchase", 1.0, ""), (56.0, "purchase", 1.0, "")))
    assert [row[f"retained_{day}"] for day in (28, 56, 90)] == [1.0, 0.0, 0.0]
    assert [row[f"matured_{day}"] for day in (28, 56, 90)] == [1.0, 1.0, 0.0]


def test_contacts_and_what_came_of_them() -> None:
    told = events(
        (1, "contact", 0, "offer"), (2, "clicked", 0, "offer"), (3, "redeemed", 0, "offer"), (4, "complained", 0, ""),
        (5, "unsubscribed", 0, ""), (6, "unsubscribed", 0, ""), (7, "opened", 0, ""),
    )  # fmt: skip
    row = of_ada(told)
    assert [row[c] for c in ("contacts", "responses", "complained", "unsubscribed")] == [1.0, 2.0, 1.0, 1.0]


def test_answers_are_counted_where_they_are_some() -> None:
    told = events((1, "survey", 0, "promoter"), (2, "survey", 0, "detractor"), (3, "survey", 0, "promoter"),
                  (4, "survey", 0, "maybe"))  # fmt: skip
    row = of_ada(told)
    assert (row["surveys"], row["survey_points"]) == (3.0, 100.0)


def test_a_part_of_the_time_can_be_looked_at() -> None:
    told = events((0.5, "purchase", 1.0, ""), (7.0, "purchase", 2.0, ""), (14.0, "purchase", 4.0, ""))
    week = timedelta(days=7)
    assert of_ada(told, since=week)["revenue"] == 6.0
    assert of_ada(told, since=week, lasts=week)["revenue"] == 2.0


def test_customers_without_events_and_strangers() -> None:
    found = outcomes(events((1, "purchase", 3.0, "")), enrolled("ben", "ada"), UNTIL)
    assert found["customer"].tolist() == ["ben", "ada"]
    assert found["revenue"].tolist() == [0.0, 3.0]
    assert outcomes(events((1, "purchase", 3.0, "")), enrolled("ben"), UNTIL)["revenue"].tolist() == [0.0]


def test_a_customer_stands_there_once() -> None:
    with pytest.raises(ReadoutError, match="a customer twice"):
        outcomes(events((1, "purchase", 3.0, "")), enrolled("ada", "ada"), UNTIL)
