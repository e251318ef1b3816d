"""Operators' actions over HTTP: who did what, page by page, for keys of scope admin alone."""

import httpx
import pytest

from tactful.serving.store.port import History, Profile
from tactful.serving.store.queries.operator_actions import every, verify
from tests.serving.house import House
from tests.serving.shop import NOW


def actions(client: httpx.Client, **wanted: int) -> list[dict[str, str]]:
    return list(client.get("/v1/audit", params=wanted).raise_for_status().json()["actions"])


def test_actions_are_listed_with_the_key_that_did_them(house: House) -> None:
    store = house.tenants.store
    store.load("default", History("UTC", NOW, [Profile("p0"), Profile("p1")]))
    admin, merger = house.client("admin"), house.client("ingest", "merge")
    merged = {"type": "alias", "messageId": "m-1", "userId": "p0", "previousId": "p1"}
    assert merger.post("/v1/alias", json=merged).json() == {"success": True}
    admin.get("/v1/customers/p0/export").raise_for_status()
    admin.delete("/v1/customers/p0").raise_for_status()
    listed = actions(admin)
    assert [one["action"] for one in listed[:3]] == ["customer erased", "customer exported", "customers merged"]
    assert listed[0]["actor"] == listed[1]["actor"] != listed[2]["actor"] != ""
    assert "p0" not in str(listed[:3])
    assert verify("default", every(store.database, "default")).broken is None


def test_an_anonymous_id_that_becomes_a_user_is_no_operators_action(house: House) -> None:
    before = actions(house.client("admin"))
    said = {"type": "identify", "messageId": "m-2", "userId": "ada", "anonymousId": "device-7"}
    house.client("ingest", "merge").post("/v1/identify", json=said).raise_for_status()
    assert [one for one in actions(house.client("admin")) if one["action"] == "customers merged"] == [
        one for one in before if one["action"] == "customers merged"
    ]


def test_pages_follow_one_another(house: House) -> None:
    house.client("read")
    admin = house.client("admin")
    whole = actions(admin)
    assert len(whole) > 1, "each key that was made is an action"
    found, before = [], {}
    while True:
        page = admin.get("/v1/audit", params={"limit": 1, **before}).raise_for_status().json()
        found += page["actions"]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert found == whole
    assert [one["previous"] for one in whole[:-1]] == [one["digest"] for one in whole[1:]]


@pytest.mark.parametrize("scope", ["decide", "ingest", "track", "read", "merge", "content"])
def test_only_operators_read_the_record(house: House, scope: str) -> None:
    assert house.client(scope).get("/v1/audit").status_code == 403
