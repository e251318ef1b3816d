"""Whether what the models learnt still holds: drift of features and scores, calibration, responses, base rates."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from tactful.features.array_types import Floats
from tactful.features.build import build_dataset_pairs
from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import EventDataset
from tactful.features.timestamps import DAY, EARLIEST
from tactful.features.vocabulary import EVENT_TYPES
from tactful.training.data.attribution import Delivery, LoggedDecision
from tactful.training.data.errors import TrainingError
from tactful.training.data.labels import answered, days_after, events_of_type, lapses, log_end, midnight, span
from tactful.training.fit.by_action import ArmCalibration, by_arm, jointly, slope
from tactful.training.fit.drift import UNLIKELY, Drift, RateDrift, drifts, rate_drifts
from tactful.training.fit.job import learnable
from tactful.training.gate.evidence import Reward, predictions_of

ANSWERS = ("redeemed", "converted")
"""Events that answer a contact of the same subject in an imported log."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The result of monitoring.

    Attributes:
        features: Of features and scores.
        rates: Of shares: base rates, contacts and responses by programme.
        calibration: Of recent predictions, by message.
        slope: Of recent predictions, with its interval; empty where there are none.
        rows: How many customers or decisions were compared, then and now.
        times: The compared times: the latest time begins with the first of these moments and ends with the second.
        new: Programmes that were chosen now and not then.
        vanished: Programmes that were chosen then and not now.
    """

    features: tuple[Drift, ...]
    rates: tuple[RateDrift, ...]
    calibration: tuple[ArmCalibration, ...]
    slope: Mapping[str, float | None]
    rows: tuple[int, int]
    times: tuple[datetime, datetime]
    new: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()

    @property
    def alerts(self) -> tuple[str, ...]:
        """One sentence for each change that is large and no accident."""
        found = [_shifted(one) for one in self.features if one.alert]
        found += [
            f"{one.name} went from {one.before:.1%} to {one.after:.1%} (change {one.low:+.1%} to {one.high:+.1%})"
            for one in self.rates
            if one.alert
        ]
        likely = jointly(self.calibration)
        if likely < UNLIKELY:
            off = ", ".join(one.arm for one in self.calibration if not one.holds)
            found.append(f"predictions no longer hold: joint p = {likely:.2g}, {off}")
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON's values."""
        return {
            "alerts": list(self.alerts),
            "features": [{**asdict(one), "alert": one.alert} for one in self.features],
            "rates": [{**asdict(one), "alert": one.alert} for one in self.rates],
            "calibration": [one.as_dict() for one in self.calibration],
            "calibration_p": jointly(self.calibration),
            "slope": dict(self.slope),
            "rows": {"before": self.rows[0], "after": self.rows[1]},
            "programmes": {"new": list(self.new), "vanished": list(self.vanished)},
            "times": {"since": self.times[0].isoformat(), "until": self.times[1].isoformat()},
        }


def watch_decisions(
    log: Iterable[LoggedDecision],
    reward: Reward,
    as_of: datetime,
    *,
    period: timedelta,
    learnt: Container[str] = (),
    feature_set: FeatureSet = STANDARD,
) -> Watch:
    """Compares the decisions of the latest period with those before it.

    Features and scores are compared on each customer's last decision of either time; the share of decisions that
    contact, on all decisions, and answers, on those whose window is over, in means by customer. A programme that was
    chosen in one of the times alone is named: it may be meant, and is no alert.

    Args:
        log: Logged decisions.
        reward: The outcomes that count as an answer; its window becomes the longest of the log.
        as_of: Now.
        period: How long the latest time is.
        learnt: Messages of which the models in use have a learnt effect.
        feature_set: The logged features.

    Raises:
        TrainingError: No decisions in one of the times.
    """
    entries = sorted(log, key=lambda logged: logged.decision.moment)
    since = as_of - period
    before = [logged for logged in entries if logged.decision.moment < since]
    after = [logged for logged in entries if since <= logged.decision.moment <= as_of]
    if not before or not after:
        raise _incomparable(before, after, period, since)
    reward = reward.over(entries)
    settled = [
        [logged for logged in part if logged.decision.moment + reward.window <= as_of] for part in (before, after)
    ]
    held = predictions_of(after, reward, as_of, learnt=learnt)
    programmes = [
        {entry.decision.choice.action.programme for entry in part if entry.decision.choice} for part in (before, after)
    ]
    return Watch(
        tuple(drifts(_numbers(before, feature_set), _numbers(after, feature_set))),
        tuple(
            rate_drifts(
                {"decisions that contact": (_contacting(before), _contacting(after))}
                | _rates(settled[0], settled[1], reward)
            )
        ),
        tuple(by_arm(*held)),
        slope(np.clip(held.predicted, 0.0, 1.0), held.outcomes, held.customers) if held.arms else {},
        (len(before), len(after)),
        (since, as_of),
        new=tuple(sorted(programmes[1] - programmes[0])),
        vanished=tuple(sorted(programmes[0] - programmes[1])),
    )


