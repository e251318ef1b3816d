"""The BG/NBD model finds the truth in histories simulated from its own story, and foretells what follows them."""

import json

import numpy as np
import pytest

from tactful.models.base.errors import ModelError
from tactful.models.scores.bgnbd import BgNbd, Outlook, Repeats

TRUTH = BgNbd(r=0.6, alpha=20.0, a=0.7, b=2.5)
HORIZON = 56.0


def simulated(customers: int = 20_000, seed: int = 0) -> tuple[Repeats, np.ndarray]:
    """Histories of customers of different ages, and who bought nothing in the horizon after."""
    generator = np.random.default_rng(seed)
    age = generator.uniform(60, 400, customers)
    rate = generator.gamma(TRUTH.r, 1 / TRUTH.alpha, customers)
    leaves = generator.beta(TRUTH.a, TRUTH.b, customers)
    time, last, purchases = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    lapsed, alive = np.ones(customers, dtype=bool), np.ones(customers, dtype=bool)
    while alive.any():
        time = np.where(alive, time + generator.exponential(1 / np.maximum(rate, 1e-12)), time)
        past = alive & (time <= age)
        last, purchases = np.where(past, time, last), purchases + past
        lapsed &= ~(alive & (time > age) & (time <= age + HORIZON))
        alive = past & (generator.random(customers) >= leaves)
    return Repeats(purchases, last, age), lapsed


def test_the_fit_finds_the_parameters_that_made_the_histories() -> None:
    model = BgNbd.fit(simulated()[0])
    assert model.r / model.alpha == pytest.approx(TRUTH.r / TRUTH.alpha, rel=0.05)
    assert model.r == pytest.approx(TRUTH.r, rel=0.1)
    assert model.a / (model.a + model.b) == pytest.approx(TRUTH.a / (TRUTH.a + TRUTH.b), rel=0.1)


def test_what_is_foretold_happens_as_often() -> None:
    repeats, lapsed = simulated(100_000)
    foretold = TRUTH.no_purchase(repeats, HORIZON)
    for low, high in ((0.0, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 0.9), (0.9, 0.97), (0.97, 1.0)):
        among = (foretold >= low) & (foretold < high)
        error = 4 * np.sqrt(0.25 / among.sum())
        assert lapsed[among].mean() == pytest.approx(foretold[among].mean(), abs=error)


def test_who_bought_once_is_alive_and_yet_unlikely_to_buy() -> None:
    once = Repeats(np.zeros(3), np.zeros(3), np.array([10.0, 100.0, 1000.0]))
    assert TRUTH.alive(once).tolist() == [1.0, 1.0, 1.0]
    assert np.all(np.diff(TRUTH.no_purchase(once, HORIZON)) > 0)


def test_a_longer_horizon_leaves_less_chance_of_no_purchase() -> None:
    repeats, _ = simulated(1_000)
    nearer, later = TRUTH.no_purchase(repeats, 28.0), TRUTH.no_purchase(repeats, 90.0)
    assert np.all(nearer > later)
    assert np.all((nearer < 1) & (later > 1 - TRUTH.alive(repeats)))


def test_customers_who_never_return_tell_nothing() -> None:
    with pytest.raises(ModelError, match="customers without repeat purchases: got 2"):
        BgNbd.fit(Repeats(np.zeros(2), np.zeros(2), np.array([1.0, 2.0])))


def test_an_outlook_is_unknown_for_who_never_bought_and_known_for_who_bought_for_years() -> None:
    outlook = Outlook(TRUTH, HORIZON)
    never, often, once = outlook.columns(np.array([[np.nan, 0.0, np.nan], [3000.0, 900.0, 3900.0], [40.0, 1.0, 40.0]]))
    assert np.isnan(never).all()
    assert often.tolist() == [1.0, 0.0]
    assert once[1] == pytest.approx(HORIZON * (TRUTH.r) / (TRUTH.alpha + 40.0))


def test_an_outlook_is_fitted_to_those_who_bought() -> None:
    repeats, _ = simulated(2000)
    history = np.column_stack([repeats.age - repeats.last, repeats.purchases + 1, repeats.age])
    strangers = np.column_stack([np.full((50, 1), np.nan), np.zeros(50), np.full(50, np.nan)])
    fitted = Outlook.fit(np.vstack([history, strangers]), HORIZON)
    assert fitted == Outlook.fit(history, HORIZON)
    assert Outlook.from_json(json.loads(json.dumps(fitted.to_json()))) == fitted
