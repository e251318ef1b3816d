"""Outcomes of logged decisions within a window, and rows to learn from with the features of the moment.

Labels are a pure function of the log: a late outcome changes the row it belongs to when the rows are built again, and
nothing is ever counted twice.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from tactful.decisions.kernel.decision import SILENCE, Decision
from tactful.decisions.kernel.rewards import MARGIN
from tactful.features.timestamps import microseconds
from tactful.training.data.errors import TrainingError
from tactful.training.data.rows import DecisionRows

_UNDELIVERED = "not delivered"
_TIME = attrgetter("time")


class Delivery(Enum):
    """The end of the contact that a decision reserved; only a sent contact can be answered or rejected."""

    SENT = "sent"
    RESERVED = "reserved"
    RELEASED = "released"
    EXPIRED = "expired"
    BOUNCED = "bounced"
    SUPPRESSED = "suppressed downstream"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something a customer did.

    Attributes:
        kind: A word of the event vocabulary, such as `purchase` or `unsubscribed`.
        time: When, an aware moment.
        value: Margin or spend, in currency.
        decision: Id of the decision it answers, where the sender said so.
    """

    kind: str
    time: datetime
    value: float = 0.0
    decision: str = ""


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A decision with what was known at its moment and what came after.

    Attributes:
        decision: The record.
        features: As logged when it was made, one number a feature; None where they were erased.
        outcomes: Of its customer, in time order, also those before the moment.
        delivery: The end of its contact; silence needs none.
    """

    decision: Decision
    features: Sequence[float] | None
    outcomes: Sequence[Outcome] = ()
    delivery: Delivery = Delivery.UNKNOWN


@dataclass(frozen=True, slots=True)
class Goal:
    """The outcomes that count as an answer. The decision's record says for how long after it they do.

    Attributes:
        kinds: Of outcomes.
        component: The component of the reward that they make known.
        window: How long, where a record does not say: those of earlier kernels, and of erased customers.

    Raises:
        TrainingError: No kind, or a window that is not above 0.
    """

    kinds: tuple[str, ...] = ("purchase", "converted")
    component: str = MARGIN
    window: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        if not self.kinds:
            raise TrainingError("a goal without outcomes", got=0, wanted="kinds of outcomes such as purchase")
        if self.window <= timedelta():
            raise TrainingError("unfit attribution window", got=self.window, wanted="above 0")

    def matures(self, decision: Decision) -> datetime:
        """When the window of a decision ends."""
        return decision.matures(self.component) or decision.moment + self.window

    def longest(self, log: Iterable[LoggedDecision]) -> timedelta:
        """The longest window of a log: that of its silence, which is watched for as long as any message."""
        windows = (self.matures(logged.decision) - logged.decision.moment for logged in log)
        return max(windows, default=self.window)


def every_decision(
    log: Iterable[LoggedDecision], goal: Goal, as_of: datetime, *, feature_names: Sequence[str]
) -> DecisionRows:
    """Rows to learn effects from: contacts and silences, whatever was done, with everything that came after.

    An effect compares a contact with silence over the same time, so that one window, the longest of the log, counts
    for all. An outcome counts for each decision in whose window it lies, also where a message claims it: purchases
    that customers make without a contact are the comparison.

    Contacts that were not delivered are left out, and probabilities become those of a decision that was not left out:
    `p(a) · d(a) / Σ p · d` with the share d of an arm's contacts that were delivered. That is right where delivery
    fails independently of the customer.

    Args:
        log: Decisions in any order.
        goal: The outcomes that count.
        as_of: Now; a decision whose window is open then is left out.
        feature_names: Names of the logged features.

    Returns:
        Rows whose arms are messages by name, silence first.

    Raises:
        TrainingError: Features of another number, or no row is left.
    """
    entries = list(log)
    window = goal.longest(entries)
    rows = _Rows(as_of, tuple(feature_names))
    for logged in entries:
        end = logged.decision.moment + window
        reason = rows.too_young(end) or _forced(logged.decision) or _unusable(logged)
        if reason:
            rows.leave_out(logged, reason)
            continue
        rows.add(logged, end, [o for o in outcomes_within(logged, end) if o.kind in goal.kinds])
    return rows.finish()


def delivered_contacts(
    log: Iterable[LoggedDecision], goal: Goal, as_of: datetime, *, feature_names: Sequence[str]
) -> DecisionRows:
    """Rows to learn responses from: contacts that were delivered, each with what it was answered by.

    An outcome that names its decision counts for that one; any other for the customer's last delivered contact before
    it. The window is the message's own, as it was when the decision was made.

    Args:
        log: Decisions in any order.
        goal: The outcomes that count.
        as_of: Now; a decision whose window is open then is left out.
        feature_names: Names of the logged features.

    Raises:
        TrainingError: Features of another number, or no row is left.
    """
    rows = _Rows(as_of, tuple(feature_names))
    for logged, end, outcomes in answers(log, goal):
        reason = rows.too_young(end) or _unusable(logged)
        if reason:
            rows.leave_out(logged, reason)
            continue
        rows.add(logged, end, outcomes)
    return rows.finish()


def answers(log: Iterable[LoggedDecision], goal: Goal) -> Iterator[tuple[LoggedDecision, datetime, list[Outcome]]]:
    """Each contact with the end of its window and what it is answered by, as `delivered_contacts` says."""
    contacts = [logged for logged in log if logged.decision.choice is not None]
    touches = _touches(contacts)
    for logged in contacts:
        end = goal.matures(logged.decision)
        following = _following(touches[logged.decision.customer], logged.decision.moment)
        yield logged, end, [o for o in outcomes_within(logged, end) if _answers(o, logged, goal, following)]


def arm(decision: Decision) -> str:
    """The arm of a decision for the effect model: the message that was chosen, or silence."""
    return decision.choice.action.message if decision.choice else SILENCE


def outcomes_within(logged: LoggedDecision, end: datetime) -> Sequence[Outcome]:
    """Outcomes in `[moment, end)`."""
    start = bisect_left(logged.outcomes, logged.decision.moment, key=_TIME)
    return logged.outcomes[start : bisect_left(logged.outcomes, end, key=_TIME)]


def worth(outcomes: Sequence[Outcome]) -> float:
    """The value of outcomes: one sale may be reported as a purchase and as a conversion, so kinds do not add up."""
    totals: dict[str, float] = {}
    for outcome in outcomes:
        totals[outcome.kind] = totals.get(outcome.kind, 0.0) + outcome.value
    return max(totals.values(), default=0.0)


def _unusable(logged: LoggedDecision) -> str | None:
    if logged.features is None:
        return "features erased"
    if logged.decision.choice is None or logged.delivery is Delivery.SENT:
        return None
    return f"{_UNDELIVERED}: {logged.delivery.value}"


def _forced(decision: Decision) -> str | None:
    """Silence that nothing could replace compares with nothing."""
    return "no choice but silence" if decision.silence_probability == 1 else None


def _touches(contacts: Sequence[LoggedDecision]) -> dict[str, list[datetime]]:
    """Moments of each customer's delivered contacts, in order."""
    found: dict[str, list[datetime]] = {}
    for logged in contacts:
        moments = found.setdefault(logged.decision.customer, [])
        if logged.delivery is Delivery.SENT:
            moments.append(logged.decision.moment)
    return {customer: sorted(set(moments)) for customer, moments in found.items()}


