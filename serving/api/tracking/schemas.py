"""The bodies of the tracking API, for OpenAPI: the specifications of Segment define the fields of a message."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from tactful.serving.api.decisions.schemas import DecisionAnswer
from tactful.serving.ingestion.bodies import MOST_MESSAGES

_ONE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "messageId": {"type": "string", "description": "Tells the message from others: sent again, it counts once."},
        "userId": {"type": "string", "description": "Id of the customer."},
        "anonymousId": {"type": "string", "description": "The same, before the customer is known."},
        "event": {"type": "string", "description": "The name of what happened, for `track`."},
        "timestamp": {"type": "string", "description": "When it happened, ISO 8601; at its receipt where absent."},
        "originalTimestamp": {"type": "string", "description": "The same, where `timestamp` is absent."},
        "sentAt": {"type": "string", "description": "When it was sent, by the same clock: its error is corrected."},
        "properties": {"type": "object", "additionalProperties": True},
        "traits": {"type": "object", "additionalProperties": True},
        "context": {"type": "object", "additionalProperties": True},
    },
    "additionalProperties": True,
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
                "items": {"type": "object", "additionalProperties": True},
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
    fate: Literal["partial", "unknown_decision", "malformed", "oversized", "late", "future", "forbidden"]
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


class _ClientSettings(BaseModel):
    """Settings in the names that a client reads."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class SegmentSettings(_ClientSettings):
    """The settings that Segment's clients read: where events go, and nothing else to load."""

    integrations: dict[str, dict[str, Any]] = Field(description="`Segment.io`: the write key, the host, the protocol.")
    plan: dict[str, Any] = Field(default={}, description="Empty: every event is sent.")
    edge_function: dict[str, Any] = {}
    middleware_settings: dict[str, Any] = {}
    enabled_middleware: dict[str, bool] = {}
    metrics: dict[str, float] = Field(default={"sampleRate": 0.0}, description="Clients measure nothing of themselves.")
    legacy_video_plugins_enabled: bool = False
    remote_plugins: list[Any] = []


class Source(_ClientSettings):
    """A source of events, as RudderStack's clients know one."""

    id: str
    name: str
    write_key: str
    enabled: bool = True
    workspace_id: str = ""
    config: dict[str, Any] = Field(
        default={"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
        description="Clients report nothing of themselves.",
    )
    destinations: list[Any] = Field(default=[], description="Empty: clients send events here and nowhere else.")
    connections: list[Any] = []
    updated_at: datetime


class RudderStackSettings(_ClientSettings):
    """The settings that RudderStack's clients read."""

    source: Source
    updated_at: datetime

    @classmethod
    def of(cls, key: str, now: datetime) -> Self:
        """The settings of a client that sends with a key.

        Args:
            key: The key's id.
            now: The moment of the answer.
        """
        return cls(source=Source(id=key, name="tactful", write_key=key, updated_at=now), updated_at=now)


class RefusedMessages(BaseModel):
    """Messages alike that were not kept, or not as a whole."""

    fate: str = Field(description="Such as `malformed`, `unmapped` or `partial`.")
    name: str = Field(description="Their type, and the name of a track call without numbers and addresses.")
    reason: str = Field(description="Empty where the name alone is unknown.")
    key: str = Field(description="The id of the API key that sent them; empty where no key is needed.")
    count: int
    first: AwareDatetime
    last: AwareDatetime


class RefusedPage(BaseModel):
    """The messages that were not kept, or not as a whole."""

    refused: list[RefusedMessages]
