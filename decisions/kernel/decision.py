"""The record of a decision: what was looked at, what was excluded and why, what it was worth, what was chosen."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from tactful.decisions.base import canonical_json as canonical
from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.catalogue.model import Action
from tactful.decisions.catalogue.triggers import Opening
from tactful.decisions.kernel.arbitration import Factors
from tactful.decisions.kernel.exploration import Stratum
from tactful.decisions.kernel.rewards import RewardComponent

SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An action that an opening brought up.

    Args:
        action: The action.
        opening: Dedupe key of the opening.
        mandatory: Whether its message goes before those that are not.
        exclusions: Every gate it did not pass; none for a survivor.
        factors: The factors of its priority, for a survivor.
        probability: Probability with which it was to be chosen.
    """

    action: Action
    opening: str
    mandatory: bool = False
    exclusions: tuple[Exclusion, ...] = ()
    factors: Factors | None = None
    probability: float = 0.0

    def drawn_with(self, probability: float) -> "Candidate":
        """The same, with the probability it was to be chosen with."""
        return Candidate(self.action, self.opening, self.mandatory, self.exclusions, self.factors, probability)

    @property
    def survives(self) -> bool:
        """Whether it passed every gate."""
        return not self.exclusions

    @property
    def priority(self) -> float | None:
        """Its worth in currency over silence, for a survivor."""
        return self.factors.priority if self.factors else None


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions that a decision was made with.

    Args:
        catalogue: Digest of the catalogue.
        bundle: Version of the models.
        features: Fingerprint of the feature set.
        kernel: Version of the rules of deciding.
    """

    catalogue: str
    bundle: str
    features: str
    kernel: str

    @lru_cache(maxsize=64)  # noqa: B019 - few, and they live as long as the process
    def as_json(self) -> str:
        """The versions as canonical JSON."""
        return canonical.of(asdict(self))


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, complete.

    Args:
        id: Its id; also the seed of its draw, with the seed of the run.
        customer: Pseudonymous id of the customer.
        moment: When, UTC.
        versions: The versions that it was made with.
        policy: The policy, as the catalogue states it.
        stratum: Where exploration put the customer; in `uniform` the choice was made among all alike.
        channels: The channels that were asked for; all where empty.
        seed: Seed of the run.
        capacity: Contacts that were left by channel, where that was limited.
        prices: Shadow prices by channel, in currency.
        scores: The customer's scores.
        openings: The programmes open for the customer.
        closed: Why each other programme was not open.
        candidates: Every action of the openings, in the marketer's order.
        choice: The chosen candidate, or None for silence.
        probability: Probability with which the choice was made.
        silence_probability: Probability of silence.
        rewards: The expected gain of the choice, by component, and when each is known; kernels before 4 recorded
            none, and an erased customer's record has none.
    """

    id: str
    customer: str
    moment: datetime
    versions: Versions
    policy: Mapping[str, Any]
    stratum: Stratum
    channels: tuple[str, ...]
    seed: str
    capacity: Mapping[str, int]
    prices: Mapping[str, float]
    scores: Mapping[str, float]
    openings: tuple[Opening, ...]
    closed: tuple[Exclusion, ...]
    candidates: tuple[Candidate, ...]
    choice: Candidate | None
    probability: float
    silence_probability: float
    rewards: tuple[RewardComponent, ...] = ()

    @property
    def outcome(self) -> str:
        """Id of the chosen action, or `silence`."""
        return self.choice.action.id if self.choice else SILENCE

    @property
    def survivors(self) -> Iterator[Candidate]:
        """The candidates that passed every gate."""
        return (candidate for candidate in self.candidates if candidate.survives)

    def matures(self, component: str) -> datetime | None:
        """When a component of its reward is known; None where the record has none of it, or no moment."""
        return next((part.matures for part in self.rewards if part.component == component), None)

    @property
    def known_scores(self) -> dict[str, float | None]:
        """The scores as values of JSON: None where unknown."""
        return {name: score if math.isfinite(score) else None for name, score in self.scores.items()}

    def as_bytes(self) -> bytes:
        """The decision as canonical JSON, unknown numbers as null: the same decision gives the same bytes."""
        written = {
            "candidates": canonical.array(map(_candidate, self.candidates)),
            "capacity": canonical.of(self.capacity),
            "channels": canonical.of(self.channels),
            "choice": canonical.text(self.outcome),
            "closed": canonical.array([exclusion.as_json() for exclusion in self.closed]),
            "customer": canonical.text(self.customer),
            "id": canonical.text(self.id),
            "moment": canonical.moment(self.moment),
            "opening": canonical.text(self.choice.opening) if self.choice else "null",
            "openings": canonical.array(map(_opening, self.openings)),
            "policy": canonical.of(self.policy),
            "prices": canonical.of(self.prices),
            "probability": canonical.number(self.probability),
            "scores": canonical.of(self.known_scores),
            "seed": canonical.text(self.seed),
            "silence_probability": canonical.number(self.silence_probability),
            "stratum": canonical.text(self.stratum),
            "versions": self.versions.as_json(),
        }
        if self.rewards:
            written["rewards"] = canonical.array([component.as_json() for component in self.rewards])
        return canonical.members(written).encode()

    def as_dict(self) -> dict[str, Any]:
        """The same as values."""
        found: dict[str, Any] = json.loads(self.as_bytes())
        return found


_CANDIDATE = (
    '{"action":%s,"channel":%s,"exclusions":%s,"factors":%s,"mandatory":%s,"message":%s,"opening":%s,"priority":%s,'
    '"probability":%s,"programme":%s}'
)
_FACTOR_NAMES = sorted(field.name for field in fields(Factors))
_FACTORS = f"{{{','.join(f'{canonical.text(name)}:%s' for name in _FACTOR_NAMES)}}}"
_factors_in_order = attrgetter(*_FACTOR_NAMES)
_OPENING = '{"expires":%s,"key":%s,"opened":%s,"programme":%s}'


def _candidate(candidate: Candidate) -> str:
    action, factors = candidate.action, candidate.factors
    return _CANDIDATE % (
        canonical.text(action.id),
        canonical.text(action.channel),
        canonical.array([exclusion.as_json() for exclusion in candidate.exclusions]),
        _FACTORS % tuple(map(canonical.number, _factors_in_order(factors))) if factors else "null",
        "true" if candidate.mandatory else "false",
        canonical.text(action.message),
        canonical.text(candidate.opening),
        canonical.number(candidate.priority),
        canonical.number(candidate.probability),
        canonical.text(action.programme),
    )


def _opening(opening: Opening) -> str:
    return _OPENING % (
        canonical.moment(opening.expires),
        canonical.text(opening.key),
        canonical.moment(opening.opened),
        canonical.text(opening.programme),
    )
