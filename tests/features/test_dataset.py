"""A data set holds what was written, whole or not at all, under a digest of its contents."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tactful.features.errors import EventError
from tactful.features.events.dataset import bucket, erase, open_events, read_events, write_events
from tactful.features.events.history import Events
from tactful.features.events.schema import encode
from tests.features.histories import frame, frames

EVENT = {
    "customer_id": "a",
    "time": pd.Timestamp("2026-03-01", tz="UTC"),
    "type": "purchase",
    "amount": 3.5,
    "discount": 0.5,
    "quantity": 1.0,
    "categories": 5,
    "channel": "store",
}
SAMPLE = frame([EVENT | {"customer_id": name, "amount": amount} for name in "abcdef" for amount in (1.0, 2.0)])
in_a_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


@in_a_folder
@given(frames(), st.integers(1, 3))
def test_what_is_written_is_read(tmp_path: Path, table: pd.DataFrame, buckets: int) -> None:
    write_events(table, tmp_path / "events", zone="UTC", buckets=buckets)
    read = read_events(tmp_path / "events").sort_values("event_id").reset_index(drop=True)
    pd.testing.assert_frame_equal(read, table.sort_values("event_id").reset_index(drop=True))


@in_a_folder
@given(frames())
def test_the_digest_is_of_the_contents(tmp_path: Path, table: pd.DataFrame) -> None:
    once = write_events(table, tmp_path / "events", zone="UTC", buckets=2)
    shuffled = table.sample(frac=1, random_state=np.random.RandomState(1))
    assert write_events(shuffled, tmp_path / "again", zone="UTC", buckets=2).digest == once.digest
    more = pd.concat([table, frame([EVENT]).assign(event_id="another")])
    assert write_events(more, tmp_path / "again", zone="UTC", buckets=2).digest != once.digest
    assert write_events(table, tmp_path / "again", zone="Asia/Tokyo", buckets=2).digest != once.digest


@in_a_folder
@given(frames(), st.sets(st.sampled_from("abcxyz")))
def test_who_is_erased_is_as_if_they_had_never_been_written(
    tmp_path: Path, table: pd.DataFrame, gone: set[str]
) -> None:
    erased = erase(write_events(table, tmp_path / "events", zone="UTC", buckets=2), gone)
    left = table[~table["customer_id"].isin(gone)]
    anew = write_events(left, tmp_path / "anew", zone="UTC", buckets=2)
    for number in range(2):
        assert erased.table(number).equals(anew.table(number))
    assert replace(erased, folder=anew.folder) == anew


def test_those_who_are_erased_at_once_are_all_gone(tmp_path: Path) -> None:
    everybody = [str(number) for number in range(40)]
    table = frame([EVENT | {"customer_id": name} for name in everybody])
    folder = write_events(table, tmp_path / "events", zone="UTC", buckets=2).folder
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: erase(open_events(folder), [name]), everybody[1:]))
    assert set(read_events(folder)["customer_id"]) == {"0"}
    assert open_events(folder).customers in ((1, 0), (0, 1))


def test_the_digest_stays_the_same_over_releases(tmp_path: Path) -> None:
    dataset = write_events(SAMPLE, tmp_path / "events", zone="UTC", buckets=2, categories=("food", "toys"))
    assert dataset.digest == "cd427b2ac99d08118aa6279f06d8196acdd067b6a0618e9fefb69830d246ebf5"


@pytest.mark.parametrize(
    "change",
    [
        {"time": pd.Timestamp("2026-04-01", tz="UTC")},
        {"type": "view"},
        {"amount": 9.0},
        {"categories": np.uint64(8)},
        {"subject": "spring"},
    ],
)
def test_the_digest_covers_every_column(tmp_path: Path, change: dict[str, Any]) -> None:
    changed = SAMPLE.assign(**change)
    one, other = (write_events(table, tmp_path / "events", zone="UTC").digest for table in (SAMPLE, changed))
    assert one != other


def test_each_bucket_holds_the_histories_of_its_customers(tmp_path: Path) -> None:
    dataset = write_events(SAMPLE, tmp_path / "events", zone="America/New_York", buckets=3)
    assert (sum(dataset.rows), sum(dataset.customers)) == (12, 6)
    whole = encode(SAMPLE, "America/New_York")
    for number in range(3):
        part = dataset.events(number)
        assert [bucket(customer, 3) for customer in part.customers] == [number] * dataset.customers[number]
        for index, customer in enumerate(part.customers):
            assert_same_history(part, index, whole, whole.customers.tolist().index(customer))


def assert_same_history(one: Events, index: int, other: Events, place: int) -> None:
    ours = slice(one.starts[index], one.starts[index + 1])
    theirs = slice(other.starts[place], other.starts[place + 1])
    for name in ("time", "day", "type", "channel", "amount", "discount", "quantity", "categories"):
        np.testing.assert_array_equal(getattr(one, name)[ours], getattr(other, name)[theirs])


def test_columns_that_are_not_asked_for_are_zero(tmp_path: Path) -> None:
    dataset = write_events(SAMPLE, tmp_path / "events", zone="UTC", buckets=1)
    events = dataset.events(0, columns={"amount"})
    assert events.amount.sum() == 18
    assert events.discount.sum() == events.categories.sum() == 0


def test_the_manifest_explains_the_files(tmp_path: Path) -> None:
    write_events(SAMPLE, tmp_path / "events", zone="UTC", buckets=2, categories=("food", "toys"))
    manifest = json.loads((tmp_path / "events" / "dataset.json").read_text())
    assert manifest["categories"] == ["food", "toys"]
    assert manifest["types"][0] == "purchase"
    assert manifest["first"] == manifest["last"] == "2026-03-01T00:00:00+00:00"


def test_a_failed_write_leaves_the_old_data_set(tmp_path: Path) -> None:
    folder = tmp_path / "events"
    before = write_events(SAMPLE, folder, zone="UTC")
    with pytest.raises(EventError, match="unknown type"):
        write_events(SAMPLE.assign(type="purchas"), folder, zone="UTC")
    assert open_events(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["events"]


def test_a_replaced_data_set_keeps_no_file_of_the_old(tmp_path: Path) -> None:
    write_events(SAMPLE, tmp_path / "events", zone="UTC", buckets=8)
    write_events(SAMPLE, tmp_path / "events", zone="UTC", buckets=2)
    names = sorted(path.name for path in (tmp_path / "events").iterdir())
    assert names == ["bucket=00", "bucket=01", "dataset.json"]


def test_another_folder_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(EventError, match=r"holds something else: got 'letters\.txt'"):
        write_events(SAMPLE, tmp_path, zone="UTC")
    assert (tmp_path / "letters.txt").read_text() == "dear"


@pytest.mark.parametrize("categories", [["food", "food"], [str(i) for i in range(65)]])
def test_a_vocabulary_has_at_most_64_different_names(tmp_path: Path, categories: list[str]) -> None:
    with pytest.raises(EventError, match="unfit category vocabulary"):
        write_events(SAMPLE, tmp_path / "events", zone="UTC", categories=categories)


def test_an_absent_or_foreign_data_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EventError, match="no event data set"):
        open_events(tmp_path / "nowhere")
    write_events(SAMPLE, tmp_path / "events", zone="UTC")
    manifest = tmp_path / "events" / "dataset.json"
    manifest.write_text(manifest.read_text().replace('"purchase"', '"buy"'))
    with pytest.raises(EventError, match="a data set of another release"):
        open_events(tmp_path / "events")


@given(st.text(), st.integers(1, 1000))
def test_buckets_are_in_range(customer: str, buckets: int) -> None:
    assert 0 <= bucket(customer, buckets) < buckets


def test_buckets_are_even_and_stay_the_same_over_releases() -> None:
    counts = np.bincount([bucket(str(number), 8) for number in range(8000)], minlength=8)
    assert counts.min() > 900
    assert [bucket(customer, 8) for customer in ("1", "2", "Zoë")] == [6, 4, 2]
