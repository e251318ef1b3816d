"""Histories and customers come into either store in slices, and go out again as the same data set."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from tactful.decisions.catalogue.model import Attribute
from tactful.features.errors import TactfulError
from tactful.features.events.dataset import EventDataset, write_events
from tactful.features.events.schema import validate
from tactful.features.vocabulary import CHANNELS
from tactful.serving.engine.records.export import export_events
from tactful.serving.ingestion.loading.customers_file import CustomersFile
from tactful.serving.ingestion.loading.load import Loaded, load, require_moment
from tactful.serving.ingestion.rules import Rules
from tactful.serving.store.port import Arrival, Profile, Store
from tests.contracts.stores import T, known
from tests.serving.shop import NOW, ZONE, ago

DECLARED = {
    "first_name": Attribute(type="string"),
    "birthday": Attribute(type="date"),
    "points": Attribute(type="integer"),
    "goal": Attribute(type="number"),
    "vip": Attribute(type="boolean"),
}
CUSTOMERS = """customer_id,timezone,created_at,first_name,birthday,points,goal,vip,shoe size,\
consent_email,consent_sms_service
007,Europe/Paris,2025-01-01T00:00:00Z,Ada,1990-05-17T22:00:00Z,12,1.5,yes,44,true,false
b,Mars/Olympus,soon,Ben,17.05.1990,1.5,much,perhaps,,yes,
c,,,,,,,,,TRUE,maybe
,,,,,,,,,true,true
NULL,,,,,,,,,true,true
"""


@pytest.fixture
def store(opener) -> Iterator[Store]:
    return opener()


@pytest.fixture
def dataset(tmp_path: Path) -> EventDataset:
    rows = [
        *(("007", days, "purchase", "web", 10.0 + days) for days in range(30, 3, -2)),
        ("b", 9, "contact", "mail", 0.0),
        ("b", 8, "unsubscribed", "email", 0.0),
        ("b", 9, "purchase", "store", 7.0),
        ("c", 6, "complained", "", 0.0),
        ("d", 5, "purchase", "", 7.0),
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "days", "type", "channel", "amount"])
    frame["time"] = NOW - pd.to_timedelta(frame.pop("days"), unit="D")
    frame["categories"] = range(len(frame))
    return write_events(validate(frame).events, tmp_path / "events", zone=ZONE, buckets=2, categories=("x", "y"))


def written(folder: Path, text: str = CUSTOMERS) -> Path:
    file = folder / "customers.csv"
    file.write_text(text)
    return file


def brought(store: Store, dataset: EventDataset | None, file: Path | None, folder: Path, **more) -> Loaded:
    opened = None if file is None else CustomersFile(file, DECLARED, Rules().placeholders)
    try:
        asserted = require_moment(opened, dataset, more.get("as_of"))
        return load(store, T, dataset, opened, asserted=asserted, zone="UTC", marker=folder / "loading.json")
    finally:
        if opened is not None:
            opened.close()


def test_customers_are_loaded_field_by_field(store: Store, dataset: EventDataset, tmp_path: Path) -> None:
    found = brought(store, dataset, written(tmp_path), tmp_path)
    assert (found.events, found.customers, found.read.rows, found.resumed) == (19, 4, 5, 0)
    assert dict(found.read.rejected) == {"customer_id: not an id": 1, "customer_id: a placeholder": 1}
    assert dict(found.read.left_out) == {
        "timezone: not an IANA zone": 1,
        "created_at: not a moment in ISO 8601": 1,
        "birthday: not a date in ISO 8601": 1,
        "points: not a whole number": 1,
        "goal: not a number": 1,
        "vip: neither true nor false": 1,
        "consent_sms_service: neither true nor false, taken for a refusal": 1,
    }
    assert found.read.undeclared == ("shoe_size",)
    ada = known(store, "007")
    assert (ada.zone, ada.joined, ada.history_zone) == ("Europe/Paris", datetime.fromisoformat("2025-01-01T00Z"), ZONE)
    assert ada.attributes == {
        "first_name": "Ada",
        "birthday": "1990-05-17T22:00:00Z",
        "points": 12,
        "goal": 1.5,
        "vip": True,
        "shoe_size": "44",
    }
    assert ada.consents == {("email", "marketing"): True, ("sms", "service"): False}
    assert (known(store, "b").zone, known(store, "b").joined) == (None, ago(days=9))
    assert known(store, "d").joined == ago(days=5)


def test_who_unsubscribed_in_the_events_is_not_contacted(store: Store, dataset: EventDataset, tmp_path: Path) -> None:
    found = brought(store, dataset, written(tmp_path), tmp_path)
    assert found.overruled == 2
    assert known(store, "b").consents == {("email", "marketing"): False}
    theirs = known(store, "c").consents
    assert set(theirs.values()) == {False}
    assert {channel for channel, _ in theirs} >= {"email", "sms", "push", "mail"}


def test_loading_again_changes_nothing_and_later_refusals_stand(
    store: Store, dataset: EventDataset, tmp_path: Path
) -> None:
    file = written(tmp_path)
    brought(store, dataset, file, tmp_path)
    refused = Profile("007", consents={("email", "marketing"): False})
    store.ingest(T, [Arrival("m1", "007", profile=refused)], NOW)
    brought(store, dataset, file, tmp_path)
    assert known(store, "007").consents["email", "marketing"] is False
    assert len(list(store.events(T))) == 19
    assert [contact.id for _, _, contact in store.ledger(T)] == [
        event.id for _, event in store.events(T) if event.type == 7
    ]


def test_a_load_that_was_cut_short_goes_on(store: Store, dataset: EventDataset, tmp_path: Path) -> None:
    steps: list[int] = []

    def breaks(done: int, _: int) -> None:
        steps.append(done)
        if len(steps) == 2:
            raise KeyboardInterrupt

    options = {"asserted": NOW, "zone": ZONE, "marker": tmp_path / "loading.json", "size": 2}
    with pytest.raises(KeyboardInterrupt):
        load(store, T, dataset, None, progress=breaks, **options)
    assert 0 < len(list(store.events(T))) < 19
    assert load(store, T, dataset, None, **options).resumed == 2
    assert len(list(store.events(T))) == 19
    assert not (tmp_path / "loading.json").exists()


def test_the_mark_of_another_store_does_not_count(store: Store, dataset: EventDataset, tmp_path: Path) -> None:
    (tmp_path / "loading.json").write_text('{"load": "of other data", "slices": 9, "last": "007"}')
    assert brought(store, dataset, None, tmp_path).resumed == 0
    assert len(list(store.events(T))) == 19


def test_what_was_loaded_is_exported_bit_for_bit(store: Store, dataset: EventDataset, tmp_path: Path) -> None:
    brought(store, dataset, None, tmp_path)
    exported = export_events(store, T, tmp_path / "out", categories=("x", "y"), buckets=2)
    assert exported.digest == dataset.digest
    assert (exported.zone, exported.rows, exported.customers) == (ZONE, dataset.rows, dataset.customers)
    assert (exported.first, exported.last) == (dataset.first, dataset.last)


def test_live_events_reach_an_export(store: Store, dataset: EventDataset, tmp_path: Path) -> None:
    brought(store, dataset, None, tmp_path)
    live = (int((NOW - timedelta(hours=1)).timestamp() * 1e6), 0, 0, 5.0, 0.0, 1.0, 0, "", "live", "")
    store.ingest(T, [Arrival("live", "new", event=live)], NOW)
    exported = export_events(store, T, tmp_path / "out")
    assert sum(exported.rows) == 20
    assert exported.last == (NOW - timedelta(hours=1)).isoformat()


def test_an_empty_store_has_nothing_to_export(opener, tmp_path: Path) -> None:
    with pytest.raises(TactfulError, match="no events to export"):
        export_events(opener(), "nobody", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("id,name\n1,Ada\n", "no column of ids: got 'id, name'; wanted one column customer_id"),
        ("customer_id,consent_pigeon\n1,true\n", "a consent for an unknown channel: got 'consent_pigeon'"),
        ("customer_id,first name,first_name\n1,a,b\n", "columns named alike: got 'first_name'"),
        ("customer_id,consent_email\n1,true\n", "consents without a moment: wanted --as-of"),
    ],
)
def test_a_file_that_cannot_be_loaded_says_why(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(TactfulError) as caught:
        require_moment(CustomersFile(written(tmp_path, text), DECLARED), None, None)
    assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize(
    ("column", "value", "refused"),
    [
        ("unsubscribed", "true", None),
        ("Unsubscribed At", "2026-01-01", None),
        ("email_opt_out", "1", {"email"}),
        ("Accepts Marketing", "no", None),
        ("accepts_email_marketing", "FALSE", {"email"}),
        ("sms_opt_in", "0", {"sms"}),
        ("do_not_contact", "yes", None),
        ("status", "unsubscribed", None),
        ("newsletter", "off", {"email"}),
        ("email_subscription_status", "Unsubscribed", {"email"}),
    ],
)
def test_a_column_that_refuses_contacts_counts_however_it_is_named(
    store: Store, tmp_path: Path, column: str, value: str, refused: set[str] | None
) -> None:
    text = f"customer_id,consent_email,consent_sms,{column}\na,true,true,{value}\nb,true,true,\n"
    found = brought(store, None, written(tmp_path, text), tmp_path, as_of=NOW)
    assert dict(found.read.left_out) == {f"{column}: taken for a refusal": 1}
    channels = refused or set(CHANNELS[1:])
    consents = known(store, "a").consents
    assert {channel for (channel, _), allowed in consents.items() if not allowed} == channels
    assert {channel for (channel, _), allowed in consents.items() if allowed} == {"email", "sms"} - channels
    assert known(store, "b").consents == {("email", "marketing"): True, ("sms", "marketing"): True}


def test_a_column_that_allows_contacts_is_no_consent(store: Store, tmp_path: Path) -> None:
    text = "customer_id,email_opt_in,unsubscribed\na,yes,no\nb,1,\n"
    found = brought(store, None, written(tmp_path, text), tmp_path, as_of=NOW)
    assert (dict(found.read.left_out), known(store, "a").consents, known(store, "b").consents) == ({}, {}, {})
