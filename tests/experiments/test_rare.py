"""Off-policy intervals hold the truth where few decisions were rewarded, and a log with too few of them is refused."""

import math

import numpy as np
import pytest
from scipy import stats

from tactful.experiments.base.errors import SupportError
from tactful.experiments.base.skewed import bounds
from tactful.experiments.offpolicy.estimators import Estimate, difference, doubly_robust, ips, snips
from tactful.experiments.offpolicy.log import Log
from tactful.experiments.offpolicy.support import Wanted, support
from tactful.features.array_types import Floats
from tests.experiments.rare import SHOPS, Shop, logs
from tests.proofs import covered, runs

SEED = 20_000


def estimates(judged: Log, own: Log, predicted: Floats) -> dict[str, Estimate]:
    return {
        "ips": ips(judged, wanted=None),
        "snips": snips(judged, wanted=None),
        "doubly robust": doubly_robust(judged, predicted, wanted=None),
        "difference": difference(judged, own, wanted=None),
    }


def truths(shop: Shop) -> dict[str, float]:
    value = shop.worth(shop.judged)
    return {**dict.fromkeys(("ips", "snips", "doubly robust"), value), "difference": value - shop.worth(shop.logged)}


def held(shop: Shop, count: int) -> dict[str, float]:
    """Share of the logs whose interval holds the truth, by estimator."""
    wanted = truths(shop)
    rows = [{n: e.low <= wanted[n] <= e.high for n, e in estimates(*one).items()} for one in logs(shop, SEED, count)]
    assert len(rows) > count / 4
    return {name: float(np.mean([row[name] for row in rows])) for name in wanted}


@pytest.mark.parametrize("count", runs(120, 400))
@pytest.mark.parametrize(
    "name",
    [
        "10 rewarded, another policy, unlike amounts, a cost",
        "20 rewarded, a far policy, like amounts",
        "20 rewarded, a near policy, unlike amounts, a cost",
    ],
)
def test_intervals_hold_the_truth_from_ten_rewarded_decisions_on(name: str, count: int) -> None:
    found = held(SHOPS[name], count)
    assert min(found.values()) >= min(0.94, covered(count)[0]), found


def test_the_log_must_hold_rewarded_decisions() -> None:
    n = 4000
    rng = np.random.default_rng(0)
    choices, half = rng.integers(0, 2, n), np.full((n, 2), 0.5)
    cost, customers = -0.1 * choices, np.arange(n)

    def log(bought: int, target: Floats = half) -> Log:
        rewards = cost.copy()
        rewards[np.flatnonzero(choices == 1)[:bought]] += 20.0
        return Log(choices, half, target, rewards, customers)

    for bought in (0, 1, 9):
        assert support(log(bought)).rewarded == bought
        with pytest.raises(SupportError, match=f"{bought} effective rewarded decisions, wanted at least 10"):
            snips(log(bought))
    assert snips(log(10)).n == n
    assert snips(log(9), wanted=Wanted(rewarded=9)).n == n
    assert support(log(30, np.tile([1.0, 0.0], (n, 1)))).rewarded == 0, "rewards of the other option say nothing"
    assert support(log(n)).rewarded == 0, "rewards that are always the same say nothing"


def test_a_heavy_weight_counts_once() -> None:
    logged = np.tile([0.5, 0.5], (40, 1))
    logged[0] = [0.99, 0.01]
    rewards = np.repeat([1.0, 0.0], [15, 25])
    log = Log(np.ones(40, dtype=int), logged, np.tile([0.0, 1.0], (40, 1)), rewards, np.arange(40))
    assert support(log).rewarded < 3


@pytest.mark.parametrize("count", [3, 10, 30, 100])
def test_few_events_have_the_interval_of_a_poisson_count_or_more(count: int) -> None:
    parts = np.repeat([0.0, 1.0], [100_000 - count, count])
    low, high = bounds(count, math.sqrt(count), parts - parts.mean())
    exact = stats.chi2.ppf(0.025, 2 * count) / 2, stats.chi2.ppf(0.975, 2 * count + 2) / 2
    assert low < exact[0]
    assert exact[1] < high + 0.02 * count
    assert high - low < (3 if count < 10 else 1.5) * (exact[1] - exact[0])


def test_normal_parts_have_students_interval() -> None:
    parts = np.random.default_rng(1).normal(size=5_000)
    low, high = bounds(2.0, 0.1, parts - parts.mean())
    reach = 0.1 * stats.t.ppf(0.975, 4_999)
    assert (low, high) == pytest.approx((2 - reach, 2 + reach), abs=0.02 * reach)
    assert bounds(2.0, 0.1, -(parts - parts.mean())) == pytest.approx((4 - high, 4 - low))


@pytest.mark.parametrize("parts", [np.zeros(5), np.array([1.0, -1.0]), np.array([3.0, -1.0, -1.0, -1.0])])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_an_interval_holds_its_value(parts: Floats, level: float) -> None:
    low, high = bounds(1.0, 0.5, parts, level)
    assert low <= 1.0 <= high
    assert math.isfinite(low + high)
