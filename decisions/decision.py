"""The record of a decision: what was looked at, what was excluded and why, what it was worth, what was chosen."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from decisions.arbitration import Factors
from decisions.catalogue import Action
from decisions.exclusion import Exclusion
from decisions.exploration import Stratum
from decisions.triggers import Opening

SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An action that an opening brought up.

    Args:
        action: The action.
        opening: Dedupe key of the opening.
        mandatory: Whether its message goes before those that are not.
        exclusions: Every gate it did not pass; none for a survivor.
        factors: What its priority is made of, for a survivor.
        probability: Probability with which it was to be chosen.
    """

    action: Action
    opening: str
    mandatory: bool = False
    exclusions: tuple[Exclusion, ...] = ()
    factors: Factors | None = None
    probability: float = 0.0

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
    """What a decision was made with.

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


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, complete.

    Args:
        id: Its id; also the seed of its draw, with the seed of the run.
        customer: Pseudonymous id of the customer.
        moment: When, UTC.
        versions: What it was made with.
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

    @property
    def outcome(self) -> str:
        """Id of the chosen action, or `silence`."""
        return self.choice.action.id if self.choice else SILENCE

    @property
    def survivors(self) -> Iterator[Candidate]:
        """The candidates that passed every gate."""
        return (candidate for candidate in self.candidates if candidate.survives)

    def as_dict(self) -> dict[str, Any]:
        """The decision as JSON values: moments as ISO 8601 texts, unknown numbers as None."""
        return {
            "id": self.id,
            "customer": self.customer,
            "moment": self.moment.isoformat(),
            "versions": asdict(self.versions),
            "policy": dict(self.policy),
            "stratum": self.stratum,
            "channels": list(self.channels),
            "seed": self.seed,
            "capacity": dict(self.capacity),
            "prices": dict(self.prices),
            "scores": {name: _number(score) for name, score in self.scores.items()},
            "openings": [_opening(opening) for opening in self.openings],
            "closed": [exclusion.as_dict() for exclusion in self.closed],
            "candidates": [_candidate(candidate) for candidate in self.candidates],
            "choice": self.outcome,
            "opening": self.choice.opening if self.choice else None,
            "probability": self.probability,
            "silence_probability": self.silence_probability,
        }

    def as_bytes(self) -> bytes:
        """The decision as canonical JSON: the same decision gives the same bytes."""
        return json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _candidate(candidate: Candidate) -> dict[str, Any]:
    action = candidate.action
    return {
        "action": action.id,
        "programme": action.programme,
        "message": action.message,
        "channel": action.channel,
        "opening": candidate.opening,
        "mandatory": candidate.mandatory,
        "exclusions": [exclusion.as_dict() for exclusion in candidate.exclusions],
        "factors": candidate.factors.as_dict() if candidate.factors else None,
        "priority": candidate.priority,
        "probability": candidate.probability,
    }


def _opening(opening: Opening) -> dict[str, Any]:
    return {
        "programme": opening.programme,
        "key": opening.key,
        "opened": opening.opened.isoformat(),
        "expires": opening.expires.isoformat(),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
