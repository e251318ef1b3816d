"""The lapse model: who will not buy in the time to come, judged by those who bought lately."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from tactful.features.definitions.definitions import Aggregation, Feature, FeatureSet, Where
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import EventDataset
from tactful.features.timestamps import DAY
from tactful.models.base.gbm import Parameters
from tactful.training.data.labels import Examples, Span, lapses, span
from tactful.training.data.splits import Split, by_time, snapshots
from tactful.training.fit.baselines import Baseline, Logit, NoPurchase
from tactful.training.fit.job import History, Progress, Task, TrainingResult, report_step, run

NAME = "lapse"
PARAMETERS = Parameters()
ALL_DAYS = 36_525
_PURCHASE = Where(types=("purchase",))


def train(
    dataset: EventDataset,
    *,
    horizon_days: int = 28,
    lookback_days: int | None = 56,
    moments: Sequence[int] | None = None,
    rivals: Mapping[str, Baseline] = MappingProxyType({}),
    feature_set: FeatureSet = STANDARD,
    parameters: Parameters = PARAMETERS,
    progress: Progress | None = None,
) -> TrainingResult:
    """Trains on pooled snapshots about a month apart and tests on the last that has a complete horizon.

    Args:
        dataset: The log; purchases are all it needs.
        horizon_days: A customer lapses who buys nothing in that time.
        lookback_days: The model is judged by the customers who bought in that time before; None for all who ever did.
        moments: Of the snapshots, microseconds since the epoch, ascending; about a month apart by default.
        rivals: Further baselines.
        feature_set: What to learn from.
        parameters: Of the fit.
        progress: Told of each step.

    Raises:
        TrainingError: The log is too short or has no purchases.
    """
    report_step(progress, "labels")
    covered, lookback = span(dataset), lookback_days or ALL_DAYS
    if moments is None:
        moments = snapshots(covered, dataset.zone, horizon_days=horizon_days, lookback_days=lookback)
    examples = lapses(dataset, moments, horizon_days=horizon_days, lookback_days=lookback)
    split = _split(examples)
    task = Task(
        name=NAME,
        label=f"no purchase in {horizon_days} days",
        examples=examples,
        split=split,
        baselines={**_baselines(horizon_days, lookback), **rivals},
        per_action=False,
        settings={"horizon_days": horizon_days, "lookback_days": lookback, "snapshots": len(moments)},
        history=_history(examples, split, covered),
        outlook_days=horizon_days,
    )
    return run(task, dataset, feature_set, parameters, progress)


def _history(examples: Examples, split: Split, covered: Span) -> History:
    learnt, tested = (int(examples.as_of[mask].max()) for mask in (split.pool, split.test))
    return History((learnt - covered.first) / DAY, (tested - covered.first) / DAY)


def _split(examples: Examples) -> Split:
    """Tests on the last snapshot, validates on the last one settled by then."""
    test_from = int(examples.as_of.max())
    settled = examples.as_of[examples.known <= test_from]
    split = by_time(examples.as_of, examples.known, validation_from=int(settled.max()), test_from=test_from)
    return replace(split, test=split.test & examples.counted)


def _baselines(horizon_days: int, lookback_days: int) -> dict[str, FeatureSet | Baseline]:
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
    return {
        "frequency": FeatureSet((frequency,)),
        "recency": FeatureSet((recency,)),
        "rfm": Logit(),
        "bgnbd": NoPurchase(horizon_days),
    }
