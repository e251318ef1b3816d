"""The paired difference of two policies on one log: truth, coverage, pairing, refusals."""

import numpy as np
import pytest

from tactful.decisions.catalogue.selection import Greedy, InverseGap, RandomEligible
from tactful.decisions.kernel.decide import Request, decide
from tactful.experiments.base.errors import LogError, SupportError
from tactful.experiments.offpolicy.decision_log import as_decided, compared, from_decisions
from tactful.experiments.offpolicy.estimators import Estimate, difference, ips, snips
from tactful.experiments.offpolicy.log import Log
from tactful.experiments.offpolicy.predictions import cross_fitted
from tactful.experiments.offpolicy.support import support
from tests.decisions.retailer import CATALOGUE, RETAILER, KnownScorer, compiled, having
from tests.experiments.gated import FITTED, MARKETER, MISTAKEN, REWARDS, SEGMENTS, among, simulated, truth
from tests.proofs import covered, runs


def with_target(log: Log, target: np.ndarray) -> Log:
    return Log(log.choices, log.logged, target, log.rewards, log.customers, log.options)


def pairs(seed: int) -> tuple[Log, Log, np.ndarray]:
    """The learned policy and a bolder one, whose values are known."""
    log, segment = simulated(seed)
    return log, with_target(log, among(log.options, MARKETER[segment])), segment


def marketers_value() -> float:
    """By many decisions of the same shop: the error is a few thousandths."""
    rng = np.random.default_rng(12345)
    segment = rng.choice(3, 400_000, p=SEGMENTS)
    options = rng.random((len(segment), 5)) < np.array([1.0, 0.8, 0.6, 0.7, 0.4])
    return float((among(options, MARKETER[segment]) * REWARDS[segment]).sum(axis=1).mean())


@pytest.mark.parametrize("logs", runs(200, 1000))
@pytest.mark.parametrize("estimator", ["ips", "snips", "doubly_robust", "switch_dr"])
def test_differences_are_unbiased_and_their_intervals_hold_the_truth(estimator: str, logs: int) -> None:
    found: list[Estimate] = []
    for seed in range(logs):
        candidate, incumbent, segment = pairs(seed)
        model = MISTAKEN[segment] if estimator == "doubly_robust" else FITTED[segment]
        found.append(difference(candidate, incumbent, estimator, model))  # type: ignore[arg-type]
    told = truth() - marketers_value()
    values = np.array([estimate.value for estimate in found])
    assert abs(values.mean() - told) < 3 * values.std() / np.sqrt(logs) + 0.003
    least, most = covered(logs)
    assert least <= np.mean([estimate.low <= told <= estimate.high for estimate in found]) <= most


def test_pairing_is_steadier_than_two_estimates() -> None:
    candidate, incumbent, _ = pairs(0)
    apart = np.hypot(snips(candidate).standard_error, snips(incumbent).standard_error)
    assert difference(candidate, incumbent).standard_error < 0.9 * apart


def test_a_policy_differs_from_itself_by_nothing() -> None:
    log, segment = simulated(1)
    for estimator in ("ips", "snips", "direct", "doubly_robust", "switch_dr"):
        found = difference(log, log, estimator, FITTED[segment])
        assert (found.low, found.value, found.high) == (0.0, 0.0, 0.0)


def test_a_cross_fitted_model_serves_both() -> None:
    candidate, incumbent, segment = pairs(2)
    predictions = cross_fitted(candidate, np.eye(3)[segment])
    assert difference(candidate, incumbent, "doubly_robust", predictions).value == pytest.approx(
        truth() - marketers_value(), abs=0.25
    )


def test_mistakes_are_told() -> None:
    candidate, incumbent, _ = pairs(0)
    with pytest.raises(LogError, match=r"logs of other decisions.*at choices"):
        difference(candidate, simulated(1)[0])
    with pytest.raises(LogError, match=r"no predictions.*at doubly_robust"):
        difference(candidate, incumbent, "doubly_robust")
    greedy = with_target(candidate, np.where(candidate.target == candidate.target.max(axis=1, keepdims=True), 1.0, 0.0))
    few = np.arange(60)
    thin = [
        Log(*(getattr(log, name)[few] for name in ("choices", "logged", "target", "rewards", "customers", "options")))
        for log in (greedy, incumbent)
    ]
    with pytest.raises(SupportError, match="cannot be judged"):
        difference(*thin)


def test_two_policies_are_read_from_one_pass_over_the_records() -> None:
    asked = [Request(f"d{i}", having(customer=f"c{i}", features=(30.0, 50.0 + i))) for i in range(120)]
    made = decide(asked, RETAILER, RandomEligible(kind="random"), KnownScorer())
    rewards = {decision.id: float(len(decision.outcome)) for decision in made}
    greedy, careful = Greedy(kind="greedy"), InverseGap(kind="inverse_gap", gamma=2.0)
    one, other = compared(iter(made), rewards, greedy, careful)
    alone = from_decisions(iter(made), rewards, greedy)
    assert one.actions == other.actions == alone.actions
    assert (one.target == alone.target).all()
    assert ips(one, wanted=None) == ips(alone, wanted=None)


def test_another_catalogue_is_judged_by_what_it_would_have_decided() -> None:
    asked = {f"d{i}": Request(f"d{i}", having(customer=f"c{i}")) for i in range(40)}
    policy = RandomEligible(kind="random")
    made = decide(list(asked.values()), RETAILER, policy, KnownScorer())
    rewards = dict.fromkeys(asked, 1.0)
    same = as_decided(lambda d: decide([asked[d.id]], RETAILER, policy, KnownScorer())[0])
    log = from_decisions(made, rewards, same)
    assert (log.target == log.logged).all()
    renamed = compiled(CATALOGUE.replace("id: miss_you", "id: come_home"))
    other = as_decided(lambda d: decide([asked[d.id]], renamed, policy, KnownScorer())[0])
    found = from_decisions(made, rewards, other)
    assert support(found).unsupported == pytest.approx(2 / 5)
    assert "win_back/come_home/mail" in found.actions
