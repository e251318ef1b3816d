"""The tracking API: the routes of Segment's and RudderStack's clients, as these are.

They want `{"success": true}`, and send again whatever is not answered so. Messages are taken in by the inbox, so that
neither the disk nor a large body holds the event loop up.
"""

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.types import Scope

from tactful.serving.api.access import limits
from tactful.serving.api.access.auth import RequestContext, allows, require
from tactful.serving.api.document.openapi import problems
from tactful.serving.api.problems import MALFORMED, TOO_LARGE, Kind
from tactful.serving.api.schemas import FieldProblem
from tactful.serving.api.tracking.matching import TRACKING
from tactful.serving.api.tracking.schemas import BATCH, MESSAGE, Taken, TakenAndDecided
from tactful.serving.engine.drafts import DecisionCommand
from tactful.serving.engine.records.decision_json import content, encoded
from tactful.serving.engine.wakeups import decision_id
from tactful.serving.errors import (
    ContendedError,
    DecisionConflictError,
    NotReadyError,
    StoreError,
    UnknownCustomerError,
)
from tactful.serving.ingestion.batching import IngestBatcher
from tactful.serving.ingestion.bodies import inflated_size
from tactful.serving.ingestion.pipeline import MOST_TOLD, RawRequest, Receipts
from tactful.serving.ingestion.senders import Sender
from tactful.serving.ingestion.statuses import MessageStatus

REFUSED = Kind(400, "messages-refused", "The others were kept: mend these, then send them, or all of them, again.")

router = APIRouter(prefix="/v1", tags=[TRACKING])
Sending = Annotated[RequestContext, Depends(allows("ingest", "track"))]
_PROBLEMS = problems(StoreError, MALFORMED, REFUSED, TOO_LARGE)


@router.post(
    "/track",
    summary="Something a customer did",
    response_model=TakenAndDecided,
    response_model_exclude_unset=True,
    openapi_extra=MESSAGE,
    responses=problems(
        StoreError,
        NotReadyError,
        ContendedError,
        UnknownCustomerError,
        DecisionConflictError,
        MALFORMED,
        REFUSED,
        TOO_LARGE,
    ),
)
async def track(
    context: Sending,
    request: Request,
    decide: Annotated[
        bool, Query(description="Whether to answer with a decision upon it; wants scope `decide`.")
    ] = False,
) -> Response:
    """An event becomes part of the customer's history; its name says what it means, as the guide lists.

    With `decide=true` the answer holds a decision made on that history. Sent again, the message changes nothing and is
    answered with the same decision; about somebody else, it is a conflict.
    """
    if decide:
        require(context.caller, "decide")
    receipts = await _received(context, request, "track", answered=decide)
    if isinstance(receipts, Response):
        return receipts
    answer = receipts.document()
    return _json(answer | {"decision": await _decision(context, receipts)} if decide else answer)


@router.post(
    "/batch", summary="Many messages", response_model=Taken, response_model_exclude_unset=True, openapi_extra=BATCH,
    responses=_PROBLEMS,
)  # fmt: skip
async def send_batch(context: Sending, request: Request) -> Response:
    """Messages of every kind, kept in one transaction; a refused one holds no other back."""
    return await _taken(context, request)


def _route(call: str, summary: str, description: str) -> None:
    async def endpoint(context: Sending, request: Request) -> Response:
        return await _taken(context, request, call)

    router.add_api_route(
        f"/{call}",
        endpoint,
        methods=["POST"],
        name=call,
        summary=summary,
        description=description,
        response_model=Taken,
        response_model_exclude_unset=True,
        openapi_extra=MESSAGE,
        responses=_PROBLEMS,
    )


_route("identify", "What is known of a customer", "Traits become attributes, a zone and consents.")
_route("page", "A page a customer saw", "It becomes a view.")
_route("screen", "A screen a customer saw", "It becomes a view.")
_route("group", "A group a customer belongs to", "Its traits become the customer's attributes `group_…`.")
_route("alias", "Two ids of one customer", "What is known by the former id becomes the customer's.")


async def _taken(context: RequestContext, request: Request, call: str | None = None) -> Response:
    receipts = await _received(context, request, call)
    return receipts if isinstance(receipts, Response) else _json(receipts.document())


async def _received(
    context: RequestContext, request: Request, call: str | None, *, answered: bool = False
) -> Receipts | Response:
    """The receipts of a request; the answer instead, where the body or, in strict mode, a message is unfit."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    scopes, body = context.caller.scopes, await request.body()
    sender = Sender(context.caller.family, trusted="ingest" in scopes, merges="merge" in scopes)
    source = f"{context.caller.key} {request.client.host if request.client else ''}"
    raw_request = RawRequest(body, encoding, call, answered, sender, source)
    ingest_batcher: IngestBatcher = request.state.ingest_batcher
    receipts = await asyncio.wrap_future(ingest_batcher.submit(context.service, raw_request))
    pieces = (len(body) if receipts.unfit else inflated_size(body, encoding)) // limits.PIECE_BYTES
    messages = max(len(receipts.told) - 1, 0)
    context.caller.charge(limits.MESSAGE * messages + limits.PIECE * pieces + limits.DECISION * answered)
    if receipts.unfit:
        (told,) = receipts.told
        kind = TOO_LARGE if told.fate is MessageStatus.OVERSIZED else MALFORMED
        return kind.response(told.reason, request.scope)
    strict = request.headers.get("x-strict-mode", "0").strip().lower() not in ("", "0", "false")
    return _strict(receipts, request.scope) if strict and receipts.refused else receipts


async def _decision(context: RequestContext, receipts: Receipts) -> Any:
    """The decision upon a message that was fit, else None."""
    (told,) = receipts.told
    if not told.customer:
        return None
    ask = DecisionCommand(told.customer, decision_id(told.id), context.service.clock())
    return json.loads(content(await context.batcher.submit(context.service, ask)))


def _strict(receipts: Receipts, scope: Scope) -> Response:
    refused = receipts.refused
    errors = [FieldProblem(place=f"message {place}", message=told.reason) for place, told in refused[:MOST_TOLD]]
    return REFUSED.response(f"{len(refused)} of {len(receipts.told)} messages cannot be used", scope, errors=errors)


def _json(document: dict[str, Any]) -> Response:
    return Response(encoded(document), media_type="application/json")
