"""The routes.

Endpoints are coroutines, which cost half of what functions in a thread pool cost. Deciding, which takes long and may
wait for another writer, happens on the desk's thread; what is read here takes a fraction of a millisecond.
"""

import asyncio
import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from serving.api.answers import content
from serving.api.documentation import problems
from serving.api.door import Visit, allows
from serving.api.problem import INVALID, MALFORMED, TOO_LARGE
from serving.api.schemas import (
    DecisionAnswer,
    DecisionId,
    DecisionRequest,
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
from serving.making import Ask

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
async def post_decision(wanted: DecisionRequest, visit: Annotated[Visit, Depends(allows("decide"))]) -> Response:
    """The message most worth sending to this customer at this moment, or silence, with the reasons for both.

    The decision is recorded, and the contact it leads to is reserved, before it is told: what was told counts toward
    every cap. Asking again with the same `id` gives the same decision, so a request that timed out can be repeated.
    """
    ask = Ask(wanted.customer_id, wanted.id or uuid.uuid4().hex, visit.service.clock(), wanted.channels)
    answer = await asyncio.wrap_future(visit.desk.ask(visit.service, ask))
    return _json(content(answer))


@router.get(
    "/v1/decisions/{decision_id}",
    tags=["decisions"],
    summary="A decision made before",
    response_model=DecisionAnswer,
    responses=problems(UnknownDecisionError, StoreError, UnrenderableError, INVALID),
)
async def get_decision(
    decision_id: Annotated[DecisionId, Path()], visit: Annotated[Visit, Depends(allows("read"))]
) -> Response:
    """The same bytes as when the decision was made. Texts are not stored: they are rendered again."""
    return _json(content(visit.service.decision(decision_id)))


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
