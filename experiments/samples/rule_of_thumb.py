"""Scores where no model has been trained: enough to try a catalogue, not to run one."""

from collections.abc import Mapping, Sequence

import numpy as np

from tactful.decisions.kernel.decide import Scorer
from tactful.features.array_types import Floats
from tactful.features.definitions.standard import STANDARD

_AWAY = STANDARD.names.index("recency_over_gap")


class RuleOfThumb(Scorer):
    """Lapse risk from the customer's own rhythm: even once they have been away for two of their usual gaps.

    Of an offer it knows nothing, so that a message that makes one is excluded.

    Example:
        >>> features = np.full((2, len(STANDARD)), np.nan)
        >>> features[:, STANDARD.names.index("recency_over_gap")] = [0.5, 4.0]
        >>> RuleOfThumb().score_customers(features)["lapse"].round(2).tolist()
        [0.18, 0.88]
    """

    version = "rule-of-thumb"
    fingerprint = STANDARD.fingerprint

    def score_customers(self, features: Floats) -> Mapping[str, Floats]:
        """The risk `lapse`, NaN for who has not bought twice.

        Args:
            features: Those of the standard set, shape (n, k).
        """
        return {"lapse": 1 / (1 + np.exp(2.0 - features[:, _AWAY]))}

    def score_actions(self, features: Floats, offers: Sequence[Mapping[str, float | str]]) -> Floats:  # noqa: ARG002
        """NaN for each of m offers, shape (m,)."""
        return np.full(len(offers), np.nan)

    def score_effects(self, features: Floats, messages: Sequence[str]) -> Floats:  # noqa: ARG002
        """NaN for each of m messages, shape (m, 3): what the catalogue states counts."""
        return np.full((len(messages), 3), np.nan)
