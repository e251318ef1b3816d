"""Where messages are received: bodies judged, messages taken in, their fates counted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from serving.errors import NotReadyError
from serving.ingestion.bodies import LARGEST_BATCH, inflated, of_rudderstack, parsed
from serving.ingestion.fates import MessageFate, UnfitMessageError
from serving.ingestion.intake import Intake, Judged, Told
from serving.ingestion.rules import Rules
from serving.ingestion.senders import SERVER, Sender
from serving.ingestion.traits import PURPOSE
from serving.ingestion.wakes import Listening
from serving.metrics import METRICS
from serving.service import DecisionService

MOST_MESSAGES = 10_000
"""Messages of the largest batch."""
MOST_TOLD = 100
"""Refused messages that an answer lists; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a request bears.

    Args:
        body: The body as it was sent.
        encoding: The header `Content-Encoding`.
        call: What the one message of the body is; the body is a batch where None.
        answered: Whether the sender is answered with a decision upon it.
        sender: Who sent it.
    """

    body: bytes
    encoding: str = ""
    call: str | None = None
    answered: bool = False
    sender: Sender = SERVER


@dataclass(frozen=True, slots=True)
class Receipts:
    """What became of the messages of a request.

    Args:
        told: Of each, in their order; of the whole body, where that is unfit.
        unfit: Whether the body could not be read, or was too large; then nothing of it was kept.
    """

    told: Sequence[Told]
    unfit: bool = False

    @property
    def refused(self) -> list[tuple[int, Told]]:
        """The messages their sender ought to mend, with their places."""
        return [(place, told) for place, told in enumerate(self.told) if told.fate.refused]

    def document(self) -> dict[str, Any]:
        """The answer: `success`, as Segment's clients want it, and what there is to tell besides."""
        refused = self.refused
        if not refused:
            return {"success": True}
        listed = [
            {"index": place, "message_id": told.id, "fate": told.fate.value, "reason": told.reason}
            for place, told in refused[:MOST_TOLD]
        ]
        return {"success": True, "fates": Counter(told.fate.value for told in self.told), "refused": listed}


@dataclass(frozen=True, slots=True)
class Reception:
    """Receives messages for every tenant.

    Args:
        rules: What foreign names mean.
        wakes: Whether events are decided upon unasked, since there is a receiver to tell.
    """

    rules: Rules = field(default_factory=Rules)
    wakes: bool = False

    def receive(self, service: DecisionService, parcels: Sequence[Parcel]) -> list[Receipts]:
        """Receive the messages of some requests, and keep them in one transaction.

        Args:
            service: Of the tenant whose customers they are about.
            parcels: The requests.

        Returns:
            What became of each request's messages.

        Raises:
            StoreError: The store fails; nothing was kept.
        """
        intake, now = self._intake(service), service.clock()
        judged = [_judged(parcel, intake, now) for parcel in parcels]
        told = iter(intake.keep([one for some in judged if isinstance(some, list) for one in some], now))
        receipts = [
            Receipts([next(told) for _ in some]) if isinstance(some, list) else Receipts([some], unfit=True)
            for some in judged
        ]
        for fate, number in Counter(one.fate for each in receipts for one in each.told).items():
            METRICS.events(fate.value).inc(number)
        return receipts

    def _intake(self, service: DecisionService) -> Intake:
        """Without a catalogue, messages are kept all the same: any currency goes, and no trigger listens."""
        try:
            catalogue = service.champions.present().compiled.catalogue
        except NotReadyError:
            return Intake(service.store, service.tenant, self.rules)
        purposes = frozenset({PURPOSE, *(programme.purpose for programme in catalogue.programmes)})
        listening = Listening(catalogue) if self.wakes else None
        believed = catalogue.browser
        return Intake(service.store, service.tenant, self.rules, catalogue.currency, purposes, listening, believed)


def _messages(batch: Mapping[str, Any], size: int) -> list[Any]:
    raw = batch.get("batch")
    if not isinstance(raw, list):
        raise UnfitMessageError("no batch", wanted="a list of messages", where="batch")
    if len(raw) > MOST_MESSAGES:
        raise _oversized(f"at most {MOST_MESSAGES} messages")
    if size > LARGEST_BATCH and not of_rudderstack(batch, raw):
        raise _oversized(f"at most {LARGEST_BATCH} bytes")
    return raw


def _oversized(limit: str) -> UnfitMessageError:
    return UnfitMessageError("too large", fate=MessageFate.OVERSIZED, wanted=limit, where="the batch")


def _judged(parcel: Parcel, intake: Intake, now: datetime) -> list[Judged] | Told:
    """What the messages of a request are, or why its body is unfit.

    That is told in words, not by an error: its traceback would keep alive what was parsed of the body.
    """
    intake = intake.sent_by(parcel.sender)
    intake = intake.answering() if parcel.answered else intake
    try:
        content = inflated(parcel.body, parcel.encoding)
        found = parsed(content)
        if parcel.call is not None:
            return intake.judge([found], now, call=parcel.call)
        return intake.judge(_messages(found, len(content)), now, batch=found)
    except UnfitMessageError as error:
        return Told(error.fate, str(error))