def _following(moments: Sequence[datetime], moment: datetime) -> datetime | None:
    """The customer's next delivered contact."""
    place = bisect_left(moments, moment) + 1
    return moments[place] if place < len(moments) else None


def _answers(outcome: Outcome, logged: LoggedDecision, goal: Goal, following: datetime | None) -> bool:
    if outcome.kind not in goal.kinds:
        return False
    if outcome.decision:
        return outcome.decision == logged.decision.id
    return following is None or outcome.time < following


class _Rows:
    """Rows as they are gathered."""

    def __init__(self, as_of: datetime, feature_names: tuple[str, ...]) -> None:
        self._left_out: Counter[str] = Counter()
        self._undelivered: Counter[str] = Counter()
        self._as_of = as_of
        self._names = feature_names
        self._arms: dict[str, int] = {SILENCE: 0}
        self._kept: list[tuple[LoggedDecision, datetime, int, float]] = []
        self._open: list[datetime] = []

    def too_young(self, end: datetime) -> str | None:
        """Why a row whose window ends then has no label yet."""
        if end <= self._as_of:
            return None
        self._open.append(end)
        return "window still open"

    def leave_out(self, logged: LoggedDecision, reason: str) -> None:
        """Counts a decision without a row."""
        self._left_out[reason] += 1
        if reason.startswith(_UNDELIVERED):
            self._undelivered[arm(logged.decision)] += 1

    def add(self, logged: LoggedDecision, settled: datetime, outcomes: Sequence[Outcome]) -> None:
        """Takes a row with the outcomes that count for it."""
        if len(logged.features or ()) != len(self._names):
            got, where = len(logged.features or ()), f"decision {logged.decision.id}"
            raise TrainingError("features of another number", got=got, wanted=len(self._names), where=where)
        for candidate in logged.decision.survivors:
            self._arms.setdefault(candidate.action.message, 0)
        self._kept.append((logged, settled, len(outcomes), worth(outcomes)))

    def finish(self) -> DecisionRows:
        """All rows as arrays."""
        if not self._kept:
            left_out = ", ".join(f"{count:,} {reason}" for reason, count in self._left_out.items())
            wanted = (
                f"settled decisions{f': the first is on {min(self._open):%Y-%m-%d %H:%M} UTC' if self._open else ''}"
            )
            raise TrainingError("no decision to learn from", got=left_out or "an empty log", wanted=wanted)
        messages = sorted(self._arms.keys() - {SILENCE})
        self._arms = {name: place for place, name in enumerate((SILENCE, *messages))}
        decisions = [logged.decision for logged, *_ in self._kept]
        taken = np.array([self._arms[arm(decision)] for decision in decisions], dtype=np.int64)
        return DecisionRows(
            ids=np.array([decision.id for decision in decisions], dtype=object),
            customers=np.array([decision.customer for decision in decisions], dtype=object),
            moments=_times([decision.moment for decision in decisions]),
            settled=_times([settled for _, settled, *_ in self._kept]),
            features=np.array([logged.features for logged, *_ in self._kept], dtype=np.float64),
            feature_names=self._names,
            arms=tuple(self._arms),
            taken=taken,
            probabilities=self._probabilities(decisions, taken),
            outcomes=np.array([count > 0 for *_, count, _ in self._kept], dtype=np.float64),
            values=np.array([value for *_, value in self._kept], dtype=np.float64),
            left_out=dict(self._left_out),
            channels=np.array([d.choice.action.channel if d.choice else "" for d in decisions], dtype=object),
        )

    def _probabilities(self, decisions: Sequence[Decision], taken: NDArray[np.int64]) -> NDArray[np.float64]:
        """Of the arms, given that the decision was not left out for want of delivery."""
        logged = np.zeros((len(decisions), len(self._arms)))
        for i, decision in enumerate(decisions):
            logged[i, 0] = decision.silence_probability
            for candidate in decision.survivors:
                logged[i, self._arms[candidate.action.message]] += candidate.probability
        delivered = np.bincount(taken, minlength=len(self._arms))
        lost = np.array([self._undelivered[name] for name in self._arms])
        kept = logged * np.where(lost > 0, delivered / np.maximum(delivered + lost, 1), 1.0)
        return np.asarray(kept / kept.sum(axis=1, keepdims=True))


def _times(moments: Sequence[datetime]) -> NDArray[np.int64]:
    return np.array([microseconds(moment) for moment in moments], dtype=np.int64)
