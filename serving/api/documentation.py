"""What OpenAPI says beyond the models: every problem a route can answer with, each with an example."""

from typing import Any

from serving.api.problem import INTERNAL, INVALID, KINDS, MEDIA_TYPE, TOO_LARGE, FieldProblem, Kind, Problem
from serving.errors import ServingError

DESCRIPTION = """
Asks for the message most worth sending to a customer at this moment, or for silence.

Every error is a problem document (RFC 9457, `application/problem+json`). Every response bears an `X-Request-ID`: yours,
if you send one. Amounts are in the catalogue's currency, moments are UTC.
"""
_REQUEST = "9f1c0d6be5b94d6a8f3d1f0f6d7e2a41"
_DETAILS = {
    "unknown-customer": "unknown customer: got '9999'; wanted a customer whose history was loaded",
    "unknown-decision": "unknown decision: got 'checkout-0'; wanted the id of a decision made before",
    "decision-conflict": "the id belongs to a decision about another customer: got 'checkout-7f3a'; wanted a new id",
    "contended": "others changed the customer each time we decided: got '20 tries'; at customer 1",
    "not-ready": "nothing to decide with: got 'no bundle'; wanted a bundle and a catalogue",
    "store-unavailable": "the store fails: got 'database is locked'; at var/demo/tactful.db",
    "unrenderable-message": "a text too long for its channel: got 171; wanted at most 160; at welcome/hello/sms",
    "invalid-request": "2 fields of the request cannot be used",
    "body-too-large": "at most 65536 bytes",
    "internal-error": "something went wrong that should not",
}
_FIELDS = [
    FieldProblem(place="body.customer_id", message="Field required"),
    FieldProblem(place="body.customer", message="Extra inputs are not permitted"),
]


def problems(*errors: type[ServingError], body: bool = False) -> dict[int | str, dict[str, Any]]:
    """The problem documents of a route, as OpenAPI's `responses`.

    Args:
        errors: The errors it can answer with, besides those of every route.
        body: Whether it takes a body.
    """
    kinds = [*(KINDS[error] for error in errors), INVALID, INTERNAL, *([TOO_LARGE] if body else [])]
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        response = by_status.setdefault(kind.status, {"model": Problem, "description": "", "content": _empty()})
        response["description"] = ", ".join(filter(None, [response["description"], kind.name]))
        response["content"][MEDIA_TYPE]["examples"][kind.name] = {"value": _example(kind)}
    return by_status


def _empty() -> dict[str, Any]:
    return {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}}


def _example(kind: Kind) -> dict[str, Any]:
    return kind.document(_DETAILS[kind.name], _REQUEST, _FIELDS if kind is INVALID else None)