def _incomparable(
    before: Sequence[LoggedDecision], after: Sequence[LoggedDecision], period: timedelta, since: datetime
) -> TrainingError:
    """The missing data, and the date from which they will be there."""
    got = f"{len(before):,} decisions before, {len(after):,} within the last {period.days} days"
    wanted = f"some before {since:%Y-%m-%d} and some since, made with the present features and rules"
    if after:
        wanted = f"{wanted}; they are there from {after[0].decision.moment + period:%Y-%m-%d} on"
    return TrainingError("nothing to compare", got=got, wanted=wanted)


def watch_events(
    dataset: EventDataset, *, period: timedelta, horizon_days: int = 28, feature_set: FeatureSet = STANDARD
) -> Watch:
    """Compares customers as of the last moment whose outcomes are known with those a period before.

    Features and lapse are of customers with purchases. Answers are of the contacts between the moments, against all
    contacts before them. A log of only one of the two is compared by that one.

    Args:
        dataset: The log.
        period: How far apart the moments lie.
        horizon_days: Of the lapse whose base rate is compared, and how long a contact may be answered.
        feature_set: What to compute.

    Raises:
        TrainingError: Too short a log.
    """
    kinds = _kinds(dataset)
    if not kinds:
        raise TrainingError("nothing to compare", got="no event", wanted="purchases or contacts", where=dataset.folder)
    last = days_after(midnight(log_end(dataset), dataset.zone), -horizon_days, dataset.zone)
    first = days_after(last, -period.days, dataset.zone)
    rates: dict[str, tuple[Floats, Floats]] = {}
    features: list[Drift] = []
    if "purchase" in kinds:
        features, rates["lapse"] = _customers(dataset, first, last, horizon_days, feature_set)
    if "contact" in kinds and kinds & set(ANSWERS):
        contacts = answered_contacts(dataset, horizon_days)
        before, after = contacts["time"] < first, contacts["time"].between(first, last, inclusive="left")
        if before.any() and after.any():
            rates["responses"] = mean_by_customer(contacts[before]), mean_by_customer(contacts[after])
    if not rates:
        wanted = f"purchases, or answered contacts, over {period.days + horizon_days} days and more"
        raise TrainingError("nothing to compare", got=sorted(kinds), wanted=wanted, where=dataset.folder)
    then, now = next(iter(rates.values()))
    return Watch(
        tuple(features),
        tuple(rate_drifts(rates)),
        (),
        {},
        (len(then), len(now)),
        (EARLIEST + timedelta(microseconds=first), EARLIEST + timedelta(microseconds=last)),
    )


def answered_contacts(dataset: EventDataset, window_days: int) -> pd.DataFrame:
    """Contacts, `answered` where the customer redeemed or converted on their subject within the window.

    Args:
        dataset: A log of contacts and answers.
        window_days: How long after a contact an answer to it may come.

    Returns:
        A row for each contact whose window the log covers: `customer_id`, `time` in microseconds, `answered`.

    Raises:
        TrainingError: The log has no answers.
    """
    contacts, kinds = events_of_type(dataset, "contact"), sorted(_kinds(dataset) & set(ANSWERS))
    if not kinds:
        raise TrainingError("contacts without answers", got=0, wanted=" or ".join(ANSWERS), where=dataset.folder)
    answers = pd.concat([events_of_type(dataset, kind) for kind in kinds])
    contacts["end"] = contacts["time"] + window_days * DAY
    contacts["answered"] = answered(contacts, answers)
    return contacts.loc[contacts["end"] <= log_end(dataset), ["customer_id", "time", "answered"]]


