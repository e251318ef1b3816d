"""Customers who are left alone to learn the value of contacts: the global hold-out in turns, hold-backs for good."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from tactful.decisions.base.assignment import hash_v2
from tactful.decisions.base.durations import Duration
from tactful.decisions.base.values import Value
from tactful.decisions.catalogue.model import Identifier

Share = Annotated[float, Field(gt=0, le=1)]


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_utc)]
"""ISO 8601; a day is its first moment, UTC."""


class GlobalHoldout(Value):
    """Customers whom nobody contacts for a while, in turn.

    Args:
        share: Share of customers.
        salt: Another salt draws others.
        since: When the first turn begins.
        rotates: How long a turn lasts; the same customers for good where None.
    """

    share: Share
    salt: str = Field(min_length=1)
    since: Moment
    rotates: Duration | None = None

    def turn(self, moment: datetime) -> int | None:
        """Number of the turn at a moment, from 0; None before the first."""
        if moment < self.since:
            return None
        return 0 if self.rotates is None else (moment - self.since) // self.rotates

    def holds(self, customer: str, moment: datetime) -> bool:
        """Whether a customer is left alone at a moment."""
        turn = self.turn(moment)
        return turn is not None and hash_v2(f"{self.salt}:{turn}", customer) < self.share


class HoldBack(Value):
    """A programme or a message that some customers never get, so that its own worth can be told.

    Args:
        programme: The programme.
        message: Or the message.
        share: Share of customers.
        salt: Another salt draws others.
    """

    programme: Identifier | None = None
    message: Identifier | None = None
    share: Share
    salt: str = Field(min_length=1)

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.programme is None) == (self.message is None):
            raise ValueError("a hold-back of neither or both: wanted a programme or a message")
        return self

    @property
    def id(self) -> str:
        """Its name beside experiments."""
        return f"without {self.programme or self.message}"

    def holds(self, customer: str) -> bool:
        """Whether a customer is drawn."""
        return hash_v2(self.salt, customer) < self.share
