import pandas as pd
import pytest

from tactful.training.studies.activity import summary, weekly_shares

ZONE = "America/New_York"
EVENTS = pd.DataFrame(
    [
        ("a", "2024-01-01 12:00", "purchase"),  # a Monday
        ("a", "2024-01-02 12:00", "purchase"),
        ("b", "2024-01-08 03:00", "purchase"),  # still Sunday in New York
        ("a", "2024-01-10 12:00", "contact"),
        ("a", "2024-01-15 12:00", "purchase"),
    ],
    columns=["customer_id", "time", "type"],
).astype({"time": "datetime64[us, UTC]"})


def test_a_summary_counts_events_and_customers_on_local_days() -> None:
    purchases = summary(EVENTS, ZONE).loc["purchase"]
    assert purchases.tolist() == [4, 2, "2024-01-01", "2024-01-15"]


def test_weeks_are_whole_local_weeks_and_a_customer_counts_once() -> None:
    shares = weekly_shares(EVENTS, "purchase", ZONE)
    assert {f"{day:%m-%d}": share.value for day, share in shares.items()} == {"01-01": 1.0, "01-08": 0.0}


def test_intervals_are_wilsons() -> None:
    share = weekly_shares(EVENTS, "contact", ZONE)[pd.Timestamp("2024-01-08")]
    assert tuple(share) == (0.5, pytest.approx(0.0945, abs=1e-4), pytest.approx(0.9055, abs=1e-4))
