"""Requests with an `Idempotency-Key`: carried out once, however often they are sent."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tactful.serving.api.access.auth import RequestContext
from tactful.serving.api.document.openapi import CHANGES, LONGEST_KEY
from tactful.serving.api.problems import KINDS, MEDIA_TYPE
from tactful.serving.api.tracking.clients import Again, whole
from tactful.serving.errors import AnswerNotKeptError
from tactful.serving.store.database import Database
from tactful.serving.store.queries import idempotency
from tactful.serving.store.queries.idempotency import Claim, KeptAnswer

HEADER = b"idempotency-key"
REPEATED = "Idempotency-Replayed"
"""Borne by an answer that was given before."""
LARGEST_KEPT = 1024 * 1024
"""Bytes of the largest answer that is kept."""
CHANGE_NOTHING = frozenset({"/v1/what-if"})
"""Questions, whose answers are personal and name nobody: an erasure could not find one that is kept."""
CLEANING = timedelta(minutes=10)


class IdempotencyMiddleware:
    """Stands before an application, behind the door.

    The answer is stored before it is sent, so a caller can get it again. An answer that may differ next time (429 and
    errors of ours) is not kept.

    Args:
        app: The application.
        database: Where answers are kept.
    """

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self._app = app
        self._database = database
        self._cleaned = datetime.min.replace(tzinfo=UTC)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if not _may_repeat(scope):
            await self._app(scope, receive, send)
            return
        key = _key(scope)
        context: RequestContext = scope["state"]["context"]
        body = await whole(receive)
        claimed = await run_in_threadpool(self._claim, context, key, _fingerprint(scope, body))
        if isinstance(claimed, KeptAnswer):
            again = Response(claimed.body, claimed.status, {REPEATED: "true"}, claimed.media)
            await again(scope, receive, send)
        else:
            await self._carry_out(claimed, scope, Again(body, receive), send)

    async def _carry_out(self, claim: Claim, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _BufferedSend()
        try:
            await self._app(scope, receive, answer)
        except Exception:
            await run_in_threadpool(idempotency.give_up, self._database, claim)
            raise
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            await run_in_threadpool(idempotency.give_up, self._database, claim)
        else:
            keep = partial(idempotency.keep, impersonal=scope["method"] == "DELETE")
            await run_in_threadpool(keep, self._database, claim, _bounded(answer.kept, scope))
        for message in answer.messages:
            await send(message)

    def _claim(self, context: RequestContext, key: str, fingerprint: str) -> Claim | KeptAnswer:
        now = datetime.now(UTC)
        if now - self._cleaned > CLEANING:
            self._cleaned = now
            idempotency.expire(self._database, now)
        return idempotency.claim(self._database, context.caller.tenant, context.caller.key, key, fingerprint, now)


class _BufferedSend:
    """A response that is not sent yet."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def kept(self) -> KeptAnswer:
        body = b"".join(message.get("body", b"") for message in self.messages)
        return KeptAnswer(self.status, body, MutableHeaders(raw=self.messages[0]["headers"]).get("content-type"))


def _bounded(answer: KeptAnswer, scope: Scope) -> KeptAnswer:
    """An answer as it is kept: in place of one that is too large, the problem that a repetition is answered with."""
    if len(answer.body) <= LARGEST_KEPT:
        return answer
    detail = f"the request was carried out; its answer of {len(answer.body)} bytes was not kept"
    kind = KINDS[AnswerNotKeptError]
    problem = kind.document(detail, scope["state"]["request_id"])
    return KeptAnswer(kind.status, json.dumps(problem, sort_keys=True).encode(), MEDIA_TYPE)


def _may_repeat(scope: Scope) -> bool:
    """Whether a request names a key, and changes something."""
    if scope["type"] != "http" or scope["method"] not in CHANGES or "context" not in scope["state"]:
        return False
    if scope["path"] in CHANGE_NOTHING:
        return False
    return any(name == HEADER for name, _ in scope["headers"])


def _key(scope: Scope) -> str:
    """The key of a request.

    Raises:
        RequestValidationError: It is empty or too long, or there are several.
    """
    sent: list[str] = [value.decode("latin-1") for name, value in scope["headers"] if name == HEADER]
    if len(sent) == 1 and 0 < len(sent[0]) <= LONGEST_KEY:
        return sent[0]
    got = f"{len(sent[0])} characters" if len(sent) == 1 else f"{len(sent)} headers"
    reason = f"got {got}; wanted one header of 1 to {LONGEST_KEY} characters"
    raise RequestValidationError([{"loc": ("header", "Idempotency-Key"), "msg": reason, "type": "value_error"}])


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((value for name, value in scope["headers"] if name == wanted), b"")


def _fingerprint(scope: Scope, body: bytes) -> str:
    """The identity of a request: method, path, body, and the version that it replaces."""
    target = (scope["method"].encode(), scope["path"].encode(), scope["query_string"])
    parts = (*target, _header(scope, b"if-match"), hashlib.sha256(body).digest())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
