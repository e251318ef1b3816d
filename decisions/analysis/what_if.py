"""Decisions at another time, with another value or without a policy. Nothing is written."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from tactful.decisions.base.errors import SnapshotError
from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.catalogue.selection import Policy
from tactful.decisions.kernel.decide import Request, RunContext, Scorer, decide
from tactful.decisions.kernel.decision import Decision
from tactful.features.array_types import Floats
from tactful.features.timestamps import EARLIEST, LATEST


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes to a recorded decision's inputs.

    Args:
        moment: Another moment; what happened at or after it has not happened yet.
        features: Other values of features; all others stay what they were, at another moment too.
        scores: Other scores of the customer.
        attributes: Other profile values.
        consents: Consents given or taken away.
        messages: Other fields of messages, by message id, such as `{"happy_birthday": {"value": 12.0}}`.
        policies: Other fields of contact policies, by id; None leaves the policy out.
    """

    moment: datetime | None = None
    features: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    consents: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    messages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    policies: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)


def what_if(
    request: Request,
    compiled: CompiledCatalogue,
    policy: Policy,
    scorer: Scorer,
    changes: Changes,
    run_context: RunContext | None = None,
) -> Decision:
    """The decision under some changes, with the same seed.

    Raises:
        SnapshotError: If a change names a feature, score, message or policy that there is not, or cannot be.
    """
    _refuse_unknown(compiled, changes)
    changed = replace(request, snapshot=_snapshot(request.snapshot, compiled, changes))
    catalogue = _catalogue(compiled, changes)
    assumed = _Assumed(scorer, changes.scores) if changes.scores else scorer
    return decide([changed], catalogue, policy, assumed, run_context)[0]


class _Assumed:
    """A scorer some of whose customer scores are given."""

    def __init__(self, scorer: Scorer, scores: Mapping[str, float]) -> None:
        self._scorer = scorer
        self._scores = scores
        self.version = scorer.version
        self.fingerprint = scorer.fingerprint

    def score_customers(self, features: Floats) -> Mapping[str, Floats]:
        given = {name: np.full(len(features), score) for name, score in self._scores.items()}
        return {**self._scorer.score_customers(features), **given}

    def score_actions(self, features: Floats, offers: Sequence[Mapping[str, float | str]]) -> Floats:
        return self._scorer.score_actions(features, offers)

    def score_effects(self, features: Floats, messages: Sequence[str]) -> Floats:
        return self._scorer.score_effects(features, messages)


def _snapshot(snapshot: Snapshot, compiled: CompiledCatalogue, changes: Changes) -> Snapshot:
    moment = changes.moment or snapshot.moment
    names = compiled.vocabulary.features
    features = tuple(changes.features.get(name, value) for name, value in zip(names, snapshot.features, strict=True))
    contacts = snapshot.contacts
    if contacts is not None and moment < snapshot.moment:
        contacts = tuple(contact for contact in contacts if contact.time < moment)
    return replace(
        snapshot,
        moment=moment,
        features=features,
        contacts=contacts,
        events=tuple(event for event in snapshot.events if event.time < moment),
        attributes={**snapshot.attributes, **changes.attributes},
        consents={**snapshot.consents, **changes.consents},
    )


def _catalogue(compiled: CompiledCatalogue, changes: Changes) -> CompiledCatalogue:
    if not changes.messages and not changes.policies:
        return compiled
    content = compiled.catalogue.model_dump()
    for programme in content["programmes"]:
        for message in programme["messages"]:
            message.update(changes.messages.get(message["id"], {}))
    content["contact_policies"] = [
        {**policy, **(changed or {})}
        for policy in content["contact_policies"]
        if (changed := changes.policies.get(policy["id"], {})) is not None
    ]
    return CompiledCatalogue(Catalogue.model_validate(content), compiled.vocabulary)


def _refuse_unknown(compiled: CompiledCatalogue, changes: Changes) -> None:
    if changes.moment is not None and not EARLIEST <= changes.moment < LATEST:
        wanted = f"one from {EARLIEST.year} to {LATEST.year - 1}"
        raise SnapshotError("a moment that cannot be reckoned with", got=changes.moment.isoformat(), wanted=wanted)
    catalogue = compiled.catalogue
    known = {
        "feature": (changes.features, set(compiled.vocabulary.features)),
        "score": (changes.scores, set(compiled.vocabulary.scores)),
        "attribute": (changes.attributes, set(catalogue.attributes)),
        "message": (changes.messages, {m.id for p in catalogue.programmes for m in p.messages}),
        "contact policy": (changes.policies, {policy.id for policy in catalogue.contact_policies}),
    }
    for kind, (given, names) in known.items():
        for name in given:
            if name not in names:
                raise SnapshotError(f"unknown {kind} in a what-if", got=name, wanted=", ".join(sorted(names)) or "none")
    for name, value in changes.features.items():
        if math.isinf(value):
            raise SnapshotError("a feature without bounds", got=value, wanted="a number", where=name)
    retention = catalogue.arbitration.retention
    amounts = {retention.clv} if retention else set()
    for name, value in changes.scores.items():
        if name not in amounts and not 0 <= value <= 1:
            raise SnapshotError("not a probability", got=value, wanted="a number from 0 to 1", where=name)
