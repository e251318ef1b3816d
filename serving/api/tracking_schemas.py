"""The bodies of the tracking API, for OpenAPI: the specifications of Segment say what a message may bear."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from serving.api.schemas import DecisionAnswer
from serving.ingestion.reception import MOST_MESSAGES

_ONE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "messageId": {"description": "What the message is told from others by."},
        "userId": {"description": "Whom it is about."},
        "anonymousId": {"description": "The same, before the customer is known."},
        "timestamp": {"description": "When it happened, ISO 8601; at its receipt where absent."},
        "sentAt": {"description": "When it was sent, by the same clock: what that clock is wrong by is put right."},
    },
    "example": {
        "messageId": "m-1",
        "userId": "7",
        "event": "Order Completed",
        "properties": {"revenue": 25.0, "order_id": "o-1"},
    },
}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


MESSAGE = _body(_ONE)
BATCH = _body(
    {
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": {
                "type": "array",
                "items": {},
                "maxItems": MOST_MESSAGES,
                "description": "Messages, each with its `type`.",
            }
        },
        "example": {"batch": [{"type": "track", **_ONE["example"]}]},
    }
)


class RefusedMessage(BaseModel):
    """A message that was not kept, or not all of it."""

    index: int = Field(description="Its place in the batch.")
    message_id: str = Field(description="Empty where it bore none.")
    fate: Literal["unknown_decision", "malformed", "oversized", "late", "future"]
    reason: str


class Taken(BaseModel):
    """The messages were taken in."""

    success: Literal[True]
    fates: dict[str, int] = Field(default={}, description="How many of each fate, where one was refused.")
    refused: list[RefusedMessage] = Field(
        default=[], description="The first hundred refused ones; absent where none was."
    )


class TakenAndDecided(Taken):
    """The message was taken in, and decided upon if that was wanted."""

    decision: DecisionAnswer | None = Field(default=None, description="Null where the message was refused.")
