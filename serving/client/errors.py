"""Errors of the client.

TactfulError
└── ClientError
    ├── NoAnswerError           no answer came, however often the request was sent
    ├── UnexpectedAnswerError   an answer that is none of this API's
    └── ApiError                a problem document: status, kind, detail, hint, fields, request id
        ├── InvalidRequestError     400, 413, 422: the request cannot be used
        ├── AuthenticationError     401: no key, or not one of the service's
        ├── PermissionDeniedError   403: a key without the scope that is wanted
        ├── NotFoundError           404, 410: unknown, or erased
        ├── ConflictError           409, 412, 428: it conflicts with what is there
        ├── RateLimitError          429: more requests than the key may make
        └── UnavailableError        5xx: the service cannot answer
"""

from collections.abc import Mapping
from typing import Self

import httpx
from pydantic import ValidationError

from tactful.features.errors import TactfulError
from tactful.serving.api.schemas import FieldProblem, Problem


class ClientError(TactfulError):
    """An error of the client."""


class NoAnswerError(ClientError):
    """No answer came, however often the request was sent; it may have been carried out."""


class UnexpectedAnswerError(ClientError):
    """An answer that is none of this API's, such as a proxy's page."""


class ApiError(ClientError):
    """A problem document.

    Args:
        problem: The document.
        request: Which request it answers, such as `POST /v1/decisions`.

    Example:
        >>> from tactful.serving.api.schemas import Problem
        >>> kind = "urn:tactful:problem:not-ready"
        >>> told = Problem(type=kind, title="Not ready", status=503, detail="no models", request_id="r")
        >>> print(ApiError(told, "POST /v1/decisions"))
        no models: at POST /v1/decisions, answered with 503 not-ready (request r)
    """

    def __init__(self, problem: Problem, request: str) -> None:
        self.problem = problem
        named = f" {self.kind}" if self.kind else ""
        quoted = f" (request {problem.request_id})" if problem.request_id else ""
        super().__init__(problem.detail, where=f"{request}, answered with {problem.status}{named}{quoted}")
        for note in (problem.hint, *(f"{field.place}: {field.message}" for field in self.fields)):
            if note:
                self.add_note(note)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def kind(self) -> str:
        """The kind of problem, such as `unknown-customer`; empty where the answer names none."""
        return self.problem.type.removeprefix("urn:tactful:problem:")

    @property
    def detail(self) -> str:
        """This occurrence, for a person."""
        return self.problem.detail

    @property
    def hint(self) -> str | None:
        """What to do about it."""
        return self.problem.hint

    @property
    def fields(self) -> list[FieldProblem]:
        """Each field of the request that is wrong."""
        return self.problem.errors or []

    @property
    def request_id(self) -> str:
        """The id by which an operator finds the request; empty where the answer names none."""
        return self.problem.request_id

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        """The error that an answer is."""
        error = _BY_STATUS.get(response.status_code, UnavailableError if response.is_server_error else ApiError)
        return error(problem_of(response), request_of(response.request))  # type: ignore[return-value]


class InvalidRequestError(ApiError):
    """The request cannot be used; `fields` names each field that is wrong."""


class AuthenticationError(ApiError):
    """No key, or not one of the service's."""


class PermissionDeniedError(ApiError):
    """A key without the scope that is wanted."""


class NotFoundError(ApiError):
    """The customer or decision is unknown, or was erased."""


class ConflictError(ApiError):
    """The request conflicts with what is there."""


class RateLimitError(ApiError):
    """More requests than the key may make, for longer than the client waits."""


class UnavailableError(ApiError):
    """The service cannot answer, for longer than the client waits."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    412: ConflictError,
    413: InvalidRequestError,
    422: InvalidRequestError,
    428: ConflictError,
    429: RateLimitError,
}


def request_of(request: httpx.Request) -> str:
    """Method and path of a request, for a message; without the query, which may name a customer."""
    return f"{request.method} {request.url.path}"


def problem_of(response: httpx.Response) -> Problem:
    """The problem document of an answer; one in its place where a proxy answered without one."""
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        quoted = response.headers.get("x-request-id", "")
        detail = "an answer without a problem document"
        return Problem(
            type="", title=response.reason_phrase, status=response.status_code, detail=detail, request_id=quoted
        )
