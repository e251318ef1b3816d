"""Where messages are received: bodies judged, messages taken in, their fates counted."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from tactful.serving.engine.service import DecisionService
from tactful.serving.engine.wakeups import TriggerIndex
from tactful.serving.errors import NotReadyError
from tactful.serving.ingestion.bodies import LARGEST_BATCH, MOST_MESSAGES, inflated, of_rudderstack, parsed
from tactful.serving.ingestion.intake import Intake, MessageResult, ParsedMessage
from tactful.serving.ingestion.messages.consents import PURPOSE
from tactful.serving.ingestion.refused import RefusedLog
from tactful.serving.ingestion.rules import Rules
from tactful.serving.ingestion.senders import SERVER, Sender
from tactful.serving.ingestion.statuses import MessageStatus, UnfitMessageError
from tactful.serving.signing.webhooks import Receivers
from tactful.serving.store.port import EVENTS_A_DAY, MERGES_AN_HOUR
from tactful.serving.telemetry.metrics import METRICS

_ALARMING = (MessageStatus.NOT_MERGED, MessageStatus.MERGE_LIMIT)
"""Fates that an operator is told of at once: somebody may be merging customers who are not one person."""
_log = logging.getLogger(__name__)

MOST_TOLD = 100
"""Refused messages that an answer lists; all of them are counted."""


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request of the tracking API.

    Args:
        body: The body as it was sent.
        encoding: The header `Content-Encoding`.
        call: The type of the body's one message; the body is a batch where None.
        answered: Whether the sender is answered with a decision upon it.
        sender: The sender.
        source: The key and the address that it comes from; requests of one source wait behind each other alone.
    """

    body: bytes
    encoding: str = ""
    call: str | None = None
    answered: bool = False
    sender: Sender = SERVER
    source: str = ""


@dataclass(frozen=True, slots=True)
class Receipts:
    """The results of a request's messages.

    Args:
        told: Of each, in their order; of the whole body, where that is unfit.
        unfit: Whether the body could not be read, or was too large; then nothing of it was kept.
    """

    told: Sequence[MessageResult]
    unfit: bool = False

    @property
    def refused(self) -> list[tuple[int, MessageResult]]:
        """The messages that their sender should correct, with their places."""
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
class IngestPipeline:
    """Receives messages for every tenant.

    Args:
        rules: The meaning of foreign names.
        receivers: The receivers of decisions; events of a tenant that has one are decided upon unasked.
        refused: Counts the messages that are not kept, or not as a whole; nobody where None.
        merges: How many ids may become one customer within an hour.
        events: How many events of a customer that happened on one day are kept.
    """

    rules: Rules = field(default_factory=Rules)
    receivers: Receivers = field(default_factory=Receivers)
    refused: RefusedLog | None = None
    merges: int = MERGES_AN_HOUR
    events: int = EVENTS_A_DAY

    def receive(self, service: DecisionService, raw_requests: Sequence[RawRequest]) -> list[Receipts]:
        """Receive the messages of some requests, and keep them in one transaction.

        Args:
            service: Of the tenant whose customers they are about.
            raw_requests: The requests.

        Returns:
            What became of each request's messages.

        Raises:
            StoreError: The store fails; nothing was kept.
        """
        intake, now = self._intake(service), service.clock()
        read = [_read(raw_request, intake, now) for raw_request in raw_requests]
        told = iter(intake.keep([one for some in read for one in some.judged], now))
        kept = [list(islice(told, len(some.judged))) for some in read]
        receipts = [
            Receipts(ones) if some.unfit is None else Receipts([some.unfit], unfit=True)
            for some, ones in zip(read, kept, strict=True)
        ]
        for fate, number in Counter(one.fate for each in receipts for one in each.told).items():
            METRICS.events(fate.value).inc(number)
            if fate in _ALARMING:
                _log.warning("merges refused", extra={"tenant": service.tenant, "fate": fate.value, "messages": number})
        if self.refused is not None:
            for raw_request, each in zip(raw_requests, receipts, strict=True):
                self.refused.note(service.tenant, raw_request.sender.key, each.told)
        return receipts

    def _intake(self, service: DecisionService) -> Intake:
        """Without a catalogue, messages are kept all the same: any currency goes, and no trigger listens."""
        try:
            catalogue = service.champions.present().compiled.catalogue
        except NotReadyError:
            return Intake(service.store, service.tenant, self.rules, merges=self.merges, events=self.events)
        purposes = frozenset({PURPOSE, *(programme.purpose for programme in catalogue.programmes)})
        listening = TriggerIndex(catalogue) if self.receivers.of(service.tenant) else None
        return Intake(
            service.store,
            service.tenant,
            self.rules,
            catalogue.currency,
            purposes,
            listening,
            catalogue.browser,
            merges=self.merges,
            events=self.events,
            declared=catalogue.attributes,
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """The messages of a request, and the reason why its body is unfit; of an unfit body, the refusals are kept."""

    judged: list[ParsedMessage]
    unfit: MessageResult | None = None


def _read(raw_request: RawRequest, intake: Intake, now: datetime) -> _Read:
    """Read a body.

    An unfit one is described in words, not by an error: its traceback would keep alive what was parsed of the body.
    """
    intake = intake.sent_by(raw_request.sender)
    intake = intake.answering() if raw_request.answered else intake
    try:
        content = inflated(raw_request.body, raw_request.encoding)
        found = parsed(content)
        if raw_request.call is not None:
            return _Read(intake.judge([found], now, call=raw_request.call))
        raw = _messages(found)
    except UnfitMessageError as error:
        return _Read([], MessageResult(error.fate, str(error), name=raw_request.call or "batch"))
    if limit := _exceeded(found, raw, len(content)):
        refusals = intake.refusals(islice(raw, MOST_MESSAGES), now, found)
        reason = f"too large: wanted {limit}; at the batch"
        kept = f"; {len(refusals)} refusals in it are kept" if refusals else ""
        return _Read(refusals, MessageResult(MessageStatus.OVERSIZED, reason + kept, name="batch"))
    return _Read(intake.judge(raw, now, batch=found))


def _messages(batch: Mapping[str, Any]) -> list[Any]:
    raw = batch.get("batch")
    if not isinstance(raw, list):
        raise UnfitMessageError("no batch", wanted="a list of messages", where="batch")
    return raw


def _exceeded(batch: Mapping[str, Any], raw: list[Any], size: int) -> str:
    """The limit that a batch exceeds; empty where it exceeds none."""
    if len(raw) > MOST_MESSAGES:
        return f"at most {MOST_MESSAGES} messages"
    return f"at most {LARGEST_BATCH} bytes" if size > LARGEST_BATCH and not of_rudderstack(batch, raw) else ""
