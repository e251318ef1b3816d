"""Segments: chance differences are drawn together, true ones stand, intervals cover, and fishing is warned of."""

from dataclasses import replace

import numpy as np
import pytest

from tactful.experiments.base.metrics import METRICS
from tactful.experiments.readout.outcomes import outcomes
from tactful.experiments.readout.segments import by_segment, shrink
from tests.experiments.trials import trial

REVENUE = METRICS["revenue_per_customer"]


def test_chance_is_drawn_together() -> None:
    rng = np.random.default_rng(1)
    found = [shrink(rng.normal(1.0, 0.5, 8), [0.5] * 8) for _ in range(300)]
    assert np.mean([np.std(one.values) for one in found]) < 0.2
    assert np.mean([one.pvalue < 0.05 for one in found]) < 0.09


def test_shrunk_estimates_are_nearer_the_truth_and_their_intervals_cover() -> None:
    rng = np.random.default_rng(2)
    raw, shrunk, covered = [], [], []
    for _ in range(300):
        truths = rng.normal(1.0, 0.4, 10)
        seen = rng.normal(truths, 0.5)
        found = shrink(seen, [0.5] * 10)
        raw.append(np.square(seen - truths).mean())
        shrunk.append(np.square(np.array(found.values) - truths).mean())
        covered.append(np.mean(np.abs(np.array(found.values) - truths) < 1.96 * np.array(found.errors)))
    assert np.mean(shrunk) < 0.7 * np.mean(raw)
    assert np.mean(covered) > 0.88


def test_true_differences_stand() -> None:
    found = shrink([0.0, 5.0], [0.1, 0.1])
    assert found.values == pytest.approx((0.0, 5.0), abs=0.02)
    assert found.pvalue < 0.001


def test_one_estimate_stays_what_it_is() -> None:
    assert shrink([2.0], [0.5]).values == (2.0,)
    assert shrink([], []).values == ()


def test_the_segments_of_a_trial() -> None:
    made = trial(3, 3_000, lift=0.3)
    table = outcomes(made.events, made.enrolled, made.until)
    found = by_segment(table[table["arm"] == "control"], table[table["arm"] == "treatment"], REVENUE, "style")
    assert [segment.name for segment in found.segments] == ["calm", "lively"]
    assert sum(sum(segment.effect.customers) for segment in found.segments) == 3_000
    assert all(segment.low <= segment.shrunk <= segment.high for segment in found.segments)
    assert "Looking at 2 segments" in found.warning
    assert "nothing to compare" in replace(found, segments=found.segments[:1]).warning
