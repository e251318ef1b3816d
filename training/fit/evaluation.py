"""How a model does on the test rows, beside simple ones, with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from tactful.features.array_types import Floats
from tactful.models.base.metrics import Estimate, Outcomes


@dataclass(frozen=True, slots=True, eq=False)
class TestRows:
    """The rows a model is tested on.

    Attributes:
        outcomes: The outcomes, with their customers.
        probability: The model's probabilities, shape (n,).
        baselines: The probabilities of simple models.
        features: The rows themselves, a column for each feature of the set, for another model to score.
        offers: The offers, for responses; else empty.
    """

    __test__ = False

    outcomes: Outcomes
    probability: Floats
    baselines: Mapping[str, Floats]
    features: Floats
    offers: tuple[Mapping[str, float | str], ...] = ()


def univariate(values: Floats, positive: NDArray[np.bool_], fit_to: NDArray[np.bool_]) -> Floats:
    """Probabilities by a logistic regression on the logarithm of one number.

    Args:
        values: One feature, at least 0, shape (n,); NaN counts as 0.
        positive: Outcomes.
        fit_to: The rows to fit to.

    Returns:
        A probability for each row, shape (n,).
    """
    logs = np.log1p(np.nan_to_num(values))[:, None]
    return np.asarray(LogisticRegression().fit(logs[fit_to], positive[fit_to]).predict_proba(logs)[:, 1])


def evaluate(rows: TestRows) -> dict[str, Any]:
    """AUC, log-loss, expected calibration error and slope, each with a 95 % interval.

    Returns:
        `auc`, `log_loss`, `ece` and `slope`, that of the calibration, as `{value, low, high}`; `n`, `positives`,
        `customers`; and by baseline in `baselines` the first three and, paired on the same draws of customers,
        `auc_gain` and `log_loss_gain`: by how much the model is better.
    """
    outcomes = rows.outcomes
    statistics = {
        (name, metric): statistic
        for name, probability in {"": rows.probability, **rows.baselines}.items()
        for metric, statistic in (
            ("auc", outcomes.auc(probability)),
            ("log_loss", outcomes.log_loss(probability)),
            ("ece", outcomes.ece(probability)),
        )
    }
    statistics["", "slope"] = outcomes.slope(rows.probability)
    for name in rows.baselines:
        statistics[name, "auc_gain"] = statistics["", "auc"] - statistics[name, "auc"]
        statistics[name, "log_loss_gain"] = statistics[name, "log_loss"] - statistics["", "log_loss"]
    estimates = outcomes.estimate(statistics)
    return {
        **{metric: as_json(estimate) for (name, metric), estimate in estimates.items() if not name},
        "n": len(outcomes.positive),
        "positives": int(outcomes.positive.sum()),
        "customers": outcomes.customers,
        "baselines": {
            baseline: {metric: as_json(e) for (name, metric), e in estimates.items() if name == baseline}
            for baseline in rows.baselines
        },
    }


def as_json(estimate: Estimate) -> dict[str, float | None]:
    """An estimate by field; what is not finite is None."""
    return {name: value if isfinite(value) else None for name, value in estimate._asdict().items()}
