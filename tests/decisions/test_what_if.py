"""What-if: one thing different, everything else as it was, nothing written."""

from datetime import timedelta
from typing import Any

import pytest

from tactful.decisions.analysis.what_if import Changes, what_if
from tactful.decisions.base.errors import SnapshotError
from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.selection import Greedy
from tactful.decisions.kernel.decide import Request
from tactful.decisions.kernel.decision import Decision
from tests.decisions.retailer import LAPSING, NOON, RETAILER, KnownScorer, at, contact, event, having, reasons


def suppose(snapshot: Snapshot = LAPSING, **changes: Any) -> Decision:
    return what_if(Request("d1", snapshot), RETAILER, Greedy(kind="greedy"), KnownScorer(), Changes(**changes))


def test_nothing_changed_is_the_same_decision() -> None:
    assert suppose().outcome == "win_back/come_back_coupon/email"


def test_another_value_changes_the_winner_and_not_the_catalogue() -> None:
    assert suppose(messages={"miss_you": {"value": 90.0}}).outcome == "win_back/miss_you/email"
    assert RETAILER.catalogue.message("miss_you").value == 10


def test_without_a_policy_its_exclusions_are_gone() -> None:
    crowded = having(contacts=(contact(2), contact(3)))
    assert "cap" in reasons(suppose(crowded), "win_back/miss_you/email")
    assert "cap" not in reasons(suppose(crowded, policies={"weekly": None}), "win_back/miss_you/email")


def test_another_score_opens_and_closes_programmes() -> None:
    assert suppose(scores={"lapse": 0.1}).choice is None
    assert suppose(features={"days_since_purchase": 2.0}).choice is None


def test_at_an_earlier_moment_the_later_events_have_not_happened() -> None:
    angry = having(events=(event("complained", 1),), contacts=(contact(0.5),))
    earlier = suppose(angry, moment=at(2))
    assert reasons(earlier, "win_back/miss_you/email") == set()
    assert earlier.moment == NOON - timedelta(days=2)


@pytest.mark.parametrize("year", [1, 1969, 2100, 9999])
def test_a_moment_nobody_reckons_with_is_refused(year: int) -> None:
    with pytest.raises(SnapshotError, match="from 1970 to 2099"):
        suppose(moment=NOON.replace(year=year))


@pytest.mark.parametrize(
    "changes",
    [{"features": {"spent": 1.0}}, {"scores": {"luck": 1.0}}, {"messages": {"hi": {}}}, {"policies": {"x": None}}],
)
def test_a_name_nobody_knows_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SnapshotError, match="unknown"):
        suppose(**changes)
