"""The application: routes, problem documents, and what begins and ends with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from serving.api import problem
from serving.api.documentation import DESCRIPTION, complete
from serving.api.envelope import Envelope
from serving.api.routes import router
from serving.desk import Desk
from serving.service import DecisionService


class _Application(FastAPI):
    """FastAPI with an envelope around its outermost layer, so that every error leaves in it too."""

    def __init__(self, body_limit: int, **given: Any) -> None:
        super().__init__(**given)
        self._body_limit = body_limit

    def openapi(self) -> dict[str, Any]:
        """The API's description."""
        if self.openapi_schema is None:
            self.openapi_schema = complete(super().openapi())
        return self.openapi_schema

    def build_middleware_stack(self) -> ASGIApp:
        """The layers of the application, outermost first."""
        return Envelope(super().build_middleware_stack(), self._body_limit)


def create_app(service: DecisionService, *, body_limit: int = 65_536) -> FastAPI:
    """The HTTP API of a decision service.

    Args:
        service: The service; who opened it closes its store, after the application has ended.
        body_limit: Largest request body, in bytes.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        desk = Desk(service)
        try:
            yield {"service": service, "desk": desk}
        finally:
            desk.close()

    app = _Application(
        body_limit,
        title="Tactful",
        version=version("tactful"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(router)
    problem.install(app)
    return app
