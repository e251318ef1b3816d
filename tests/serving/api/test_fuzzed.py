"""Whatever is sent, the service answers as its description says, and lets nobody in without a key."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.serving.api.test_openapi import ROUTES
from tests.serving.house import House

EXAMPLES = 50
ACCEPTED = ("2xx", 304, 401, 403, 404, 409, 410, 412, 422, 428, 429, 503)
"""A request that fits its schema may still name a score, a cursor or a catalogue that there is not."""
OF_BYTES = {("put", "/v1/catalogue"): (400,)}
"""No schema says that the bytes of a body are text in UTF-8."""
IN_YAML = {("get", "/v1/catalogue"): [response_schema_conformance]}
"""The description gives YAML as a text, for clients; schemathesis reads it and finds a mapping."""


def config_of(method: str, path: str) -> schemathesis.Config:
    statuses = [*ACCEPTED, *OF_BYTES.get((method, path), ())]
    return schemathesis.Config.from_dict({"checks": {"positive_data_acceptance": {"expected-statuses": statuses}}})


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
def test_every_answer_is_one_that_is_described(house: House, method: str, path: str) -> None:
    found = schemathesis.openapi.from_url(f"{house.url}/openapi.json", config=config_of(method, path))
    operation = found[path][method.upper()]
    key = {"Authorization": f"Bearer {house.key()}"}

    @settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    @given(operation.as_strategy())
    def answer(case: "schemathesis.Case[Any]") -> None:
        case.call_and_validate(headers=key, excluded_checks=IN_YAML.get((method, path), []))

    answer()
