"""One service a tenant."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tactful.serving.bootstrap import open_tenants
from tactful.serving.engine.in_force.pointer import point_to
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import NotReadyError
from tactful.serving.settings import Settings
from tests.serving.shop import export_bundle


def test_each_tenant_has_one_service_however_many_ask_at_once(shop: Settings) -> None:
    tenants = open_tenants(shop)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(tenants.of, ["a", "b"] * 20))
    assert {service.tenant for service in found} == {"a", "b"}
    assert len(found) == 2
    tenants.store.close()


def test_a_tenant_may_have_models_of_its_own(shop: Settings) -> None:
    own = export_bundle(shop.data / "bundles" / "second", seed=1)
    point_to(shop.data / "tenants" / "other" / "champion", shop.data / "bundles" / "second")
    tenants = open_tenants(shop)
    present = {name: tenants.of(name).champions.present().bundle.version for name in ("default", "other", "third")}
    assert present["other"] == own
    assert present["default"] == present["third"] != own
    tenants.store.close()


def test_a_service_that_stands_alone_serves_no_other_tenant(service: DecisionService) -> None:
    tenants = Tenants.only(service)
    assert tenants.of(service.tenant) is service
    with pytest.raises(NotReadyError, match="got 'other'; wanted default"):
        tenants.of("other")
