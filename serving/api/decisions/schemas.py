"""The bodies of requests and responses, for validation and for OpenAPI."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tactful.features.ids import canonical_id
from tactful.features.vocabulary import OutcomeKind
from tactful.serving.api.schemas import Problem

NO_CONTROL = r"^[^\x00-\x1f\x7f]+$"
CustomerId = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=NO_CONTROL, description="Pseudonymous id of the customer."),
    BeforeValidator(lambda value: canonical_id(value) if isinstance(value, str) else value),
]
Name = Annotated[str, Field(min_length=1, max_length=100)]
DecisionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$", examples=["checkout-7f3a"])]


class DecisionRequest(BaseModel):
    """Whom to decide about."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"customer_id": "leaver", "id": "checkout-7f3a"}]}
    )

    customer_id: CustomerId
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
    """The versions that the decision was made with."""

    catalogue: str = Field(description="Digest of the catalogue.")
    bundle: str = Field(description="Digest of the models.")
    features: str = Field(description="Fingerprint of the feature set.")
    kernel: str = Field(description="Version of the rules of deciding.")


class RewardComponent(BaseModel):
    """A part of what the choice is expected to bring over silence."""

    component: str = Field(description="The term of the priority, such as `margin`, `cost` or `unsubscribing`.")
    expected: float = Field(description="In the catalogue's currency.")
    matures: datetime | None = Field(description="When it is known; null where no moment is stated.")


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
    stratum: Literal["policy", "uniform", "holdout"] = Field(
        description="Where exploration put the customer: in `uniform` all survivors and silence were alike."
    )
    rewards: list[RewardComponent] = Field(
        default=[],
        description="What the choice is expected to bring; absent where the customer was erased, and before kernel 4.",
    )
    versions: Versions
    explanation: str = Field(description="All of this in a paragraph.")


class ConsentValue(BaseModel):
    """Whether a customer may be contacted on a channel for a purpose."""

    model_config = ConfigDict(extra="forbid")

    channel: Name
    purpose: Name
    allowed: bool


class CatalogueVersion(BaseModel):
    """A catalogue."""

    name: str
    version: str


class DecisionBatch(BaseModel):
    """Whom to decide about."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"decisions": [{"customer_id": "leaver", "id": "monday-1"}]}]}
    )

    decisions: list[DecisionRequest] = Field(min_length=1, max_length=1_000)


class BatchItem(BaseModel):
    """The result of one of them."""

    status: int = Field(description="The HTTP status it would have had on its own.")
    decision: DecisionAnswer | None = Field(default=None, description="The decision, with status 200.")
    problem: Problem | None = Field(default=None, description="What went wrong, with any other status.")


class BatchAnswer(BaseModel):
    """The result of each, in the order of the request."""

    decisions: list[BatchItem]


class Summary(BaseModel):
    """A decision in a list."""

    id: str
    customer_id: str
    moment: datetime
    outcome: str = Field(description="The action that was chosen, or `silence`.")


class DecisionPage(BaseModel):
    """Decisions, the newest first."""

    decisions: list[Summary]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class OutcomeReport(BaseModel):
    """A report about a contact."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "converted", "value": 42.5, "id": "order-881"}]}
    )

    kind: OutcomeKind
    id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        pattern=NO_CONTROL,
        description="Your id of what happened: told again with it, it counts once. The kind itself where absent.",
    )
    time: AwareDatetime | None = Field(default=None, description="When it happened; now where absent.")
    value: float | None = Field(
        default=None,
        ge=-1e9,
        le=1e9,
        allow_inf_nan=False,
        description="What it was worth, in the catalogue's currency.",
    )


class OutcomeAnswer(BaseModel):
    """The result of the report."""

    status: Literal["kept", "known"] = Field(description="`known`: it was told before, and counts once.")


class ReleaseAnswer(BaseModel):
    """How the contact stands now."""

    status: Literal["released", "expired"] = Field(description="`expired`: it had stopped counting before.")


class ClearanceAnswer(BaseModel):
    """Whether the contact may be made now."""

    send: bool = Field(description="If true, it counts as sent from now on.")
    reasons: list[Reason]


class WhatIfRequest(BaseModel):
    """A customer or a past decision, and what would be different. Nothing is written."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"customer_id": "leaver", "scores": {"lapse": 0.2}, "without": ["weekly"]}]},
    )

    customer_id: CustomerId | None = None
    decision_id: DecisionId | None = None
    channels: tuple[Name, ...] = Field(default=(), max_length=20, description="Only these; for a customer.")
    moment: AwareDatetime | None = Field(default=None, description="Another moment, from 1970 to 2099.")
    features: dict[str, float] = Field(default={}, max_length=200)
    scores: dict[str, float] = Field(default={}, max_length=20)
    attributes: dict[str, str | float | bool] = Field(default={}, max_length=200)
    consents: list[ConsentValue] = Field(default=[], max_length=100)
    values: dict[str, float] = Field(default={}, max_length=200, description="Another value, by message.")
    without: list[str] = Field(default=[], max_length=100, description="Contact policies to leave out.")

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if (self.customer_id is None) == (self.decision_id is None):
            raise ValueError("either a customer_id or a decision_id")
        return self


class WhatIfAnswer(BaseModel):
    """The decision that would be made."""

    choice: Ranked | None = Field(description="The action; null for silence.")
    silence: str | None = Field(description="Why silence; null where there is a choice.")
    scores: dict[str, float | None]
    runners_up: list[Ranked]
    excluded: list[Excluded]
    closed: list[Closed]
    currency: str
    explanation: str


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]


class Refusal(BaseModel):
    """A bundle or catalogue that was not taken."""

    reason: str


class BundleVersion(BaseModel):
    """A bundle."""

    version: str = Field(description="The first 12 digits of its digest; `none` where there are no models yet.")
    features: str = Field(description="Fingerprint of its feature set.")


class Started(BaseModel):
    """The service has been ready once."""

    status: Literal["started"]


class Ready(BaseModel):
    """The service can do its work."""

    status: Literal["ready"]
    outbox_age: float | None = Field(
        description="Seconds for which the oldest due record of the outbox has waited; null where none waits."
    )


class Health(BaseModel):
    """The versions that the service decides with."""

    status: Literal["ready"]
    bundle: BundleVersion
    catalogue: CatalogueVersion
    refused: Refusal | None = Field(description="Why a newer bundle or catalogue was not taken, and these were kept.")
    remarks: list[str] = Field(
        description="What an operator should know: that there are no models yet, or a catalogue's file is ignored."
    )
    refused_messages: dict[str, int] = Field(
        description="How many tracking messages were not kept, or not as a whole, by fate, of the kinds that were seen "
        "in the last day; GET /v1/events/refused names their reasons."
    )
