from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.features.timestamps import DAY, microseconds
from tactful.training.data.errors import TrainingError
from tactful.training.data.labels import days_after, iso_date, lapses, midnight, responses, span
from tests.training.shops import OPENED, campaigns, frame, rows, write

DAY_0 = microseconds(OPENED.to_pydatetime())
MOMENTS = st.integers(0, 4_000_000_000_000_000)
ZONES = st.sampled_from(["UTC", "America/New_York", "Europe/London", "Asia/Kathmandu"])


def moment(day: float) -> int:
    return DAY_0 + round(day * DAY)


def test_a_span_is_from_the_first_purchase_to_the_last_event(tmp_path: Path) -> None:
    dataset = write(pd.concat([rows("a", "contact", [0]), rows("a", "purchase", [5, 9])]), tmp_path / "events")
    covered = span(dataset)
    assert (covered.first, covered.end) == (moment(5), moment(9) + 1)
    assert str(covered) == "4 days, 2024-01-06 to 2024-01-10"


def test_a_log_without_purchases_is_told(tmp_path: Path) -> None:
    dataset = write(rows("a", "contact", [0, 1]), tmp_path / "events")
    with pytest.raises(TrainingError, match="a log without purchases: got '2 other events'"):
        span(dataset)


def test_who_bought_lately_and_not_again_has_lapsed(tmp_path: Path) -> None:
    events = pd.concat(
        [
            rows("stays", "purchase", [0, 20, 35, 60]),
            rows("leaves", "purchase", [0, 25]),
            rows("long gone", "purchase", [1]),
            rows("comes later", "purchase", [45]),
            rows("never buys", "contact", [10], "x"),
        ]
    )
    dataset = write(events, tmp_path / "events")
    found = lapses(dataset, [moment(30), moment(40)], horizon_days=14, lookback_days=21)
    labels = {
        (str(c), int(t - DAY_0) // DAY): bool(p)
        for c, t, p in zip(found.customers, found.as_of, found.positive, strict=True)
    }
    away = {("long gone", 30): True, ("long gone", 40): True}
    assert labels == {("stays", 30): False, ("stays", 40): True, ("leaves", 30): True, ("leaves", 40): True, **away}
    assert set(found.customers[~found.counted]) == {"long gone"}
    assert (found.known - found.as_of == 14 * DAY).all()


@pytest.mark.parametrize(("bought", "lapsed"), [(30, False), (43.999, False), (44, True)])
def test_a_horizon_is_half_open(tmp_path: Path, bought: float, lapsed: bool) -> None:
    dataset = write(rows("a", "purchase", [25, bought, 60]), tmp_path / "events")
    assert lapses(dataset, [moment(30)], horizon_days=14, lookback_days=21).positive.tolist() == [lapsed]


@pytest.mark.parametrize(("bought", "counts"), [(9, True), (8.999, False), (30, False), (29.999, True)])
def test_a_lookback_is_half_open(tmp_path: Path, bought: float, counts: bool) -> None:
    dataset = write(rows("a", "purchase", [bought, 60]), tmp_path / "events")
    assert lapses(dataset, [moment(30)], horizon_days=14, lookback_days=21).counted.sum() == counts


def test_a_horizon_the_log_does_not_cover_is_told(tmp_path: Path) -> None:
    dataset = write(rows("a", "purchase", [0, 40]), tmp_path / "events")
    with pytest.raises(TrainingError, match=r"the log ends within the horizon: got '4\.0 days short'"):
        lapses(dataset, [moment(30)], horizon_days=14, lookback_days=21)


def test_later_events_change_no_settled_label(tmp_path: Path) -> None:
    events = frame(customers=40, days=120)
    whole, cut = write(events, tmp_path / "whole"), events[events["time"] < OPENED + pd.Timedelta(days=81)]
    arguments = {"moments": [moment(30), moment(50)], "horizon_days": 30, "lookback_days": 30}
    told = [lapses(dataset, **arguments) for dataset in (whole, write(cut, tmp_path / "cut"))]
    assert len({tuple(sorted(zip(t.customers, t.as_of.tolist(), t.positive.tolist(), strict=True))) for t in told}) == 1


@pytest.mark.parametrize(
    ("day", "subject", "answered"),
    [(30, "0", True), (49.999, "0", True), (50, "0", False), (29.999, "0", False), (40, "1", False)],
)
def test_an_answer_is_a_redemption_of_that_campaign_in_its_window(
    tmp_path: Path, day: float, subject: str, answered: bool
) -> None:
    bought = rows("buyer", "purchase", [0, 299])
    dataset = write(
        pd.concat([bought, rows("a", "contact", [30], "0"), rows("a", "redeemed", [day], subject)]), tmp_path
    )
    found = responses(dataset, campaigns())
    assert found.positive.tolist() == [answered]
    assert found.offers == ({"campaign_type": "A", "channel": "mail"},)
    assert ((found.as_of - DAY_0) // DAY).tolist() == [30]
    assert ((found.known - DAY_0) // DAY).tolist() == [50]


def test_two_redemptions_are_one_answer_and_others_answer_for_themselves(tmp_path: Path) -> None:
    dataset = write(
        pd.concat(
            [
                rows("buyer", "purchase", [0, 299]),
                rows("a", "contact", [30], "0"),
                rows("b", "contact", [30], "0"),
                rows("b", "redeemed", [31, 32], "0"),
            ]
        ),
        tmp_path,
    )
    found = responses(dataset, campaigns())
    assert dict(zip(found.customers, found.positive.tolist(), strict=True)) == {"a": False, "b": True}


def test_windows_the_log_does_not_cover_are_left_out_and_counted(tmp_path: Path) -> None:
    dataset = write(
        pd.concat(
            [
                rows("buyer", "purchase", [40, 75]),
                rows("a", "contact", [30], "0"),
                rows("a", "contact", [60], "1"),
                rows("b", "contact", [50], "0"),
                rows("a", "redeemed", [31], "0"),
            ]
        ),
        tmp_path,
    )
    found = responses(dataset, campaigns())
    assert found.customers.tolist() == ["b"]
    assert found.left_out == {"before the first purchase": 1, "window beyond the end of the log": 1}


def test_a_window_in_days_needs_no_campaigns(tmp_path: Path) -> None:
    dataset = write(
        pd.concat(
            [
                rows("buyer", "purchase", [0, 299]),
                rows("a", "contact", [30, 60], "x"),
                rows("a", "redeemed", [65], "x"),
            ]
        ),
        tmp_path,
    )
    found = responses(dataset, window_days=10)
    days = ((found.as_of - DAY_0) // DAY).tolist()
    assert dict(zip(days, found.positive.tolist(), strict=True)) == {30: False, 60: True}
    assert found.offers[0] == {"channel": "mail"}


def test_what_a_log_lacks_is_told(tmp_path: Path) -> None:
    bought = rows("a", "purchase", [0, 90])
    silent, mailed = bought, pd.concat([bought, rows("a", "contact", [30], "0")])
    with pytest.raises(TrainingError, match="a log without contact events"):
        responses(write(silent, tmp_path / "silent"), campaigns())
    with pytest.raises(TrainingError, match="a log without redeemed events"):
        responses(write(mailed, tmp_path / "mailed"), campaigns())


def test_unfit_campaigns_are_told(tmp_path: Path) -> None:
    dataset = write(frame(customers=5), tmp_path)
    with pytest.raises(TrainingError, match="unknown response windows"):
        responses(dataset)
    with pytest.raises(TrainingError, match="unknown response windows"):
        responses(dataset, campaigns(), window_days=10)
    with pytest.raises(TrainingError, match=r"missing columns of campaigns: .*; wanted end"):
        responses(dataset, campaigns().drop(columns="end"))
    with pytest.raises(TrainingError, match="two campaigns of one name: got '0'"):
        responses(dataset, pd.concat([campaigns(), campaigns()]))
    with pytest.raises(TrainingError, match="unfit ends of campaigns: got 'datetime64"):
        responses(dataset, campaigns().assign(end=campaigns()["end"].dt.tz_localize(None)))
    with pytest.raises(TrainingError, match=r"no contact of a known campaign: .* subjects such as spring 0"):
        responses(dataset, campaigns().assign(campaign="spring " + campaigns()["campaign"]))


@given(MOMENTS, st.integers(-400, 400), ZONES)
def test_calendar_days_lead_to_the_same_time_of_day(start: int, days: int, zone: str) -> None:
    start = midnight(start, zone)
    later = days_after(start, days, zone)
    assert abs(later - start - days * DAY) <= DAY // 24
    assert midnight(later, zone) == later


@given(MOMENTS, ZONES)
def test_midnight_is_not_after_and_not_a_day_before(at: int, zone: str) -> None:
    assert 0 <= at - midnight(at, zone) < 25 * DAY // 24


def test_dates_are_shown_in_utc() -> None:
    assert [iso_date(np.int64(moment(day)).item()) for day in (0, 0.999, 31)] == [
        "2024-01-01",
        "2024-01-01",
        "2024-02-01",
    ]
