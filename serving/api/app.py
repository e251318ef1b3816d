"""The application: routes behind authentication, problem documents, and the start and end of its parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from tactful.serving.api import pages
from tactful.serving.api import problems as problem
from tactful.serving.api.access.auth import Allowed, AnonymousAuth, Authenticator, AuthMiddleware, Keys
from tactful.serving.api.access.keyring import Keyring
from tactful.serving.api.access.limits import Buckets
from tactful.serving.api.audit import routes as audit
from tactful.serving.api.catalogue import routes as catalogues
from tactful.serving.api.content import routes as content
from tactful.serving.api.customers import merges
from tactful.serving.api.customers import routes as customers
from tactful.serving.api.decisions import routes
from tactful.serving.api.document import webhooks
from tactful.serving.api.document.openapi import DESCRIPTION, SERVERS, TAGS, complete
from tactful.serving.api.health import routes as operations
from tactful.serving.api.idempotency import IdempotencyMiddleware
from tactful.serving.api.middleware import RequestMiddleware
from tactful.serving.api.paths import SegmentedPaths
from tactful.serving.api.tracking import client_settings
from tactful.serving.api.tracking import routes as tracking
from tactful.serving.api.tracking.matching import Paths
from tactful.serving.delivery.outbox import dispatching
from tactful.serving.engine.batching import DecisionBatcher
from tactful.serving.engine.health.readiness import Readiness
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.ingestion.batching import IngestBatcher
from tactful.serving.ingestion.pipeline import IngestPipeline
from tactful.serving.ingestion.refused import RefusedLog
from tactful.serving.ingestion.rules import load_rules
from tactful.serving.settings import Settings
from tactful.serving.signing.customer_tokens import CustomerTokens
from tactful.serving.store.queries import keys

ROUTERS = (
    routes.router,
    customers.router,
    merges.router,
    catalogues.router,
    tracking.router,
    content.router,
    client_settings.router,
    audit.router,
    operations.router,
)

NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""FastAPI's own spans hold paths with customers' ids and words of errors; `tactful.serving.telemetry` writes ours."""


class _Application(FastAPI):
    """FastAPI with an envelope around its outermost layer, so that every error leaves in it too."""

    def __init__(self, settings: Settings, **given: Any) -> None:
        super().__init__(**given)
        self._settings = settings

    def openapi(self) -> dict[str, Any]:
        """The API's description."""
        if self.openapi_schema is None:
            self.openapi_schema = complete(super().openapi(), scopes(), keyed=self._settings.auth == "keys")
        return self.openapi_schema

    def build_middleware_stack(self) -> ASGIApp:
        """The layers of the application, outermost first."""
        return SegmentedPaths(
            RequestMiddleware(super().build_middleware_stack(), self._settings.body_limit, self._settings.deadline)
        )


def create_app(tenants: Tenants, settings: Settings) -> FastAPI:
    """The HTTP API of decision services.

    Args:
        tenants: The services; who opened them closes their store, after the application has ended.
        settings: How it is served.
    """
    refused = RefusedLog(tenants.store.database)
    pipeline = IngestPipeline(
        load_rules(settings.tracking), settings.receivers, refused, settings.merges, settings.events
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        batcher, ingest_batcher = DecisionBatcher(), IngestBatcher(pipeline)
        refused.start()
        try:
            with dispatching(tenants, settings):
                service = tenants.of(settings.tenant)
                yield {
                    "service": service,
                    "readiness": Readiness(service, batcher, settings.store_deadline),
                    "batcher": batcher,
                    "ingest_batcher": ingest_batcher,
                    "refused": refused,
                    "customer_tokens": CustomerTokens(settings.token_secrets),
                    "content_buckets": Buckets(settings.workers),
                }
        finally:
            grace = settings.grace.total_seconds()
            ingest_batcher.close(grace)
            batcher.close(grace)
            refused.close()

    app = _Application(
        settings,
        title="Tactful",
        version=version("tactful"),
        description=DESCRIPTION,
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        servers=SERVERS,
        openapi_tags=TAGS,
        webhooks=webhooks.router,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
        redirect_slashes=False,
    )
    for router in ROUTERS:
        app.include_router(router)
    pages.install(app)
    app.state.paths = Paths([*app.routes, *(route for router in ROUTERS for route in router.routes)])
    once = IdempotencyMiddleware(app.router.middleware_stack, tenants.store.database)
    app.router.middleware_stack = AuthMiddleware(once, _recognises(tenants, settings), tenants, settings)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["*"],
            expose_headers=["etag", "idempotency-replayed", "retry-after", "x-request-id"],
        )
    problem.install(app)
    return app


def scopes() -> dict[tuple[str, str], tuple[str, ...]]:
    """The scopes of which each route wants one, by method and path; routes that want none are left out."""
    return {
        (method, route.path): dependency.call.scopes
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for dependency in route.dependant.dependencies
        if isinstance(dependency.call, Allowed)
        for method in route.methods or ()
    }


def _recognises(tenants: Tenants, settings: Settings) -> Authenticator:
    if settings.auth == "open":
        return AnonymousAuth(settings.tenant, settings.origins)
    database = tenants.store.database
    keyring = Keyring(partial(keys.find, database), note=partial(keys.touch, database))
    return Keys(keyring, Buckets(settings.workers), settings.rate)
