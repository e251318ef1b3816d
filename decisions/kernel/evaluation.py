"""One customer before the rules of a catalogue: facts and verdicts, each found once."""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from tactful.decisions.base.calendars import zone_or
from tactful.decisions.base.conditions import Condition, Failure
from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.base.ledger import EVERYTHING, Ledger
from tactful.decisions.base.snapshot import Event, Snapshot, event_facts
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.messages import Reader
from tactful.decisions.catalogue.policies.base import ContactPolicy
from tactful.decisions.kernel.arbitration import unsubscribe_risk
from tactful.decisions.kernel.exploration import Stratum, stratum


class Evaluation:
    """A customer, a catalogue, and what one has to do with the other.

    Args:
        compiled: The catalogue.
        snapshot: The customer.
        scores: The customer's scores.
        capacity: Contacts left by channel; a channel that is not named has no limit.
        channels: The channels asked for; all where empty.
    """

    def __init__(
        self,
        compiled: CompiledCatalogue,
        snapshot: Snapshot,
        scores: Mapping[str, float],
        capacity: Mapping[str, int] | None = None,
        channels: Sequence[str] = (),
    ) -> None:
        self.compiled = compiled
        self.snapshot = snapshot
        self.scores = scores
        self.zone = zone_or(snapshot.zone, compiled.catalogue.timezone)
        self.ledger = Ledger(snapshot.moment, snapshot.contacts or (), snapshot.events, self.zone)
        self.facts = _facts(compiled, snapshot, scores, self.local)
        self.capacity = capacity or {}
        self.channels = channels
        self._activation = compiled.conditions.facts(self.facts)
        self._values: dict[tuple[str, str], object] = {}
        self._verdicts: dict[int, Exclusion | None] = {}
        self._objections: dict[tuple[int, ...], list[Exclusion]] = {}

    @property
    def local(self) -> datetime | None:
        """The customer's clock, None where the zone is unknown."""
        return self.ledger.local

    def value(self, source: str, kind: str = "boolean", event: Event | None = None) -> object:
        """The value of an expression, or a `Failure`."""
        if source == "true":
            return True
        key = (source, kind)
        if key in self._values:
            return self._values[key]
        condition = self.compiled.conditions.compile(source, kind)
        if condition.of_event:
            facts = self._facts_of(condition, event)
            return condition.evaluate(self.compiled.conditions.facts(facts))
        self._values[key] = condition.evaluate(self._activation)
        return self._values[key]

    def _facts_of(self, condition: Condition, event: Event | None) -> dict[str, Any]:
        """The names that a condition reads, with those of an event."""
        found = {name: self.facts.get(name) for name in condition.names}
        if event is None:
            return found
        return found | {f"event.{name}": value for name, value in event_facts(event, self.snapshot.moment).items()}

    def verdicts(self, policies: tuple[int, ...]) -> list[Exclusion]:
        """The exclusions by some bound contact policies; the same policies bind many actions."""
        if policies not in self._objections:
            found = [self.verdict(index) for index in policies]
            self._objections[policies] = [exclusion for exclusion in found if exclusion is not None]
        return self._objections[policies]

    def verdict(self, index: int) -> Exclusion | None:
        """The answer of a bound contact policy for every action in its scope."""
        if index not in self._verdicts:
            self._verdicts[index] = self._verdict(self.compiled.policies[index])
        return self._verdicts[index]

    def _verdict(self, policy: ContactPolicy) -> Exclusion | None:
        binds = policy.segment is None or self.value(f"segment.{policy.segment}") is not False
        try:
            return policy.verdict(self.ledger) if binds else None
        except (ArithmeticError, ValueError) as error:
            observed = f"a date or number out of range: {error}"
            return Exclusion("policy", policy.id, observed=observed, limit="a policy that can be judged")

    def events_of(self, types: Collection[str]) -> Sequence[Event]:
        """The customer's events of some types, in time order."""
        return self.ledger.events_of(types)

    @cached_property
    def reader(self) -> Reader:
        """The values of the customer that texts may print."""
        return Reader(self.snapshot, self.compiled.catalogue, self.compiled.vocabulary.features)

    @cached_property
    def stratum(self) -> Stratum:
        """Where exploration puts the customer."""
        return stratum(self.compiled.catalogue, self.snapshot.customer)

    @cached_property
    def retention(self) -> tuple[float, float]:
        """Probability of lapse and lifetime value; 0 where unknown, or where the catalogue leaves them out."""
        names = self.compiled.catalogue.arbitration.retention
        if names is None:
            return 0.0, 0.0
        lapse, clv = self.scores.get(names.lapse, 0.0), self.scores.get(names.clv, 0.0)
        return (lapse, clv) if math.isfinite(lapse) and math.isfinite(clv) else (0.0, 0.0)

    @cached_property
    def unsubscribe(self) -> float:
        """The probability that one more contact makes the customer unsubscribe: the score, or the catalogue's own."""
        catalogue = self.compiled.catalogue
        scored = self.scores.get(catalogue.arbitration.unsubscribe, math.nan)
        if math.isfinite(scored):
            return scored
        since = self.snapshot.moment - catalogue.fatigue.window
        return unsubscribe_risk(catalogue.fatigue, sum(t >= since for t in self.ledger.times(EVERYTHING)))

    def observed(self, source: str, value: object, event: Event | None = None) -> str:
        """A condition's value in words, with the facts that led to it."""
        if isinstance(value, Failure):
            return value.reason
        condition = self.compiled.conditions.compile(source)
        facts = self._facts_of(condition, event) if condition.of_event else self.facts
        return ", ".join([f"{name} = {_shown(facts.get(name))}" for name in condition.names]) or "never"


def _facts(
    compiled: CompiledCatalogue, snapshot: Snapshot, scores: Mapping[str, float], local: datetime | None
) -> dict[str, Any]:
    """The values of the names that the catalogue's expressions read."""
    values: dict[str, Any] = {}
    features = dict(zip(compiled.vocabulary.features, snapshot.features, strict=True))
    attributes = {**compiled.catalogue.defaults(), **{k: v for k, v in snapshot.attributes.items() if v is not None}}
    for full, root, name in compiled.fact_names:
        if root == "features":
            values[full] = features[name]
        elif root == "scores":
            values[full] = scores.get(name)
        elif root == "customer":
            values[full] = attributes.get(name)
        elif root == "local" and local is not None:
            values[full] = local.weekday() if name == "weekday" else getattr(local, name)
    return values


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "unknown" if value is None else str(value)
