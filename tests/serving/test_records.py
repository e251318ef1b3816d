"""A record read back gives the same bytes and the same explanation."""

import json
from pathlib import Path

import pytest

from tactful.decisions.analysis.explain import paragraph, why_silence
from tactful.decisions.analysis.replay import policy_of
from tactful.decisions.kernel.record import parse
from tactful.serving.engine.batch import decide_all
from tactful.serving.engine.service import DecisionService

KERNEL_3 = Path(__file__).parent / "kernel3"
"""A decision as kernel 3 recorded and explained it."""


def test_every_decision_of_a_run_reads_back(service: DecisionService) -> None:
    run = decide_all(service, "run")
    assert {decision.choice is None for decision in run.decisions} == {True, False}
    for decision in run.decisions:
        again = parse(decision.as_bytes())
        assert again.as_bytes() == decision.as_bytes()
        assert again.outcome == decision.outcome
        assert paragraph(again, "USD") == paragraph(decision, "USD")
        assert why_silence(again) == why_silence(decision)


def test_a_record_of_kernel_2_keeps_its_priorities_in_the_present_terms(service: DecisionService) -> None:
    decision = next(d for d in decide_all(service, "old").decisions if d.choice)
    record = json.loads(decision.as_bytes())
    del record["stratum"]
    record["versions"]["kernel"] = "2"
    told = {"effect": 0.2, "response": 0.25, "value": 10.0, "lever": 2.0, "context": 1.0, "discount": 1.0, "cost": 0.1}
    for candidate in record["candidates"]:
        candidate["factors"] = candidate["factors"] and {**told, "fatigue_price": 0.05, "shadow_price": 0.3}
    again = parse(json.dumps(record).encode())
    assert again.choice is not None
    assert again.choice.priority == pytest.approx(2.0 * 0.2 * 10.0 - 0.25 - 0.1 - 0.05 - 0.3)
    assert "contact price 0.05" in paragraph(again, "USD")
    assert again.stratum == "policy"


def test_a_record_of_kernel_3_reads_back_in_its_bytes_and_is_explained_as_it_was() -> None:
    record = (KERNEL_3 / "record.json").read_bytes()
    decision = parse(record)
    assert decision.versions.kernel == "3"
    assert decision.rewards == ()
    assert decision.as_bytes() == record
    assert policy_of(decision).floor_total == 2
    assert f"{paragraph(decision, 'USD')}\n" == (KERNEL_3 / "paragraph.txt").read_text(encoding="utf-8")


def test_what_is_no_record_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        parse(b"nothing")
