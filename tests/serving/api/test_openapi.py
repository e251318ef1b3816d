"""The description of the API tells every answer of every route, with an example that is one."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from tactful.serving.api.app import ROUTERS
from tactful.serving.api.decisions.schemas import DecisionBatch, DecisionRequest, OutcomeReport, WhatIfRequest
from tactful.serving.api.document.webhooks import DecisionMade
from tactful.serving.api.schemas import Problem, TrackingProblem
from tactful.serving.api.tracking.matching import TRACKING

ROUTES = {
    (method.lower(), route.path): route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
}
ALWAYS = {"500"}
BEHIND_THE_DOOR = {"401", "403", "429"}
PUBLIC = {("get", f"/health/{probe}") for probe in ("live", "startup", "ready")} | {("post", "/v1/m")}


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/openapi.json").json()
    return told


def operations(document: dict[str, Any]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    for path, found in document["paths"].items():
        for method, operation in found.items():
            yield (method, path), operation


def test_every_route_is_described(document: dict[str, Any]) -> None:
    assert {name for name, _ in operations(document)} == set(ROUTES)


def test_the_example_of_the_webhook_is_one(document: dict[str, Any]) -> None:
    announced = document["webhooks"]["decision.made"]["post"]
    DecisionMade.model_validate(announced["requestBody"]["content"]["application/json"]["example"], extra="forbid")
    assert {parameter["name"] for parameter in announced["parameters"]} == {
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }


def test_what_may_be_absent_has_no_default(document: dict[str, Any]) -> None:
    members = [
        member
        for schema in document["components"]["schemas"].values()
        for member in schema.get("properties", {}).values()
    ]
    assert members
    assert [member for member in members if "default" in member] == []


def test_every_answer_has_an_example_that_is_one(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            content = response.get("content", {})
            if status == "200" and "application/json" in content:
                assert list(content) == ["application/json"]
                TypeAdapter(ROUTES[name].response_model).validate_python(content["application/json"]["example"])
            elif int(status) >= 400:
                assert list(content) == ["application/problem+json"]
                examples = [e["value"] for e in content["application/problem+json"]["examples"].values()]
                model = TrackingProblem if TRACKING in operation["tags"] else Problem
                assert {str(model.model_validate(e, extra="forbid").status) for e in examples} == {status}


@pytest.mark.parametrize("model", [DecisionRequest, DecisionBatch, OutcomeReport, WhatIfRequest])
def test_the_examples_of_a_request_are_requests(document: dict[str, Any], model: Any) -> None:
    examples = document["components"]["schemas"][model.__name__]["examples"]
    assert examples
    for example in examples:
        model.model_validate(example)


def test_every_route_tells_how_it_may_be_refused(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        told = set(operation["responses"])
        assert told >= ALWAYS
        assert (told >= BEHIND_THE_DOOR) == (name not in PUBLIC)
        assert ("requestBody" in operation) <= (told >= {"413", "422"})
