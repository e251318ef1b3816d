"""The value model: what a customer will be worth over a year, learnt from spend in the windows a log can show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactful.features.array_types import Floats
from tactful.features.build import build_dataset_pairs
from tactful.features.definitions.definitions import FeatureSet
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import EventDataset
from tactful.features.timestamps import DAY
from tactful.features.vocabulary import EVENT_TYPES
from tactful.models.base.gbm import Parameters
from tactful.models.base.metrics import Estimate
from tactful.models.base.model import Model
from tactful.models.scores.value import PARAMETERS, ValueModel, deviance, fit_spend
from tactful.training.data.errors import TrainingError
from tactful.training.data.labels import days_after, iso_date, midnight, span
from tactful.training.figures.candidate_plots import tenths
from tactful.training.figures.plots import importance
from tactful.training.fit.candidate import Candidate, Interval, above, latest, shown
from tactful.training.fit.evaluation import as_json
from tactful.training.fit.job import Progress, learnable, report_step

NAME = "clv"
HORIZON = 365
WINDOW = 84
_STEP = 28
_DRAWS = 1000
_MAX_BIAS = 0.1
_LEAST = 0.01
_PURCHASE = EVENT_TYPES.index("purchase")


@dataclass(frozen=True, slots=True, eq=False)
class Spends:
    """The spend in the window after a moment of customers who had bought before it.

    Attributes:
        customers: Ids, shape (n,).
        moments: Microseconds since the epoch, shape (n,).
        spend: In currency, refunds not deducted, shape (n,).
    """

    customers: NDArray[np.object_]
    moments: NDArray[np.int64]
    spend: Floats


def spends(dataset: EventDataset, moments: list[int], window_days: int) -> Spends:
    """A row for each customer and moment with a purchase before."""
    customers, as_of, spend = [], [], []
    for events in (dataset.events(number, ["type", "amount"]) for number in range(dataset.buckets)):
        if not len(events):
            continue
        bought, starts = events.type == _PURCHASE, events.starts[:-1]
        for moment in moments:
            end = days_after(moment, window_days, dataset.zone)
            known = np.logical_or.reduceat(bought & (events.time < moment), starts)
            within = bought & (events.time >= moment) & (events.time < end)
            total = np.add.reduceat(np.where(within, np.maximum(events.amount, 0.0), 0.0), starts)
            customers.append(events.customers[known])
            as_of.append(np.full(int(known.sum()), moment))
            spend.append(total[known])
    return Spends(np.concatenate(customers), np.concatenate(as_of), np.concatenate(spend))


def train(
    dataset: EventDataset,
    *,
    horizon_days: int = HORIZON,
    window_days: int = WINDOW,
    margin: float = 1.0,
    judged_from: int | None = None,
    feature_set: FeatureSet = STANDARD,
    parameters: Parameters = PARAMETERS,
    progress: Progress | None = None,
) -> Candidate:
    """Learns spend in a window from pooled snapshots and tests it on the last window of the log.

    The test covers the window. How many windows the horizon counts as rests on the retention of spend from one
    window to the next, measured before the test, or taken as whole where the log is too short to show it.

    Args:
        dataset: The log.
        horizon_days: The horizon of the score.
        window_days: The window that is learnt and tested.
        margin: Share of spend that is margin, in (0, 1].
        judged_from: Outcomes settled later are not learnt from, microseconds since the epoch; None for no such bound.
        feature_set: What to learn from.
        parameters: Of the fit.
        progress: Told of each step.

    Raises:
        TrainingError: The log is too short, or the margin is none.
    """
    if not 0 < margin <= 1:
        raise TrainingError("unfit margin", got=margin, wanted="a share above 0, at most 1")
    report_step(progress, "labels")
    moments = _moments(dataset, window_days, judged_from)
    labelled = spends(dataset, moments, window_days)
    test = labelled.moments == moments[-1]
    ends = {moment: days_after(moment, window_days, dataset.zone) for moment in moments}
    settled = [moment for moment in moments if ends[moment] <= moments[-1]]
    pool = np.isin(labelled.moments, settled)
    if not (pool.any() and test.any() and labelled.spend[pool].any()):
        wanted = f"spend before and after {iso_date(moments[-1])}"
        raise TrainingError("too short a log for a value", got=f"{int(pool.sum())} settled rows", wanted=wanted)
    report_step(progress, "features")
    frame = build_dataset_pairs(dataset, labelled.customers.tolist(), labelled.moments.tolist(), feature_set)
    columns = learnable(feature_set)
    rows = frame.values[:, [feature_set.names.index(name) for name in columns]]
    report_step(progress, "fit")
    trees = fit_spend(rows[pool], labelled.spend[pool], columns, parameters)
    retention, measured = _retention(labelled, {moment: ends[moment] for moment in settled})
    model = ValueModel(trees, window_days, horizon_days, retention, margin, dataset.digest)
    report_step(progress, "evaluation")
    past = _past_spend(dataset, labelled, window_days, pool)
    expected = {"": trees.predict(rows[test]), "past spend": past[test]}
    metrics = _metrics(labelled.spend[test], expected) | {
        "retention": {"windows": measured, "value": retention},
        "extension": model.extension,
        "rows": {"pool": int(pool.sum()), "test": int(test.sum())},
        "test_from": iso_date(moments[-1]),
    }
    observed, features = labelled.spend[test], rows[test]
    summary = {name: metrics[name] for name in ("deviance", "absolute_error", "bias", "n")}
    return Candidate(
        name=NAME,
        label=f"spend in {window_days} days",
        model=replace(model, metrics=summary, learnt_until=latest(np.array([ends[moment] for moment in settled]))),
        feature_set=feature_set,
        data_digest=dataset.digest,
        parameters=settings(horizon_days, window_days, margin, parameters),
        metrics=metrics,
        refusals=_refusals(metrics),
        tolerances={"deviance": 0.05},
        gains_over=lambda champion: _gains(champion, columns, features, observed, expected[""]),
        figures=lambda: {
            "calibration": tenths(expected[""], observed, title=f"{NAME}: {window_days} days", unit="currency"),
            "importance": importance(trees.importance(), title=NAME),
        },
    )


def settings(horizon_days: int, window_days: int, margin: float, parameters: Parameters) -> dict[str, Any]:
    """The dependencies of the model besides the log."""
    return {"horizon_days": horizon_days, "window_days": window_days, "margin": margin, **parameters.as_dict()}


def _moments(dataset: EventDataset, window_days: int, judged_from: int | None) -> list[int]:
    """Midnights four weeks apart, oldest first: the last is a window before the end of the log, or the bound."""
    covered = span(dataset)
    last = days_after(midnight(covered.end, dataset.zone), -window_days, dataset.zone)
    moments = [last if judged_from is None else min(last, midnight(judged_from, dataset.zone))]
    while (earlier := days_after(moments[0], -_STEP, dataset.zone)) >= covered.first + _STEP * DAY:
        moments.insert(0, earlier)
    return moments


def _retention(labelled: Spends, ends: Mapping[int, int]) -> tuple[float, int]:
    """Spend of a window over that of the one before, for customers known before both; and how many pairs told.

    Args:
        labelled: Spend in the windows.
        ends: Of the windows that are over before the test, by the moment they begin at.
    """
    before, after, pairs = 0.0, 0.0, 0
    for moment, following in ends.items():
        if following not in ends:
            continue
        then = labelled.moments == moment
        known = np.isin(labelled.customers, labelled.customers[then])
        before += float(labelled.spend[then].sum())
        after += float(labelled.spend[known & (labelled.moments == following)].sum())
        pairs += 1
    return (min(1.0, after / before), pairs) if before > 0 and after > 0 else (1.0, 0)


def _past_spend(dataset: EventDataset, labelled: Spends, window_days: int, pool: NDArray[np.bool_]) -> Floats:
    """A straight line from the spend of the window before to that of the window after, at least a cent."""
    spent = _spent_before(dataset, labelled, window_days)
    slope, level = np.polyfit(spent[pool], labelled.spend[pool], 1)
    return np.asarray(np.maximum(level + slope * spent, _LEAST))


def _spent_before(dataset: EventDataset, labelled: Spends, window_days: int) -> Floats:
    moments = np.unique(labelled.moments)
    earlier = [days_after(int(moment), -window_days, dataset.zone) for moment in moments]
    found = np.zeros(len(labelled.spend))
    for moment, start in zip(moments.tolist(), earlier, strict=True):
        rows = np.flatnonzero(labelled.moments == moment)
        before = spends_between(dataset, start, moment)
        found[rows] = [before.get(customer, 0.0) for customer in labelled.customers[rows].tolist()]
    return found


def spends_between(dataset: EventDataset, start: int, end: int) -> dict[str, float]:
    """The spend of each customer in `[start, end)`."""
    found: dict[str, float] = {}
    for events in (dataset.events(number, ["type", "amount"]) for number in range(dataset.buckets)):
        if len(events):
            within = (events.type == _PURCHASE) & (events.time >= start) & (events.time < end)
            total = np.add.reduceat(np.where(within, np.maximum(events.amount, 0.0), 0.0), events.starts[:-1])
            found.update(zip(events.customers.tolist(), total.tolist(), strict=True))
    return found


def _metrics(spend: Floats, expected: Mapping[str, Floats]) -> dict[str, Any]:
    """Figures of the test window, each with a 95 % interval from draws of customers, who have a row each."""
    draws = np.random.default_rng(0).multinomial(len(spend), np.full(len(spend), 1 / len(spend)), _DRAWS)
    counts = np.vstack([np.ones(len(spend)), draws])
    means = {
        (name, "deviance"): counts @ deviance(spend, predicted) / len(spend) for name, predicted in expected.items()
    }
    means |= {
        (name, "absolute_error"): counts @ np.abs(spend - predicted) / len(spend)
        for name, predicted in expected.items()
    }
    means |= {(name, "bias"): counts @ predicted / (counts @ spend) - 1 for name, predicted in expected.items()}
    for name in filter(None, expected):
        for metric in ("deviance", "absolute_error"):
            means[name, f"{metric}_gain"] = means[name, metric] - means["", metric]
    found = {key: as_json(_reflected(values)) for key, values in means.items()}
    baselines = [name for name in expected if name]
    return {
        **{metric: one for (name, metric), one in found.items() if not name},
        "n": len(spend),
        "mean_spend": float(spend.mean()),
        "baselines": {
            baseline: {metric: one for (name, metric), one in found.items() if name == baseline}
            for baseline in baselines
        },
    }


def _reflected(values: Floats) -> Estimate:
    """The first value, its interval from the others, reflected about it (Davison and Hinkley 1997, section 5.2)."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Estimate(float(values[0]), float(2 * values[0] - high), float(2 * values[0] - low))


