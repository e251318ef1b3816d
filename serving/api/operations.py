"""Routes for whoever runs the service."""

from fastapi import APIRouter, Request

from serving.api.documentation import problems
from serving.api.schemas import Alive, BundleVersion, CatalogueVersion, Ready, Refusal
from serving.errors import NotReadyError, StoreError
from serving.service import DecisionService

router = APIRouter()


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
    service: DecisionService = request.state.service
    service.store.check()
    champion = service.champions.present()
    refusal = service.champions.refusal
    return Ready(
        status="ready",
        bundle=BundleVersion(version=champion.bundle.version, features=champion.bundle.fingerprint),
        catalogue=CatalogueVersion(name=champion.compiled.catalogue.catalogue, version=champion.compiled.version),
        refused=Refusal(reason=refusal) if refusal else None,
    )
