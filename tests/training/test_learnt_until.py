"""What is kept to judge by is not learnt from: outcomes that come later change no model, and each says until when."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from tactful.decisions.catalogue.objective import Fatigue
from tactful.features.timestamps import DAY, microseconds
from tactful.models.effects.scorer import EffectScorer
from tactful.training.data.rows import DecisionRows
from tactful.training.fit.candidate import latest
from tactful.training.jobs import effects, value
from tactful.training.jobs import frequency as pressure
from tactful.training.jobs import response_logged as response_log
from tests.training.decided import FEATURES, windowed
from tests.training.shops import OPENED, frame, write
from tests.training.test_pressure import pressed
from tests.training.test_response_log import FEATURES as OFFERED
from tests.training.test_response_log import OFFERS, SMALL, contacts

BOUND = 150 * DAY


def decisions(flipped: bool = False) -> DecisionRows:
    """Decisions over 200 days, a third of them silent; where flipped, with other outcomes after the bound."""
    rng = np.random.default_rng(0)
    moments = np.sort(rng.integers(0, 200, 3000)) * DAY
    taken = rng.integers(0, 3, 3000)
    outcomes = (rng.random(3000) < np.array([0.1, 0.3, 0.2])[taken]).astype(float)
    return DecisionRows(
        ids=np.array([f"d{i}" for i in range(3000)], dtype=object),
        customers=np.array([f"c{i}" for i in rng.integers(0, 900, 3000)], dtype=object),
        moments=moments,
        settled=moments + 7 * DAY,
        features=rng.normal(size=(3000, 2)),
        feature_names=FEATURES,
        arms=("silence", "coupon", "news"),
        taken=taken,
        probabilities=np.full((3000, 3), 1 / 3),
        outcomes=np.where(flipped & (moments + 7 * DAY > BOUND), 1 - outcomes, outcomes),
        values=np.zeros(3000),
    )


def test_effects_of_earlier_decisions_know_nothing_of_later_ones() -> None:
    told = [
        effects.train(decisions(flipped), {}, judged_from=BOUND, feature_set=windowed(*FEATURES)).model
        for flipped in (False, True)
    ]
    assert told[0].dump() == told[1].dump()
    until = told[0].learnt_until
    assert until is not None
    assert BOUND - 2 * DAY < microseconds(until) <= BOUND
    unbound = effects.train(decisions(), {}, feature_set=windowed(*FEATURES)).model
    assert isinstance(unbound, EffectScorer)
    assert unbound.learnt_until == latest(decisions().settled)


def test_responses_to_earlier_contacts_know_nothing_of_later_ones() -> None:
    rows = contacts()
    late = rows.settled > BOUND
    flipped = replace(rows, outcomes=np.where(late, 1 - rows.outcomes, rows.outcomes))
    told = [
        response_log.train(one, OFFERS, judged_from=BOUND, feature_set=OFFERED, parameters=SMALL).model
        for one in (rows, flipped)
    ]
    assert told[0].dump() == told[1].dump()
    assert told[0].learnt_until is not None
    assert microseconds(told[0].learnt_until) <= BOUND


def test_pressure_of_earlier_contacts_knows_nothing_of_later_ones() -> None:
    rows = pressed(2)
    flipped = replace(rows, left=np.where(rows.settled > BOUND, ~rows.left, rows.left))
    told = [pressure.train(one, Fatigue(risk=0.004), judged_from=BOUND).model for one in (rows, flipped)]
    assert told[0].dump() == told[1].dump()
    assert told[0].learnt_until is not None
    assert microseconds(told[0].learnt_until) <= BOUND
    assert pressure.train(rows, Fatigue(risk=0.004)).model.learnt_until == latest(rows.settled)


def test_spend_of_earlier_windows_knows_nothing_of_later_ones(tmp_path: Path) -> None:
    events, day = frame(0), OPENED + pd.Timedelta(days=230)
    later = events.copy()
    later.loc[later["time"] > day, "amount"] *= 3
    told = [
        value.train(write(one, tmp_path / name), window_days=56, judged_from=microseconds(day.to_pydatetime())).model
        for name, one in (("a", events), ("b", later))
    ]
    assert told[0].dump() == told[1].dump()
    assert told[0].learnt_until is not None
    assert told[0].learnt_until <= day
