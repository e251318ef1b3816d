"""Routes for whoever runs the service."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from serving.api.documentation import problems
from serving.api.door import METRICS_PATH, Visit, allows
from serving.api.schemas import Alive, BundleVersion, CatalogueVersion, Ready, Refusal
from serving.api.tracking_schemas import RefusedMessages, RefusedPage
from serving.champion import Champion
from serving.errors import ForbiddenError, NotReadyError, StoreError
from serving.ingestion.refused import RefusedLog
from serving.metrics import MEDIA_TYPE, exposition
from serving.service import DecisionService
from serving.store import refused

LATELY = timedelta(days=1)
"""How long the health route names messages that were refused."""

router = APIRouter()


@router.get("/health/live", tags=["health"], summary="Whether the process answers", responses=problems())
async def check_liveness() -> Alive:
    """Always the same answer: restart the process where it does not come."""
    return Alive(status="alive")


@router.get(
    "/health/ready",
    tags=["health"],
    summary="Whether decisions can be made, and with what",
    responses=problems(NotReadyError, StoreError),
)
async def check_readiness(request: Request) -> Ready:
    """The bundle and catalogue in use, why newer ones were refused, and what an operator had better know of them."""
    service: DecisionService = request.state.service
    champion = await run_in_threadpool(_checked, service)
    refusal = service.champions.refusal
    return Ready(
        status="ready",
        bundle=BundleVersion(version=champion.bundle.version, features=champion.bundle.fingerprint),
        catalogue=CatalogueVersion(name=champion.compiled.catalogue.catalogue, version=champion.compiled.version),
        refused=Refusal(reason=refusal) if refusal else None,
        remarks=list(service.champions.remarks),
        refused_messages=await run_in_threadpool(_refused_lately, request),
    )


@router.get(
    "/v1/events/refused",
    tags=["operations"],
    summary="Messages of the tracking API that were not kept, or not as a whole",
    responses=problems(StoreError),
)
async def list_refused_messages(visit: Annotated[Visit, Depends(allows("read"))], request: Request) -> RefusedPage:
    """Messages alike are counted together, the last seen first, at most 200 kinds; nothing of their content is kept."""
    return await run_in_threadpool(_refused, request, visit.service)


@router.get(
    METRICS_PATH,
    tags=["operations"],
    summary="What was counted",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus's text format."}, **problems()},
)
async def get_metrics(visit: Annotated[Visit, Depends(allows("admin"))], request: Request) -> Response:
    """Series of every worker, and of every tenant: for the operator's own tenant, which `TACTFUL_TENANT` names."""
    own: DecisionService = request.state.service
    if visit.caller.tenant != own.tenant:
        raise ForbiddenError("counts of every tenant", wanted="a key of the operator's own tenant")
    return Response(await run_in_threadpool(exposition), media_type=MEDIA_TYPE)


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


def _refused_lately(request: Request) -> dict[str, int]:
    service: DecisionService = request.state.service
    log: RefusedLog = request.state.refused
    log.flush()
    return refused.summary(service.store.database, service.tenant, datetime.now(UTC) - LATELY)


def _checked(service: DecisionService) -> Champion:
    service.store.check()
    return service.champions.present()
