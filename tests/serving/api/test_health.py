"""Readiness tells what decisions are made with, and what was refused."""

from typing import Any

import httpx

from serving.api.schemas import Ready
from serving.champion import point_to
from serving.service import DecisionService
from serving.settings import Settings
from tests.serving.shop import export_bundle


def ready(client: httpx.Client) -> dict[str, Any]:
    response = client.get("/health/ready")
    assert response.status_code == 200
    told: dict[str, Any] = response.json()
    Ready.model_validate(told, extra="forbid")
    return told


def test_the_versions_in_use_are_told(client: httpx.Client, service: DecisionService) -> None:
    champion = service.champions.present()
    assert ready(client) == {
        "status": "ready",
        "bundle": {"version": champion.bundle.version, "features": champion.bundle.fingerprint},
        "catalogue": {"name": "shop", "version": champion.compiled.version},
        "refused": None,
        "remarks": [],
        "refused_messages": {},
    }


def test_health_says_that_a_file_is_ignored(client: httpx.Client, shop: Settings) -> None:
    put = client.put("/v1/catalogue", content=shop.catalogue.read_text(), headers={"If-Match": "*"})
    assert put.status_code == 200
    shop.catalogue.write_text("# Another text.\n")
    (remark,) = ready(client)["remarks"]
    assert remark.startswith(f"{shop.catalogue} is ignored, since catalogue 1 was put in force")


def test_a_good_bundle_is_taken_and_the_next_decision_names_it(client: httpx.Client, shop: Settings) -> None:
    before = client.post("/v1/decisions", json={"customer_id": "regular"}).json()["versions"]
    version = export_bundle(shop.data / "bundles" / "second", seed=1)
    point_to(shop.champion, shop.data / "bundles" / "second")
    after = client.post("/v1/decisions", json={"customer_id": "regular"}).json()["versions"]
    assert after == {**before, "bundle": version}
    assert before["bundle"] != version
    assert ready(client)["bundle"]["version"] == version


def test_a_damaged_bundle_is_refused_and_the_present_one_goes_on(client: httpx.Client, shop: Settings) -> None:
    before = ready(client)
    export_bundle(shop.data / "bundles" / "second", seed=1)
    model = shop.data / "bundles" / "second" / "response.txt"
    model.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    point_to(shop.champion, shop.data / "bundles" / "second")
    decided = client.post("/v1/decisions", json={"customer_id": "leaver"})
    assert decided.status_code == 200
    assert decided.json()["versions"]["bundle"] == before["bundle"]["version"]
    after = ready(client)
    assert "a changed file" in after["refused"]["reason"]
    assert "response.txt" in after["refused"]["reason"]
    assert after["bundle"] == before["bundle"]


def test_a_bundle_for_other_features_is_refused(client: httpx.Client, shop: Settings) -> None:
    before = ready(client)
    manifest = shop.data / "bundles" / "first" / "manifest.json"
    manifest.write_text(manifest.read_text().replace(before["bundle"]["features"], "0" * 64))
    after = ready(client)
    assert after["refused"] is not None
    assert after["bundle"] == before["bundle"]
