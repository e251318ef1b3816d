"""A record read back gives the same bytes and the same explanation."""

import pytest

from decisions.explain import paragraph, why_silence
from serving.batch import decide_all
from serving.records import parse
from serving.service import DecisionService


def test_every_decision_of_a_run_reads_back(service: DecisionService) -> None:
    run = decide_all(service, "run")
    assert {decision.choice is None for decision in run.decisions} == {True, False}
    for decision in run.decisions:
        again = parse(decision.as_bytes())
        assert again.as_bytes() == decision.as_bytes()
        assert again.outcome == decision.outcome
        assert paragraph(again, "USD") == paragraph(decision, "USD")
        assert why_silence(again) == why_silence(decision)


def test_what_is_no_record_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        parse(b"nothing")
