"""Where messages are received: bodies judged, messages taken in, their fates counted."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from serving.errors import NotReadyError
from serving.ingestion.bodies import LARGEST_BATCH, inflated, of_rudderstack, parsed
from serving.ingestion.fates import MessageFate, UnfitMessageError
from serving.ingestion.intake import Intake, Told
from serving.ingestion.rules import Rules
from serving.ingestion.traits import PURPOSE
from serving.ingestion.wakes import Listening
from serving.metrics import METRICS
from serving.service import DecisionService

MOST_MESSAGES = 10_000
"""Messages of the largest batch."""
MOST_TOLD = 100
"""Refused messages that an answer lists; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Receipts:
    """What became of the messages of a request.

    Args:
        told: Of each, in their order.
    """

    told: Sequence[Told]

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

    def receive(self, service: DecisionService, body: bytes, encoding: str, call: str | None = None) -> Receipts:
        """Receive the messages of a request.

        Args:
            service: Of the tenant whose customers they are about.
            body: The body as it was sent.
            encoding: The header `Content-Encoding`.
            call: What the one message of the body is; the body is a batch where None.

        Raises:
            UnfitMessageError: The body cannot be read or is too large; nothing was kept.
            StoreError: The store fails; nothing was kept.
        """
        with _counted():
            content = inflated(body, encoding)
            found = parsed(content)
            raw, batch = ([found], None) if call else (_messages(found, len(content)), found)
        told = self._intake(service).take(raw, service.clock(), call=call, batch=batch)
        for fate, number in Counter(one.fate for one in told).items():
            METRICS.events(fate.value).inc(number)
        return Receipts(told)

    def _intake(self, service: DecisionService) -> Intake:
        """Without a catalogue, messages are kept all the same: any currency goes, and no trigger listens."""
        try:
            catalogue = service.champions.present().compiled.catalogue
        except NotReadyError:
            return Intake(service.store, service.tenant, self.rules)
        purposes = frozenset({PURPOSE, *(programme.purpose for programme in catalogue.programmes)})
        listening = Listening(catalogue) if self.wakes else None
        return Intake(service.store, service.tenant, self.rules, catalogue.currency, purposes, listening)


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


@contextmanager
def _counted() -> Iterator[None]:
    """A body that is refused whole counts as one message, since nobody knows how many it held."""
    try:
        yield
    except UnfitMessageError as error:
        METRICS.events(error.fate.value).inc()
        raise
