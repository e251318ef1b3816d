"""Why customers score as they do: what moved each score that trees give, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from tactful.features.definitions.standard import STANDARD
from tactful.models.base.shap import Reason
from tactful.models.bundles.bundle import Bundle
from tactful.models.scores.bgnbd import BGNBD_FEATURES

MOST = 4
_DESCRIPTIONS = {**BGNBD_FEATURES, **{feature.name: feature.description for feature in STANDARD.features}}


@dataclass(frozen=True, slots=True)
class Explained:
    """A score and what moved it.

    Args:
        score: Its name.
        value: Its calibrated value.
        reasons: The columns that moved it, furthest first.
    """

    score: str
    value: float
    reasons: tuple[Reason, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON's values: the score, and of each reason the column, what the customer has there, words and odds."""
        return {"value": self.value, "reasons": [_plain(reason) for reason in self.reasons]}


def explained(bundle: Bundle, features: Sequence[float], most: int = MOST) -> list[Explained]:
    """The scores of a customer that have reasons, each with them.

    Args:
        bundle: The models.
        features: The customer's, those of the bundle first.
        most: How many reasons at most.
    """
    row = np.array(features[: len(bundle.feature_names)], dtype=np.float64)
    scores = bundle.score_customers(row[None])
    return [
        Explained(name, float(scores[name][0]), tuple(bundle.reasons(name, row, most=most)))
        for name in bundle.explained
    ]


def in_words(reason: Reason) -> str:
    """The column and the customer's value there."""
    return reason.finding(_DESCRIPTIONS)


def _plain(reason: Reason) -> dict[str, Any]:
    unknown = isinstance(reason.value, float) and isnan(reason.value)
    return {
        "column": reason.column,
        "value": None if unknown else reason.value,
        "words": in_words(reason),
        "direction": "raises" if reason.log_odds > 0 else "lowers",
        "odds": reason.odds,
    }
