"""The lapse model: who will not buy in the time to come, judged by those who bought lately."""

from dataclasses import replace

from features.dataset import EventDataset
from features.definitions import Aggregation, Feature, FeatureSet, Where
from features.standard import STANDARD
from models.gbm import Parameters
from training.job import Progress, Task, TrainingResult, announce, run
from training.labels import Examples, lapses, span
from training.splits import Split, by_time, snapshots

NAME = "lapse"
PARAMETERS = Parameters()
_PURCHASE = Where(types=("purchase",))


def train(
    dataset: EventDataset,
    *,
    horizon_days: int = 28,
    lookback_days: int = 56,
    feature_set: FeatureSet = STANDARD,
    parameters: Parameters = PARAMETERS,
    progress: Progress | None = None,
) -> TrainingResult:
    """Trains on pooled snapshots about a month apart and tests on the last that has a complete horizon.

    Args:
        dataset: The log; purchases are all it needs.
        horizon_days: A customer lapses who buys nothing in that time.
        lookback_days: The model is judged by the customers who bought in that time before.
        feature_set: What to learn from.
        parameters: Of the fit.
        progress: Told of each step.

    Raises:
        TrainingError: The log is too short or has no purchases.
    """
    announce(progress, "labels")
    moments = snapshots(span(dataset), dataset.zone, horizon_days=horizon_days, lookback_days=lookback_days)
    examples = lapses(dataset, moments, horizon_days=horizon_days, lookback_days=lookback_days)
    task = Task(
        name=NAME,
        examples=examples,
        split=_split(examples),
        baselines=_baselines(lookback_days),
        per_action=False,
        settings={"horizon_days": horizon_days, "lookback_days": lookback_days, "snapshots": len(moments)},
    )
    return run(task, dataset, feature_set, parameters, progress)


def _split(examples: Examples) -> Split:
    """Tests on the last snapshot, validates on the last one settled by then."""
    test_from = int(examples.as_of.max())
    settled = examples.as_of[examples.known <= test_from]
    split = by_time(examples.as_of, examples.known, validation_from=int(settled.max()), test_from=test_from)
    return replace(split, test=split.test & examples.counted)


def _baselines(lookback_days: int) -> dict[str, FeatureSet]:
    frequency = Feature(
        name="purchases",
        family="frequency",
        description="purchases in the lookback",
        aggregation=Aggregation.COUNT,
        where=_PURCHASE,
        window_days=lookback_days,
    )
    recency = Feature(
        name="days_since_purchase",
        family="recency",
        description="days since the last purchase",
        aggregation=Aggregation.DAYS_SINCE_LAST,
        where=_PURCHASE,
    )
    return {"frequency": FeatureSet((frequency,)), "recency": FeatureSet((recency,))}
