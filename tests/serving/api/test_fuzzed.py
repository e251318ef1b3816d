"""Whatever is sent, the service answers as its description says, and lets nobody in without a key."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from tests.serving.api.test_openapi import ROUTES
from tests.serving.house import House

EXAMPLES = 50
CONFIG = schemathesis.Config.from_dict(
    {
        "checks": {
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", 304, 401, 403, 404, 409, 410, 412, 422, 428, 429, 503],
            }
        }
    }
)
"""What fits its schema may still name a score, a cursor or a catalogue that there is not; 500 is never right."""


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
def test_every_answer_is_one_that_is_described(house: House, method: str, path: str) -> None:
    operation = schemathesis.openapi.from_url(f"{house.url}/openapi.json", config=CONFIG)[path][method.upper()]
    key = {"Authorization": f"Bearer {house.key()}"}

    @settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    @given(operation.as_strategy())
    def answer(case: "schemathesis.Case[Any]") -> None:
        case.call_and_validate(headers=key)

    answer()
