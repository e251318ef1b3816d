"""Effects against simulated truth: every world here is generated, with seeds of its own."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from tactful.models.base.errors import ModelError
from tactful.models.effects.model import EffectModel, Prior
from tactful.models.effects.pooling import pool

NAMES = ("no contact", "a", "b", "c")
LOGS = 300


class World(NamedTuple):
    rows: pd.DataFrame
    action: np.ndarray
    outcome: np.ndarray
    propensity: pd.DataFrame
    truth: np.ndarray


def world(seed: int, count: int, effects: tuple[float, ...], swing: float = 0.0) -> World:
    """Frequent visitors answer more and were contacted more; `swing` is added where z0 > 0 and taken where not."""
    generator = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "visits": generator.poisson(3, count),
            "tier": generator.choice(["basic", "gold", "silver"], count),
            **{f"z{i}": generator.normal(size=count) for i in range(4)},
        }
    )
    pull = np.exp(np.outer(rows["visits"] - 3, np.linspace(-0.25, 0.25, len(NAMES))))
    chances = pull / pull.sum(axis=1, keepdims=True)
    taken = (generator.random(count)[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    rest = np.clip(0.15 + 0.03 * (rows["visits"].to_numpy() - 3), 0.02, 0.6)
    change = np.append(0.0, effects) + swing * np.sign(rows["z0"].to_numpy())[:, None] * (np.arange(len(NAMES)) > 0)
    responses = np.clip(rest[:, None] + change, 0, 1)
    outcome = generator.random(count) < responses[np.arange(count), taken]
    propensity = pd.DataFrame(chances, columns=list(NAMES))
    return World(rows, np.array(NAMES)[taken], outcome, propensity, responses[:, 1:] - rest[:, None])


def fitted(data: World, **settings: object) -> EffectModel:
    model = EffectModel(nuisance="linear", **settings)  # type: ignore[arg-type]
    return model.fit(data.rows, data.action, data.outcome, data.propensity)


@cache
def small_logs() -> pd.DataFrame:
    """Estimates of many logs of 600 rows, the effects drawn anew for each."""
    found = []
    for seed in range(LOGS):
        data = world(seed, 600, tuple(np.random.default_rng(50_000 + seed).normal(0.02, 0.05, 3)))
        found.append(fitted(data).evidence.reset_index().assign(truth=data.truth.mean(axis=0), log=seed))
    return pd.concat(found, ignore_index=True)


def test_scores_are_unbiased_on_average() -> None:
    logs = small_logs()
    of_log = (logs["estimate"] - logs["truth"]).groupby(logs["log"]).mean()
    assert abs(of_log.mean()) < 3 * of_log.std() / LOGS**0.5


def test_intervals_cover_the_truth() -> None:
    logs = small_logs()
    before = (logs["estimate"] - logs["truth"]).abs() < 1.96 * logs["error"]
    after = (logs["effect"] - logs["truth"]).abs() < 1.96 * logs["uncertainty"]
    assert 0.92 < before.mean() < 0.98
    assert 0.92 < after.mean() < 0.98


def test_shrinkage_brings_effects_nearer_to_the_truth_and_cures_the_winners_curse() -> None:
    logs = small_logs()
    before, after = (logs[name] - logs["truth"] for name in ("estimate", "effect"))
    assert (after**2).mean() < 0.8 * (before**2).mean()
    winners = logs.loc[logs.groupby("log")["estimate"].idxmax()]
    curse = (winners["estimate"] - winners["truth"]).mean()
    assert curse > 0.01
    assert (winners["effect"] - winners["truth"]).mean() < 0


def test_intervals_cover_effects_that_stay_the_same() -> None:
    covered = []
    for seed in range(150):
        data = world(90_000 + seed, 2000, (0.0, 0.02, 0.04))
        evidence = fitted(data).evidence
        covered.append(np.abs(evidence["effect"] - data.truth.mean(axis=0)) < 1.96 * evidence["uncertainty"])
    assert 0.92 < np.mean(covered) < 0.99


def chosen_value(data: World, fresh: World, cost: float, **settings: object) -> tuple[float, float, float]:
    """Of the policy, and of the best single action if the truth were known; and the share contacted."""
    chosen = fitted(data, **settings).policy(fresh.rows, cost=cost)
    worth = np.column_stack([np.zeros(len(fresh.rows)), fresh.truth - cost])
    position = pd.Index(NAMES).get_indexer(pd.Index(chosen))
    value = worth[np.arange(len(worth)), position].mean()
    return value, worth.mean(axis=0).max(), (chosen != "no contact").mean()


@pytest.mark.parametrize("cost", [0.0, 0.005])
def test_noise_moves_hardly_anybody(cost: float) -> None:
    still = (0.0, 0.0, 0.0)
    contacted = [chosen_value(world(s, 4000, still), world(s + 500, 500, still), cost)[2] for s in range(40)]
    assert np.mean(contacted) < 0.1


def test_noise_leaves_a_stated_rule_standing() -> None:
    still, stated = (0.0, 0.0, 0.0), {"b": Prior(0.03, 5000)}
    for seed in range(10):
        data = world(seed, 600, still)
        chosen = fitted(data, priors=stated).policy(data.rows, cost=0.01)
        assert (chosen == "b").mean() > 0.95


def test_where_an_action_helps_everybody_alike_the_policy_is_as_good_as_that_action() -> None:
    same = (0.02, 0.06, 0.0)
    values = [chosen_value(world(s, 20_000, same), world(s + 500, 2000, same), 0.02)[:2] for s in range(20)]
    policy, best = np.mean(values, axis=0)
    assert policy > 0.97 * best


def test_where_effects_differ_strongly_the_policy_beats_every_single_action() -> None:
    values = []
    for seed in range(12):
        data, fresh = world(seed, 6000, (0.0, 0.02, 0.0), 0.1), world(seed + 500, 2000, (0.0, 0.02, 0.0), 0.1)
        values.append(np.subtract(*chosen_value(data, fresh, 0.02)[:2]))
    assert np.mean(values) > 3 * np.std(values) / len(values) ** 0.5


def test_wrong_probabilities_are_found_where_counts_betray_them() -> None:
    data = world(0, 4000, (0.0, 0.02, 0.0))
    uniform = pd.DataFrame(np.full((4000, 4), 0.25), columns=list(NAMES))
    skewed = data.propensity * np.array([0.5, 1.0, 1.0, 1.0])
    wrong = skewed.div(skewed.sum(axis=1), axis=0)
    with pytest.raises(ModelError, match="contradict"):
        EffectModel().fit(data.rows, data.action, data.outcome, wrong)
    EffectModel(nuisance="linear").fit(data.rows, data.action, data.outcome, uniform)


def test_an_action_never_seen_follows_the_shift_of_the_others() -> None:
    estimate, covariance = np.array([0.05, 0.052, 0.048, np.nan]), np.eye(4) * 0.002**2
    pooled = pool(estimate, covariance, np.zeros(4), np.zeros(4), unit=0.35)
    assert pooled.mean[3] == pytest.approx(0.05, abs=0.01)
    assert pooled.covariance[3, 3] > 4 * pooled.covariance[0, 0]


def test_no_evidence_at_all_leaves_every_prior() -> None:
    pooled = pool(np.full(2, np.nan), np.eye(2), np.array([0.01, 0.02]), np.array([100.0, 0.0]), unit=0.3)
    assert pooled.mean.tolist() == [0.01, 0.02]
    assert 0 < pooled.covariance[0, 0] <= 1 / 100
