"""Routes for the operators of the service."""

import math
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from tactful.serving.api.access.auth import METRICS_PATH, RequestContext, allows
from tactful.serving.api.decisions.schemas import (
    Alive,
    BundleVersion,
    CatalogueVersion,
    Health,
    Ready,
    Refusal,
    Started,
)
from tactful.serving.api.document.openapi import problems
from tactful.serving.api.tracking.schemas import RefusedMessages, RefusedPage
from tactful.serving.engine.health.readiness import Readiness
from tactful.serving.engine.in_force.champion import Champion
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import ForbiddenError, NotReadyError, StoreError
from tactful.serving.ingestion.refused import RefusedLog
from tactful.serving.store.queries import outbox, refused
from tactful.serving.telemetry.metrics import MEDIA_TYPE, METRICS, exposition

LATELY = timedelta(days=1)
"""How long the health route names messages that were refused."""

router = APIRouter()


@router.get("/health/live", tags=["health"], summary="Whether the process answers", responses=problems())
async def check_liveness() -> Alive:
    """Always the same answer: restart the process where it does not come."""
    return Alive(status="alive")


@router.get(
    "/health/startup",
    tags=["health"],
    summary="Whether the service has been ready once",
    responses=problems(NotReadyError),
)
async def check_startup(request: Request) -> Started:
    """Give the other probes no say before: a service that loads models for the first time is not broken."""
    readiness: Readiness = request.state.readiness
    if not readiness.started:
        await readiness.condition()
    return Started(status="started")


@router.get(
    "/health/ready",
    tags=["health"],
    summary="Whether the service can do its work now",
    responses=problems(NotReadyError),
)
async def check_readiness(request: Request) -> Ready:
    """A decision was made for the check, the store took a write, and no group of decisions hangs.

    A backlog does not make the service unready: a receiver that is down would take every process with it.
    """
    readiness: Readiness = request.state.readiness
    backlog = (await readiness.condition()).backlog
    return Ready(status="ready", outbox_age=None if backlog is None else backlog.total_seconds())


@router.get(
    "/health",
    tags=["health"],
    summary="What decisions are made with, and what an operator should know",
    responses=problems(NotReadyError, StoreError),
)
async def get_health(context: Annotated[RequestContext, Depends(allows("read"))], request: Request) -> Health:
    """The bundle and catalogue in use, why newer ones were refused, remarks on them, and messages lately refused."""
    service = context.service
    champion = await run_in_threadpool(_checked, service)
    refusal = service.champions.refusal
    return Health(
        status="ready",
        bundle=BundleVersion(version=champion.bundle.version, features=champion.bundle.fingerprint),
        catalogue=CatalogueVersion(name=champion.compiled.catalogue.catalogue, version=champion.compiled.version),
        refused=Refusal(reason=refusal) if refusal else None,
        remarks=list(service.champions.remarks),
        refused_messages=await run_in_threadpool(_refused_lately, request, service),
    )


@router.get(
    "/v1/events/refused",
    tags=["operations"],
    summary="Messages of the tracking API that were not kept, or not as a whole",
    responses=problems(StoreError),
)
async def list_refused_messages(
    context: Annotated[RequestContext, Depends(allows("read"))], request: Request
) -> RefusedPage:
    """Messages alike are counted together, the last seen first, at most 200 kinds; nothing of their content is kept."""
    return await run_in_threadpool(_refused, request, context.service)


@router.get(
    METRICS_PATH,
    tags=["operations"],
    summary="What was counted",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus's text format."}, **problems()},
)
async def get_metrics(context: Annotated[RequestContext, Depends(allows("admin"))], request: Request) -> Response:
    """Series of every worker, and of every tenant: for the operator's own tenant, which `TACTFUL_TENANT` names."""
    own: DecisionService = request.state.service
    if context.caller.tenant != own.tenant:
        raise ForbiddenError("counts of every tenant", wanted="a key of the operator's own tenant")
    return Response(await run_in_threadpool(_exposed, own), media_type=MEDIA_TYPE)


def _exposed(service: DecisionService) -> bytes:
    """The series, with the outbox as it is; its gauges are not numbers where the store does not say."""
    database = service.store.database
    try:
        waiting, age = float(outbox.waiting(database)), outbox.backlog(database, service.clock())
        seconds = age.total_seconds() if age else 0.0
    except StoreError:
        waiting = seconds = math.nan
    METRICS.outbox_waiting.set(waiting)
    METRICS.outbox_age.set(seconds)
    return exposition()


def _refused(request: Request, service: DecisionService) -> RefusedPage:
    """The counts of every worker; of the one that answers, up to this moment."""
    log: RefusedLog = request.state.refused
    log.flush()
    found = refused.counts(service.store.database, service.tenant)
    return RefusedPage(
        refused=[
            RefusedMessages(**one.refused._asdict(), count=one.count, first=one.first, last=one.last) for one in found
        ]
    )


def _refused_lately(request: Request, service: DecisionService) -> dict[str, int]:
    log: RefusedLog = request.state.refused
    log.flush()
    return refused.summary(service.store.database, service.tenant, datetime.now(UTC) - LATELY)


def _checked(service: DecisionService) -> Champion:
    service.store.check()
    return service.champions.present()
