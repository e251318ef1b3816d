"""The OpenAPI document beyond the models: every problem that a route can answer with, each with an example."""

from collections.abc import Mapping
from typing import Any

from tactful.serving.api.document.examples import ANSWERS, DECISION_MADE
from tactful.serving.api.problems import (
    INTERNAL,
    INVALID,
    KINDS,
    MEDIA_TYPE,
    Kind,
)
from tactful.serving.api.schemas import FieldProblem, Problem, TrackingProblem
from tactful.serving.api.tracking.matching import TRACKING
from tactful.serving.errors import (
    AnswerNotKeptError,
    DeadlineError,
    ForbiddenError,
    KeyInFlightError,
    KeyReusedError,
    ServingError,
    TooManyRequestsError,
    UnauthenticatedError,
)

DESCRIPTION = """
Asks for the message most worth sending to a customer at this moment, or for silence.

Every error is a problem document (RFC 9457, `application/problem+json`). Every response has an `X-Request-ID`: yours,
if you send one. Amounts are in the catalogue's currency, moments are UTC. A route that answers GET answers HEAD, too; a
slash at the end of a path makes no difference.
"""
SERVERS = [{"url": "/", "description": "The service that sends this document."}]
TAGS = [
    {"name": "decisions", "description": "Ask for decisions, clear and release their contacts, report their outcomes."},
    {"name": "content", "description": "Ask for the content of a customer's page, and report what became of it."},
    {"name": "tracking", "description": "Send events and traits as the clients of Segment and RudderStack do."},
    {"name": "customers", "description": "Read, export and erase what is kept about a customer."},
    {"name": "catalogue", "description": "Read, check and replace the catalogue of programmes."},
    {"name": "health", "description": "Probes for whatever starts and restarts the service."},
    {"name": "operations", "description": "Figures for the people who run the service."},
    {"name": "webhooks", "description": "What the service sends to the receiver that its settings name."},
]
CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods that change something, which an `Idempotency-Key` makes safe to send twice."""
LONGEST_KEY = 255
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent twice with the same key, the request is carried out once; its answer is kept for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
}
SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer KEY`."},
    "write_key": {"type": "http", "scheme": "basic", "description": "An API key as user name, without a password."},
}
_REQUEST = "9f1c0d6be5b94d6a8f3d1f0f6d7e2a41"
_DETAILS = {
    "unknown-customer": "unknown customer: got '9999'; wanted a customer whose history was loaded",
    "unknown-decision": "unknown decision: got 'checkout-0'; wanted the id of a decision made before",
    "not-merged": "an id that is merged into no customer: got 'anonymous-81f0'",
    "decision-conflict": "the id belongs to a decision about another customer: got 'checkout-7f3a'; wanted a new id",
    "contended": "others changed the customer each time we decided: got '20 tries'; at decision checkout-7f3a",
    "unauthenticated": "an unknown or revoked key: wanted one that `tactful keys create` made",
    "forbidden": "a key that may not do this: got 'read'; wanted scope decide",
    "too-many-requests": "too many requests: wanted at most 50 a second",
    "request-in-flight": "a request with this key is not answered yet",
    "idempotency-key-reused": "the key belongs to another request",
    "deadline-exceeded": "the request took too long: wanted at most 60 seconds",
    "not-ready": "nothing to decide with: got 'no bundle'; wanted a bundle and a catalogue",
    "store-unavailable": "the store fails",
    "invalid-request": "2 fields of the request cannot be used",
    "malformed-body": "There was an error parsing the body: POST /v1/decisions",
    "body-too-large": "at most 65536 bytes",
    "answer-not-kept": "the request was carried out; its answer of 3145728 bytes was not kept",
    "already-sent": "a contact that was made: got 'checkout-7f3a'; wanted one that is reserved",
    "nothing-to-send": "a decision for silence: got 'checkout-7f3a'; wanted one that chose a message",
    "erased": "a decision whose personal data were erased: got 'checkout-7f3a'; wanted one with its inputs",
    "unknown-item": "unknown score in a what-if: got 'laps'; wanted lapse",
    "invalid-cursor": "not a cursor: wanted `next` of the page before",
    "catalogue-refused": "the catalogue has 1 mistake",
    "catalogue-moved": "the catalogue in force is another one: got '6ac2…'; wanted 0b1e7d1d4f4c9a52",
    "precondition-required": "which catalogue is to be replaced: wanted its ETag in If-Match",
    "unreadable-body": "a body that is no text: wanted YAML in UTF-8",
    "messages-refused": "1 of 100 messages cannot be used",
    "internal-error": "something went wrong that should not",
}
_FIELDS = [
    FieldProblem(place="body.customer_id", message="Field required"),
    FieldProblem(place="body.customer", message="Extra inputs are not permitted"),
]


def problems(*causes: type[ServingError] | Kind) -> dict[int | str, dict[str, Any]]:
    """The problem documents of a route, as OpenAPI's `responses`.

    Args:
        causes: Errors it can answer with, or their kinds; an internal error can happen to every route.
    """
    kinds = [*(cause if isinstance(cause, Kind) else KINDS[cause] for cause in causes), INTERNAL, KINDS[DeadlineError]]
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        response = by_status.setdefault(kind.status, {"model": Problem, "description": "", "content": _empty()})
        response["description"] = ", ".join(filter(None, [response["description"], kind.name]))
        response["content"][MEDIA_TYPE]["examples"][kind.name] = {"value": _example(kind)}
    return by_status


def complete(
    document: dict[str, Any], scopes: Mapping[tuple[str, str], tuple[str, ...]], *, keyed: bool
) -> dict[str, Any]:
    """Adds to FastAPI's document: keys and their scopes, problems of one media type, examples that hold null.

    Args:
        document: FastAPI's document.
        scopes: The scopes of which a route wants one, by method and path.
        keyed: Whether callers are asked for keys.
    """
    if keyed:
        document["components"]["securitySchemes"] = SECURITY
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _mend(operation, ANSWERS.get((method.upper(), path)))
            if wanted := scopes.get((method.upper(), path)):
                _guard(operation, changes=method.upper() in CHANGES)
                operation |= {"security": [{name: [scope]} for scope in wanted for name in SECURITY]} if keyed else {}
            if TRACKING in operation["tags"]:
                _speak_to_segment(operation)
    announced = document["webhooks"]["decision.made"]["post"]
    announced["requestBody"]["content"]["application/json"]["example"] = DECISION_MADE
    schemas = document["components"]["schemas"]
    schemas["TrackingProblem"] = TrackingProblem.model_json_schema(ref_template="#/components/schemas/{model}")
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for schema in schemas.values():
        schema.pop("$defs", None)
        _leave_defaults_out(schema)
    return document


def _leave_defaults_out(schema: dict[str, Any]) -> None:
    """Members that may be absent have no default in the document: generators make required what has one."""
    for member in schema.get("properties", {}).values():
        member.pop("default", None)


def _speak_to_segment(operation: dict[str, Any]) -> None:
    """The problems of a tracking route have the members that the clients of Segment read."""
    for response in operation["responses"].values():
        if content := response.get("content", {}).get(MEDIA_TYPE):
            content["schema"] = {"$ref": "#/components/schemas/TrackingProblem"}
            content["examples"] = {
                name: {"value": example["value"] | {"code": name, "message": example["value"]["detail"]}}
                for name, example in content["examples"].items()
            }


def _mend(operation: dict[str, Any], example: Any) -> None:
    responses = operation["responses"]
    if "application/json" in responses.get("422", {}).get("content", {}):
        _add(operation, INVALID)
    for response in responses.values():
        content = response.get("content", {})
        if MEDIA_TYPE in content:
            response["content"] = {MEDIA_TYPE: content[MEDIA_TYPE]}
        elif "application/json" in content:
            content["application/json"]["example"] = example


def _guard(operation: dict[str, Any], *, changes: bool) -> None:
    """The answers and headers that authentication adds."""
    _add(operation, UnauthenticatedError, ForbiddenError, TooManyRequestsError)
    if changes:
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        _add(operation, KeyInFlightError, AnswerNotKeptError, KeyReusedError)


def _add(operation: dict[str, Any], *causes: type[ServingError] | Kind) -> None:
    """Adds problems to those of a route."""
    for status, response in problems(*causes).items():
        if status == INTERNAL.status or list(response["content"][MEDIA_TYPE]["examples"]) == ["deadline-exceeded"]:
            continue
        added = response["content"][MEDIA_TYPE]
        known = operation["responses"].setdefault(str(status), {"content": {}})
        told = known["content"].setdefault(MEDIA_TYPE, {"schema": added["schema"], "examples": {}})
        told["examples"] |= added["examples"]
        known["description"] = ", ".join(told["examples"])


def _empty() -> dict[str, Any]:
    return {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}}


def _example(kind: Kind) -> dict[str, Any]:
    return kind.document(_DETAILS[kind.name], _REQUEST, _FIELDS if kind is INVALID else None)
