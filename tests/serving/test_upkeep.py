"""A service that is asked to looks after its store by itself."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from tactful.serving.engine.batch import decide_all
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import StoreError
from tactful.serving.process.upkeep import MARK, maintain, maintaining
from tactful.serving.settings import Settings
from tactful.serving.store.port import History, Profile
from tactful.serving.telemetry.metrics import METRICS
from tests.patience import PATIENCE
from tests.serving.shop import NOW


def old_silence(service: DecisionService) -> None:
    decide_all(service, "old", moment=NOW - timedelta(days=10), customers=["regular"])


def settings_of(shop: Settings, upkeep: bool = True) -> Settings:
    return shop.model_copy(update={"upkeep": upkeep, "keep_silences": timedelta(days=5)})


def test_silences_and_inputs_go_after_their_time(service: DecisionService, shop: Settings) -> None:
    old_silence(service)
    decide_all(service, "new", moment=NOW - timedelta(days=2), customers=["regular", "leaver"])
    maintain(Tenants.only(service), settings_of(shop))
    assert all(stored.inputs for stored in service.store.decision_log(service.tenant))
    maintain(Tenants.only(service), settings_of(shop).model_copy(update={"keep_inputs": timedelta(days=1)}))
    kept = list(service.store.decision_log(service.tenant))
    assert sorted(stored.customer for stored in kept) == ["leaver", "regular"]
    assert not any(stored.inputs for stored in kept)


def test_it_happens_by_itself_once_a_day(service: DecisionService, shop: Settings) -> None:
    old_silence(service)
    with maintaining(Tenants.only(service), settings_of(shop), look=0.01):
        until = time.monotonic() + PATIENCE
        while list(service.store.decision_log(service.tenant)) and time.monotonic() < until:
            time.sleep(0.01)
        while not (shop.data / MARK).stat().st_size and time.monotonic() < until:
            time.sleep(0.01)
    assert list(service.store.decision_log(service.tenant)) == []
    old_silence(service)
    with maintaining(Tenants.only(service), settings_of(shop), look=0.01):
        time.sleep(0.2)
    assert len(list(service.store.decision_log(service.tenant))) == 1


def test_nothing_happens_unasked(service: DecisionService, shop: Settings) -> None:
    with maintaining(Tenants.only(service), settings_of(shop, upkeep=False), look=0.01):
        time.sleep(0.05)
    assert not (shop.data / MARK).exists()


def test_every_tenant_is_looked_after_and_one_that_fails_keeps_no_other_from_its_turn(
    service: DecisionService, shop: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def open_one(tenant: str) -> DecisionService:
        if tenant == "broken":
            raise StoreError("a tenant without a catalogue")
        return DecisionService(service.store, service.champions, service.maker, service.clock, tenant)

    for tenant in ("broken", "market"):
        service.store.load(tenant, History("UTC", NOW, [Profile("regular", joined=NOW - timedelta(days=90))]))
    tenants = Tenants(service.store, open_one)
    for tenant in (service.tenant, "market"):
        old_silence(tenants.of(tenant))
    archive = tmp_path / "archives" / "store.zip"
    maintain(tenants, settings_of(shop).model_copy(update={"backup": archive}))
    assert [list(service.store.decision_log(tenant)) for tenant in (service.tenant, "market")] == [[], []]
    assert archive.exists()
    failed = [record for record in caplog.records if record.message == "upkeep failed"]
    assert [(vars(record)["tenant"], vars(record)["job"]) for record in failed] == [("broken", "compact")]
    assert METRICS.upkeep("compact", "failed")._value.get() >= 1
    assert METRICS.upkeep("audit", "done")._value.get() >= 2