def _refusals(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    reasons = []
    for name, baseline in metrics["baselines"].items():
        if not above(baseline["deviance_gain"], 0.0):
            reasons.append(f"not better than {name} alone: deviance gain {shown(baseline['deviance_gain'])}")
    bias = metrics["bias"]
    if bias["low"] > _MAX_BIAS or bias["high"] < -_MAX_BIAS:
        reasons.append(f"off in total: {shown(bias)} of what was spent, within {_MAX_BIAS:.0%} wanted")
    return tuple(reasons)


def _gains(champion: Model, columns: tuple[str, ...], rows: Floats, spend: Floats, mine: Floats) -> dict[str, Interval]:
    """Deviance of another model's window less that of this one's, where both read the same columns."""
    if not isinstance(champion, ValueModel) or not set(champion.customer_columns) <= set(columns):
        return {}
    theirs = champion.trees.predict(rows[:, [columns.index(name) for name in champion.customer_columns]])
    off: Iterator[Floats] = (deviance(spend, np.maximum(one, _LEAST)) for one in (theirs, mine))
    gains = next(off) - next(off)
    error = 1.96 * float(gains.std(ddof=1)) / np.sqrt(len(gains))
    mean = float(gains.mean())
    return {"deviance": {"value": mean, "low": mean - error, "high": mean + error}}
