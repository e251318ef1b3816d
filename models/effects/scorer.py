"""A fitted effect model as part of a bundle: effects of messages for rows of features, quick for a few rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tactful.features.array_types import Floats
from tactful.models.base.model import Model, Target, as_json
from tactful.models.base.table import Numbers
from tactful.models.effects.fitted import FittedEffects
from tactful.models.effects.model import EffectModel


@dataclass(frozen=True, slots=True, eq=False)
class EffectScorer(Model):
    """Effects of messages against silence.

    Attributes:
        model: A fitted model of numbers, whose actions are messages.
        data_digest: Digest of the decisions it was fitted to.
        metrics: How it did, for the record.
        learnt_until: The latest moment whose outcome it learnt from, aware; None where that is not known.

    Raises:
        ModelError: The model is not fitted, or reads texts.
    """

    KIND: ClassVar[str] = "effects"
    model: EffectModel
    data_digest: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    learnt_until: datetime | None = None
    _fitted: FittedEffects = field(init=False, repr=False)
    _numbers: Numbers = field(init=False, repr=False)
    _positions: Mapping[str, int] = field(init=False, repr=False)
    _centres: Floats = field(init=False, repr=False)
    _slopes: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        fitted = self.model.fitted
        ready = {
            "_fitted": fitted,
            "_numbers": fitted.table.numbers(),
            "_positions": {action: j for j, action in enumerate(fitted.actions)},
            "_centres": np.array([deviation.centre for deviation in fitted.deviations]),
            "_slopes": np.array([deviation.slopes for deviation in fitted.deviations]),
        }
        for name, value in ready.items():
            object.__setattr__(self, name, value)

    @property
    def target(self) -> Target:
        """The target of its scores."""
        return Target.EFFECTS

    @property
    def customer_columns(self) -> tuple[str, ...]:
        """The features it reads, in order."""
        return self._numbers.names

    @property
    def messages(self) -> tuple[str, ...]:
        """The messages it knows."""
        return tuple(self._positions)

    def score(self, rows: Floats, messages: Sequence[str]) -> Floats:
        """The effect of each message on its customer.

        Args:
            rows: Features of the customer in the order of `customer_columns`, a row for each message, shape (m, k).
            messages: The m messages.

        Returns:
            Columns effect, probability of the outcome without contact, and standard error of the effect, shape (m, 3);
            NaN in each where the message is unknown.
        """
        found = np.full((len(messages), 3), np.nan)
        arms = np.array([self._positions.get(message, -1) for message in messages], dtype=np.int64)
        known = np.flatnonzero(arms >= 0)
        if not len(known):
            return found
        arm, design = arms[known], self._numbers.encode(rows[known])
        found[known, 0] = self._fitted.mean[arm] + ((design - self._centres[arm]) * self._slopes[arm]).sum(axis=1)
        found[known, 1] = self._fitted.unaided.at(design)
        found[known, 2] = np.sqrt(self._fitted.error[arm] ** 2 + self._variance(arm, design))
        return found

    def _variance(self, arm: NDArray[np.int64], design: Floats) -> Floats:
        variance = np.zeros(len(arm))
        for j in np.unique(arm).tolist():
            deviation = self._fitted.deviations[j]
            if np.isfinite(deviation.penalty):
                variance[arm == j] = deviation.variance(design[arm == j])
        return variance

    def dump(self) -> str:
        """The fitted model, as JSON."""
        return as_json(self.model.to_json())

    @classmethod
    def load(cls, text: str, entry: Mapping[str, Any]) -> Self:
        """The inverse of `dump`, with the record of the manifest.

        Raises:
            ModelError: Something is missing or of another shape.
        """
        return cls(EffectModel.from_json(json.loads(text)), entry["data_digest"], entry["metrics"])
