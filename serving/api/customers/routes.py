"""Customers over HTTP: as the engine sees them, everything that is kept about them, and their erasure."""

import math
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BeforeValidator
from starlette.concurrency import run_in_threadpool

from tactful.decisions.kernel.availability import Free
from tactful.serving.api.access.auth import RequestContext, allows
from tactful.serving.api.customers.schemas import CustomerAnswer, CustomerExport, ErasureAnswer
from tactful.serving.api.decisions.schemas import CustomerId
from tactful.serving.api.document.openapi import problems
from tactful.serving.api.paths import unescaped
from tactful.serving.api.problems import INVALID
from tactful.serving.engine.queries.customers import CustomerView, customer_view
from tactful.serving.engine.records.decision_json import closed, encoded, scores_of
from tactful.serving.engine.records.erase import erase_person, export_person
from tactful.serving.errors import NotReadyError, StoreError, UnknownCustomerError

router = APIRouter(prefix="/v1/customers", tags=["customers"])

Reader = Annotated[RequestContext, Depends(allows("read"))]
Operator = Annotated[RequestContext, Depends(allows("admin"))]
Id = Annotated[CustomerId, BeforeValidator(unescaped), Path()]


@router.get(
    "/{customer_id}",
    summary="A customer as the engine sees it now",
    response_model=CustomerAnswer,
    responses=problems(UnknownCustomerError, NotReadyError, StoreError, INVALID),
)
async def get_customer(customer_id: Id, context: Reader) -> Response:
    """Features, scores and their reasons, open programmes, contact pressure, and when each channel is next free."""
    return _json(_document(await run_in_threadpool(customer_view, context.service, customer_id)))


@router.get(
    "/{customer_id}/export",
    summary="Everything that is kept about a customer",
    response_model=CustomerExport,
    responses=problems(UnknownCustomerError, StoreError, INVALID),
)
async def export_customer(customer_id: Id, context: Operator) -> Response:
    """For the customer who asks what is known: profile, consents, identities, events, contacts, decisions, outcomes."""
    service = context.service
    asked = service.tenant, customer_id, service.clock(), context.caller.key
    return _json(await run_in_threadpool(export_person, service.store, *asked))


@router.delete(
    "/{customer_id}",
    summary="Erase a customer",
    responses=problems(StoreError, INVALID),
)
async def erase_customer(customer_id: Id, context: Operator) -> ErasureAnswer:
    """Personal data are gone from every table and from the event partitions; what comes later does not bring them back.

    Decisions and contacts stay in the counts under a name that leads to nobody. Erasing twice is answered like erasing
    once. An id that nobody was known by is answered with the status `unknown`: check that it is the right one. Events
    of that id are refused from then on.
    """
    service = context.service
    erased = await run_in_threadpool(
        erase_person,
        service.store,
        service.tenant,
        customer_id,
        service.clock(),
        service.histories,
        context.caller.key,
    )
    status = "erased" if erased.known else "unknown"
    return ErasureAnswer(status=status, decisions=erased.decisions, log_emptied=erased.log_emptied)


def _document(seen: CustomerView) -> dict[str, Any]:
    known, decision = seen.known, seen.decision
    return {
        "customer_id": known.id,
        "moment": decision.moment.isoformat(),
        "zone": known.zone,
        "joined": known.joined.isoformat() if known.joined else None,
        "attributes": dict(known.attributes),
        "consents": [
            {"channel": channel, "purpose": purpose, "allowed": allowed}
            for (channel, purpose), allowed in sorted(known.consents.items())
        ],
        "features": {name: value if math.isfinite(value) else None for name, value in seen.features.items()},
        "scores": scores_of(decision),
        "reasons": {one.score: one.as_dict()["reasons"] for one in seen.explained},
        "open": [
            {
                "programme": o.programme,
                "opening": o.key,
                "opened": o.opened.isoformat(),
                "expires": o.expires.isoformat(),
            }
            for o in decision.openings
        ],
        "closed": closed(decision),
        "contact_pressure": {channel: dict(counts) for channel, counts in seen.pressure.items()},
        "next_free": {channel: _free(free) for channel, free in seen.free.items()},
    }


def _free(free: Free) -> dict[str, Any]:
    moment = free.moment.isoformat() if free.moment else None
    return {"moment": moment, "reasons": [reason.as_dict() for reason in free.reasons]}


def _json(document: Any) -> Response:
    return Response(encoded(document), media_type="application/json")
