"""Each promise is seen to be broken where it is: by a rule, or by a core, with a mistake that such have."""

from typing import Any

import pytest

from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.policies.base import ContactPolicy
from tactful.decisions.conformance.conform import Decide
from tests.conformance import broken
from tests.conformance.shop import SHOP, VOCABULARY, failures, with_policy, with_trigger


def instead(policy: str, kind: type[ContactPolicy]) -> CompiledCatalogue:
    """The shop with a policy of another make."""
    bound = next(p for p in SHOP.catalogue.contact_policies if p.id == policy)
    return with_policy(kind(**bound.model_dump()))


@pytest.mark.parametrize(
    ("policy", "kind", "promises"),
    [
        ("weekly", broken.CalendarCap, {"rolling window", "edge of the window"}),
        ("weekly", broken.GreenwichCap, {"rolling window", "edge of the window"}),
        ("weekly", broken.ClosedCap, {"rolling window", "edge of the window"}),
        ("breath", broken.GapInDays, {"edge of the window"}),
        ("sorry", broken.LastingSuppression, {"edge of the window"}),
        ("night", broken.WinterHours, {"clock changes"}),
        ("night", broken.HoursSomewhere, {"missing zone"}),
        ("sundays", broken.DaysOfGreenwich, {"local days", "missing zone"}),
    ],
)
def test_a_contact_policy_with_a_mistake(policy: str, kind: type[ContactPolicy], promises: set[str]) -> None:
    assert failures(instead(policy, kind)) == {(promise, policy) for promise in promises}


@pytest.mark.parametrize("kind", [broken.ForgetfulPair, broken.CountingPair])
def test_a_pair_rule_with_a_mistake(kind: type[ContactPolicy]) -> None:
    pair = next(p for p in SHOP.policies if p.id == "one_plea")
    assert failures(with_policy(kind(**pair.model_dump()))) == {("edge of the window", "one_plea")}


@pytest.mark.parametrize(
    ("programme", "kind", "promises"),
    [
        ("thanks", broken.EagerEvent, {"edge of the opening"}),
        ("review", broken.NumberedEvent, {"delivered twice"}),
        ("birthday", broken.LeaplessDate, {"29 February"}),
        ("birthday", broken.DateOfGreenwich, {"29 February", "local date", "missing zone"}),
    ],
)
def test_a_trigger_with_a_mistake(programme: str, kind: type[Any], promises: set[str]) -> None:
    assert failures(with_trigger(programme, kind)) == {(promise, programme) for promise in promises}


def test_a_policy_that_prefers_the_first() -> None:
    partial = SHOP.catalogue.model_copy(update={"policy": broken.FirstComer(kind="greedy")})
    found = failures(CompiledCatalogue(partial, VOCABULARY))
    assert found == {("equal priorities", programme.id) for programme in partial.programmes}


@pytest.mark.parametrize(
    ("core", "promise"),
    [
        (broken.HopefulCore(), "unreadable ledger"),
        (broken.PushyCore(), "no consent"),
        (broken.OptOutCore(), "no consent"),
        (broken.TimelessCore(), "late joiner"),
        (broken.AmnesicCore(), "delivered twice"),
        (broken.MoodyCore(), "equal priorities"),
        (broken.RoundedCore(), "edge of the window"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)
def test_a_core_with_a_mistake(core: Decide, promise: str) -> None:
    assert promise in {name for name, _ in failures(core=core)}
