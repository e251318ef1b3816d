"""Declared experiments: every mistake at once with its line; starting by hand leaves the rest of a file alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tactful.experiments.base.errors import DeclarationError, ExperimentError
from tactful.experiments.design.loading import load_plan, parse_plan, with_moment
from tests.decisions.retailer import RETAILER
from tests.experiments.declared import PLAN, plan

MAY = datetime(2026, 5, 4, tzinfo=UTC)


def mistakes(text: str) -> list[tuple[int, str]]:
    with pytest.raises(DeclarationError) as caught:
        parse_plan(text, RETAILER.catalogue, "trials.yaml")
    return [(finding.line, finding.message) for finding in caught.value.findings]


def line_of(fragment: str, text: str = PLAN) -> int:
    return next(i for i, line in enumerate(text.splitlines(), start=1) if fragment in line)


def test_a_plan_is_read() -> None:
    found = plan()
    assert [experiment.id for experiment in found.experiments] == ["chance", "tired"]
    assert found.experiment("chance").control_id == "as_it_is"
    assert found.experiment("chance").start == datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(KeyError):
        found.experiment("luck")


def test_mistakes_of_values_come_together_each_with_its_line() -> None:
    text = PLAN.replace("kind: random,", "kind: chaos,").replace("metric: unsubscribes", "metric: unsubscribed")
    assert [line for line, _ in mistakes(text)] == [line_of("kind: chaos", text), line_of("metric: unsubscribed", text)]


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("population: at_risk", "population: at_riks", "at_riks", "unknown segment 'at_riks'"),
        ("message: come_back_coupon", "message: coupon", "message: coupon", "unknown message 'coupon'"),
        ("programme: birthday", "programme: birthdays", "birthdays,", "unknown programme 'birthdays'"),
        ("layer: choosing", "layer: chosing", "layer: chosing", "unknown layer 'chosing'"),
        ("salt: tired-1", "salt: chance-1", "population", "salt 'chance-1' stands twice"),
        ("id: tired\n", "id: chance\n", "id: chance", "experiment 'chance' stands twice"),
    ],
)
def test_what_parts_say_of_each_other_is_checked(before: str, after: str, line: str, said: str) -> None:
    assert said in [message for _, message in mistakes(PLAN.replace(before, after))]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("share: 0.5}\n      - {id: random", "share: 0.4}\n      - {id: random", "add up to 0.9"),
        ("coverage: 1}", "coverage: 0.1}", "whoever is in must stay in"),
        ("stop: 2026-12-01", "stop: 2025-12-01", "before it starts"),
        ("space: [0, 0.5]", "space: [0.5, 0.5]", "no part of a layer"),
        ("id: random, kind", "id: as_it_is, kind", "share a name"),
        ("factors: [discount, cost], ", "", "without nothing"),
        ("{programme: birthday, ", "{", "neither or both"),
    ],
)
def test_values_that_cannot_be_are_refused(before: str, after: str, said: str) -> None:
    assert any(said in message for _, message in mistakes(PLAN.replace(before, after)))


def test_two_experiments_of_a_layer_take_disjoint_parts() -> None:
    text = PLAN.replace("population: at_risk\n", "layer: choosing\n    space: [0.4, 1]\n")
    (found,) = mistakes(text)
    assert "overlap in layer 'choosing'" in found[1]
    assert found[0] == line_of("space: [0.4", text)
    assert not mistakes_or_none(text.replace("space: [0.4", "space: [0.5"))


def test_two_experiments_do_not_replace_the_choice_of_the_same_customers() -> None:
    text = PLAN.replace("kind: without, factors: [discount, cost]", "kind: policy, policy: {kind: priority_list}")
    assert "both replace how it is chosen" in mistakes(text)[0][1]
    assert not mistakes_or_none(
        text.replace("  - id: tired\n", "  - id: tired\n    stop: 2026-02-02\n").replace(
            "start: 2026-01-01\n    stop: 2026-12-01", "start: 2026-03-01\n    stop: 2026-12-01"
        )
    )


def mistakes_or_none(text: str) -> list[str]:
    try:
        parse_plan(text, RETAILER.catalogue)
    except DeclarationError as error:
        return [finding.message for finding in error.findings]
    return []


@pytest.mark.parametrize(("text", "said"), [("", "no experiments"), ("a: [", "not YAML"), ("- a", "no experiments")])
def test_what_is_no_plan_is_refused(text: str, said: str) -> None:
    assert said in mistakes(text)[0][1]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="cannot read the experiments"):
        load_plan(tmp_path / "none.yaml", RETAILER.catalogue)


def test_starting_writes_one_line() -> None:
    text = PLAN.replace("    start: 2026-01-01\n    stop: 2026-12-01\n", "")
    begun = with_moment(text, "chance", "start", MAY)
    assert set(begun.splitlines()) - set(text.splitlines()) == {"    start: 2026-05-04T00:00:00+00:00"}
    assert plan(begun).experiment("chance").start == MAY
    with pytest.raises(ExperimentError, match="chance has its start"):
        with_moment(begun, "chance", "start", MAY)
