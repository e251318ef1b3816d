"""Decisions as they were recorded, with what is needed to make them again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tactful.decisions.analysis.replay import Replay, replay
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.kernel.decide import KERNEL, REPLAYABLE, Request
from tactful.decisions.kernel.decision import Decision
from tactful.decisions.kernel.record import parse
from tactful.serving.engine.in_force.champion import Champion
from tactful.serving.engine.in_force.pointer import vocabulary
from tactful.serving.engine.snapshots import from_bytes
from tactful.serving.errors import ErasedError, StoreError, UnknownDecisionError
from tactful.serving.store.catalogue_codec import catalogue_from_json
from tactful.serving.store.port import Store, StoredDecision


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision out of the log.

    Args:
        decision: The decision.
        request: The request it answered, with the snapshot it was made on.
        compiled: The catalogue it was made with, compiled for the present models.
        record: Its canonical bytes.
    """

    decision: Decision
    request: Request
    compiled: CompiledCatalogue
    record: bytes


class Archive:
    """Reads the decision log back.

    Args:
        store: Where it is kept.
        tenant: The tenant of the customers.
        champion: The present models, for which past catalogues are compiled.
    """

    def __init__(self, store: Store, tenant: str, champion: Champion) -> None:
        self._store = store
        self._tenant = tenant
        self._champion = champion
        self._compiled: dict[tuple[str, str], CompiledCatalogue] = {}

    def decision(self, decision_id: str) -> Recorded:
        """A decision by its id.

        Raises:
            UnknownDecisionError: There is none of this id.
            ErasedError: The personal data it was made on were erased.
            StoreError: The store fails.
        """
        stored = self._store.decision(self._tenant, decision_id)
        if stored is None:
            raise UnknownDecisionError("unknown decision", got=decision_id, wanted="the id of a decision made before")
        return self._recorded(stored)

    def log(self) -> Iterator[Recorded]:
        """Every decision whose inputs were not erased, in the order of moments."""
        return (self._recorded(stored) for stored in self._store.decision_log(self._tenant) if stored.inputs)

    def replay(self, decision_id: str) -> Replay:
        """A decision made again with its own catalogue and the present models.

        Raises:
            UnknownDecisionError: There is none of this id.
            ErasedError: The personal data it was made on were erased.
            StoreError: The store fails.
        """
        stored = self._store.decision(self._tenant, decision_id)
        versions = json.loads(stored.record)["versions"] if stored else {}
        if stored and versions.get("kernel") not in REPLAYABLE:
            return Replay(False, "versions.kernel", versions.get("kernel"), KERNEL, "kernel")
        recorded = self.decision(decision_id)
        return replay(recorded.record, recorded.request.snapshot, recorded.compiled, self._champion.bundle)

    def _recorded(self, stored: StoredDecision) -> Recorded:
        if stored.inputs is None:
            raise ErasedError("a decision whose personal data were erased", got=stored.id, wanted="one with its inputs")
        kernel = json.loads(stored.record)["versions"].get("kernel")
        if kernel not in REPLAYABLE:
            raise StoreError("a decision made by other rules", got=f"kernel {kernel}", wanted=KERNEL, where=stored.id)
        decision = parse(stored.record)
        compiled = self._catalogue(decision.versions.catalogue, decision.versions.features)
        snapshot = from_bytes(stored.inputs, compiled.catalogue.attributes)
        return Recorded(decision, Request(decision.id, snapshot, decision.channels), compiled, stored.record)

    def _catalogue(self, version: str, features: str) -> CompiledCatalogue:
        if (version, features) not in self._compiled:
            content = self._store.catalogue(self._tenant, version, features)
            if content is None:
                raise StoreError("a decision made with a catalogue that was not kept", got=version)
            catalogue, _ = catalogue_from_json(content)
            self._compiled[version, features] = CompiledCatalogue(catalogue, vocabulary(self._champion.bundle.names))
        return self._compiled[version, features]
