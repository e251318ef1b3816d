"""The batcher ingests the requests that wait, together, and answers each by itself."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

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
    batcher = IngestBatcher(IngestPipeline())
    unfit = [single(200, userId=None), RawRequest(b"{", "", "track")]
    raw_requests = [*map(single, range(100)), *unfit, batch(100, 101), single(1), batch(5)]
    answers = [future.result() for future in [batcher.submit(service, raw_request) for raw_request in raw_requests]]
    batcher.close()
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
    batcher = IngestBatcher(IngestPipeline())
    for future in [batcher.submit(who, single(n)) for n in range(20) for who in (service, other)]:
        assert fates(future.result()) == [MessageStatus.KEPT]
    batcher.close()
    assert {event.id for _, event in service.store.events("other")} == {f"m{n}" for n in range(20)}


def test_closing_takes_in_what_waits_and_nothing_after(service: DecisionService) -> None:
    batcher = IngestBatcher(IngestPipeline())
    futures = [batcher.submit(service, single(number)) for number in range(50)]
    batcher.close()
    assert [fates(future.result()) for future in futures] == [[MessageStatus.KEPT]] * 50
    with pytest.raises(NotReadyError, match="the service is stopping"):
        batcher.submit(service, single(51)).result()


def test_a_store_that_fails_is_told_to_everybody(shop: Settings, open_shop: Callable[[], DecisionService]) -> None:
    service = open_shop()
    with service.store.database.begin() as connection:
        connection.exec_driver_sql("DROP TABLE arrivals")
    batcher = IngestBatcher(IngestPipeline())
    futures = [batcher.submit(service, single(number)) for number in range(5)]
    for future in futures:
        with pytest.raises(StoreError):
            future.result()
    batcher.close()


class Noting(IngestPipeline):
    """A pipeline that notes where the requests came from, in the order in which it received them."""

    order: ClassVar[list[str]] = []

    def receive(self, service: DecisionService, raw_requests: Sequence[RawRequest]) -> list[Receipts]:
        self.order.extend(request.source for request in raw_requests)
        return IngestPipeline.receive(self, service, raw_requests)


def test_a_flood_by_one_sender_delays_that_sender_alone(service: DecisionService) -> None:
    batcher = IngestBatcher(Noting())
    flood = [replace(single(number), source="flood") for number in range(600)]
    futures = [batcher.submit(service, request) for request in flood]
    futures += [batcher.submit(service, replace(single(900 + n), source=f"shop {n}")) for n in range(3)]
    for future in futures:
        future.result()
    batcher.close()
    others = [place for place, source in enumerate(Noting.order) if source != "flood"]
    assert len(others) == 3
    assert max(others) < 300, "they waited behind the flood, not behind the batches in work alone"
