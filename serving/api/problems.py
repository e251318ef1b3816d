"""Errors over HTTP: every one of them is a problem document (RFC 9457)."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from tactful.serving.api.schemas import FieldProblem, Problem
from tactful.serving.api.tracking.matching import Paths
from tactful.serving.errors import (
    AlreadySentError,
    AnswerNotKeptError,
    CatalogueMovedError,
    CatalogueRefusedError,
    ContendedError,
    CursorError,
    DeadlineError,
    DecisionConflictError,
    ErasedError,
    ForbiddenError,
    KeyInFlightError,
    KeyReusedError,
    NothingToSendError,
    NotMergedError,
    NotReadyError,
    PreconditionRequiredError,
    ServingError,
    StoreError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnknownCustomerError,
    UnknownDecisionError,
    UnknownItemError,
    UnreadableBodyError,
)
from tactful.serving.telemetry.logs import whence

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem.

    Args:
        status: Its HTTP status.
        name: Its name, hyphenated.
        hint: What to do about it.
        retry_after: Seconds to wait before asking again, or None where that does not help.
        details: Whether the caller gets the particulars, or only the log does.
        headers: Further headers of its responses.
    """

    status: int
    name: str
    hint: str | None = None
    retry_after: int | None = None
    details: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(
        self,
        detail: str,
        scope: Scope,
        *,
        errors: Sequence[FieldProblem] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The problem document of an occurrence, for the request of a scope."""
        waiting = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        content = self.document(detail, scope["state"]["request_id"], errors)
        if _paths(scope).is_tracking(scope):
            content |= self.for_segment(detail)
        body = json.dumps(content, sort_keys=True).encode()
        return Response(body, self.status, {**self.headers, **waiting, **(headers or {})}, MEDIA_TYPE)

    def document(self, detail: str, request_id: str, errors: Sequence[FieldProblem] | None = None) -> dict[str, Any]:
        """The problem document of an occurrence as JSON values."""
        problem = Problem(
            type=f"urn:tactful:problem:{self.name}",
            title=self.name.replace("-", " ").capitalize(),
            status=self.status,
            detail=detail,
            hint=self.hint,
            errors=None if errors is None else list(errors),
            request_id=request_id,
        )
        return problem.model_dump(exclude_none=True)

    def for_segment(self, detail: str) -> dict[str, str]:
        """The members of a problem that the clients of Segment read: `code` and `message`."""
        return {"code": self.name, "message": detail}


INVALID = Kind(422, "invalid-request", "Send JSON as /openapi.json describes it, with Content-Type: application/json.")
TOO_LARGE = Kind(413, "body-too-large", "Send a smaller body.")
MALFORMED = Kind(400, "malformed-body", "Send JSON as /openapi.json describes it.")
INTERNAL = Kind(500, "internal-error", "Ask whoever runs the service, with the request id.")
OF_FRAMEWORK = {
    HTTPStatus.BAD_REQUEST: MALFORMED,
    HTTPStatus.NOT_FOUND: Kind(404, "no-such-path", "See /openapi.json for the paths there are."),
    HTTPStatus.METHOD_NOT_ALLOWED: Kind(405, "method-not-allowed", "The header Allow names those that are."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TOO_LARGE,
}
KINDS: Mapping[type[Exception], Kind] = {
    UnknownCustomerError: Kind(404, "unknown-customer", "Load the customer's history, then ask again."),
    UnknownDecisionError: Kind(404, "unknown-decision", "Ask for a decision first: POST /v1/decisions."),
    NotMergedError: Kind(409, "not-merged", "GET /v1/merges lists the merges that can be undone."),
    DecisionConflictError: Kind(409, "decision-conflict", "Use an id for one decision; leave it out to be given one."),
    UnauthenticatedError: Kind(
        401,
        "unauthenticated",
        "Send Authorization: Bearer KEY; `tactful keys create` makes keys.",
        headers={"WWW-Authenticate": 'Bearer realm="tactful", Basic realm="tactful"'},
    ),
    ForbiddenError: Kind(403, "forbidden", "Use a key with the scope that is wanted."),
    TooManyRequestsError: Kind(429, "too-many-requests", "Wait for Retry-After seconds.", retry_after=1),
    KeyInFlightError: Kind(409, "request-in-flight", "Wait, then ask again with the same key.", retry_after=1),
    AnswerNotKeptError: Kind(409, "answer-not-kept", "It was done: read the result, or use ids of your own."),
    KeyReusedError: Kind(422, "idempotency-key-reused", "Use an Idempotency-Key for one request."),
    AlreadySentError: Kind(409, "already-sent", "The contact was made and stays in the ledger."),
    NothingToSendError: Kind(409, "nothing-to-send", "Only a decision that chose a message leads to a contact."),
    ErasedError: Kind(410, "erased", "What the decision was made on is gone; ask about a customer instead."),
    UnknownItemError: Kind(422, "unknown-item", "GET /v1/customers/{id} and GET /v1/programmes name what there is."),
    CursorError: Kind(422, "invalid-cursor", "Send `next` of the page before, as it came."),
    CatalogueRefusedError: Kind(422, "catalogue-refused", "Mend each line, then send it again."),
    CatalogueMovedError: Kind(412, "catalogue-moved", "GET /v1/catalogue, make the change there, send its new ETag."),
    PreconditionRequiredError: Kind(428, "precondition-required", "GET /v1/catalogue tells the ETag."),
    UnreadableBodyError: Kind(400, "unreadable-body", "Send UTF-8."),
    ContendedError: Kind(503, "contended", "Ask again with the same id.", retry_after=1),
    DeadlineError: Kind(
        503, "deadline-exceeded", "Ask again with the same id or Idempotency-Key: it may be done.", retry_after=5
    ),
    NotReadyError: Kind(503, "not-ready", "Wait until /health/ready says ready.", retry_after=5),
    StoreError: Kind(503, "store-unavailable", "Ask again with the same id.", retry_after=5, details=False),
}


def install(app: FastAPI) -> None:
    """Makes every error of an application a problem document."""
    app.add_exception_handler(ServingError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServingError)
    kind, detail = problem_for(error)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyRequestsError) else None
    errors = _lines(error) if isinstance(error, CatalogueRefusedError) else None
    return kind.response(detail, request.scope, errors=errors, headers=headers)


def problem_for(error: Exception) -> tuple[Kind, str]:
    """The kind of an error, and its detail for the caller; an error that is not the caller's fault is logged."""
    kind = KINDS.get(type(error), INTERNAL)
    if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _note(error)
    if not isinstance(error, ServingError):
        return kind, "something went wrong that should not"
    return kind, str(error) if kind.details else error.message


def _lines(error: CatalogueRefusedError) -> list[FieldProblem]:
    found = error.findings
    return [
        FieldProblem(place=f"line {f.line}", message=f"{f.message} ({f.mend})" if f.mend else f.message) for f in found
    ]


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = [FieldProblem(place=_place(e["loc"]), message=_message(e)) for e in error.errors()]
    count = f"{len(fields)} field{'s' if len(fields) != 1 else ''}"
    return INVALID.response(f"{count} of the request cannot be used", request.scope, errors=fields)


async def _of_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    kind = OF_FRAMEWORK.get(status, Kind(status, status.phrase.lower().replace(" ", "-")))
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_paths(request.scope).methods(request.scope))
    return kind.response(f"{error.detail}: {request.method} {request.url.path}", request.scope, headers=headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    _note(error)
    return INTERNAL.response("something went wrong that should not", request.scope)


def _paths(scope: Scope) -> Paths:
    paths: Paths = scope["app"].state.paths
    return paths


def _note(error: Exception) -> None:
    """Logs what is not the caller's fault: where it came from, but no words that may be about somebody."""
    reason = str(error) if isinstance(error, ServingError) else None
    _log.error("request failed", extra={"reason": reason, **whence(error)})


def _place(location: Sequence[int | str]) -> str:
    """A place in a request, such as `body.customer_id`; for text that is not JSON, the character."""
    if len(location) == 2 and location[0] == "body" and isinstance(location[1], int):
        return f"body, character {location[1]}"
    return ".".join(str(part) for part in location)


def _message(error: Mapping[str, Any]) -> str:
    reason = error.get("ctx", {}).get("error")
    return f"{error['msg']}: {reason}" if isinstance(reason, str) else str(error["msg"])
