"""Readiness tells what decisions are made with, and what was refused."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import count
from threading import Event
from typing import Any

import httpx

from tactful.serving.api.decisions.schemas import Health, Ready
from tactful.serving.engine.drafts import Maker
from tactful.serving.engine.in_force.pointer import point_to
from tactful.serving.engine.service import DecisionService
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tactful.serving.store.probing import write_and_forget
from tests.serving.house import House
from tests.serving.shop import CATALOGUE, export_bundle
from tests.serving.test_outbox import CART, HOUR, built


def ready(client: httpx.Client) -> dict[str, Any]:
    """What operators see."""
    response = client.get("/health")
    assert response.status_code == 200
    told: dict[str, Any] = response.json()
    Health.model_validate(told, extra="forbid")
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


def probed(service: DecisionService) -> httpx.Response:
    """What a probe of a fresh process hears."""
    with running(service) as url:
        return httpx.get(f"{url}/health/ready", timeout=60)


def test_readiness_names_nothing_of_the_shop(house: House) -> None:
    answer = house.anybody().get("/health/ready")
    assert Ready.model_validate(answer.json(), extra="forbid") == Ready(status="ready", outbox_age=None)
    assert house.anybody().get("/health").status_code == 401
    assert house.client("decide").get("/health").status_code == 403
    assert house.client("read").get("/health").json()["catalogue"]["name"] == "shop"


def test_a_service_without_a_catalogue_is_alive_but_neither_started_nor_ready(
    service: DecisionService, shop: Settings
) -> None:
    kept = shop.catalogue.read_text()
    shop.catalogue.unlink()
    with running(service) as url, httpx.Client(base_url=url, timeout=60) as client:
        for path in ("/health/startup", "/health/ready"):
            refused = client.get(path)
            assert (refused.status_code, refused.json()["type"]) == (503, "urn:tactful:problem:not-ready")
            assert "nothing to decide with" in refused.json()["detail"]
            assert str(shop.data) not in refused.text
        assert client.get("/health/live").json() == {"status": "alive"}
    shop.catalogue.write_text(kept)
    with running(service) as url, httpx.Client(base_url=url, timeout=60) as client:
        assert client.get("/health/startup").json() == {"status": "started"}
        shop.catalogue.unlink()
        assert client.get("/health/startup").json() == {"status": "started"}


def test_a_store_that_takes_no_writes_is_not_ready(service: DecisionService) -> None:
    with service.store.database.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON idempotency BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    told = probed(service)
    assert (told.status_code, told.json()["detail"]) == (503, "the store takes no writes")


def test_a_check_leaves_nothing_behind(service: DecisionService) -> None:
    assert probed(service).status_code == 200
    write_and_forget(service.store.database)
    with service.store.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM idempotency").scalar() == 0
    assert list(service.store.decision_log(service.tenant)) == []


def test_decisions_that_cannot_be_made_are_not_ready(service: DecisionService) -> None:
    service.maker = replace(service.maker, reservation=None)  # type: ignore[arg-type]
    told = probed(service)
    assert (told.status_code, told.json()["detail"]) == (503, "no decision completes")


def test_readiness_states_the_age_of_the_backlog_and_stays(shop: Settings) -> None:
    with built(shop) as house:
        house.orders("m1")
        house.dispatcher.decide()
        house.clock.moment += HOUR
        told = probed(house.service)
    assert (told.status_code, told.json()) == (200, {"status": "ready", "outbox_age": 3600.0})


def test_an_event_that_is_to_be_decided_upon_later_has_no_age(shop: Settings) -> None:
    shop.catalogue.write_text(CATALOGUE + CART)
    with built(shop) as house:
        house.orders("m1", name="Product Added")
        house.dispatcher.decide()
        assert probed(house.service).json() == {"status": "ready", "outbox_age": None}


class Hanging(Maker):
    """Makes no decision before it is told to go on."""

    def make(self, cases: Any, champion: Any, arms: Any = None) -> Any:
        if cases[0][0].customer == "leaver":
            GO_ON.wait()
        return super().make(cases, champion, arms)


GO_ON = Event()


def test_a_decision_that_hangs_makes_the_service_unready_until_it_ends(service: DecisionService) -> None:
    service.maker = Hanging(service.maker.run_context, service.maker.reservation)
    settings = Settings(auth="open", tenant=service.tenant, store_deadline=timedelta(milliseconds=100))
    with running(service, settings) as url, ThreadPoolExecutor() as pool, httpx.Client(base_url=url) as client:
        asked = pool.submit(httpx.post, f"{url}/v1/decisions", json={"customer_id": "leaver"}, timeout=120)
        details = (client.get("/health/ready").json().get("detail") for _ in count())
        assert "no decision completes" in details
        assert client.get("/health/live").status_code == 200
        GO_ON.set()
        assert asked.result().status_code == 200
        statuses = (client.get("/health/ready").status_code for _ in count())
        assert 200 in statuses
