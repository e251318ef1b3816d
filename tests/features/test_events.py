"""Validation loses no row and says why; arrays are sorted whatever the order of the rows."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from tactful.features.errors import EventError
from tactful.features.events.schema import encode, history, validate
from tactful.features.timestamps import DAY
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tests.features.histories import frames

GOOD: dict[str, Any] = {
    "customer_id": "7",
    "time": pd.Timestamp("2026-03-01 12:00", tz="UTC"),
    "type": "purchase",
    "amount": 12.5,
    "discount": 0.0,
    "quantity": 1.0,
    "channel": "store",
    "event_id": "e1",
}


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame([GOOD | row for row in rows])
    frame["time"] = pd.to_datetime(frame["time"], utc=True)
    return frame


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"customer_id": None}, "missing customer_id"),
        ({"customer_id": "  "}, "missing customer_id"),
        ({"time": None}, "missing time"),
        ({"time": pd.Timestamp("1969-12-31", tz="UTC")}, "time out of range"),
        ({"time": pd.Timestamp("2100-01-01", tz="UTC")}, "time out of range"),
        ({"type": "purchas"}, "unknown type"),
        ({"type": None}, "unknown type"),
        ({"channel": "fax"}, "unknown channel"),
        ({"amount": float("inf")}, "amount not a number"),
        ({"amount": float("nan")}, "amount not a number"),
        ({"quantity": 2e9}, "quantity out of range"),
        ({"discount": -0.01}, "negative discount"),
        ({"amount": -1.0}, "purchase with a negative amount"),
        ({"type": "refund", "amount": 1.0}, "refund with a positive amount"),
        ({"event_id": ""}, "missing event_id"),
        ({"event_id": "e1"}, "duplicate event_id"),
    ],
)
def test_a_faulty_row_is_rejected_with_its_reason(fault: dict[str, Any], reason: str) -> None:
    valid, rejected = validate(table({}, {"event_id": "e2"} | fault))
    assert valid["event_id"].tolist() == ["e1"]
    assert rejected["reason"].tolist() == [reason]
    assert rejected.index.tolist() == [1]


def test_only_a_valid_row_makes_another_a_duplicate() -> None:
    valid, rejected = validate(table({"amount": -1.0}, {}, {}))
    assert valid.index.tolist() == [1]
    assert rejected["reason"].tolist() == ["purchase with a negative amount", "duplicate event_id"]


def test_rows_alike_are_one_event_where_no_id_is_given() -> None:
    rows = table({}, {}, {"amount": 3.0}).drop(columns="event_id")
    valid, rejected = validate(rows)
    assert (len(valid), rejected["reason"].tolist()) == (2, ["duplicate event_id"])
    assert valid["event_id"].tolist() == ["0492f445083fb3d2", "011ca400cfcc89fc"]


def test_absent_columns_take_their_defaults() -> None:
    valid, _ = validate(table({})[["customer_id", "time", "type"]])
    row = valid.iloc[0]
    assert (row["amount"], row["discount"], row["quantity"], row["categories"]) == (0, 0, 0, 0)
    assert (row["channel"], row["subject"]) == ("", "")


def test_times_of_any_zone_become_utc() -> None:
    rows = table({}).assign(time=pd.to_datetime(["2026-03-01 07:00"]).tz_localize("America/New_York"))
    assert validate(rows).events["time"].tolist() == [pd.Timestamp("2026-03-01 12:00", tz="UTC")]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (table({}).drop(columns="type"), "missing column: got .*'customer_id', 'time'.*; wanted type"),
        (table({}).assign(time="2026-03-01"), "unfit times: got 'str'"),
        (table({}).assign(time=datetime(2026, 3, 1)), "unfit times: got 'datetime64"),  # noqa: DTZ001
        (table({}).assign(customer_id=7.0), "unfit identifiers: got 'float64'; .*; at customer_id"),
        (table({}).assign(amount="twelve"), "unfit values: .*; at amount"),
    ],
)
def test_a_frame_of_no_use_is_an_error(rows: pd.DataFrame, says: str) -> None:
    with pytest.raises(EventError, match=says):
        validate(rows)


@given(frames())
def test_arrays_hold_every_event_sorted_by_customer_and_time(frame: pd.DataFrame) -> None:
    events = encode(frame, "UTC")
    assert events.customers.tolist() == sorted(set(frame["customer_id"]))
    assert len(events) == events.starts[-1] == len(frame)
    assert np.sort(events.amount).tolist() == sorted(frame["amount"])
    for first, last in zip(events.starts, events.starts[1:], strict=False):
        assert (np.diff(events.time[first:last]) >= 0).all()


def test_codes_are_positions_in_the_vocabulary() -> None:
    rows = validate(table({"type": "redeemed", "channel": "mail"})).events
    events = encode(rows, "UTC")
    assert (EVENT_TYPES[events.type[0]], CHANNELS[events.channel[0]]) == ("redeemed", "mail")
    assert EVENT_TYPES[:3] == ("purchase", "refund", "view")


def test_encoding_refuses_what_validation_did_not_see() -> None:
    rows = validate(table({})).events
    with pytest.raises(EventError, match="unknown type: got 'purchas'"):
        encode(rows.assign(type="purchas"), "UTC")
    with pytest.raises(EventError, match="not a canonical frame"):
        encode(rows.drop(columns="subject"), "UTC")
    with pytest.raises(EventError, match="unknown time zone: got 'Mars/Base'"):
        encode(rows, "Mars/Base")


def test_a_history_takes_one_value_for_all_and_refuses_other_lengths() -> None:
    events = history("UTC", [DAY, 2 * DAY], [0, 0], amount=5.0, customer_id="7")
    assert events.amount.tolist() == [5.0, 5.0]
    assert events.customers.tolist() == ["7"]
    with pytest.raises(EventError, match="columns of different lengths"):
        history("UTC", [DAY, 2 * DAY], [0, 0], amount=[1.0, 2.0, 3.0])


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), 2e9])
def test_a_history_refuses_what_the_kernel_cannot_sum(amount: float) -> None:
    with pytest.raises(EventError, match="not a number, or too large"):
        history("UTC", [DAY], [0], amount=[amount])


def test_a_history_takes_sorted_arrays_as_they_are() -> None:
    time = np.array([DAY, 2 * DAY])
    assert history("UTC", time, [0, 0]).time is time
    assert history("UTC", [datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e6], [0]).day.tolist() == [20454]
