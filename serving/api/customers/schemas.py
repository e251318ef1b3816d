"""The bodies of answers about customers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from tactful.serving.api.decisions.schemas import Closed, ConsentValue, Reason


class FreeMoment(BaseModel):
    """When a channel is next free."""

    moment: datetime | None = Field(description="Null where time alone does not help.")
    reasons: list[Reason] = Field(description="What holds it back now.")


class OpenProgramme(BaseModel):
    """A programme that is open for the customer."""

    programme: str
    opening: str
    opened: datetime
    expires: datetime


class ScoreReason(BaseModel):
    """A reason that moved a score."""

    column: str = Field(description="A feature, or what the rhythm of purchases foretells.")
    value: float | str | None = Field(description="What the customer has there; null where it is unknown.")
    words: str = Field(description="Both for people.")
    direction: Literal["raises", "lowers"]
    odds: float = Field(description="By what it multiplied the odds, before calibration.")


class CustomerAnswer(BaseModel):
    """A customer as the engine sees it now."""

    customer_id: str
    moment: datetime
    zone: str | None
    joined: datetime | None
    attributes: dict[str, Any]
    consents: list[ConsentValue]
    features: dict[str, float | None]
    scores: dict[str, float | None]
    reasons: dict[str, list[ScoreReason]] = Field(
        description="By score that trees give, what moved it furthest, furthest first."
    )
    open: list[OpenProgramme]
    closed: list[Closed]
    contact_pressure: dict[str, dict[str, int]] = Field(
        description="By channel, the contacts that count in the last day, 7 days and 28 days."
    )
    next_free: dict[str, FreeMoment] = Field(description="By channel, as contact policies and consent have it.")


class CustomerExport(BaseModel):
    """Everything that is kept about a customer."""

    customer_id: str
    zone: str | None
    joined: datetime | None
    attributes: dict[str, Any]
    identities: list[dict[str, Any]] = Field(description="The other ids it is known by.")
    merges: list[dict[str, Any]] = Field(description="When other ids became its own.")
    profile_changes: list[dict[str, Any]] = Field(description="The profile by the id that each part came under.")
    consents: list[dict[str, Any]]
    events: list[dict[str, Any]]
    contacts: list[dict[str, Any]]
    decisions: list[dict[str, Any]] = Field(description="Each with its record, and what it was made on.")
    outcomes: list[dict[str, Any]]
    experiments: list[dict[str, Any]]
    origins: list[dict[str, Any]] = Field(description="Events and contacts that came under one of the other ids.")
    told_to_receivers: list[dict[str, Any]] = Field(description="The records about it for receivers.")
    kept_answers: list[dict[str, Any]] = Field(description="The answers about it that are kept for a repeated request.")


class ErasureAnswer(BaseModel):
    """The result of an erasure."""

    status: Literal["erased", "unknown"] = Field(description="`unknown`: nobody was known by this id.")
    decisions: int = Field(description="Decisions that stay in the counts, under a name that leads to nobody.")
    log_emptied: bool = Field(
        description="Whether SQLite's write-ahead log holds no trace. Somebody reads it otherwise: erase again."
    )


class MergeItem(BaseModel):
    """A merge that was made."""

    id: str
    merged_id: str = Field(description="The id that became another id of the customer.")
    customer_id: str
    time: datetime
    key: str = Field(description="Id of the API key that asked for it; empty where there was none.")
    undone: datetime | None = Field(description="When it was undone; null where it is in force.")


class MergePage(BaseModel):
    """Merges, the newest first."""

    merges: list[MergeItem]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class UnmergeAnswer(BaseModel):
    """A merge that was undone."""

    merge: str = Field(description="Id of the merge.")
    customer_id: str = Field(description="The id that is a customer of its own again.")
    separated_from: str = Field(description="The customer whose id it was.")
    identities: list[str] = Field(description="Ids that had been merged into it before, and went along.")
