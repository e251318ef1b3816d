"""Decisions over HTTP: made, told again, sent, released, answered.

Endpoints are coroutines, which cost half of what functions in a thread pool cost. Deciding, which takes long and may
wait for another writer, happens on the batcher's thread; other calls of the store run in the pool. The event loop
itself never waits for the store.
"""

import asyncio
import json
import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from tactful.decisions.analysis.what_if import Changes
from tactful.decisions.kernel.decision import Decision
from tactful.decisions.kernel.record import parse
from tactful.serving.api.access.auth import RequestContext, allows
from tactful.serving.api.access.limits import DECISION
from tactful.serving.api.decisions.schemas import (
    BatchAnswer,
    ClearanceAnswer,
    CustomerId,
    DecisionAnswer,
    DecisionBatch,
    DecisionId,
    DecisionPage,
    DecisionRequest,
    OutcomeAnswer,
    OutcomeReport,
    ReleaseAnswer,
    WhatIfAnswer,
    WhatIfRequest,
)
from tactful.serving.api.document.openapi import problems
from tactful.serving.api.pagination import cursor_of, parsed
from tactful.serving.api.problems import INVALID, MALFORMED, TOO_LARGE, problem_for
from tactful.serving.engine.contacts import clear, release, report
from tactful.serving.engine.drafts import DecisionCommand, DecisionResult
from tactful.serving.engine.queries.customers import suppose, suppose_again
from tactful.serving.engine.records.decision_json import content, encoded, supposition
from tactful.serving.errors import (
    AlreadySentError,
    ContendedError,
    CursorError,
    DecisionConflictError,
    ErasedError,
    NothingToSendError,
    NotReadyError,
    StoreError,
    UnknownCustomerError,
    UnknownDecisionError,
    UnknownItemError,
)
from tactful.serving.store.queries.decisions import page

router = APIRouter(prefix="/v1", tags=["decisions"])

Decider = Annotated[RequestContext, Depends(allows("decide"))]
Reader = Annotated[RequestContext, Depends(allows("read"))]
Reporter = Annotated[RequestContext, Depends(allows("ingest"))]
Id = Annotated[DecisionId, Path()]
DECIDING = (
    UnknownCustomerError,
    DecisionConflictError,
    ContendedError,
    NotReadyError,
    StoreError,
    MALFORMED,
    INVALID,
    TOO_LARGE,
)
SENDING = (UnknownDecisionError, NothingToSendError, StoreError, MALFORMED, INVALID, TOO_LARGE)


@router.post(
    "/decisions",
    summary="Decide about one customer now",
    response_model=DecisionAnswer,
    responses=problems(*DECIDING),
)
async def decide(wanted: DecisionRequest, context: Decider) -> Response:
    """The message most worth sending to this customer at this moment, or silence, with the reasons for both.

    The service records the decision and reserves its contact before it answers: an answered contact counts toward
    every cap. Asking again with the same `id` gives the same decision, so a request that timed out can be repeated.
    """
    return _json(content(await _asked(wanted, context)))


@router.post(
    "/decisions/batch",
    summary="Decide about up to 1,000 customers now",
    response_model=BatchAnswer,
    responses=problems(MALFORMED, INVALID, TOO_LARGE),
)
async def decide_batch(wanted: DecisionBatch, context: Decider, request: Request) -> Response:
    """One answer each, in order. An error in one does not affect the others.

    Customers who occur more than once are decided about one after another, each time on what the time before left.
    """
    context.caller.charge(DECISION * (len(wanted.decisions) - 1))
    answers = await asyncio.gather(*(_asked(one, context) for one in wanted.decisions), return_exceptions=True)
    items = [_item(answer, request.state.request_id) for answer in answers]
    return _json(b'{"decisions":[' + b",".join(items) + b"]}")


