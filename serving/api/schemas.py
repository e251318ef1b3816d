"""The bodies of requests and responses, for validation and for OpenAPI."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

DecisionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$", examples=["checkout-7f3a"])]


class DecisionRequest(BaseModel):
    """Whom to decide about."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"customer_id": "leaver", "id": "checkout-7f3a"}]}
    )

    customer_id: str = Field(min_length=1, max_length=200, description="Pseudonymous id of the customer.")
    id: DecisionId | None = Field(
        default=None,
        description="Your id for the decision: asking again with it gives the same decision. Made up where absent.",
    )
    channels: tuple[str, ...] = Field(
        default=(),
        max_length=20,
        description="Only these channels, such as the one that asks; every channel where absent.",
        examples=[["web", "in_app"]],
    )


class Reason(BaseModel):
    """Why an action was excluded."""

    gate: str = Field(description="The kind of rule: `cap`, `consent`, `quiet_hours`, `state`, …")
    rule: str = Field(description="Its name in the catalogue.")
    observed: str
    limit: str
    until: datetime | None = Field(
        description="The earliest moment at which it could pass; null where time alone cannot help."
    )


class Action(BaseModel):
    """A message on a channel."""

    action: str = Field(description="`programme/message/channel`")
    programme: str
    message: str
    channel: str


class Ranked(Action):
    """An action that could be sent."""

    priority: float | None = Field(description="Its worth over silence, in the catalogue's currency.")
    probability: float = Field(description="Probability with which it was to be chosen.")


class Choice(Ranked):
    """The action to take, with its text."""

    opening: str = Field(description="What it answers; no opening is answered twice.")
    response: float | None = Field(description="Probability of a response.")
    subject: str | None = Field(description="Null on a channel without subjects.")
    body: str | None = Field(description="Null once the customer's data were erased.")


class Excluded(Action):
    """An action that could not be sent, with every reason."""

    reasons: list[Reason]


class Closed(BaseModel):
    """A programme that was not open for the customer."""

    programme: str
    observed: str
    limit: str


class Versions(BaseModel):
    """What the decision was made with."""

    catalogue: str = Field(description="Digest of the catalogue.")
    bundle: str = Field(description="Digest of the models.")
    features: str = Field(description="Fingerprint of the feature set.")
    kernel: str = Field(description="Version of the rules of deciding.")


class DecisionAnswer(BaseModel):
    """A decision."""

    id: str
    customer_id: str
    moment: datetime
    choice: Choice | None = Field(description="The action to take; null for silence.")
    silence: str | None = Field(description="Why silence; null where there is a choice.")
    probability: float = Field(description="Probability with which the choice was made.")
    silence_probability: float
    scores: dict[str, float | None] = Field(description="Calibrated scores, such as `lapse`, the churn risk.")
    runners_up: list[Ranked] = Field(description="The other actions that could be sent, best first.")
    excluded: list[Excluded]
    closed: list[Closed]
    currency: str = Field(description="ISO 4217 code of every amount.")
    policy: dict[str, Any] = Field(description="How the choice was made among the survivors.")
    versions: Versions
    explanation: str = Field(description="All of this in a paragraph.")


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]


class Refusal(BaseModel):
    """A bundle or catalogue that was not taken."""

    reason: str


class BundleVersion(BaseModel):
    """A bundle."""

    version: str
    features: str = Field(description="Fingerprint of its feature set.")


class CatalogueVersion(BaseModel):
    """A catalogue."""

    name: str
    version: str


class Ready(BaseModel):
    """The service can decide."""

    status: Literal["ready"]
    bundle: BundleVersion
    catalogue: CatalogueVersion
    refused: Refusal | None = Field(description="Why a newer bundle or catalogue was not taken, and these were kept.")