def mean_by_customer(contacts: pd.DataFrame) -> Floats:
    """The share of each customer's contacts that were answered."""
    return contacts.groupby("customer_id")["answered"].mean().to_numpy(np.float64)


def _kinds(dataset: EventDataset) -> set[str]:
    """The types of events that a log has."""
    return {EVENT_TYPES[code] for n in range(dataset.buckets) for code in np.unique(dataset.events(n, ["type"]).type)}


def _customers(
    dataset: EventDataset, first: int, last: int, horizon_days: int, feature_set: FeatureSet
) -> tuple[list[Drift], tuple[Floats, Floats]]:
    """Drift of features, and lapse, of customers as of two moments."""
    covered = span(dataset)
    if first <= covered.first:
        wanted = f"{(last - first) / DAY + horizon_days:.0f} days and more"
        raise TrainingError("nothing to compare", got=covered, wanted=wanted)
    examples = lapses(dataset, [first, last], horizon_days=horizon_days, lookback_days=2 * horizon_days)
    customers, as_of = examples.customers[examples.counted], examples.as_of[examples.counted]
    values = build_dataset_pairs(dataset, customers.tolist(), as_of.tolist(), feature_set).values
    then, now = as_of == first, as_of == last
    columns = {name: values[:, feature_set.names.index(name)] for name in learnable(feature_set)}
    positive = examples.positive[examples.counted].astype(np.float64)
    found = drifts({n: c[then] for n, c in columns.items()}, {n: c[now] for n, c in columns.items()})
    return found, (positive[then], positive[now])


def _numbers(entries: Sequence[LoggedDecision], feature_set: FeatureSet) -> dict[str, Floats]:
    """Features and scores of each customer's last decision."""
    last = {logged.decision.customer: logged for logged in entries if logged.features is not None}
    if not last:
        raise TrainingError("nothing to compare", got="no decision with its features", wanted="some")
    table = np.array([logged.features for logged in last.values()], dtype=np.float64)
    names = [name for name in learnable(feature_set) if feature_set.names.index(name) < table.shape[1]]
    found = {name: table[:, feature_set.names.index(name)] for name in names}
    scored = sorted({name for logged in last.values() for name in logged.decision.scores})
    return found | {
        f"score {name}": np.array([logged.decision.scores.get(name, np.nan) for logged in last.values()])
        for name in scored
    }


def _contacting(entries: Sequence[LoggedDecision]) -> Floats:
    return _by_customer((logged.decision.customer, logged.decision.choice is not None) for logged in entries)


def _rates(
    before: Sequence[LoggedDecision], after: Sequence[LoggedDecision], reward: Reward
) -> dict[str, tuple[Floats, Floats]]:
    """Means by customer: of all decisions, of the silent ones, and of delivered contacts by programme."""
    then, now = _answered(before, reward), _answered(after, reward)
    return {name: (then[name], now[name]) for name in sorted(then.keys() & now.keys())}


def _answered(entries: Sequence[LoggedDecision], reward: Reward) -> dict[str, Floats]:
    answers: dict[str, list[tuple[str, bool]]] = {}
    for logged in entries:
        choice = logged.decision.choice
        if choice is None:
            group = "outcomes of silence"
        elif logged.delivery is Delivery.SENT:
            group = f"response to {choice.action.programme}"
        else:
            continue
        for name in ("outcomes of all decisions", group):
            answers.setdefault(name, []).append((logged.decision.customer, bool(reward.outcomes(logged))))
    return {name: _by_customer(told) for name, told in answers.items()}


def _by_customer(told: Iterable[tuple[str, bool]]) -> Floats:
    """The share of yes of each customer."""
    people: dict[str, list[bool]] = {}
    for customer, yes in told:
        people.setdefault(customer, []).append(yes)
    return np.array([np.mean(answers) for answers in people.values()])


def _shifted(one: Drift) -> str:
    missing = (
        f", missing {one.missing_before:.0%} before and {one.missing_after:.0%} now"
        if one.missing_before != one.missing_after
        else ""
    )
    return f"{one.name} shifted: stability index {one.psi:.2f}, q = {one.q:.2g}{missing}"
