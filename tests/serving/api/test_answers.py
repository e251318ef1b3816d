"""An answer is canonical JSON, put together from what is written already."""

import json

from tactful.decisions.base import canonical_json as canonical
from tactful.serving.engine.drafts import DecisionCommand
from tactful.serving.engine.records.decision_json import content, supposition
from tactful.serving.engine.service import DecisionService
from tests.serving.shop import NOW

CUSTOMERS = ["regular", "leaver", "thankful", "complainer", "refuser", "celebrant"]


def test_an_answer_is_written_as_the_encoder_writes_it(service: DecisionService) -> None:
    for number, answer in enumerate(service.decide_many([DecisionCommand(c, f"d{c}", NOW) for c in CUSTOMERS])):
        assert not isinstance(answer, Exception)
        told = content(answer)
        assert told.decode() == canonical.of(json.loads(told))
        assert json.loads(told)["customer_id"] == CUSTOMERS[number]


def test_a_supposition_is_the_part_of_an_answer_that_it_has(service: DecisionService) -> None:
    answer = service.decide("refuser", "d1")
    suppose, told = json.loads(supposition(answer.decision, answer.currency)), json.loads(content(answer))
    assert suppose.keys() < told.keys()
    assert suppose == {name: told[name] for name in suppose}
