"""The bodies of requests and answers about catalogues."""

from typing import Literal

from pydantic import BaseModel, Field

from tactful.serving.api.decisions.schemas import CatalogueVersion


class CatalogueRemark(BaseModel):
    """Something to know about a line of a catalogue."""

    line: int
    severity: Literal["error", "warning"]
    message: str
    mend: str | None = Field(description="What would mend it.")


class CataloguePut(BaseModel):
    """The result of putting a catalogue in force."""

    name: str
    version: str = Field(description="As decisions name it.")
    number: int | None = Field(description="Its place in the history; null where it was only checked.")
    remarks: list[CatalogueRemark] = Field(description="What can never be sent, never wins, or is odd otherwise.")


class MessageSummary(BaseModel):
    """A message of a programme."""

    message: str
    channels: list[str]
    state: str = Field(description="The condition of the customers it is written for.")


class ProgrammeSummary(BaseModel):
    """A programme."""

    programme: str
    purpose: str
    trigger: str = Field(description="The kind of its trigger.")
    supersedes: list[str]
    messages: list[MessageSummary]


class ProgrammesAnswer(BaseModel):
    """The programmes of the present catalogue, in the marketer's order."""

    catalogue: CatalogueVersion
    programmes: list[ProgrammeSummary]
