"""Merges over HTTP: users stay apart without the scope for it, merges are bounded, and each can be undone."""

import logging

import httpx
import pytest

from tactful.serving.store.port import MERGES_AN_HOUR, History, Profile
from tests.serving.house import House
from tests.serving.shop import NOW


def alias(n: int | str, user: str, former: str) -> dict[str, str]:
    return {"type": "alias", "messageId": f"m-{n}", "userId": user, "previousId": former}


def customers(house: House, number: int) -> None:
    """Users whose histories were loaded."""
    house.tenants.store.load("default", History("UTC", NOW, [Profile(f"p{n}") for n in range(number)]))


def counted(house: House, fate: str) -> float:
    lines = house.client("admin").get("/metrics").text.splitlines()
    name = f'tactful_events_total{{fate="{fate}"}} '
    return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), 0.0)


def test_a_key_for_events_makes_no_one_customer_of_everybody(house: House, caplog: pytest.LogCaptureFixture) -> None:
    customers(house, 300)
    before = counted(house, "not_merged"), counted(house, "merge_limit")
    batch = [alias(n, "p0", f"p{n}") for n in range(1, 300)]
    with caplog.at_level(logging.WARNING):
        answer = house.client("ingest").post("/v1/batch", json={"batch": batch}).json()
    assert answer["fates"] == {"not_merged": 299}
    assert answer["refused"][0]["reason"] == "two users are not merged: wanted an anonymous id, or a key of scope merge"
    assert len(house.tenants.store.customer_ids("default")) >= 300
    trusted = house.client("ingest", "merge").post("/v1/batch", json={"batch": batch}).json()
    assert trusted["fates"] == {"kept": MERGES_AN_HOUR, "merge_limit": 299 - MERGES_AN_HOUR}
    assert counted(house, "not_merged") == before[0] + 299
    assert counted(house, "merge_limit") == before[1] + 299 - MERGES_AN_HOUR
    assert [record.message for record in caplog.records if record.message == "merges refused"]
    assert not [record for record in caplog.records if "p7" in str(record.__dict__)]


def test_a_merge_is_listed_with_its_key_and_undone(house: House) -> None:
    customers(house, 3)
    ingest, merger = house.client("ingest", "merge"), house.client("merge")
    for n, (user, former) in enumerate((("p0", "p1"), ("p0", "a/1"))):
        assert ingest.post("/v1/alias", json=alias(n, user, former)).json() == {"success": True}
    listed = merger.get("/v1/merges", params={"customer_id": "p0", "limit": 1}).json()
    (newest,) = listed["merges"]
    assert newest["customer_id"] == "p0"
    (other,) = merger.get("/v1/merges", params={"cursor": listed["next"], "limit": 1}).json()["merges"]
    assert {newest["merged_id"], other["merged_id"]} == {"p1", "a/1"}
    assert newest["key"] == other["key"] != ""
    undone = merger.post("/v1/customers/a%2F1/unmerge").json()
    assert (undone["customer_id"], undone["separated_from"], undone["identities"]) == ("a/1", "p0", [])
    again = merger.post("/v1/customers/a%2F1/unmerge")
    assert (again.status_code, again.json()["type"]) == (409, "urn:tactful:problem:not-merged")
    (found,) = merger.get("/v1/merges", params={"customer_id": "a/1"}).json()["merges"]
    assert found["undone"] is not None
    exported = house.client("admin").get("/v1/customers/p0/export").json()
    assert [one["alias"] for one in exported["identities"]] == ["p1"]


@pytest.mark.parametrize("scope", ["decide", "ingest", "track", "read", "admin"])
def test_only_the_scope_for_merges_lists_and_undoes_them(house: House, scope: str) -> None:
    client: httpx.Client = house.client(scope)
    assert client.get("/v1/merges").status_code == 403
    assert client.post("/v1/customers/p1/unmerge").status_code == 403


def test_the_number_of_merges_is_a_setting(house: House) -> None:
    refused = house.client("ingest").post("/v1/batch", json={"batch": [alias(n, "u1", f"a{n}") for n in range(21)]})
    assert refused.json()["fates"]["merge_limit"] == 1
