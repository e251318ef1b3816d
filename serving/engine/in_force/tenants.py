"""The tenants: one decision service each, made when it is first asked for."""

import threading
from collections.abc import Callable
from typing import Self

from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import NotReadyError
from tactful.serving.store.port import Store


class Tenants:
    """Decision services by tenant, all on one store.

    Args:
        store: Theirs.
        open_one: Makes the service of a tenant.
    """

    def __init__(self, store: Store, open_one: Callable[[str], DecisionService]) -> None:
        self.store = store
        self._open_one = open_one
        self._services: dict[str, DecisionService] = {}
        self._lock = threading.Lock()

    @classmethod
    def only(cls, service: DecisionService) -> Self:
        """One tenant, whose service is there already."""

        def stranger(tenant: str) -> DecisionService:
            raise NotReadyError("a tenant that is not served here", got=tenant, wanted=service.tenant)

        tenants = cls(service.store, stranger)
        tenants._services[service.tenant] = service
        return tenants

    def of(self, tenant: str) -> DecisionService:
        """The service of a tenant.

        Raises:
            NotReadyError: The tenant is not served here.
        """
        service = self._services.get(tenant)
        if service is None:
            with self._lock:
                service = self._services.setdefault(tenant, self._services.get(tenant) or self._open_one(tenant))
        return service
