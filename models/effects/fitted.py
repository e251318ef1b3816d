"""The result of fitting effects: everything prediction needs, as JSON's values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tactful.features.array_types import Floats
from tactful.models.base.errors import ModelError
from tactful.models.base.table import Table
from tactful.models.effects.baseline import Unaided
from tactful.models.effects.doubly_robust import Scores
from tactful.models.effects.heterogeneity import Deviation
from tactful.models.effects.log import Log
from tactful.models.effects.pooling import Prior, pool

FIGURES = (
    "action",
    "rows",
    "taken",
    "largest_weight",
    "estimate",
    "error",
    "prior",
    "weight",
    "effect",
    "uncertainty",
    "penalty",
)
_VECTORS = ("prior", "mean", "error")


@dataclass(frozen=True, slots=True, eq=False)
class FittedEffects:
    """Effects of k actions.

    Attributes:
        baseline: The action that they are compared with.
        actions: Their labels.
        table: How rows become numbers.
        prior: Stated average effects, shape (k,).
        mean: Average effects after the evidence, shape (k,).
        error: Their standard errors, shape (k,).
        deviations: How each differs between rows.
        unaided: The expected outcome of a row under the baseline.
        evidence: Figures behind each, in the same order.
    """

    baseline: str
    actions: tuple[str, ...]
    table: Table
    prior: Floats
    mean: Floats
    error: Floats
    deviations: tuple[Deviation, ...]
    unaided: Unaided
    evidence: tuple[dict[str, Any], ...]

    def effect(self, design: Floats) -> Floats:
        """Shape (n, k)."""
        return self.mean + _columns([deviation.at(design) for deviation in self.deviations], len(design))

    def uncertainty(self, design: Floats) -> Floats:
        """Standard errors of `effect`, same shape."""
        variance = _columns([deviation.variance(design) for deviation in self.deviations], len(design))
        return np.sqrt(self.error**2 + variance)

    def credible(self, design: Floats, caution: float) -> Floats:
        """Effects where they differ from what was stated by more than `caution` standard errors, else that.

        Shape (n, k).
        """
        effect = self.effect(design)
        told = np.abs(effect - self.prior) > caution * self.uncertainty(design)
        return np.where(told, effect, self.prior)

    def to_json(self) -> dict[str, Any]:
        """JSON's values, without NaN."""
        return {
            "baseline": self.baseline,
            "actions": list(self.actions),
            "table": self.table.to_json(),
            **{name: getattr(self, name).tolist() for name in _VECTORS},
            "deviations": [deviation.to_json() for deviation in self.deviations],
            "unaided": self.unaided.to_json(),
            "evidence": [dict(figures) for figures in self.evidence],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`.

        Raises:
            ModelError: The parts do not fit each other.
        """
        table = Table.from_json(values["table"])
        actions = tuple(values["actions"])
        prior, mean, error = (np.array(values[name], dtype=np.float64) for name in _VECTORS)
        deviations = tuple(Deviation.from_json(deviation, table.width) for deviation in values["deviations"])
        unaided = Unaided.from_json(values["unaided"])
        sizes = {len(part) for part in (actions, prior, mean, error, deviations, values["evidence"])}
        slopes = [unaided.slopes, *[deviation.slopes for deviation in deviations]]
        widths = {part.shape for part in slopes} - {(table.width,)}
        if len(sizes) > 1 or widths:
            raise ModelError("parts that do not fit each other", got=sorted(sizes), wanted=f"{len(actions)} each")
        evidence = tuple(dict(figures) for figures in values["evidence"])
        return cls(values["baseline"], actions, table, prior, mean, error, deviations, unaided, evidence)


def conclude(
    table: Table,
    log: Log,
    found: Scores,
    deviations: Sequence[Deviation],
    unaided: Unaided,
    priors: Mapping[str, Prior],
) -> FittedEffects:
    """Pools what the scores say with what was stated."""
    actions = log.actions[1:]
    stated = [priors.get(action, Prior()) for action in actions]
    means = np.array([prior.mean for prior in stated])
    unit = float(log.outcome.std())
    precision = np.array([prior.weight for prior in stated]) / unit**2
    pooled = pool(found.average[1:], found.covariance[1:, 1:], means, precision, unit)
    error = np.sqrt(np.diag(pooled.covariance))
    evidence = _evidence(log, found, stated, pooled.mean, error, deviations)
    learnt = (means, pooled.mean, error, tuple(deviations), unaided, evidence)
    return FittedEffects(log.actions[0], actions, table, *learnt)


def _evidence(
    log: Log,
    found: Scores,
    priors: Sequence[Prior],
    effect: Floats,
    error: Floats,
    deviations: Sequence[Deviation],
) -> tuple[dict[str, Any], ...]:
    comparable = log.comparable()
    rows = []
    for j, (prior, deviation) in enumerate(zip(priors, deviations, strict=True), start=1):
        taken = comparable[:, j] & (log.action == j)
        seen = bool(taken.any())
        figures = (
            log.actions[j],
            int(comparable[:, j].sum()),
            int(taken.sum()),
            float(1 / log.probability[taken].min()) if seen else None,
            float(found.average[j]) if seen else None,
            float(np.sqrt(found.covariance[j, j])) if seen else None,
            prior.mean,
            prior.weight,
            float(effect[j - 1]),
            float(error[j - 1]),
            deviation.penalty if np.isfinite(deviation.penalty) else None,
        )
        rows.append(dict(zip(FIGURES, figures, strict=True)))
    return tuple(rows)


def _columns(parts: Sequence[Floats], rows: int) -> Floats:
    return np.column_stack([np.empty((rows, 0)), *parts])
