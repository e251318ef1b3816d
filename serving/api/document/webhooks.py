"""The webhook that receivers take, for OpenAPI: what the outbox sends, and how it reads the answer."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field

from tactful.serving.api.decisions.schemas import DecisionAnswer

router = APIRouter(tags=["webhooks"])


class DecisionMade(BaseModel):
    """A decision upon an event, for its receiver to send."""

    type: Literal["decision.made"]
    timestamp: datetime = Field(description="The moment of the decision.")
    tenant: str = Field(description="Whose customer it is about.")
    data: DecisionAnswer


@router.post(
    "decision.made",
    summary="A message was chosen upon an event",
    status_code=204,
    responses={
        204: {"description": "Any status from 200 to 299: the decision was taken and is not sent again."},
        410: {"description": "The receiver is gone: the decision is not sent again."},
        "default": {"description": "It is sent again later, for about 29 hours, each time with the same `webhook-id`."},
    },
)
def decision_made(
    body: DecisionMade,
    webhook_id: Annotated[str, Header(description="Id of the decision: the same however often it is sent.")],
    webhook_timestamp: Annotated[int, Header(description="The moment of sending, in seconds since 1970.")],
    webhook_signature: Annotated[str, Header(description="`v1,` and the HMAC-SHA256 of id, timestamp and body.")],
) -> None:
    """Signed as Standard Webhooks describes it. Clear the contact with `clear_contact` right before you send it."""
