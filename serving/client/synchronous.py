"""A client of the HTTP API that blocks."""

import time
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


class Client:
    """A client of a decision service, for one thread or many.

    Methods are named as the API's operations, and return the API's own models. A request is sent again after a lost
    connection, a time-out and an answer 429, 502, 503 or 504, for as long as `patience` lasts; it is carried out once,
    since each attempt has the same ids and the same `Idempotency-Key`.

    Every method raises `NoAnswerError` where no answer came, `UnexpectedAnswerError` where something else answers at
    the address, and otherwise an `ApiError`, whose subclasses `tactful.serving.client.errors` lists.

    A `with` block or `close` closes its connections.

    Args:
        url: The service's address, such as `http://127.0.0.1:8080`.
        key: An API key; without one for a service that asks for none.
        timeout: Seconds for one attempt to connect, and between two pieces of an answer.
        patience: Seconds in which a request is sent again; 0 sends it once.

    Example:
        >>> from tactful import Client
        >>> with Client("http://127.0.0.1:9", patience=0) as client:
        ...     client.decide("7")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        tactful.serving.client.errors.NoAnswerError: no answer: got ...; at POST /v1/decisions
    """

    def __init__(self, url: str, key: str | None = None, *, timeout: float = 10.0, patience: float = 30.0) -> None:
        self._http = httpx.Client(base_url=service_at(url), headers=headers_of(key), timeout=timeout)
        self._patience = patience

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def decide(self, customer_id: str, *, id: str | None = None, channels: Sequence[str] = ()) -> DecisionAnswer:  # noqa: A002
        """Decide about one customer now.

        Args:
            customer_id: About whom.
            id: Id of the decision; asking again with it gives the same decision. Made up where None.
            channels: Only these channels; every channel where empty.
        """
        return self._send(calls.decide(customer_id, id, channels))

    def decide_batch(self, decisions: Sequence[DecisionRequest]) -> BatchAnswer:
        """Decide about up to 1,000 customers now; one may fail while the others succeed.

        Args:
            decisions: Whom to decide about; ids are made up where there are none.

        Returns:
            One item each, in order: `decision` where its `status` is 200, else `problem`.
        """
        return self._send(calls.decide_batch(decisions))

    def list_decisions(
        self, *, customer_id: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> DecisionPage:
        """List decisions, the newest first; `next` of a page is the cursor of the one after it."""
        return self._send(calls.list_decisions(customer_id, cursor, limit))

    def get_decision(self, decision_id: str) -> DecisionAnswer:
        """Get a decision made before, with its explanation."""
        return self._send(calls.get_decision(decision_id))

    def clear_contact(self, decision_id: str, *, idempotency_key: str | None = None) -> ClearanceAnswer:
        """Ask right before a contact whether it may be made; if it may, it counts as sent.

        Args:
            decision_id: The decision that chose it.
            idempotency_key: The same answer is given to each request with it; made up where None.
        """
        return self._send(calls.clear_contact(decision_id, idempotency_key))

    def release_contact(self, decision_id: str, *, idempotency_key: str | None = None) -> ReleaseAnswer:
        """Give back a reserved contact that will not be made."""
        return self._send(calls.release_contact(decision_id, idempotency_key))

    def report_outcome(
        self,
        decision_id: str,
        kind: OutcomeKind,
        *,
        id: str | None = None,  # noqa: A002
        time: datetime | None = None,
        value: float | None = None,
    ) -> OutcomeAnswer:
        """Report an outcome of a contact.

        Args:
            decision_id: The decision that chose it.
            kind: The kind of outcome.
            id: Your id of the outcome: an outcome that is reported again with it counts once. The kind where None.
            time: When, aware; at its receipt where None.
            value: Its value, in the catalogue's currency.
        """
        return self._send(calls.report_outcome(decision_id, kind, id, time, value))

    def what_if(self, question: WhatIfRequest) -> WhatIfAnswer:
        """Make a decision under some changes; nothing is written."""
        return self._send(calls.what_if(question))

    def track(
        self,
        event: str,
        user_id: str | None = None,
        properties: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        decide: bool = False,
        more: Mapping[str, Any] | None = None,
    ) -> TakenAndDecided:
        """Send something that a customer did.

        Args:
            event: Its name, such as `Order Completed`.
            user_id: Id of the customer.
            properties: Properties of the event, such as `revenue`.
            anonymous_id: Id before the customer is known; one of the two is needed.
            decide: Whether the answer holds a decision upon it.
            more: Other fields of Segment's specification, such as `timestamp`, `messageId` and `context`.
        """
        message = calls.person(user_id, anonymous_id, more) | {"properties": properties}
        return self._send(calls.track(event, message, decides=decide))

    def identify(
        self,
        user_id: str | None = None,
        traits: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Taken:
        """Send traits of a customer: attributes, a zone, consents."""
        return self._send(calls.send("identify", calls.person(user_id, anonymous_id, more) | {"traits": traits}))

    def page(
        self,
        name: str,
        user_id: str | None = None,
        properties: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Taken:
        """Send a page that a customer saw."""
        seen = {"name": name, "properties": properties}
        return self._send(calls.send("page", calls.person(user_id, anonymous_id, more) | seen))

    def screen(
        self,
        name: str,
        user_id: str | None = None,
        properties: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Taken:
        """Send a screen that a customer saw."""
        seen = {"name": name, "properties": properties}
        return self._send(calls.send("screen", calls.person(user_id, anonymous_id, more) | seen))

    def group(
        self,
        group_id: str,
        user_id: str | None = None,
        traits: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Taken:
        """Send a group that a customer belongs to."""
        joined = {"groupId": group_id, "traits": traits}
        return self._send(calls.send("group", calls.person(user_id, anonymous_id, more) | joined))

    def alias(self, user_id: str, previous_id: str, *, more: Mapping[str, Any] | None = None) -> Taken:
        """Send that two ids are one customer."""
        return self._send(calls.send("alias", calls.person(user_id, None, more) | {"previousId": previous_id}))

    def send_batch(self, messages: Sequence[Mapping[str, Any]]) -> Taken:
        """Send many messages of Segment's specification, each with its `type`; a refused one holds no other back.

        Returns:
            `refused`, the first hundred messages that were not kept or not as a whole, each with its place and reason.
        """
        return self._send(calls.send_batch(messages))

    def get_customer(self, customer_id: str) -> CustomerAnswer:
        """Get a customer as the engine sees it now."""
        return self._send(calls.get_customer(customer_id))

    def export_customer(self, customer_id: str) -> CustomerExport:
        """Get everything that is kept about a customer."""
        return self._send(calls.export_customer(customer_id))

    def erase_customer(self, customer_id: str, *, idempotency_key: str | None = None) -> ErasureAnswer:
        """Erase a customer; this cannot be undone."""
        return self._send(calls.erase_customer(customer_id, idempotency_key))

    def list_merges(self, *, customer_id: str | None = None, cursor: str | None = None, limit: int = 100) -> MergePage:
        """List merges of customers, the newest first."""
        return self._send(calls.list_merges(customer_id, cursor, limit))

    def unmerge_customer(self, customer_id: str, *, idempotency_key: str | None = None) -> UnmergeAnswer:
        """Make an id that was merged into a customer a customer of its own again."""
        return self._send(calls.unmerge_customer(customer_id, idempotency_key))

    def get_catalogue(self) -> CatalogueText:
        """Get the catalogue in force, comments and all."""
        return self._send(calls.get_catalogue())

    def put_catalogue(
        self,
        content: str,
        *,
        if_match: str | None = None,
        check: bool = False,
        idempotency_key: str | None = None,
    ) -> CataloguePut:
        """Put another catalogue in force.

        Args:
            content: The catalogue, in YAML.
            if_match: The `etag` of the one that it is to replace, or `*`; needed unless it is only checked.
            check: Only say what there is to say of it.
            idempotency_key: The same answer is given to each request with it; made up where None.
        """
        return self._send(calls.put_catalogue(content, if_match, idempotency_key, checks=check))

    def list_programmes(self) -> ProgrammesAnswer:
        """List the programmes of the present catalogue, in the marketer's order."""
        return self._send(calls.list_programmes())

    def get_health(self) -> Health:
        """Get the versions of the models and the catalogue in use, and remarks for operators."""
        return self._send(calls.get_health())

    def _send(self, call: Call[T]) -> T:
        request, attempts = call.request(self._http), Attempts(self._patience)
        while True:
            try:
                response = self._http.send(request)
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
            time.sleep(pause)
