"""Logged decisions out of a service's store, with what came of them, for jobs that learn from them."""

import json
import math
from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.kernel.decide import COMPATIBLE, REPLAYABLE, Request
from tactful.decisions.kernel.record import parse
from tactful.features.definitions.standard import STANDARD
from tactful.features.vocabulary import EVENT_TYPES
from tactful.serving.engine.in_force.champion import Champion
from tactful.serving.engine.records.archive import Archive
from tactful.serving.folder.service_folder import ServiceFolder, open_folder
from tactful.serving.store.inputs import unpacked
from tactful.serving.store.port import StoredDecision, from_micros
from tactful.training.data.attribution import Delivery, LoggedDecision, Outcome

_TOLD = frozenset(
    EVENT_TYPES.index(kind) for kind in ("purchase", "converted", "unsubscribed", "complained", "redeemed")
)
_LEDGER = {"sent": Delivery.SENT, "released": Delivery.RELEASED, "reserved": Delivery.RESERVED}
_LOST = {"bounced": Delivery.BOUNCED, "suppressed": Delivery.SUPPRESSED}


@dataclass(frozen=True)
class DecisionSource:
    """The decision log of a service.

    Attributes:
        folder: The service's folder.
        champion: The models and the catalogue in use.
    """

    folder: ServiceFolder
    champion: Champion

    @property
    def now(self) -> datetime:
        """The service's moment."""
        return self.folder.now

    def decisions(self) -> Iterator[LoggedDecision]:
        """Decisions made with the present features and by rules like the present, with outcomes and delivery.

        Those of customers who were erased are left out: what is kept of them says neither worth nor window.
        """
        for stored in self.folder.store.decision_log(self.folder.tenant):
            versions = json.loads(stored.record)["versions"]
            known = versions["features"] == STANDARD.fingerprint and versions["kernel"] in COMPATIBLE
            if known and stored.inputs is not None:
                yield self._logged(stored)

    def requests(self) -> Iterator[tuple[Request, CompiledCatalogue]]:
        """The request of each, to decide anew; requests of a kernel that cannot be replayed are left out too."""
        archive = Archive(self.folder.store, self.folder.tenant, self.champion)
        for stored in self.folder.store.decision_log(self.folder.tenant):
            versions = json.loads(stored.record)["versions"]
            known = versions["features"] == STANDARD.fingerprint and versions["kernel"] in REPLAYABLE
            if known and stored.inputs is not None:
                recorded = archive.decision(stored.id)
                yield recorded.request, recorded.compiled

    def _logged(self, stored: StoredDecision) -> LoggedDecision:
        decision = parse(stored.record)
        delivery = self._deliveries.get(decision.id, Delivery.UNKNOWN)
        return LoggedDecision(decision, _features(stored.inputs), self._outcomes.get(stored.customer, ()), delivery)

    @cached_property
    def _deliveries(self) -> Mapping[str, Delivery]:
        """By decision; a message that bounced was not delivered, whatever the ledger says."""
        store, tenant = self.folder.store, self.folder.tenant
        found = {contact.id: _LEDGER.get(status, Delivery.UNKNOWN) for _, status, contact in store.ledger(tenant)}
        return found | {decision: _LOST[kind] for decision, _, kind, *_ in store.outcomes(tenant) if kind in _LOST}

    @cached_property
    def _outcomes(self) -> Mapping[str, list[Outcome]]:
        """By customer, in time order: what they did, and what was reported of decisions."""
        found: defaultdict[str, list[Outcome]] = defaultdict(list)
        for customer, event in self.folder.store.events(self.folder.tenant):
            if event.type in _TOLD:
                found[customer].append(Outcome(EVENT_TYPES[event.type], from_micros(event.time), event.amount))
        for decision, customer, kind, time, value in self.folder.store.outcomes(self.folder.tenant):
            outcome = Outcome(kind, from_micros(time), value or 0.0, decision)
            insort(found[customer], outcome, key=attrgetter("time"))
        return found


def open_decisions(data: Path) -> DecisionSource:
    """The decision log of the service in a folder, with what it decides with at present.

    Raises:
        StoreError: The store cannot be opened.
        NotReadyError: There is no champion, or it or the catalogue has mistakes.
    """
    folder = open_folder(data)
    return DecisionSource(folder, folder.champion)


def offers(compiled: CompiledCatalogue) -> dict[str, Mapping[str, float | str]]:
    """The offer of each message, of those that have one."""
    messages = [message for programme in compiled.catalogue.programmes for message in programme.messages]
    return {message.id: message.offer for message in messages if message.offer is not None}


def _features(inputs: bytes | None) -> tuple[float, ...] | None:
    """The features that models read, as they were when the decision was made."""
    if inputs is None:
        return None
    values: list[Any] = unpacked(inputs)["features"][: len(STANDARD)]
    return tuple(math.nan if value is None else value for value in values)
