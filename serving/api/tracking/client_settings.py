"""Settings that the clients of Segment and RudderStack ask for before they send anything.

A page or an app names this service in place of Segment's or RudderStack's content delivery network. The answers say
that every event goes here and nowhere else. They tell nothing about a tenant.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from tactful.serving.addresses import hostname, is_loopback
from tactful.serving.api.access.auth import RequestContext, allows
from tactful.serving.api.document.openapi import problems
from tactful.serving.api.tracking.clients import MEASUREMENTS, SOURCE_CONFIG
from tactful.serving.api.tracking.matching import TRACKING
from tactful.serving.api.tracking.schemas import RudderStackSettings, SegmentSettings, Taken
from tactful.serving.errors import StoreError

router = APIRouter(tags=[TRACKING])
Sending = Annotated[RequestContext, Depends(allows("ingest", "track"))]


@router.get(
    "/v1/projects/{write_key}/settings", summary="Settings of Segment's clients", responses=problems(StoreError)
)
async def segment_settings(_: Sending, write_key: str, request: Request) -> SegmentSettings:
    """Settings that analytics-next (`cdnURL`), the Kotlin, Swift and React Native clients (`cdnHost`) request.

    Events go to the host that was asked: by HTTP where that is this machine, else by HTTPS.
    """
    host = request.headers.get("host", "")
    protocol = "http" if is_loopback(hostname(host)) else "https"
    own = {"apiKey": write_key, "apiHost": f"{host}/v1", "protocol": protocol}
    return SegmentSettings(integrations={"Segment.io": own})


@router.get(SOURCE_CONFIG, summary="Settings of RudderStack's clients", responses=problems(StoreError))
async def source_config(context: Sending) -> RudderStackSettings:
    """The settings that RudderStack's clients request, where `configUrl` or the control plane is this service."""
    return RudderStackSettings.of(context.caller.key, datetime.now(UTC))


@router.post(
    MEASUREMENTS,
    summary="What Segment's clients measure of themselves",
    response_model_exclude_unset=True,
    responses=problems(),
)
async def measurements() -> Taken:
    """Acknowledged without a key, and not read."""
    return Taken(success=True)
