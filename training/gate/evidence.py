"""From logged decisions to what the release gate judges: rewards, who left, predictions, and two policies."""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tactful.decisions.analysis.replay import policy_of
from tactful.decisions.kernel.decide import distribution
from tactful.decisions.kernel.decision import Candidate, Decision
from tactful.experiments.offpolicy.decision_log import LEFT_ALONE, Target, compared
from tactful.experiments.offpolicy.predictions import cross_fitted
from tactful.training.data.attribution import (
    Delivery,
    Goal,
    LoggedDecision,
    Outcome,
    answers,
    arm,
    outcomes_within,
    worth,
)
from tactful.training.data.errors import TrainingError, UndecidedError
from tactful.training.fit.by_action import by_arm
from tactful.training.gate.release import Evidence

_LEFT = frozenset(("unsubscribed", "complained"))
_FOLDS = 5
_LEAST = 200

Predicted = Callable[[Decision], Candidate | None]
"""The candidate of a decision's choice with the factors to be judged; None where there are none."""


class Predictions(NamedTuple):
    """The predicted and observed outcomes of contacts; the arguments of `tactful.training.fit.by_action.by_arm`."""

    arms: Sequence[str]
    predicted: NDArray[np.float64]
    outcomes: NDArray[np.float64]
    customers: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Reward:
    """The reward of a decision, in currency: `margin · value − discount if answered − cost of the contact`.

    Attributes:
        goal: The outcomes that count as an answer.
        margin: Share of the outcomes' value that is margin, in (0, 1].
        window: How long after a decision, of contacts and of silence alike.
    """

    goal: Goal = field(default_factory=Goal)
    margin: float = 1.0
    window: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        if not 0 < self.margin <= 1:
            raise TrainingError("unfit margin", got=self.margin, wanted="a share above 0, at most 1")

    def over(self, log: Iterable[LoggedDecision]) -> "Reward":
        """The same in the longest window of a log."""
        return replace(self, window=self.goal.longest(log))

    def outcomes(self, logged: LoggedDecision) -> Sequence[Outcome]:
        """The outcomes that count."""
        end = logged.decision.moment + self.window
        return [outcome for outcome in outcomes_within(logged, end) if outcome.kind in self.goal.kinds]

    def of(self, logged: LoggedDecision) -> float:
        """The reward of a settled decision."""
        outcomes = self.outcomes(logged)
        earned = self.margin * worth(outcomes)
        choice = logged.decision.choice
        if choice is None or choice.factors is None:
            return earned
        return earned - choice.factors.cost - (choice.factors.discount if outcomes else 0.0)


def gather(
    log: Iterable[LoggedDecision],
    reward: Reward,
    as_of: datetime,
    candidate: Target,
    *,
    predicted: Predicted | None = None,
    learnt: Container[str] = (),
    learnt_before: Container[str] = (),
) -> Evidence:
    """The evidence for a candidate against the policy that each decision was made by.

    All settled decisions count, also those whose contact was not delivered: another policy's would not have been
    either. In the uniform stratum both policies are judged as if they had decided there.

    Args:
        log: Logged decisions.
        reward: The reward of a decision; its window becomes the longest of the log.
        as_of: Now; a decision whose window is open then is left out.
        candidate: What to judge.
        predicted: The choice's factors as the candidate has them, for calibration; None for a candidate that makes no
            predictions of its own, such as a policy.
        learnt: Messages of which the candidate has a learnt effect.
        learnt_before: The same of what is in use.

    Raises:
        UndecidedError: No decision is settled, or nothing that counts came after any of them.
        LogError: A record contradicts itself.
    """
    entries = list(log)
    reward = reward.over(entries)
    settled = [logged for logged in entries if logged.decision.moment + reward.window <= as_of]
    if not settled:
        got, wanted = f"{len(entries):,} decisions to judge by", f"some older than {reward.window.days} days"
        if entries:
            first = min(logged.decision.moment for logged in entries) + reward.window
            wanted = f"{wanted}: the first is on {first:%Y-%m-%d %H:%M} UTC"
        raise UndecidedError("cannot be judged: no decision is settled", got=got, wanted=wanted)
    if not any(reward.outcomes(logged) for logged in settled):
        got, wanted = f"{len(settled):,} decisions and none", " or ".join(reward.goal.kinds)
        raise UndecidedError("cannot be judged: no outcome", got=got, wanted=f"{wanted} after some of them")
    rewards = {logged.decision.id: reward.of(logged) for logged in settled}
    logs = compared((logged.decision for logged in settled), rewards, candidate, of_record)
    known = [logged.features for logged in settled]
    predictions = None
    if len(settled) >= _LEAST and logs[0].customer_count >= _FOLDS and all(row is not None for row in known):
        predictions = cross_fitted(logs[0], _varying(np.nan_to_num(np.array(known, dtype=np.float64))), folds=_FOLDS)
    left = np.array([_left(logged, reward.window) for logged in settled], dtype=bool)
    if predicted is None:
        return Evidence(*logs, left, predictions)

    def recorded(decision: Decision) -> Candidate | None:
        """Where the candidate tells something too: the same contacts judge both."""
        return None if predicted(decision) is None else decision.choice

    both = ((predicted, learnt), (recorded, learnt_before))
    held = [by_arm(*predictions_of(entries, reward, as_of, told, known_of)) for told, known_of in both]
    return Evidence(*logs, left, predictions, *held)


