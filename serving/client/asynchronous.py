"""A client of the HTTP API for `asyncio`."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

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
from tactful.serving.client import calls
from tactful.serving.client.address import headers_of, service_at
from tactful.serving.client.calls import Call, CatalogueText
from tactful.serving.client.errors import NoAnswerError, UnexpectedAnswerError, request_of
from tactful.serving.client.retries import Attempts, is_transient, retry_after

T = TypeVar("T")


class AsyncClient:
    """A client of a decision service for `asyncio`, for many requests at a time; it has the methods of `Client`.

    An `async with` block or `aclose` closes its connections.

    Args:
        url: The service's address, such as `http://127.0.0.1:8080`.
        key: An API key; without one for a service that asks for none.
        timeout: Seconds for one attempt to connect, and between two pieces of an answer.
        patience: Seconds in which a request is sent again; 0 sends it once.

    Example:
        >>> import asyncio
        >>> from tactful import AsyncClient
        >>> async def ask() -> None:
        ...     async with AsyncClient("http://127.0.0.1:9", patience=0) as client:
        ...         await client.decide("7")
        >>> asyncio.run(ask())  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        tactful.serving.client.errors.NoAnswerError: no answer: got ...; at POST /v1/decisions
    """

    def __init__(self, url: str, key: str | None = None, *, timeout: float = 10.0, patience: float = 30.0) -> None:
        self._http = httpx.AsyncClient(base_url=service_at(url), headers=headers_of(key), timeout=timeout)
        self._patience = patience

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def decide(self, customer_id: str, *, id: str | None = None, channels: Sequence[str] = ()) -> DecisionAnswer:  # noqa: A002
        """See `Client.decide`."""
        return await self._send(calls.decide(customer_id, id, channels))

    async def decide_batch(self, decisions: Sequence[DecisionRequest]) -> BatchAnswer:
        """See `Client.decide_batch`."""
        return await self._send(calls.decide_batch(decisions))

    async def list_decisions(
        self, *, customer_id: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> DecisionPage:
        """See `Client.list_decisions`."""
        return await self._send(calls.list_decisions(customer_id, cursor, limit))

    async def get_decision(self, decision_id: str) -> DecisionAnswer:
        """See `Client.get_decision`."""
        return await self._send(calls.get_decision(decision_id))

    async def clear_contact(self, decision_id: str, *, idempotency_key: str | None = None) -> ClearanceAnswer:
        """See `Client.clear_contact`."""
        return await self._send(calls.clear_contact(decision_id, idempotency_key))

    async def release_contact(self, decision_id: str, *, idempotency_key: str | None = None) -> ReleaseAnswer:
        """See `Client.release_contact`."""
        return await self._send(calls.release_contact(decision_id, idempotency_key))

    async def report_outcome(
        self,
        decision_id: str,
        kind: OutcomeKind,
        *,
        id: str | None = None,  # noqa: A002
        time: datetime | None = None,
        value: float | None = None,
    ) -> OutcomeAnswer:
        """See `Client.report_outcome`."""
        return await self._send(calls.report_outcome(decision_id, kind, id, time, value))

    async def what_if(self, question: WhatIfRequest) -> WhatIfAnswer:
        """See `Client.what_if`."""
        return await self._send(calls.what_if(question))

    async def track(
        self,
        event: str,
        user_id: str | None = None,
        properties: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        decide: bool = False,
        more: Mapping[str, Any] | None = None,
    ) -> TakenAndDecided:
        """See `Client.track`."""
        message = calls.person(user_id, anonymous_id, more) | {"properties": properties}
        return await self._send(calls.track(event, message, decides=decide))

    async def identify(
        self,
        user_id: str | None = None,
        traits: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Taken:
        """See `Client.identify`."""
        return await self._send(calls.send("identify", calls.person(user_id, anonymous_id, more) | {"traits": traits}))

    async def page(
        self,
        name: str,
        user_id: str | None = None,
        properties: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Taken:
        """See `Client.page`."""
        seen = {"name": name, "properties": properties}
        return await self._send(calls.send("page", calls.person(user_id, anonymous_id, more) | seen))

    async def screen(
        self,
        name: str,
        user_id: str | None = None,
        properties: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Taken:
        """See `Client.screen`."""
        seen = {"name": name, "properties": properties}
        return await self._send(calls.send("screen", calls.person(user_id, anonymous_id, more) | seen))

    async def group(
        self,
        group_id: str,
        user_id: str | None = None,
        traits: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Taken:
        """See `Client.group`."""
        joined = {"groupId": group_id, "traits": traits}
        return await self._send(calls.send("group", calls.person(user_id, anonymous_id, more) | joined))

    async def alias(self, user_id: str, previous_id: str, *, more: Mapping[str, Any] | None = None) -> Taken:
        """See `Client.alias`."""
        return await self._send(calls.send("alias", calls.person(user_id, None, more) | {"previousId": previous_id}))

    async def send_batch(self, messages: Sequence[Mapping[str, Any]]) -> Taken:
        """See `Client.send_batch`."""
        return await self._send(calls.send_batch(messages))

    async def get_customer(self, customer_id: str) -> CustomerAnswer:
        """See `Client.get_customer`."""
        return await self._send(calls.get_customer(customer_id))

    async def export_customer(self, customer_id: str) -> CustomerExport:
        """See `Client.export_customer`."""
        return await self._send(calls.export_customer(customer_id))

    async def erase_customer(self, customer_id: str, *, idempotency_key: str | None = None) -> ErasureAnswer:
        """See `Client.erase_customer`."""
        return await self._send(calls.erase_customer(customer_id, idempotency_key))

    async def list_merges(
        self, *, customer_id: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> MergePage:
        """See `Client.list_merges`."""
        return await self._send(calls.list_merges(customer_id, cursor, limit))

    async def unmerge_customer(self, customer_id: str, *, idempotency_key: str | None = None) -> UnmergeAnswer:
        """See `Client.unmerge_customer`."""
        return await self._send(calls.unmerge_customer(customer_id, idempotency_key))

    async def get_catalogue(self) -> CatalogueText:
        """See `Client.get_catalogue`."""
        return await self._send(calls.get_catalogue())

    async def put_catalogue(
        self,
        content: str,
        *,
        if_match: str | None = None,
        check: bool = False,
        idempotency_key: str | None = None,
    ) -> CataloguePut:
        """See `Client.put_catalogue`."""
        return await self._send(calls.put_catalogue(content, if_match, idempotency_key, checks=check))

    async def list_programmes(self) -> ProgrammesAnswer:
        """See `Client.list_programmes`."""
        return await self._send(calls.list_programmes())

    async def get_health(self) -> Health:
        """See `Client.get_health`."""
        return await self._send(calls.get_health())

    async def _send(self, call: Call[T]) -> T:
        request, attempts = call.request(self._http), Attempts(self._patience)
        while True:
            try:
                response = await self._http.send(request)
            except httpx.TransportError as error:
                pause = attempts.pause()
                if pause is None:
                    raise NoAnswerError(
                        "no answer", got=str(error) or type(error).__name__, where=request_of(request)
                    ) from error
            except httpx.DecodingError as error:
                where = request_of(request)
                raise UnexpectedAnswerError("a body that cannot be read", got=str(error), where=where) from error
            else:
                pause = attempts.pause(retry_after(response)) if is_transient(response) else None
                if pause is None:
                    return call.result(response)
            await asyncio.sleep(pause)
