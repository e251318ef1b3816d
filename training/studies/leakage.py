"""The false performance of a feature that is computed too late, when part of the outcome had happened."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tactful.features.build import build_dataset_pairs
from tactful.features.definitions.definitions import FeatureSet
from tactful.features.events.dataset import EventDataset
from tactful.features.timestamps import DAY
from tactful.models.base.metrics import Estimate, Outcomes
from tactful.training.data.labels import Examples
from tactful.training.fit.evaluation import univariate

Moments = NDArray[np.int64]


def days_past(examples: Examples, days: float) -> Moments:
    """The examples' moments, so many days later."""
    return examples.as_of + round(days * DAY)


def one_event_past(dataset: EventDataset, examples: Examples) -> Moments:
    """Just after the first event of each customer at or past the moment; the moment itself if there is none."""
    times: dict[str, Moments] = {}
    for number in range(dataset.buckets):
        events = dataset.events(number, [])
        times |= dict(zip(events.customers, np.split(events.time, events.starts[1:-1]), strict=True))
    return np.array([_just_after(times[c], m) for c, m in zip(examples.customers, examples.as_of, strict=True)])


def judged(examples: Examples) -> Examples:
    """The examples a score is judged by."""
    kept = examples.counted
    return Examples(
        customers=examples.customers[kept],
        as_of=examples.as_of[kept],
        known=examples.known[kept],
        positive=examples.positive[kept],
        counted=kept[kept],
        offers=tuple(offer for offer, counts in zip(examples.offers, kept, strict=False) if counts),
        left_out=examples.left_out,
    )


def auc_of_features(
    dataset: EventDataset, examples: Examples, as_of: Moments, feature_set: FeatureSet, names: Sequence[str]
) -> dict[str, Estimate]:
    """How well each feature alone, computed as of these moments, ranks the outcomes of the examples.

    Args:
        dataset: The log.
        examples: The customers of the outcomes, length n.
        as_of: When the features are computed, shape (n,); `examples.as_of` is honest.
        feature_set: Where the features are defined.
        names: Of features that are never below 0.

    Returns:
        AUC with its 95 % interval over customers, by name.
    """
    positive, everyone = examples.positive, np.ones(len(examples), dtype=np.bool_)
    frame = build_dataset_pairs(dataset, examples.customers.tolist(), as_of.tolist(), feature_set.subset(names))
    outcomes = Outcomes.of(positive, examples.customers.astype(str))
    return outcomes.estimate({n: outcomes.auc(univariate(frame.column(n), positive, everyone)) for n in names})


def _just_after(times: Moments, moment: int) -> int:
    following = int(np.searchsorted(times, moment))
    return int(times[following]) + 1 if following < len(times) else moment