@router.get(
    "/decisions",
    summary="Decisions made before, the newest first",
    response_model=DecisionPage,
    responses=problems(StoreError, CursorError, INVALID),
)
async def list_decisions(
    context: Reader,
    customer_id: Annotated[CustomerId | None, Query()] = None,
    cursor: Annotated[str | None, Query(max_length=300, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Response:
    """A page of decisions, of one customer or of all; one that is made meanwhile moves no other to another page."""
    service, before = context.service, parsed(cursor) if cursor else None
    found = await run_in_threadpool(
        page, service.store.database, service.tenant, customer=customer_id, before=before, limit=limit + 1
    )
    made = [(stored.customer, parse(stored.record)) for stored in found]
    more = cursor_of(made[limit - 1][1].moment, made[limit - 1][1].id) if len(made) > limit else None
    return _json(encoded({"decisions": [_summary(*one) for one in made[:limit]], "next": more}))


@router.get(
    "/decisions/{decision_id}",
    summary="A decision made before, with its explanation",
    response_model=DecisionAnswer,
    responses=problems(UnknownDecisionError, StoreError, INVALID),
)
async def get_decision(decision_id: Id, context: Reader) -> Response:
    """The same bytes as when the decision was made. Texts are not stored: they are rendered again."""
    return _json(content(await run_in_threadpool(context.service.decision, decision_id)))


@router.post(
    "/decisions/{decision_id}/clearance",
    summary="Whether the contact may be made now",
    responses=problems(*SENDING, NotReadyError, ContendedError),
)
async def clear_contact(decision_id: Id, context: Decider) -> ClearanceAnswer:
    """Asks every gate again, for a sender to ask right before it sends.

    If the answer is yes, the contact counts as sent at once; if it is no, it is released. A contact is cleared once:
    repeat a request that timed out with its `Idempotency-Key`, and the answer is the same.
    """
    found = await run_in_threadpool(clear, context.service, decision_id)
    return ClearanceAnswer.model_validate({"send": found.send, "reasons": [e.as_dict() for e in found.reasons]})


@router.post(
    "/decisions/{decision_id}/release",
    summary="Give back the contact that was reserved",
    responses=problems(*SENDING, AlreadySentError),
)
async def release_contact(decision_id: Id, context: Decider) -> ReleaseAnswer:
    """For a contact that will not be made: it counts toward no cap any more. One that was made cannot be given back."""
    standing = await run_in_threadpool(release, context.service, decision_id)
    return ReleaseAnswer.model_validate({"status": standing.value})


@router.post(
    "/decisions/{decision_id}/outcome",
    summary="Tell what came of the contact",
    responses=problems(*SENDING),
)
async def report_outcome(decision_id: Id, told: OutcomeReport, context: Reporter) -> OutcomeAnswer:
    """Told late, twice or out of order, it does no harm. Unsubscribing or complaining takes effect at once.

    A time ahead of our clock counts as now, one before the decision as the decision's.
    """
    kept = await run_in_threadpool(
        report, context.service, decision_id, told.kind, told.id or told.kind, told.time, told.value
    )
    return OutcomeAnswer(status="kept" if kept else "known")


@router.post(
    "/what-if",
    summary="What would be decided if something were different",
    response_model=WhatIfAnswer,
    responses=problems(
        UnknownCustomerError,
        UnknownDecisionError,
        ErasedError,
        UnknownItemError,
        NotReadyError,
        StoreError,
        MALFORMED,
        INVALID,
        TOO_LARGE,
    ),
)
async def what_if(wanted: WhatIfRequest, context: Reader) -> Response:
    """About a customer now, or in place of a past decision. Nothing is recorded, nothing is reserved."""
    changes = Changes(
        moment=wanted.moment,
        features=wanted.features,
        scores=wanted.scores,
        attributes=wanted.attributes,
        consents={(consent.channel, consent.purpose): consent.allowed for consent in wanted.consents},
        messages={message: {"value": value} for message, value in wanted.values.items()},
        policies=dict.fromkeys(wanted.without),
    )
    if wanted.decision_id is not None:
        found = await run_in_threadpool(suppose_again, context.service, wanted.decision_id, changes)
    else:
        found = await run_in_threadpool(suppose, context.service, wanted.customer_id or "", changes, wanted.channels)
    return _json(supposition(found.decision, found.currency))


def _asked(wanted: DecisionRequest, context: RequestContext) -> "asyncio.Future[DecisionResult]":
    command = DecisionCommand(
        wanted.customer_id, wanted.id or uuid.uuid4().hex, context.service.clock(), wanted.channels
    )
    return context.batcher.submit(context.service, command)


def _item(answer: DecisionResult | BaseException, request_id: str) -> bytes:
    if isinstance(answer, DecisionResult):
        return b'{"decision":' + content(answer) + b',"status":200}'
    if not isinstance(answer, Exception):
        raise answer
    kind, detail = problem_for(answer)
    return json.dumps({"problem": kind.document(detail, request_id), "status": kind.status}, sort_keys=True).encode()


def _summary(customer: str, decision: Decision) -> dict[str, str]:
    return {
        "id": decision.id,
        "customer_id": customer,
        "moment": decision.moment.isoformat(),
        "outcome": decision.outcome,
    }


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
