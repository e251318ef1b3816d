"""The common parts of the conformance checks: customers to decide about, and how a decision is judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

import numpy as np

from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Rule
from tactful.decisions.catalogue.selection import Policy
from tactful.decisions.conformance.personas import Persona, personas
from tactful.decisions.kernel.decide import Request, RunContext, Scorer
from tactful.decisions.kernel.decision import Candidate, Decision
from tactful.features.array_types import Floats

OTHER_ZONES = ("Europe/Berlin", "Australia/Lord_Howe")
"""Zones besides the catalogue's: one whose clocks change by an hour, one by half an hour in the southern summer."""

HELD = ("let through", "held back")
OPEN = ("closed", "open")

Outcome = Literal["passed", "failed", "not applicable"]


@dataclass(frozen=True, slots=True)
class Check:
    """The result of checking one promise.

    Args:
        name: The promise.
        subject: The contact policy, programme or channel it is about.
        outcome: Whether it was kept; `not applicable` where nobody was found to show it on.
        observed: The observed decision, in words.
    """

    name: str
    subject: str
    outcome: Outcome
    observed: str


class Decide(Protocol):
    """The tested decision function: `tactful.decisions.kernel.decide.decide`, or another implementation."""

    def __call__(
        self,
        requests: Sequence[Request],
        compiled: CompiledCatalogue,
        policy: Policy,
        scorer: Scorer,
        run_context: RunContext | None = None,
    ) -> list[Decision]:
        """Decide for each request, in their order."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A customer, and what must be found.

    Args:
        snapshot: The customer.
        expected: Whether the rule that is checked must hold the action back, or the programme be open.
        words: The situation.
    """

    snapshot: Snapshot
    expected: bool
    words: str


class FixedScorer(Scorer):
    """The same scores for everybody, and the same response to every offer.

    Args:
        scores: The scores of a customer.
        response: The response to any offer.
    """

    version = fingerprint = "conformance"

    def __init__(self, scores: Mapping[str, float], response: float = 0.5) -> None:
        self._scores = scores
        self._response = response

    def score_customers(self, features: Floats) -> Mapping[str, Floats]:
        """Each score, as often as there are customers."""
        return {name: np.full(len(features), score) for name, score in self._scores.items()}

    def score_actions(self, features: Floats, offers: Sequence[Mapping[str, float | str]]) -> Floats:  # noqa: ARG002
        """The response, as often as there are offers."""
        return np.full(len(offers), self._response)

    def score_effects(self, features: Floats, messages: Sequence[str]) -> Floats:  # noqa: ARG002
        """Nothing: what the catalogue states counts."""
        return np.full((len(messages), 3), np.nan)


class Kit:
    """Asks a core about the customers of a catalogue.

    Args:
        compiled: The catalogue.
        decide: The core.
    """

    def __init__(self, compiled: CompiledCatalogue, decide: Decide) -> None:
        self.compiled = compiled
        self._decide = decide
        self._known: dict[tuple[str, str | None], Persona | None] = {}

    @property
    def zones(self) -> dict[str, ZoneInfo]:
        """The zones that clocks are looked at in: the catalogue's first."""
        names = (self.compiled.catalogue.timezone or "UTC", *OTHER_ZONES)
        return {name: ZoneInfo(name) for name in names}

    def with_catalogue(self, **changes: object) -> "Kit":
        """The same core on a catalogue with other fields."""
        catalogue = self.compiled.catalogue.model_copy(update=changes)
        return Kit(CompiledCatalogue(catalogue, self.compiled.vocabulary), self._decide)

    def decisions(
        self, persona: Persona, snapshots: Sequence[Snapshot], ids: Sequence[str] | None = None
    ) -> list[Decision]:
        """The decisions of the core for a customer in several situations.

        Args:
            persona: The customer.
            snapshots: The situations.
            ids: Ids of the decisions; their numbers where None.
        """
        names = ids or [str(i) for i in range(len(snapshots))]
        requests = [Request(name, snapshot) for name, snapshot in zip(names, snapshots, strict=True)]
        policy, scorer = self.compiled.catalogue.policy, FixedScorer(persona.scores)
        return self._decide(requests, self.compiled, policy, scorer)

    def asked(self, persona: Persona, snapshot: Snapshot) -> Decision:
        """The decision of the core in one situation."""
        return self.decisions(persona, [snapshot])[0]

    def someone(self, rule: Rule, segment: str | None = None) -> Persona | None:
        """A customer to whom an action could be sent; else one for whom its programme is open; else None.

        Args:
            rule: The action.
            segment: A segment they belong to.
        """
        key = (rule.action.id, segment)
        if key not in self._known:
            self._known[key] = self._found(rule, segment)
        return self._known[key]

    def sendable(self, rule: Rule) -> Persona | None:
        """A customer to whom an action could be sent, or None."""
        persona = self.someone(rule)
        candidate = candidate_of(rule, self.asked(persona, persona.base)) if persona else None
        return persona if candidate and candidate.survives else None

    def anybody(self, programme: str) -> Persona | None:
        """A customer to whom some action of a programme could be sent, or None."""
        found = (self.sendable(rule) for rule in self.compiled.rules_by_programme[programme])
        return next((persona for persona in found if persona), None)

    def _found(self, rule: Rule, segment: str | None) -> Persona | None:
        open_for = None
        for persona in islice(personas(self.compiled, rule, segment), 100):
            moment: datetime | None = persona.base.moment
            for _ in range(4):
                candidate = candidate_of(rule, self.asked(persona, persona.at(moment))) if moment else None
                if moment is None or candidate is None:
                    break
                settled = replace(persona, base=persona.at(moment))
                if candidate.survives:
                    return settled
                open_for = open_for or settled
                moment = _later(candidate)
        return open_for


def candidate_of(rule: Rule, decision: Decision) -> Candidate | None:
    """The action among a decision's candidates, or None where its programme is not open."""
    return next((c for c in decision.candidates if c.action.id == rule.action.id), None)


def judged(
    name: str, subject: str, trials: Sequence[Trial], seen: Sequence[bool | None], words: tuple[str, str]
) -> Check:
    """The check that some trials make.

    Args:
        name: The promise.
        subject: The promise, in words.
        trials: The situations.
        seen: For each, what was found; None where nothing could be.
        words: The meaning of `False` and `True`.
    """
    pairs = [(trial, found) for trial, found in zip(trials, seen, strict=True) if found is not None]
    if not pairs:
        return unshown(name, subject)
    wrong = [trial for trial, found in pairs if found != trial.expected]
    trial = wrong[0] if wrong else pairs[0][0]
    situation = f"{trial.words}: {'wanted ' if wrong else ''}{words[trial.expected]}"
    if wrong:
        return Check(name, subject, "failed", f"{len(wrong)} of {len(pairs)} situations wrong, such as {situation}")
    return Check(name, subject, "passed", f"{len(pairs)} situations, such as {situation}")


def unshown(name: str, subject: str) -> Check:
    """The check of a promise that nobody was found to show on."""
    return Check(name, subject, "not applicable", "no customer found to show it on")


def shown(moment: datetime, zone: ZoneInfo) -> str:
    """A moment on a local clock."""
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"


def utc(*numbers: int, zone: ZoneInfo) -> datetime:
    """A local date and time, in UTC."""
    return datetime(*numbers, tzinfo=zone).astimezone(UTC)  # type: ignore[arg-type, misc]


def _later(candidate: Candidate) -> datetime | None:
    """When every gate that holds an action back lets it pass, or None where one never does."""
    moments = [exclusion.until for exclusion in candidate.exclusions]
    return None if None in moments else max(moment for moment in moments if moment)