def judged_since(learnt_until: datetime | None, since: datetime | None, where: object) -> datetime:
    """From when on decisions may judge models: they were made after the last outcome that the models learnt from.

    Args:
        learnt_until: The bundle's moment, see `tactful.models.bundles.bundle.Bundle.learnt_until`.
        since: A later moment that was asked for, or one for models that do not say; None for none.
        where: The bundle.

    Raises:
        UndecidedError: The models do not say, and no moment was asked for.
        TrainingError: The moment that was asked for is earlier than what they learnt from.

    Example:
        >>> from datetime import UTC
        >>> judged_since(datetime(2026, 3, 1, tzinfo=UTC), None, "var/bundle").isoformat()
        '2026-03-01T00:00:00+00:00'
    """
    if since is None and learnt_until is None:
        got, wanted = "models that do not say until when they learnt", "--since, or models trained anew"
        raise UndecidedError("cannot be judged", got=got, wanted=wanted, where=where)
    if since is not None and learnt_until is not None and since < learnt_until:
        got, wanted = since.isoformat(), f"{learnt_until.isoformat()} or later"
        raise TrainingError(
            "decisions that the models learnt from cannot judge them", got=got, wanted=wanted, where=where
        )
    known = [moment for moment in (learnt_until, since) if moment is not None]
    return max(known)


def judged_from(log: Iterable[LoggedDecision], as_of: datetime, period: timedelta) -> datetime | None:
    """The moment after which nothing may be settled that is learnt from, so that the latest decisions can judge.

    Equal logs give equal moments, as long as no further decision settles.

    Args:
        log: Logged decisions.
        as_of: Now.
        period: For how long the settled decisions before the last one are kept to judge by.

    Returns:
        None where no decision is settled.
    """
    entries = list(log)
    window = Reward().over(entries).window
    settled = [moment for logged in entries if (moment := logged.decision.moment) + window <= as_of]
    return max(settled) - period if settled else None


def of_record(decision: Decision) -> dict[tuple[str, str], float]:
    """The distribution of a decision's policy by its record, whatever stratum the customer was in."""
    survivors = list(decision.survivors)
    *chances, silence = distribution(survivors, policy_of(decision), f"{decision.seed}:{decision.id}").tolist()
    told = zip(survivors, chances, strict=True)
    return {LEFT_ALONE: silence, **{(one.action.id, one.opening): chance for one, chance in told}}


def _recorded(decision: Decision) -> Candidate | None:
    return decision.choice


def _varying(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bounded columns that vary: a ridge regression of rewards needs no others."""
    low, high = np.quantile(features, [0.01, 0.99], axis=0)
    bounded = np.clip(features, low, high)
    return np.asarray(bounded[:, np.ptp(bounded, axis=0) > 0])


def _left(logged: LoggedDecision, window: timedelta) -> bool:
    end = logged.decision.moment + window
    return any(outcome.kind in _LEFT for outcome in outcomes_within(logged, end))


def predictions_of(
    log: Iterable[LoggedDecision],
    reward: Reward,
    as_of: datetime,
    predicted: Predicted = _recorded,
    learnt: Container[str] = (),
) -> Predictions:
    """Predicted and observed responses of the contacts that were delivered.

    A model of effects predicts any outcome in the window of all, as
    `tactful.training.data.attribution.every_decision` labels it; every other model predicts an answer in the
    message's own window, as `delivered_contacts` labels it.

    Args:
        log: Logged decisions.
        reward: The outcomes that count as an answer, and the longest window.
        as_of: Now; a decision whose longest window is open then is left out.
        predicted: The choice with the factors to be judged; the record's by default.
        learnt: Messages whose response is a learnt baseline and effect.
    """
    rows = []
    for logged, _, answered in answers(log, reward.goal):
        settled = logged.delivery is Delivery.SENT and logged.decision.moment + reward.window <= as_of
        found = predicted(logged.decision) if settled else None
        if found is None or found.factors is None:
            continue
        name, factors = arm(logged.decision), found.factors
        outcomes = reward.outcomes(logged) if name in learnt and factors.baseline > 0 else answered
        rows.append((name, factors.response, float(bool(outcomes)), logged.decision.customer))
    arms, responses, happened, customers = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Predictions(arms, np.array(responses), np.array(happened), np.array(customers, dtype=object))
