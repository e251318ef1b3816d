"""The model of contact pressure: who leaves after one more contact, from delivered contacts and what followed."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactful.decisions.catalogue.objective import Fatigue
from tactful.decisions.kernel.rewards import LEAVING, LEAVING_WINDOW
from tactful.features.build import build_dataset_pairs
from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import EventDataset
from tactful.features.timestamps import DAY
from tactful.features.vocabulary import EVENT_TYPES
from tactful.models.base.metrics import Outcomes
from tactful.models.scores.frequency import PressureModel
from tactful.training.data.attribution import Goal
from tactful.training.data.errors import TrainingError
from tactful.training.data.labels import span
from tactful.training.data.rows import DecisionRows
from tactful.training.data.splits import TEST_SHARE, latest_share
from tactful.training.figures.candidate_plots import tenths
from tactful.training.fit.by_action import of_fit, slope
from tactful.training.fit.candidate import Candidate, latest
from tactful.training.fit.evaluation import as_json
from tactful.training.fit.job import Progress, report_step

NAME = "unsubscribe"
COLUMNS = ("contacts_7d", "contacts_28d")
LEFT = ("unsubscribed", "complained")
"""What counts as leaving: either withdraws our reach, or is about to."""

GOAL = Goal(LEFT, LEAVING, LEAVING_WINDOW)
"""What contacts of logged decisions are labelled with."""

WINDOW_DAYS = LEAVING_WINDOW.days
_LEAST_LIKELY = 0.01
_LEAST_EXPECTED = 5.0
_MOST_TOLD = 4
_CONTACT = EVENT_TYPES.index("contact")
_LEAVING = [EVENT_TYPES.index(kind) for kind in LEFT]


@dataclass(frozen=True, slots=True, eq=False)
class Pressed:
    """Delivered contacts and who left after them.

    Attributes:
        customers: Shape (n,), like all that follow but `contacts`.
        moments: When, microseconds since the epoch.
        settled: When the window after each ended.
        contacts: Recent contacts before each, a column for each of `COLUMNS`, shape (n, k).
        left: Whether the customer left within the window.
        digest: Of what they come from.
    """

    customers: NDArray[np.object_]
    moments: NDArray[np.int64]
    settled: NDArray[np.int64]
    contacts: NDArray[np.float64]
    left: NDArray[np.bool_]
    digest: str


def from_log(rows: DecisionRows) -> Pressed:
    """Contacts of logged decisions, labelled with `GOAL`."""
    return Pressed(rows.customers, rows.moments, rows.settled, rows.columns(COLUMNS), rows.outcomes > 0, rows.digest)


def from_events(dataset: EventDataset, feature_set: FeatureSet = STANDARD) -> Pressed:
    """Contacts of an imported log; a leaving counts for the customer's last contact before it, if within its window.

    So each leaving is one contact's, and the risk is that of one contact more, as where decisions were logged.

    Raises:
        TrainingError: The log has no contacts, or nobody ever unsubscribes or complains: it cannot show who leaves.
    """
    customers, moments, left = [], [], []
    leavings, end = 0, span(dataset).end
    for events in (dataset.events(number, ["type"]) for number in range(dataset.buckets)):
        owner = np.repeat(np.arange(len(events.customers)), np.diff(events.starts))
        contact, leaving = events.type == _CONTACT, np.isin(events.type, _LEAVING)
        leavings += int(leaving.sum())
        chosen = np.flatnonzero(contact & (events.time + WINDOW_DAYS * DAY <= end))
        customers.append(events.customers[owner[chosen]])
        moments.append(events.time[chosen])
        left.append(_left(owner, events.time, leaving, contact)[chosen])
    who, when = np.concatenate(customers), np.concatenate(moments)
    if not len(when) or not leavings:
        got = f"{len(when):,} contacts, {leavings:,} unsubscriptions and complaints"
        raise TrainingError("a log that cannot show who leaves", got=got, wanted="some of both", where=dataset.folder)
    frame = build_dataset_pairs(dataset, who.tolist(), when.tolist(), feature_set)
    places = [feature_set.names.index(name) for name in COLUMNS]
    settled = when + WINDOW_DAYS * DAY
    return Pressed(who, when, settled, frame.values[:, places], np.concatenate(left), dataset.digest)


def train(
    pressed: Pressed,
    fatigue: Fatigue,
    *,
    judged_from: int | None = None,
    feature_set: FeatureSet = STANDARD,
    progress: Progress | None = None,
) -> Candidate:
    """Fits to all contacts, after testing on the latest what the earlier ones would have said.

    Where decisions are to judge the model afterwards, it is the one that learnt from what was settled before them.

    Args:
        pressed: The contacts.
        fatigue: The catalogue's statement, which the fit is drawn to.
        judged_from: Nothing settled later is learnt from, microseconds since the epoch; None for no such bound.
        feature_set: The features that the service computes.
        progress: Told of each step.

    Raises:
        TrainingError: Too short a log.
    """
    stated = settings(fatigue)
    risk, growth = stated["risk"], stated["growth"]
    test_from = latest_share(pressed.moments, TEST_SHARE) if judged_from is None else judged_from
    pool, test = pressed.settled <= test_from, pressed.moments >= test_from
    learnt = np.ones_like(pool) if judged_from is None else pool
    if not pool.any() or not test.any():
        raise TrainingError("too short a log to split", got=f"{len(pressed.moments)} contacts", wanted="weeks of them")
    report_step(progress, "fit")
    earlier, model = (
        PressureModel.fit(
            pressed.contacts[rows], pressed.left[rows], COLUMNS, risk=risk, growth=growth, data_digest=pressed.digest
        )
        for rows in (pool, learnt)
    )
    report_step(progress, "evaluation")
    risk_told = earlier.score(pressed.contacts[test])
    metrics = _metrics(pressed, pool, test, risk_told) | _held(pressed, pool, test, earlier)
    summary = {name: metrics[name] for name in ("log_loss", "n", "positives", "by_action_p")}
    return Candidate(
        name=NAME,
        model=replace(model, metrics=summary, learnt_until=latest(pressed.settled[learnt])),
        feature_set=feature_set,
        data_digest=pressed.digest,
        parameters=stated,
        metrics=metrics
        | {"intercept": model.intercept, "slopes": dict(zip(COLUMNS, model.slopes.tolist(), strict=True))},
        refusals=_refusals(metrics),
        figures=lambda: {
            "calibration": tenths(risk_told, pressed.left[test].astype(np.float64), title=NAME, unit="probability")
        },
    )


def settings(fatigue: Fatigue) -> dict[str, float]:
    """The belief that the fit is drawn to; one in a thousand where a catalogue states no risk."""
    return {"risk": fatigue.risk or 0.001, "growth": fatigue.growth}


def _left(
    owner: NDArray[np.int64], time: NDArray[np.int64], leaving: NDArray[np.bool_], contact: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether a leaving of the same customer follows each event within the window, and before the next contact."""
    new = np.append(True, (np.diff(owner) > 0) | (np.diff(time) > 0))
    place = np.arange(len(time))
    first = np.maximum.accumulate(np.where(new, place, 0))
    later = _next(new)[place + 1]
    left, again = _next(leaving)[first], _next(contact)[later]
    owner, time = np.append(owner, -1), np.append(time, 0)
    ends = time[:-1] + WINDOW_DAYS * DAY
    ends = np.where(owner[again] == owner[:-1], np.minimum(ends, time[again]), ends)
    return np.asarray((owner[left] == owner[:-1]) & (time[left] < ends), dtype=np.bool_)


