"""The first models of a simulated shop: learnt from its past, when contacts were drawn at random."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tactful.cli.simulation.past import WARM, lived
from tactful.experiments.world.parameters import ARMS
from tactful.experiments.world.trial import Ids
from tactful.experiments.world.world import PAST, START, World
from tactful.features.build import build_dataset_pairs
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import EventDataset
from tactful.features.timestamps import DAY, microseconds
from tactful.models.base.model import Model
from tactful.training.data.rows import DecisionRows
from tactful.training.jobs import lapse
from tactful.training.jobs import response_imported as response
from tactful.training.jobs import response_logged as response_log
from tactful.training.jobs.response_logged import Offers


def first_models(world: World, ids: Ids, past: EventDataset, offers: Offers, window_days: int) -> Mapping[str, Model]:
    """The lapse and the response model of day 0.

    Args:
        world: The world on day 0; it keeps its events.
        ids: Ids of the customers, by number.
        past: The events before, as a data set.
        offers: Figures of the messages.
        window_days: How long a contact can be answered.

    Raises:
        TrainingError: Too few customers to learn from.
        ModelError: The outcome never varies in one of the parts.
    """
    return {
        lapse.NAME: lapse.train(past).model,
        response.NAME: response_log.train(_contacts(world, ids, past, window_days), offers).model,
    }


def _contacts(world: World, ids: Ids, past: EventDataset, window_days: int) -> DecisionRows:
    """Each contact of the past whose window is over, and whether its customer bought within it before the next one."""
    arms, bought, margin, _ = lived(world)
    days, customers = np.nonzero(arms[WARM : PAST - window_days])
    days += WARM
    taken, following = arms[days, customers], _following(arms)[days, customers]
    answered = [(days + k, customers, days + k < following) for k in range(window_days)]
    moments = microseconds(START) + (days - PAST) * DAY
    names = ids[customers]
    return DecisionRows(
        ids=np.array([f"past-{i}-{d}" for i, d in zip(customers, days, strict=True)], dtype=object),
        customers=names,
        moments=moments,
        settled=moments + window_days * DAY,
        features=build_dataset_pairs(past, names.tolist(), moments.tolist(), STANDARD).values,
        feature_names=STANDARD.names,
        arms=ARMS,
        taken=taken,
        probabilities=np.eye(len(ARMS))[taken],
        outcomes=np.minimum(sum(bought[day, who] * counts for day, who, counts in answered), 1.0),
        values=np.asarray(sum(margin[day, who] * counts for day, who, counts in answered)),
        channels=np.full(len(days), "email", dtype=object),
    )


def _following(arms: NDArray[np.int64]) -> NDArray[np.int64]:
    """The day of each customer's next contact after a day, shape (days, customers); the number of days for none."""
    contacted = np.where(arms > 0, np.arange(len(arms))[:, None], len(arms))
    onwards = np.minimum.accumulate(contacted[::-1], axis=0)[::-1]
    return np.vstack([onwards[1:], np.full((1, arms.shape[1]), len(arms))])
