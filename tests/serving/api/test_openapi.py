"""The description of the API tells every answer of every route, with an example that is one."""

from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from serving.api.problem import Problem
from serving.api.schemas import Alive, DecisionAnswer, DecisionRequest, Ready

MODELS: dict[str, type[BaseModel]] = {
    "/v1/decisions": DecisionAnswer,
    "/v1/decisions/{decision_id}": DecisionAnswer,
    "/health/live": Alive,
    "/health/ready": Ready,
}


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/openapi.json").json()
    return told


def test_every_answer_has_an_example(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == set(MODELS)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                ((media_type, content),) = response["content"].items()
                if status == "200":
                    assert media_type == "application/json"
                    MODELS[path].model_validate(content["example"], extra="forbid")
                else:
                    assert media_type == "application/problem+json"
                    examples = [example["value"] for example in content["examples"].values()]
                    assert {str(Problem.model_validate(e, extra="forbid").status) for e in examples} == {status}


def test_the_examples_of_the_request_are_requests(document: dict[str, Any]) -> None:
    for example in document["components"]["schemas"]["DecisionRequest"]["examples"]:
        DecisionRequest.model_validate(example)


def test_what_each_route_can_answer_is_told(document: dict[str, Any]) -> None:
    told = {
        f"{method} {path}": set(operation["responses"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert told == {
        "post /v1/decisions": {"200", "400", "404", "409", "413", "422", "500", "503"},
        "get /v1/decisions/{decision_id}": {"200", "404", "422", "500", "503"},
        "get /health/live": {"200", "500"},
        "get /health/ready": {"200", "500", "503"},
    }
