"""What every store promises a person: to tell all it keeps about them, and to erase them without losing count."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from tactful.decisions.kernel.decision import Decision
from tactful.decisions.kernel.record import parse
from tactful.experiments.assignment.arms import Exposure
from tactful.features.timestamps import microseconds
from tactful.serving.errors import KeyInFlightError
from tactful.serving.store.admin.bodies import mentions
from tactful.serving.store.admin.erasure import Erased, erase, redacted
from tactful.serving.store.admin.people import export
from tactful.serving.store.inputs import SHORT, packed
from tactful.serving.store.port import Arrival, Outcome, Profile, Receipt, RecordStatus, Store
from tactful.serving.store.queries.experiments import expose, exposed_to
from tactful.serving.store.queries.idempotency import Claim, KeptAnswer, claim, keep
from tactful.serving.store.schema import exposures, idempotency, metadata, outbox
from tests.contracts.stores import BUY, DAY, EMAIL, SPOKEN, Opener, T, draft, history, known
from tests.decisions.retailer import NOON, at

ADA, DEVICE = "ada-4711", "device-ada"
PERSONAL = (ADA, DEVICE, "Ada Lovelace", "sku-secret", "win_back:first")


def answer(connection: Any, key: str, body: bytes | None) -> None:
    """An answer that is kept for whoever asks again."""
    row = {"caller": "k1", "key": key, "fingerprint": "", "status": 200 if body else None, "body": body, "created": 0}
    connection.execute(insert(idempotency).values(tenant=T, **row))


def filled(store: Store) -> None:
    """Ada and her device, known in every table, and a neighbour."""
    happened = BUY._replace(id="e1", subject="sku-secret", time=microseconds(at(2)))
    profile = Profile(ADA, "Asia/Tokyo", at(9), {"name": "Ada Lovelace"}, {EMAIL: True})
    store.load(T, history(profile, Profile("ada-47"), events=[(ADA, happened)]))
    store.ingest(T, [Arrival("e2", DEVICE, happened._replace(id="e2"))], NOON)
    before = replace(draft(known(store, DEVICE).version, "d0", DEVICE), opened_by="e2", inputs=b'["Ada Lovelace"]')
    store.record(T, [before])
    store.ingest(T, [Arrival("i1", ADA, alias=DEVICE, wake=json.dumps([ADA, "i1"]).encode())], NOON)
    notify = json.dumps({"customer_id": ADA}).encode()
    store.record(T, [replace(draft(known(store, ADA).version, "d1", ADA), notify=notify, inputs=b"{}")])
    store.ingest(T, [Arrival("m1", ADA, outcome=Outcome("d1", "clicked", microseconds(NOON), 9.5))], NOON)
    with store.database.begin() as connection:
        arm = {"experiment": "x1", "customer": ADA, "arm": "b", "decision": "d1", "time": 7}
        connection.execute(insert(exposures).values(tenant=T, **arm))
        answer(connection, "about-ada", json.dumps({"detail": f"unknown customer: got '{ADA}'"}).encode())
        answer(connection, "about-another", b'{"customer_id": "ada-47"}')
        answer(connection, "in flight", None)


@pytest.fixture
def told(store: Store) -> Store:
    """A store that knows Ada."""
    filled(store)
    return store


def contents(store: Store, *, but: str = "") -> str:
    """All that is in a store, but for a table, as one text."""
    tables = [table for table in metadata.sorted_tables if table.name != but]
    with store.database.read() as connection:
        return "".join(str(tuple(row)) for table in tables for row in connection.execute(select(table)))


def counts(store: Store) -> dict[str, int]:
    """Rows by table."""
    with store.database.read() as connection:
        tables = metadata.sorted_tables
        return {t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}


@pytest.mark.parametrize("name", [ADA, DEVICE])
def test_an_export_tells_everything_by_whatever_id(told: Store, name: str) -> None:
    found = export(told.database, T, name)
    assert found is not None
    assert json.loads(json.dumps(found)) == found
    assert (found["customer_id"], found["zone"], found["joined"]) == (ADA, "Asia/Tokyo", at(9).isoformat())
    assert found["attributes"] == {"name": "Ada Lovelace"}
    assert found["identities"] == [{"since": NOON.isoformat(), "alias": DEVICE}]
    assert [(c["channel"], c["purpose"], c["allowed"]) for c in found["consents"]] == [("email", "marketing", True)]
    assert [(e["id"], e["type"], e["channel"], e["subject"]) for e in found["events"]] == [
        (id_, "purchase", "store", "sku-secret") for id_ in ("e1", "e2")
    ]
    assert [(c["id"], c["status"], c["tags"]) for c in found["contacts"]] == [
        ("d0", "reserved", ["promo"]),
        ("d1", "sent", ["promo"]),
    ]
    assert [(d["record"]["id"], d["record"]["customer"]) for d in found["decisions"]] == [("d0", DEVICE), ("d1", ADA)]
    assert [(o["decision"], o["kind"], o["value"]) for o in found["outcomes"]] == [("d1", "clicked", 9.5)]
    assert [(x["experiment"], x["arm"]) for x in found["experiments"]] == [("x1", "b")]


SECTIONS = {
    "customers": "attributes", "identities": "identities", "merges": "merges", "origins": "origins",
    "profile_changes": "profile_changes", "consents": "consents", "events": "events", "ledger": "contacts",
    "decisions": "decisions", "outcomes": "outcomes", "exposures": "experiments", "outbox": "told_to_receivers",
    "idempotency": "kept_answers",
}  # fmt: skip
"""The part of an export that tells what each table keeps of a person."""
OTHERS = {
    "tenants", "keys", "catalogues", "catalogue_versions", "bundle_versions", "experiments",
    "tombstones",  # digests of those who were erased
    "operator_actions",  # what operators did, about digests of people
    "arrivals",  # ids of messages, whose contents are events and changes of the profile
    "refused",  # counts without contents
}  # fmt: skip
"""The tables that add nothing about a person."""


def test_an_export_reads_inputs_that_are_kept_compressed(told: Store) -> None:
    document = {"events": ["view"] * SHORT}
    made = draft(known(told, ADA).version, "d2", ADA)
    told.record(T, [replace(made, inputs=packed(json.dumps(document)))])
    found = export(told.database, T, ADA)
    assert found is not None
    assert document in [decision["inputs"] for decision in found["decisions"]]


def test_an_export_has_a_part_for_every_table_about_people(told: Store) -> None:
    found = export(told.database, T, ADA)
    assert found is not None
    assert {table.name for table in metadata.sorted_tables} == SECTIONS.keys() | OTHERS
    assert set(SECTIONS.values()) <= found.keys()
    assert {table.name for table in metadata.sorted_tables if "customer" in table.c} <= SECTIONS.keys()
    assert [ADA in one["body"] for one in found["told_to_receivers"]] == [True, True]
    assert [one["id"] for one in found["kept_answers"]] == ["about-ada"]
    late = BUY._replace(id="e9", time=microseconds(at(1)))
    told.load(T, history(Profile(DEVICE), events=[(DEVICE, late)]))
    again = export(told.database, T, ADA)
    assert again is not None
    assert {"origin": DEVICE, "kind": "event", "id": "e9"} in again["origins"]


def test_nothing_is_told_of_a_stranger_or_by_another_tenant(told: Store) -> None:
    assert export(told.database, T, "eve") is None
    assert export(told.database, "market", ADA) is None


@pytest.mark.parametrize("name", [ADA, DEVICE])
def test_an_erased_person_is_nowhere_any_more(told: Store, name: str) -> None:
    erased = erase(told.database, T, name, NOON)
    assert (erased.names, erased.decisions) == ((ADA, DEVICE), 2)
    left = contents(told)
    assert [word for word in PERSONAL if word in left] == []
    assert told.customers(T, [(ADA, NOON), (DEVICE, NOON)]) == [None, None]
    assert export(told.database, T, ADA) is None


def test_ids_that_name_an_erased_person_are_digests_and_a_message_is_known_again(told: Store) -> None:
    made = replace(draft(known(told, ADA).version, f"web:{ADA}:7", ADA), notify=None)
    assert told.record(T, [made]) == [RecordStatus.RECORDED]
    clicked = Outcome(made.decision.id, "clicked", microseconds(NOON), 1.0)
    told.ingest(T, [Arrival(f"click-{ADA}", ADA, outcome=clicked)], NOON)
    about = Arrival(f"seen-by-{ADA}", "ada-47", profile=Profile("ada-47", attributes={"name": "Other"}))
    assert told.ingest(T, [about], NOON) == [Receipt.KEPT]
    assert erase(told.database, T, ADA, NOON).decisions == 3
    assert [word for word in PERSONAL if word in contents(told)] == []
    assert told.ingest(T, [about], NOON) == [Receipt.DUPLICATE]
    ids = {stored.id for stored in told.decision_log(T)}
    assert ids == {parse(stored.record).id for stored in told.decision_log(T)}
    assert {contact.id for _, _, contact in told.ledger(T)} == ids
    assert {decision for decision, *_ in told.outcomes(T)} <= ids


def test_no_byte_of_an_erased_person_is_left_in_the_files(tmp_path: Path) -> None:
    from tactful.serving.bootstrap import open_store

    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    filled(store)
    erase(store.database, T, ADA, NOON)
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert [word for word in PERSONAL if word.encode() in files] == []
    store.close()


def test_an_erasure_says_whether_the_log_could_be_emptied_and_again_it_can(tmp_path: Path) -> None:
    from tactful.serving.bootstrap import open_store

    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    filled(store)
    with store.database.read() as reader:
        assert reader.execute(select(func.count()).select_from(outbox)).scalar_one() > 0
        assert not erase(store.database, T, ADA, NOON).log_emptied
    assert erase(store.database, T, ADA, NOON).log_emptied
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert [word for word in PERSONAL if word.encode() in files] == []
    store.close()


def test_what_was_under_way_names_nobody_who_was_erased_meanwhile(told: Store) -> None:
    claimed = claim(told.database, T, "k1", "asked", "POST /v1/decisions", NOON)
    assert isinstance(claimed, Claim)
    erased = erase(told.database, T, ADA, NOON)
    keep(told.database, claimed, KeptAnswer(200, json.dumps({"customer_id": ADA}).encode(), None))
    expose(told.database, T, [Exposure("x2", ADA, "b", "d1", NOON, {})])
    left = contents(told)
    assert [word for word in PERSONAL if word in left] == []
    assert [one.customer for one in exposed_to(told.database, T, "x2")] == [erased.token]
    with pytest.raises(KeyInFlightError):
        claim(told.database, T, "k1", "asked", "POST /v1/decisions", NOON)


def test_a_person_of_very_many_devices_is_erased(told: Store) -> None:
    told.ingest(T, [Arrival(f"i-{n}", ADA, alias=f"device {n}") for n in range(1_200)], NOON, merges=2_000)
    with told.database.begin() as connection:
        answer(connection, "by a device", b'{"detail": "unknown customer: got \'device 1199\'"}')
    assert len(erase(told.database, T, "device 7", NOON).names) == 1_202
    assert "device 1199" not in contents(told)


def test_the_counts_are_as_before(told: Store) -> None:
    before, kept = counts(told), [parse(stored.record) for stored in told.decision_log(T)]
    erased = erase(told.database, T, ADA, NOON)
    gone = {"customers": 1, "consents": 1, "events": 2, "idempotency": 1, "outbox": 2, "merges": 1}
    gone |= {"origins": 2, "profile_changes": 4}
    assert counts(told) == {
        **{name: before[name] - gone.get(name, 0) for name in before},
        "tombstones": 2,
        "operator_actions": 1,
    }
    left = [parse(stored.record) for stored in told.decision_log(T)]
    assert [one.customer for one in left] == [f"{erased.token}.1", erased.token]
    counted = ("id", "moment", "versions", "policy", "stratum", "outcome", "probability", "silence_probability")
    assert [[getattr(one, name) for name in counted] for one in left] == [
        [getattr(one, name) for name in counted] for one in kept
    ]
    assert [(who, status, c.id, c.opening) for who, status, c in told.ledger(T)] == [
        (erased.token, "reserved", "d0", ""),
        (erased.token, "sent", "d1", ""),
    ]
    assert list(told.outcomes(T)) == [("d1", erased.token, "clicked", microseconds(NOON), 9.5)]
    stored = told.decision(T, "d1")
    assert stored is not None
    assert (stored.customer, stored.inputs, stored.opened_by) == (erased.token, None, "")


def test_what_names_the_person_is_not_told_any_more_and_the_rest_is(told: Store) -> None:
    erase(told.database, T, ADA, NOON)
    with told.database.read() as connection:
        assert connection.scalars(select(outbox.c.id)).all() == []
        assert sorted(connection.scalars(select(idempotency.c.key))) == ["about-another", "in flight"]


def test_what_comes_later_brings_nobody_back(told: Store) -> None:
    stale = draft(known(told, ADA).version, "d2", ADA)
    erase(told.database, T, ADA, NOON)
    late = [
        Arrival("e3", ADA, BUY),
        Arrival("e4", DEVICE, BUY, wake=b"[]"),
        Arrival("i2", ADA, alias="device 2", profile=Profile(ADA, attributes={"name": "Ada Lovelace"})),
        Arrival("m2", "somebody", outcome=Outcome("d1", "opened", 1)),
    ]
    assert told.ingest(T, late, NOON) == [Receipt.ERASED] * 4
    told.load(T, history(Profile(ADA), Profile(DEVICE), events=[(ADA, BUY), (DEVICE, BUY)]))
    assert told.record(T, [stale]) == [RecordStatus.STALE]
    assert told.customer_ids(T) == ["ada-47", "c1"]
    assert told.ingest(T, [Arrival("i3", "eve", alias=DEVICE)], NOON) == [Receipt.KEPT]
    assert told.resolve(T, DEVICE) == DEVICE
    assert [word for word in PERSONAL if word in contents(told)] == []


def test_erasing_again_changes_nothing_and_a_stranger_is_turned_away_from_then_on(told: Store) -> None:
    erase(told.database, T, ADA, NOON)
    before = contents(told, but="operator_actions")
    assert erase(told.database, T, ADA, NOON + DAY).decisions == 0
    assert contents(told, but="operator_actions") == before
    assert erase(told.database, "new", "eve", NOON).names == ("eve",)
    assert told.ingest("new", [Arrival("e1", "eve", BUY), Arrival("e2", "adam", BUY)], NOON) == [
        Receipt.ERASED,
        Receipt.KEPT,
    ]


def test_tenants_erase_only_their_own(told: Store) -> None:
    before = export(told.database, T, ADA)
    erase(told.database, "market", ADA, NOON)
    assert export(told.database, T, ADA) == before
    assert told.ingest(T, [Arrival("e9", ADA, BUY._replace(id="e9"))], NOON) == [Receipt.KEPT]


def test_a_person_who_is_erased_while_others_write_stays_erased(opener: Opener, store: Store) -> None:
    """Three clients take in, load and decide about ten people, each of whom a fourth erases meanwhile."""
    names = [f"p{n}" for n in range(10)]
    store.load(T, history(*map(Profile, names)))

    def write(other: Store, number: int) -> Iterator[object]:
        for turn, name in enumerate(names * 3):
            found = other.customers(T, [(name, NOON)])[0]
            if number == 0:
                event = BUY._replace(id=f"e{turn}")
                yield other.ingest(T, [Arrival(f"e{turn}", name, event, alias=f"alias-of-{name}")], NOON)
            elif number == 1:
                yield other.load(T, history(Profile(name, attributes={"turn": turn})))
            elif found is not None:
                yield other.record(T, [draft(found.version, f"d{turn}", name)])

    def erase_all(other: Store) -> list[Erased]:
        return [erase(other.database, T, name, NOON) for name in names]

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(lambda n=n: list(write(opener(), n))) for n in range(3)]  # type: ignore[misc]
        erased = pool.submit(erase_all, opener()).result()
        for one in writing:
            one.result()
    assert [one.names[0] for one in erased] == names
    assert store.customer_ids(T) == ["c1"]
    assert [customer for customer, _ in store.events(T)] == []
    assert {stored.customer for stored in store.decision_log(T)} <= {one.token for one in erased}
    assert {who for who, _, _ in store.ledger(T)} <= {one.token for one in erased}


def test_a_redacted_record_keeps_what_counts_and_nothing_that_was_forgotten_here() -> None:
    kept = {"moment", "versions", "policy", "stratum", "channels", "seed", "capacity", "prices", "probability"}
    changed = {"id", "customer", "scores", "openings", "closed", "candidates", "choice", "rewards"}
    assert {field.name for field in fields(Decision)} == kept | changed | {"silence_probability"}
    left = parse(redacted(SPOKEN.as_bytes(), "d9", "erased-1"))
    assert left.choice is not None
    assert SPOKEN.choice is not None
    assert left.id == "d9"
    assert (left.customer, left.scores, left.openings, left.closed) == ("erased-1", {}, (), ())
    assert SPOKEN.rewards
    assert left.rewards == ()
    assert left.candidates == (left.choice,)
    assert (left.choice.action.id, left.choice.opening, left.choice.factors) == (SPOKEN.choice.action.id, "", None)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'["c1"]', True),
        (b'{"c1": 1}', True),
        (b'{"instance": "/v1/customers/c1"}', True),
        (b'{"instance": "/v1/customers/c1/export"}', True),
        (b'{"detail": "unknown customer: got \'c1\'"}', True),
        (b'not JSON about "c1"', True),
        (b'{"customer": "c12", "campaign": "abc1"}', False),
        (b"[1, null, true]", False),
    ],
)
def test_a_body_mentions_somebody_by_the_whole_name(body: bytes, found: bool) -> None:
    assert mentions(body, ["c1"]) is found
