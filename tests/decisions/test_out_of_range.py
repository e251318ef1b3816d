"""A value that no arithmetic can hold closes the programme or the action that needs it, and nothing else."""

import dataclasses
import math
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactful.decisions.base.durations import LONGEST, parse_duration
from tactful.decisions.base.errors import CatalogueError
from tactful.decisions.base.snapshot import Event, Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.kernel.decision import Decision
from tactful.serving.engine.snapshots import as_bytes, from_bytes
from tests.decisions.retailer import CATALOGUE, LAPSING, NOON, compiled, decided, having, reasons

DATES = "".join(
    f"""  - id: {name}
    trigger: {{kind: date, attribute: due, every: {every}, {shift}, at: "23:59", expiry: 7d}}
    messages:
      - {{id: {name}_mail, channels: mail, value: 5, response: {{mean: 0.2}}, content: {{body: Soon}}}}
"""
    for name, every, shift in (
        ("before_once", "once", "before: 14"),
        ("after_once", "once", "days_after: 14"),
        ("before_yearly", "year", "before: 30"),
        ("after_yearly", "year", "days_after: 36525"),
    )
)
NUMBERS = """  - id: points
    trigger: {kind: threshold, when: "customer.points * 2.0 > 1.0 && customer.visits + 1 > 0", expiry: 7d}
    reentry: 100d
    messages:
      - id: many_points
        channels: mail
        value: customer.points * customer.points
        response: {mean: 0.2}
        content: {body: Many}
"""
ATTRIBUTES = "  due: {type: date}\n  points: {type: number}\n  visits: {type: integer}\n"
POLICIES = """  - {id: century, kind: cap, max: 5, window: 36525d}
  - {id: apart, kind: gap, min: 36525d, scope: {programme: birthday}}
"""


def with_extremes() -> CompiledCatalogue:
    text = CATALOGUE
    for place, added in (("segments:\n", ATTRIBUTES), ("programmes:\n", POLICIES)):
        assert place in text
        text = text.replace(place, added + place, 1)
    return compiled(text + DATES + NUMBERS)


EXTREMES = with_extremes()
ENDS = [date.min, date(1, 1, 2), date(1, 1, 14), date(9999, 12, 17), date(9999, 12, 30), date.max]
HUGE = [10**400, -(10**400), 2**63, 1e308, -1e308, math.inf, -math.inf, math.nan, 1e-320, 0]


def closed(decision: Decision) -> dict[str, str]:
    return {exclusion.rule: exclusion.observed for exclusion in decision.closed}


def survives(decision: Decision, action: str) -> bool:
    return any(c.action.id == action and c.survives for c in decision.candidates)


@pytest.mark.parametrize("day", ENDS)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", None])
def test_a_date_at_the_end_of_time_closes_its_own_programme_alone(day: date, zone: str | None) -> None:
    decision = decided(having(zone=zone, attributes={"due": day}), EXTREMES)
    assert survives(decision, "win_back/miss_you/mail")
    assert not any(opening.programme.endswith(("_once", "_yearly")) for opening in decision.openings)


def test_the_reason_says_what_is_out_of_range() -> None:
    found = closed(decided(having(attributes={"due": date(1, 1, 2)}), EXTREMES))
    assert found["before_once"].startswith("a date or number out of range: ")
    assert found["after_once"] == "no date that opens it"


@pytest.mark.parametrize("number", HUGE)
def test_a_number_that_is_too_large_closes_what_reads_it(number: float) -> None:
    attributes = {"points": number, "visits": number if isinstance(number, int) else 1}
    decision = decided(having(attributes=attributes), EXTREMES)
    assert survives(decision, "win_back/miss_you/mail")
    assert not survives(decision, "points/many_points/mail")


def test_the_product_of_large_numbers_excludes_the_action_and_says_why() -> None:
    decision = decided(having(attributes={"points": 1e200, "visits": 1}), EXTREMES)
    assert reasons(decision, "points/many_points/mail") == {"worth"}


@pytest.mark.parametrize("moment", [datetime(1970, 1, 2, tzinfo=UTC), datetime(2099, 12, 30, 12, tzinfo=UTC)])
def test_policies_of_a_century_hold_at_every_moment_that_can_be_asked_about(moment: datetime) -> None:
    decision = decided(having(moment=moment), EXTREMES)
    assert survives(decision, "win_back/miss_you/mail")


ANY_NUMBER = st.one_of(st.sampled_from(HUGE), st.integers(-(10**500), 10**500), st.floats())


@given(
    due=st.one_of(st.sampled_from(ENDS), st.dates()),
    points=ANY_NUMBER,
    visits=ANY_NUMBER,
    amount=st.floats(),
    zone=st.sampled_from(["Pacific/Kiritimati", "Etc/GMT+12", "America/New_York", "Nowhere/None", None]),
    features=st.tuples(st.floats(allow_infinity=False), st.floats(allow_infinity=False)),
)
def test_no_value_stops_a_decision_and_its_record_decides_the_same(
    due: date, points: float, visits: float, amount: float, zone: str | None, features: tuple[float, float]
) -> None:
    bought = Event("purchase", NOON.replace(hour=9), id="e1", amount=amount)
    snapshot = dataclasses.replace(
        LAPSING,
        features=features,
        zone=zone,
        events=(bought,),
        attributes={"due": due, "points": points, "visits": visits, "birthday": due},
    )
    decision = decided(snapshot, EXTREMES)
    assert sum(c.probability for c in decision.candidates) + decision.silence_probability == pytest.approx(1.0)
    if math.isfinite(amount):
        seen = read_back(snapshot_of_json(snapshot))
        assert decided(read_back(seen), EXTREMES).as_bytes() == decided(seen, EXTREMES).as_bytes()


def read_back(snapshot: Snapshot) -> Snapshot:
    """A snapshot as its record gives it, with each attribute in its declared type."""
    return from_bytes(as_bytes(snapshot), EXTREMES.catalogue.attributes)


def snapshot_of_json(snapshot: Snapshot) -> Snapshot:
    """The snapshot without the attributes that no JSON document holds."""
    held = {
        name: value
        for name, value in snapshot.attributes.items()
        if not isinstance(value, float) or math.isfinite(value)
    }
    return dataclasses.replace(snapshot, attributes=held)


@pytest.mark.parametrize("text", ["36526d", "5218w", "876601h", "99999999999999999999w", "9" * 5000 + "m"])
def test_a_duration_of_more_than_a_century_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match="wanted at most 36525d"):
        parse_duration(text)
    with pytest.raises(CatalogueError, match="too long a duration"):
        compiled(CATALOGUE.replace("window: 28d", f"window: {text}"))


def test_a_century_is_the_longest_duration() -> None:
    assert parse_duration("36525d") == LONGEST
