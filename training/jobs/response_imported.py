"""The response model: which offer a customer will answer."""

import pandas as pd

from tactful.features.definitions.definitions import Aggregation, Feature, FeatureSet, Where
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import EventDataset
from tactful.models.base.gbm import Parameters
from tactful.training.data.labels import responses
from tactful.training.data.splits import by_share
from tactful.training.fit.job import Progress, Task, TrainingResult, report_step, run

NAME = "response"
PARAMETERS = Parameters()


def train(
    dataset: EventDataset,
    campaigns: pd.DataFrame | None = None,
    *,
    window_days: float | None = None,
    judged_from: int | None = None,
    feature_set: FeatureSet = STANDARD,
    parameters: Parameters = PARAMETERS,
    progress: Progress | None = None,
) -> TrainingResult:
    """Trains on the contacts of earlier campaigns and tests on those of the latest ones whose window is over.

    Args:
        dataset: The log; it needs contacts, redemptions and purchases.
        campaigns: When campaigns end, see `tactful.training.data.labels.responses`.
        window_days: Instead, how long after a contact a redemption answers it.
        judged_from: Outcomes settled later are not learnt from, microseconds since the epoch; None for no such bound.
        feature_set: What to learn from, besides the offer.
        parameters: Of the fit.
        progress: Told of each step.

    Raises:
        TrainingError: The log lacks contacts or redemptions, or is too short.
    """
    report_step(progress, "labels")
    examples = responses(dataset, campaigns, window_days=window_days)
    task = Task(
        name=NAME,
        label="a redemption" if window_days is None else f"a response in {window_days:g} days",
        examples=examples,
        split=by_share(examples.as_of, examples.known, judged_from),
        baselines={"past_redemptions": _past_redemptions()},
        per_action=True,
        settings={"window": "campaign" if window_days is None else f"{window_days:g} days"},
    )
    return run(task, dataset, feature_set, parameters, progress)


def _past_redemptions() -> FeatureSet:
    redemptions = Feature(
        name="redemptions",
        family="past response",
        description="redemptions ever",
        aggregation=Aggregation.COUNT,
        where=Where(types=("redeemed",)),
    )
    return FeatureSet((redemptions,))
