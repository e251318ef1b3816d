"""What OpenAPI says beyond the models: every problem a route can answer with, each with an example."""

from collections.abc import Mapping
from typing import Any

from serving.api.problem import INTERNAL, INVALID, KINDS, MEDIA_TYPE, FieldProblem, Kind, Problem
from serving.errors import ForbiddenError, ServingError, TooManyRequestsError, UnauthenticatedError

DESCRIPTION = """
Asks for the message most worth sending to a customer at this moment, or for silence.

Every error is a problem document (RFC 9457, `application/problem+json`). Every response bears an `X-Request-ID`: yours,
if you send one. Amounts are in the catalogue's currency, moments are UTC.
"""
_READY: dict[str, Any] = {
    "status": "ready",
    "bundle": {
        "version": "3f6b2f0c41a7",
        "features": "84f609ee5fb9f99eeb2e32a760a2ba5dab7b77a54aa0ad94ef03791c593c434c",
    },
    "catalogue": {"name": "shop", "version": "0b1e7d1d4f4c9a52"},
    "refused": {"reason": "a changed file: got 'sha256 9d0f…'; wanted sha256 41be…; at bundles/second/lapse.txt"},
}
_DECISION: dict[str, Any] = {
    "id": "checkout-7f3a",
    "customer_id": "leaver",
    "moment": "2026-05-06T16:00:00+00:00",
    "choice": {
        "action": "win_back/miss_you/email",
        "programme": "win_back",
        "message": "miss_you",
        "channel": "email",
        "priority": 4.3,
        "probability": 1.0,
        "opening": "win_back:first",
        "response": 0.2155,
        "subject": "We miss you",
        "body": "Dear Ada, it has been 45 days. Take this, good for 30 days.",
    },
    "silence": None,
    "probability": 1.0,
    "silence_probability": 0.0,
    "scores": {"lapse": 0.92},
    "runners_up": [],
    "excluded": [
        {
            "action": "win_back/miss_you/mail",
            "programme": "win_back",
            "message": "miss_you",
            "channel": "mail",
            "reasons": [
                {
                    "gate": "cap",
                    "rule": "monthly_mail",
                    "observed": "1 contact in 28d",
                    "limit": "at most 1 in 28d",
                    "until": "2026-05-14T16:00:00+00:00",
                }
            ],
        }
    ],
    "closed": [{"programme": "thanks", "observed": "no event that opens it", "limit": "an opening"}],
    "currency": "USD",
    "policy": {"kind": "greedy"},
    "versions": {
        "catalogue": _READY["catalogue"]["version"],
        "bundle": _READY["bundle"]["version"],
        "features": _READY["bundle"]["features"],
        "kernel": "1",
    },
    "explanation": (
        "Chosen: miss_you of win_back by email, worth 4.30 USD more than silence (response 21.5%, margin 20.00, cost "
        "0.01), with probability 1. Excluded: win_back/miss_you/mail by cap monthly_mail (1 contact in 28d; wanted at "
        "most 1 in 28d, possible from 2026-05-14 16:00 UTC)."
    ),
}
SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer KEY`."},
    "write_key": {"type": "http", "scheme": "basic", "description": "An API key as user name, without a password."},
}
ANSWERS = {
    "/v1/decisions": _DECISION,
    "/v1/decisions/{decision_id}": _DECISION,
    "/health/live": {"status": "alive"},
    "/health/ready": _READY,
}
_REQUEST = "9f1c0d6be5b94d6a8f3d1f0f6d7e2a41"
_DETAILS = {
    "unknown-customer": "unknown customer: got '9999'; wanted a customer whose history was loaded",
    "unknown-decision": "unknown decision: got 'checkout-0'; wanted the id of a decision made before",
    "decision-conflict": "the id belongs to a decision about another customer: got 'checkout-7f3a'; wanted a new id",
    "contended": "others changed the customer each time we decided: got '20 tries'; at customer 1",
    "unauthenticated": "an unknown or revoked key: wanted one that `tactful keys create` made",
    "forbidden": "a key that may not do this: got 'read'; wanted scope decide",
    "too-many-requests": "too many requests: wanted at most 50 a second",
    "request-in-flight": "a request with this key is not answered yet",
    "idempotency-key-reused": "the key belongs to another request",
    "not-ready": "nothing to decide with: got 'no bundle'; wanted a bundle and a catalogue",
    "store-unavailable": "the store fails",
    "unrenderable-message": "a text too long for its channel: got 171; wanted at most 160; at welcome/hello/sms",
    "invalid-request": "2 fields of the request cannot be used",
    "malformed-body": "There was an error parsing the body: POST /v1/decisions",
    "body-too-large": "at most 65536 bytes",
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
    kinds = [*(cause if isinstance(cause, Kind) else KINDS[cause] for cause in causes), INTERNAL]
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        response = by_status.setdefault(kind.status, {"model": Problem, "description": "", "content": _empty()})
        response["description"] = ", ".join(filter(None, [response["description"], kind.name]))
        response["content"][MEDIA_TYPE]["examples"][kind.name] = {"value": _example(kind)}
    return by_status


def complete(document: dict[str, Any], scopes: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """Mends what FastAPI cannot say: keys and their scopes, problems of one media type, examples that hold null.

    Args:
        document: What FastAPI says.
        scopes: The scope that a route wants, by method and path.
    """
    document["components"]["securitySchemes"] = SECURITY
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if scope := scopes.get((method.upper(), path)):
                operation["security"] = [{name: [scope]} for name in SECURITY]
                refusals = problems(UnauthenticatedError, ForbiddenError, TooManyRequestsError)
                operation["responses"] |= {str(s): _refusal(refusals[s]) for s in (401, 403, 429)}
            for status, response in operation["responses"].items():
                if MEDIA_TYPE in response["content"]:
                    del response["content"]["application/json"]
                elif status == "200":
                    response["content"]["application/json"]["example"] = ANSWERS[path]
    return document


def _refusal(response: dict[str, Any]) -> dict[str, Any]:
    return {"description": response["description"], "content": response["content"]}


def _empty() -> dict[str, Any]:
    return {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}}


def _example(kind: Kind) -> dict[str, Any]:
    return kind.document(_DETAILS[kind.name], _REQUEST, _FIELDS if kind is INVALID else None)
