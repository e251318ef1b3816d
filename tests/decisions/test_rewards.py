"""What the record says that a decision will bring, and when."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.decisions.kernel.arbitration import Factors
from tactful.decisions.kernel.rewards import LEAVING_WINDOW, of_contact, of_silence
from tests.decisions.retailer import CATALOGUE, NOON, compiled, decided, having

AMOUNTS = st.floats(0, 100, allow_nan=False)
LONG = compiled(CATALOGUE.replace("value: 10\n", "value: 10\n        attribution_window: 21d\n"))


@given(
    effect=st.floats(-0.5, 0.5, allow_nan=False),
    value=AMOUNTS,
    discount=AMOUNTS,
    cost=AMOUNTS,
    price=AMOUNTS,
    days=st.integers(1, 365),
)
def test_components_are_the_terms_that_come_true(
    effect: float, value: float, discount: float, cost: float, price: float, days: int
) -> None:
    factors = Factors(
        effect=effect, value=value, baseline=0.5, discount=discount, cost=cost, lapse=0.5, clv=value,
        unsubscribe=0.01, reach_value=value, contact_price=price, shadow_price=price,
    )  # fmt: skip
    found = of_contact(factors, NOON, timedelta(days=days))
    assert sum(part.expected for part in found) == pytest.approx(factors.priority + 2 * price, abs=1e-9)
    known = {part.component: part.matures for part in found}
    answered = NOON + timedelta(days=days)
    wanted = {
        "margin": answered,
        "discount": answered,
        "cost": NOON,
        "unsubscribing": NOON + LEAVING_WINDOW,
        "retention": None,
    }
    assert known.items() <= wanted.items()
    assert known["margin"] == answered
    assert all(part.expected or part.component == "margin" for part in found)


def test_silence_is_watched_and_expected_to_bring_nothing_over_itself() -> None:
    (margin,) = of_silence(NOON, timedelta(days=28))
    assert (margin.component, margin.expected, margin.matures) == ("margin", 0.0, NOON + timedelta(days=28))


@pytest.mark.parametrize(
    ("features", "outcome", "days"),
    [
        ((30.0, 50.0), "win_back/miss_you/email", 21),
        ((30.0, 200.0), "win_back/come_back_coupon/email", 7),
        ((1.0, 1.0), "silence", 21),
    ],
)
def test_a_window_is_the_messages_own_the_catalogues_or_for_silence_the_longest(
    features: tuple[float, float], outcome: str, days: int
) -> None:
    decision = decided(having(features=features, attributes={}), LONG)
    assert decision.outcome == outcome
    assert decision.matures("margin") == NOON + timedelta(days=days)
    assert decision.matures("retention") is None
    record = decision.as_dict()["rewards"]
    assert record[0]["matures"] == (NOON + timedelta(days=days)).isoformat()
    assert [part["component"] for part in record] == [part.component for part in decision.rewards]
