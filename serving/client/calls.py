"""Requests of the API as values, each with a reader of its answer, for both clients.

A request that is sent again is carried out once: a decision by its id, a message by its `messageId`, an outcome by its
id, and every other change by an `Idempotency-Key`.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from tactful.features.vocabulary import OutcomeKind
from tactful.serving.api.catalogue.schemas import CataloguePut, ProgrammesAnswer
from tactful.serving.api.customers.schemas import (
    CustomerAnswer,
    CustomerExport,
    ErasureAnswer,
    MergePage,
    UnmergeAnswer,
)
from tactful.serving.api.decisions.schemas import (
    BatchAnswer,
    ClearanceAnswer,
    DecisionAnswer,
    DecisionPage,
    DecisionRequest,
    Health,
    OutcomeAnswer,
    ReleaseAnswer,
    WhatIfAnswer,
    WhatIfRequest,
)
from tactful.serving.api.tracking.schemas import Taken, TakenAndDecided
from tactful.serving.client.address import header
from tactful.serving.client.errors import ApiError, UnexpectedAnswerError, request_of

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CatalogueText:
    """A catalogue as it was put in force.

    Args:
        content: The text, in YAML.
        etag: Names the text; `put_catalogue` sends it back.
    """

    content: str
    etag: str


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, with a reader of its answer.

    Args:
        method: Its method.
        path: Its path.
        read: Reads an answer of status 2xx.
        query: Its query.
        headers: Its headers.
        content: Its body.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    query: Fields = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None

    def request(self, http: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """The request, for a client that knows the service's address."""
        return http.build_request(
            self.method, self.path, params=_given(self.query), headers=self.headers, content=self.content
        )

    def result(self, response: httpx.Response) -> T:
        """Returns the result that an answer holds.

        Raises:
            ApiError: The service could not do it.
            UnexpectedAnswerError: It is no answer of this API.
        """
        if response.is_error:
            raise ApiError.of(response)
        try:
            return self.read(response)
        except (ValidationError, KeyError) as error:
            got = f"{response.status_code} {response.headers.get('content-type', 'without a content type')}"
            wanted = "a decision service at this address"
            where = request_of(response.request)
            raise UnexpectedAnswerError("an answer of something else", got=got, wanted=wanted, where=where) from error


def decide(customer_id: str, id_: str | None, channels: Sequence[str]) -> Call[DecisionAnswer]:
    """`POST /v1/decisions`."""
    body = {"customer_id": customer_id, "id": id_ or new_id(), "channels": list(channels)}
    return _post("/v1/decisions", DecisionAnswer, body)


def decide_batch(decisions: Sequence[DecisionRequest]) -> Call[BatchAnswer]:
    """`POST /v1/decisions/batch`."""
    asked = [{"id": new_id(), **one.model_dump(mode="json", exclude_none=True)} for one in decisions]
    return _post("/v1/decisions/batch", BatchAnswer, {"decisions": asked})


def list_decisions(customer_id: str | None, cursor: str | None, limit: int) -> Call[DecisionPage]:
    """`GET /v1/decisions`."""
    return _get("/v1/decisions", DecisionPage, {"customer_id": customer_id, "cursor": cursor, "limit": limit})


def get_decision(decision_id: str) -> Call[DecisionAnswer]:
    """`GET /v1/decisions/{decision_id}`."""
    return _get(_path("decisions", decision_id), DecisionAnswer)


def clear_contact(decision_id: str, key: str | None) -> Call[ClearanceAnswer]:
    """`POST /v1/decisions/{decision_id}/clearance`."""
    return _post(_path("decisions", decision_id, "clearance"), ClearanceAnswer, headers=_once(key))


def release_contact(decision_id: str, key: str | None) -> Call[ReleaseAnswer]:
    """`POST /v1/decisions/{decision_id}/release`."""
    return _post(_path("decisions", decision_id, "release"), ReleaseAnswer, headers=_once(key))


def report_outcome(
    decision_id: str, kind: OutcomeKind, id_: str | None, time: datetime | None, value: float | None
) -> Call[OutcomeAnswer]:
    """`POST /v1/decisions/{decision_id}/outcome`."""
    body = {"kind": kind, "id": id_, "time": time, "value": value}
    return _post(_path("decisions", decision_id, "outcome"), OutcomeAnswer, body)


