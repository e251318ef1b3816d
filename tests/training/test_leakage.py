import numpy as np
import pytest

from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import EventDataset, read_events
from tactful.features.timestamps import DAY
from tactful.training.data.labels import Examples, days_after, lapses, midnight, span
from tactful.training.studies.leakage import auc_of_features, days_past, judged, one_event_past

HORIZON = 28


@pytest.fixture(scope="module")
def examples(shop: EventDataset) -> Examples:
    moment = midnight(days_after(span(shop).end, -HORIZON, shop.zone), shop.zone)
    return judged(lapses(shop, [moment], horizon_days=HORIZON, lookback_days=56))


def test_only_rows_that_count_are_judged(shop: EventDataset) -> None:
    moment = midnight(days_after(span(shop).end, -HORIZON, shop.zone), shop.zone)
    every = lapses(shop, [moment], horizon_days=HORIZON, lookback_days=7)
    kept = judged(every)
    assert 0 < len(kept) == every.counted.sum() < len(every)
    assert kept.counted.all()
    assert kept.customers.tolist() == every.customers[every.counted].tolist()


def test_one_event_past_lies_just_after_the_next_event(shop: EventDataset, examples: Examples) -> None:
    events = read_events(shop.folder)
    times = events["time"].astype("int64").to_numpy()
    for customer, moment, past in zip(examples.customers, examples.as_of, one_event_past(shop, examples), strict=True):
        later = times[(events["customer_id"] == customer).to_numpy() & (times >= moment)]
        assert past == (later.min() + 1 if len(later) else moment)


def test_peeking_at_the_whole_horizon_gives_the_answer_away(shop: EventDataset, examples: Examples) -> None:
    names = ["days_since_purchase"]
    honest = auc_of_features(shop, examples, examples.as_of, STANDARD, names)[names[0]]
    knowing = auc_of_features(shop, examples, days_past(examples, HORIZON), STANDARD, names)[names[0]]
    assert honest.value < knowing.value
    assert knowing.value > 0.999


def test_one_event_is_enough_to_flatter(shop: EventDataset, examples: Examples) -> None:
    names = ["days_since_purchase"]
    honest = auc_of_features(shop, examples, examples.as_of, STANDARD, names)[names[0]]
    peeking = auc_of_features(shop, examples, one_event_past(shop, examples), STANDARD, names)[names[0]]
    assert peeking.low > honest.high


def test_days_past_are_days(examples: Examples) -> None:
    assert np.unique(days_past(examples, 1.5) - examples.as_of).tolist() == [1.5 * DAY]