def _next(marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The place of the first marked event at or after each, n where there is none, shape (n + 1,)."""
    places = np.where(np.append(marked, True), np.arange(len(marked) + 1), len(marked))
    return np.minimum.accumulate(places[::-1])[::-1]


def _metrics(
    pressed: Pressed, pool: NDArray[np.bool_], test: NDArray[np.bool_], risk: NDArray[np.float64]
) -> dict[str, Any]:
    left, customers = pressed.left[test], pressed.customers[test]
    outcomes = Outcomes.of(left, customers.astype(str))
    constant = np.full(len(risk), max(float(pressed.left[pool].mean()), 1 / (2 * int(pool.sum()))))
    model, simple = outcomes.log_loss(risk), outcomes.log_loss(constant)
    found = outcomes.estimate({"log_loss": model, "constant": simple, "gain": simple - model})
    return {
        "log_loss": as_json(found["log_loss"]),
        "slope": slope(risk, left.astype(np.float64), customers),
        "baselines": {
            "constant": {"log_loss": as_json(found["constant"]), "log_loss_gain": as_json(found["gain"])},
        },
        "n": len(left),
        "positives": int(left.sum()),
        "rows": {"pool": int(pool.sum()), "test": int(test.sum())},
    }


def _held(pressed: Pressed, pool: NDArray[np.bool_], test: NDArray[np.bool_], earlier: PressureModel) -> dict[str, Any]:
    """Whether the risks held on later contacts, by how often the customer was contacted."""
    contacts = pressed.contacts[test]
    risk = earlier.score(contacts)
    arms, likely = of_fit(
        _bands(contacts[:, 0], risk),
        risk,
        pressed.left[test].astype(np.float64),
        pressed.customers[test],
        earlier.gradients(contacts),
        earlier.covariance(pressed.contacts[pool], pressed.left[pool], pressed.customers[pool]),
    )
    return {"by_action": [one.as_dict() for one in arms], "by_action_p": likely}


def _bands(week: NDArray[np.float64], risk: NDArray[np.float64]) -> list[str]:
    """Contacts in 7 days as ranges, each of which should lose five customers: a normal test asks for so many.

    Source: Cochran (1954), Some Methods for Strengthening the Common χ² Tests.
    """
    count = np.minimum(np.nan_to_num(week), _MOST_TOLD).astype(np.int64)
    expected = np.bincount(count, risk, _MOST_TOLD + 1)
    starts, lost = [0], 0.0
    for number in range(_MOST_TOLD + 1):
        if lost >= _LEAST_EXPECTED and expected[number:].sum() >= _LEAST_EXPECTED:
            starts.append(number)
            lost = 0.0
        lost += expected[number]
    ends = [*(start - 1 for start in starts[1:]), None]
    names = [
        f"{start}{'+' if end is None else '' if end == start else f' to {end}'} in 7 days"
        for start, end in zip(starts, ends, strict=True)
    ]
    return [names[place] for place in np.searchsorted(starts, count, side="right") - 1]


def _refusals(metrics: dict[str, Any]) -> tuple[str, ...]:
    reasons = []
    gain = metrics["baselines"]["constant"]["log_loss_gain"]
    if gain["high"] is not None and gain["high"] < 0:
        reasons.append("worse than one risk for all")
    if metrics["by_action_p"] < _LEAST_LIKELY:
        reasons.append(f"risks did not hold on later contacts: joint p = {metrics['by_action_p']:.4f}")
    return tuple(reasons)