def what_if(question: WhatIfRequest) -> Call[WhatIfAnswer]:
    """`POST /v1/what-if`."""
    return _post("/v1/what-if", WhatIfAnswer, question.model_dump(mode="json", exclude_none=True))


def track(event: str, message: Fields, *, decides: bool) -> Call[TakenAndDecided]:
    """`POST /v1/track`."""
    return _post("/v1/track", TakenAndDecided, _message({**message, "event": event}), {"decide": decides or None})


def send(kind: str, message: Fields) -> Call[Taken]:
    """`POST /v1/identify`, `page`, `screen`, `group` or `alias`."""
    return _post(f"/v1/{kind}", Taken, _message(message))


def send_batch(messages: Sequence[Fields]) -> Call[Taken]:
    """`POST /v1/batch`."""
    return _post("/v1/batch", Taken, {"batch": [_message(message) for message in messages]})


def get_customer(customer_id: str) -> Call[CustomerAnswer]:
    """`GET /v1/customers/{customer_id}`."""
    return _get(_path("customers", customer_id), CustomerAnswer)


def export_customer(customer_id: str) -> Call[CustomerExport]:
    """`GET /v1/customers/{customer_id}/export`."""
    return _get(_path("customers", customer_id, "export"), CustomerExport)


def erase_customer(customer_id: str, key: str | None) -> Call[ErasureAnswer]:
    """`DELETE /v1/customers/{customer_id}`."""
    return Call("DELETE", _path("customers", customer_id), _model(ErasureAnswer), headers=_once(key))


def list_merges(customer_id: str | None, cursor: str | None, limit: int) -> Call[MergePage]:
    """`GET /v1/merges`."""
    return _get("/v1/merges", MergePage, {"customer_id": customer_id, "cursor": cursor, "limit": limit})


def unmerge_customer(customer_id: str, key: str | None) -> Call[UnmergeAnswer]:
    """`POST /v1/customers/{customer_id}/unmerge`."""
    return _post(_path("customers", customer_id, "unmerge"), UnmergeAnswer, headers=_once(key))


def get_catalogue() -> Call[CatalogueText]:
    """`GET /v1/catalogue`."""
    return Call("GET", "/v1/catalogue", lambda response: CatalogueText(response.text, response.headers["etag"]))


def put_catalogue(content: str, if_match: str | None, key: str | None, *, checks: bool) -> Call[CataloguePut]:
    """`PUT /v1/catalogue`."""
    headers = _once(key) | {"Content-Type": "application/yaml"}
    headers |= {} if if_match is None else header("If-Match", if_match)
    query = {"check": checks or None}
    return Call("PUT", "/v1/catalogue", _model(CataloguePut), query, headers, content.encode())


def list_programmes() -> Call[ProgrammesAnswer]:
    """`GET /v1/programmes`."""
    return _get("/v1/programmes", ProgrammesAnswer)


def get_health() -> Call[Health]:
    """`GET /health`."""
    return _get("/health", Health)


def person(user_id: str | None, anonymous_id: str | None, more: Fields | None) -> dict[str, Any]:
    """The customer of a message, with other fields of its sender, by the names of the specification."""
    return {"userId": user_id, "anonymousId": anonymous_id, **(more or {})}


def new_id() -> str:
    """An id that nobody else has."""
    return uuid.uuid4().hex


def _get(path: str, model: type[M], query: Fields | None = None) -> Call[M]:
    return Call("GET", path, _model(model), query or {})


def _post(
    path: str,
    model: type[M],
    body: Fields | None = None,
    query: Fields | None = None,
    headers: Mapping[str, str] | None = None,
) -> Call[M]:
    content = None if body is None else to_json(_given(body))
    typed = {} if body is None else {"Content-Type": "application/json"}
    return Call("POST", path, _model(model), query or {}, {**typed, **(headers or {})}, content)


def _model(model: type[M]) -> Callable[[httpx.Response], M]:
    return lambda response: model.model_validate_json(response.content)


def _path(*segments: str) -> str:
    return "/v1/" + "/".join(quote(segment, safe="") for segment in segments)


def _message(message: Fields) -> dict[str, Any]:
    return {"messageId": new_id(), **_given(message)}


def _once(key: str | None) -> dict[str, str]:
    return header("Idempotency-Key", key or new_id())


def _given(fields: Fields) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
