"""Whether a model's probabilities hold on its test rows: asked so that an accident is no fault, and few rows no proof.

Three questions: the slope, the expected calibration error, and the biases by action. The slope of a model whose
probabilities are true hardly ever seems wrong, since its whole interval must lie outside a band about 1; the other two
share what may be refused by accident, one case of twenty, whatever they have to do with each other (Bonferroni; Dunn
1961, Multiple Comparisons among Means).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tactful.training.fit.by_action import by_arm, whatever_ties
from tactful.training.fit.candidate import shown
from tactful.training.fit.evaluation import TestRows

LEAST = 100
"""Rows with and rows without the outcome below which calibration cannot be judged.

Source: Collins, Ogundimu and Altman (2016), Sample Size Considerations for the External Validation of a Multivariable
Prognostic Model: A Resampling Study, Statistics in Medicine 35.
"""

UNJUDGED = "cannot be judged"
"""How the refusal begins of a model whose probabilities too few test rows can judge."""
MAX_ECE = 0.015
SLOPES = (0.9, 1.1)
LEAST_LIKELY = 0.025
"""What calibration error and biases may each refuse of models whose probabilities are true."""


def by_action(test: TestRows, actions: Sequence[str]) -> dict[str, Any]:
    """The biases by action, and what the calibration error of true probabilities would be by accident.

    Args:
        test: The test rows.
        actions: Of each row; empty where the score is of a customer alone.

    Returns:
        `ece_by_chance`; and of actions `by_action`, and `by_action_p`: how likely a bias as far off as the worst is
        where none is off, accounting for their number.
    """
    outcomes = test.outcomes
    found: dict[str, Any] = {"ece_by_chance": outcomes.ece_by_chance(test.probability, 1 - LEAST_LIKELY)}
    if not actions:
        return found
    arms = by_arm(actions, test.probability, outcomes.positive.astype(np.float64), outcomes.customer)
    return {**found, "by_action": [one.as_dict() for one in arms], "by_action_p": whatever_ties(arms)}


def doubts(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """Why probabilities may not be used, by figures of the test rows; empty where nothing speaks against them.

    - With fewer than 100 rows of either outcome they cannot be judged.
    - The 95 % interval of the slope (Cox 1958) must reach 0.9 to 1.1.
    - The expected calibration error must be at most 0.015, or what true probabilities may show by accident.
    - The biases by action must be no accident of their number: p of at least 0.025.

    Args:
        metrics: Of `tactful.training.fit.evaluation.evaluate` and `by_action`.

    Example:
        >>> fine = {"value": 1.0, "low": 0.9, "high": 1.1}
        >>> metrics = {"n": 2000, "positives": 300, "slope": fine, "ece_by_chance": 0.022}
        >>> doubts({**metrics, "ece": {"value": 0.02, "low": 0.01, "high": 0.03}})
        ()
        >>> doubts({**metrics, "ece": {"value": 0.03, "low": 0.02, "high": 0.04}})
        ('not calibrated: expected calibration error 0.0300 (0.0200 to 0.0400), at most 0.0220 wanted',)
    """
    with_it, without = metrics["positives"], metrics["n"] - metrics["positives"]
    if min(with_it, without) < LEAST:
        found = f"{with_it:,} test rows with the outcome and {without:,} without"
        return (f"{UNJUDGED}: {found}, {LEAST} of each wanted: {LEAST - min(with_it, without):,} too few",)
    reasons = []
    slope, ece, (least, most) = metrics["slope"], metrics["ece"], SLOPES
    if slope["low"] is None or slope["low"] > most or slope["high"] < least:
        reasons.append(f"slope {shown(slope)}, some of {least} to {most} wanted")
    bound = max(MAX_ECE, metrics["ece_by_chance"])
    if ece["value"] is None or ece["value"] > bound:
        reasons.append(f"expected calibration error {shown(ece)}, at most {bound:.4f} wanted")
    if metrics.get("by_action_p", 1.0) < LEAST_LIKELY:
        off = ", ".join(one["arm"] for one in metrics["by_action"] if not one["holds"])
        reasons.append(f"biases of {off}: p = {metrics['by_action_p']:.4f}, at least {LEAST_LIKELY} wanted")
    return tuple(f"not calibrated: {reason}" for reason in reasons)
