"""The routes.

Endpoints are coroutines, which cost half of what functions in a thread pool cost. Deciding, which takes long and may
wait for another writer, happens on the desk's thread; what is read here takes a fraction of a millisecond.
"""

import asyncio
import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from serving.api.answers import content
from serving.api.documentation import problems
from serving.api.problem import INVALID, MALFORMED, TOO_LARGE
from serving.api.schemas import (
    Alive,
    BundleVersion,
    CatalogueVersion,
    DecisionAnswer,
    DecisionId,
    DecisionRequest,
    Ready,
    Refusal,
)
from serving.errors import (
    ContendedError,
    DecisionConflictError,
    NotReadyError,
    StoreError,
    UnknownCustomerError,
    UnknownDecisionError,
    UnrenderableError,
)

router = APIRouter()


@router.post(
    "/v1/decisions",
    tags=["decisions"],
    summary="Decide about one customer now",
    response_model=DecisionAnswer,
    responses=problems(
        UnknownCustomerError,
        DecisionConflictError,
        ContendedError,
        NotReadyError,
        StoreError,
        UnrenderableError,
        MALFORMED,
        INVALID,
        TOO_LARGE,
    ),
)
async def post_decision(wanted: DecisionRequest, request: Request) -> Response:
    """The message most worth sending to this customer at this moment, or silence, with the reasons for both.

    The decision is recorded, and the contact it leads to is reserved, before it is told: what was told counts toward
    every cap. Asking again with the same `id` gives the same decision, so a request that timed out can be repeated.
    """
    decision_id = wanted.id or uuid.uuid4().hex
    answer = await asyncio.wrap_future(request.state.desk.ask(wanted.customer_id, decision_id, wanted.channels))
    return _json(content(answer))


@router.get(
    "/v1/decisions/{decision_id}",
    tags=["decisions"],
    summary="A decision made before",
    response_model=DecisionAnswer,
    responses=problems(UnknownDecisionError, StoreError, UnrenderableError, INVALID),
)
async def get_decision(decision_id: Annotated[DecisionId, Path()], request: Request) -> Response:
    """The same bytes as when the decision was made. Texts are not stored: they are rendered again."""
    return _json(content(request.state.service.decision(decision_id)))


@router.get("/health/live", tags=["health"], summary="Whether the process answers", responses=problems())
async def live() -> Alive:
    """Always the same answer: restart the process where it does not come."""
    return Alive(status="alive")


@router.get(
    "/health/ready",
    tags=["health"],
    summary="Whether decisions can be made, and with what",
    responses=problems(NotReadyError, StoreError),
)
async def ready(request: Request) -> Ready:
    """The bundle and catalogue in use, and why newer ones were refused, if they were."""
    service = request.state.service
    service.store.check()
    champion = service.champions.present()
    refusal = service.champions.refusal
    return Ready(
        status="ready",
        bundle=BundleVersion(version=champion.bundle.version, features=champion.bundle.fingerprint),
        catalogue=CatalogueVersion(name=champion.compiled.catalogue.catalogue, version=champion.compiled.version),
        refused=Refusal(reason=refusal) if refusal else None,
    )


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
