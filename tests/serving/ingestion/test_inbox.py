"""The inbox takes in what waits, together, and answers each by itself."""

import json
from collections import Counter
from collections.abc import Callable

import pytest

from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import NotReadyError, StoreError
from tactful.serving.ingestion.batching import IngestBatcher
from tactful.serving.ingestion.pipeline import IngestPipeline, RawRequest, Receipts
from tactful.serving.ingestion.statuses import MessageStatus
from tactful.serving.settings import Settings


def single(number: int, **fields: object) -> RawRequest:
    message = {"messageId": f"m{number}", "userId": f"c{number % 7}", "event": "Order Completed", **fields}
    return RawRequest(json.dumps(message).encode(), "", "track")


def batch(*numbers: int) -> RawRequest:
    messages = [{"type": "track", **json.loads(single(number).body)} for number in numbers]
    return RawRequest(json.dumps({"batch": messages}).encode())


def fates(receipts: Receipts) -> list[MessageStatus]:
    return [told.fate for told in receipts.told]


def test_each_request_has_its_own_answer(service: DecisionService) -> None:
    inbox = IngestBatcher(IngestPipeline())
    unfit = [single(200, userId=None), RawRequest(b"{", "", "track")]
    raw_requests = [*map(single, range(100)), *unfit, batch(100, 101), single(1), batch(5)]
    answers = [future.result() for future in [inbox.submit(service, raw_request) for raw_request in raw_requests]]
    inbox.close()
    assert Counter(fate for answer in answers for fate in fates(answer)) == {
        MessageStatus.KEPT: 102,
        MessageStatus.DUPLICATE: 2,
        MessageStatus.MALFORMED: 2,
    }
    assert [(answer.unfit, fates(answer)) for answer in answers[100:102]] == [
        (False, [MessageStatus.MALFORMED]),
        (True, [MessageStatus.MALFORMED]),
    ]
    kept = {event.id for _, event in service.store.events(service.tenant)}
    assert kept >= {f"m{number}" for number in range(102)}


def test_tenants_are_kept_apart(shop: Settings, service: DecisionService) -> None:
    other = DecisionService(service.store, service.champions, service.maker, service.clock, "other")
    inbox = IngestBatcher(IngestPipeline())
    for future in [inbox.submit(who, single(n)) for n in range(20) for who in (service, other)]:
        assert fates(future.result()) == [MessageStatus.KEPT]
    inbox.close()
    assert {event.id for _, event in service.store.events("other")} == {f"m{n}" for n in range(20)}


def test_closing_takes_in_what_waits_and_nothing_after(service: DecisionService) -> None:
    inbox = IngestBatcher(IngestPipeline())
    futures = [inbox.submit(service, single(number)) for number in range(50)]
    inbox.close()
    assert [fates(future.result()) for future in futures] == [[MessageStatus.KEPT]] * 50
    with pytest.raises(NotReadyError, match="the service is stopping"):
        inbox.submit(service, single(51)).result()


def test_a_store_that_fails_is_told_to_everybody(shop: Settings, open_shop: Callable[[], DecisionService]) -> None:
    service = open_shop()
    with service.store.database.begin() as connection:
        connection.exec_driver_sql("DROP TABLE arrivals")
    inbox = IngestBatcher(IngestPipeline())
    futures = [inbox.submit(service, single(number)) for number in range(5)]
    for future in futures:
        with pytest.raises(StoreError):
            future.result()
    inbox.close()
