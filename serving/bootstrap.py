"""The composition root: the one place where settings become adapters."""

from tactful.decisions.kernel.decide import RunContext
from tactful.features.build import build_one
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.history import history
from tactful.features.kernel.program import compile_features
from tactful.features.timestamps import EARLIEST
from tactful.serving.engine.drafts import Maker
from tactful.serving.engine.in_force.champion import Champions
from tactful.serving.engine.in_force.experiments import ActiveExperiments
from tactful.serving.engine.in_force.proving import Prover
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.engine.service import DecisionService
from tactful.serving.settings import Settings, clock, folder_of
from tactful.serving.store.opening import open_store as open_store
from tactful.serving.store.port import Store
from tactful.serving.store.queries.catalogues import newest as newest_catalogue
from tactful.serving.store.queries.experiments import published


def open_service(settings: Settings, store: Store | None = None) -> DecisionService:
    """The decision service of the settings' own tenant.

    Args:
        settings: The settings.
        store: Its store, where it is open already.

    Raises:
        StoreError: The store cannot be opened.
    """
    return open_tenants(settings, store).of(settings.tenant)


def open_tenants(settings: Settings, store: Store | None = None) -> Tenants:
    """The decision services that the settings describe, all on one store.

    The feature kernel is made ready, so that the first customer need not wait for its compiler.

    Args:
        settings: The settings.
        store: Their store, where it is open already.

    Raises:
        StoreError: The store cannot be opened.
    """
    build_one(history("UTC", [], []), EARLIEST, compile_features(STANDARD))
    store = store or open_store(settings.store, settings.durability, settings.connections)
    maker = Maker(RunContext(seed=settings.seed), settings.reservation)
    tell = clock(settings.now)

    def open_one(tenant: str) -> DecisionService:
        folder = folder_of(settings, tenant)
        own = folder / "champion"
        pointer = own if tenant != settings.tenant and own.exists() else settings.champion
        champions = Champions(
            pointer,
            settings.catalogue,
            STANDARD,
            newest=lambda: newest_catalogue(store.database, tenant),
            prover=Prover(STANDARD.fingerprint),
        )
        trials = ActiveExperiments(lambda: published(store.database, tenant), settings.data)
        return DecisionService(store, champions, maker, tell, tenant, folder / "events", trials)

    return Tenants(store, open_one)
