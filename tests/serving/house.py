"""A service of several tenants, whose callers send keys."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tactful.features.events.dataset import open_events
from tactful.serving.bootstrap import open_tenants
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tactful.serving.store.queries import keys
from tactful.serving.store.queries.keys import SCOPES
from tests.patience import PATIENCE
from tests.serving.shop import NOW, stock


@dataclass
class House:
    """The service, and clients of it.

    Args:
        url: Where it answers.
        tenants: Its services.
        clients: Closed with it.
    """

    url: str
    tenants: Tenants
    clients: ExitStack = field(default_factory=ExitStack)

    def key(self, *scopes: str, tenant: str = "default", rate: float | None = None) -> str:
        """A new key; with every scope unless some are named."""
        return keys.create(self.tenants.store.database, tenant, "test", scopes or SCOPES, rate, NOW)[1]

    def client(self, *scopes: str, tenant: str = "default", rate: float | None = None) -> httpx.Client:
        """A client with a new key."""
        return self.anybody({"Authorization": f"Bearer {self.key(*scopes, tenant=tenant, rate=rate)}"})

    def anybody(self, headers: dict[str, str] | None = None) -> httpx.Client:
        """A client with headers of its own."""
        return self.clients.enter_context(httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE))


@contextmanager
def open_house(shop: Settings, **given: Any) -> Iterator[House]:
    """A shop's service with a second tenant, `other`, who has customers of the same names."""
    settings = Settings.of(shop.data, auth="keys", **given)
    tenants = open_tenants(settings)
    stock(tenants.store, open_events(shop.data / "events"), "other")
    with running(tenants, settings) as url:
        house = House(url, tenants)
        with house.clients:
            yield house
    tenants.store.close()
