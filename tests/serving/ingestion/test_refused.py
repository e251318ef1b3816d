"""Refused messages are counted without what is personal, and told in a line of the log."""

import logging

import pytest

from tactful.serving.engine.service import DecisionService
from tactful.serving.ingestion.intake import MessageResult
from tactful.serving.ingestion.refused import MOST_AT_ONCE, OTHERS, UNDECLARED, RefusedLog, impersonal
from tactful.serving.ingestion.statuses import MessageStatus
from tactful.serving.store.queries import refused
from tests.serving.shop import NOW

UNKNOWN = MessageResult(MessageStatus.UNMAPPED, name="track Button Pressed")
UNFIT = MessageResult(MessageStatus.MALFORMED, "about nobody", name="track Order Completed")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("track Button Pressed", "track Button Pressed"),
        ("track Mail to ada@shop.example", "track Mail to …"),
        ("track Called +44 20 7946 0018", "track Called …"),
        ("track Order #4711 paid", "track Order #… paid"),
        ("track Viewed 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "track Viewed …"),
        ("track Step 2", "track Step 2"),
        ("track a\nb", "track a b"),
        ("track " + "y" * 500, "track " + "y" * 54),
    ],
)
def test_names_bear_nobodys_data(name: str, kept: str) -> None:
    assert impersonal(name) == kept


def test_what_is_refused_is_counted_in_the_store_and_logged(
    service: DecisionService, caplog: pytest.LogCaptureFixture
) -> None:
    log = RefusedLog(service.store.database, clock=lambda: NOW)
    log.note(
        "default",
        "k1",
        [UNFIT, UNKNOWN, MessageResult(MessageStatus.KEPT), MessageResult(MessageStatus.DUPLICATE), UNFIT],
    )
    log.flush()
    found = {one.refused.name: one.count for one in refused.counts(service.store.database, "default")}
    assert found == {"track Order Completed": 2, "track Button Pressed": 1}
    with caplog.at_level(logging.WARNING):
        log.log()
        log.log()
    (line,) = caplog.records
    assert line.getMessage() == "messages refused"
    assert vars(line)["fates"] == {"malformed": 2, "unmapped": 1}
    most = {"fate": "malformed", "name": "track Order Completed", "reason": "about nobody", "key": "k1", "count": 2}
    assert vars(line)["most"] == most


def test_an_attribute_that_is_not_declared_is_counted_by_its_name(service: DecisionService) -> None:
    log = RefusedLog(service.store.database, clock=lambda: NOW)
    log.note(
        "default", "k1", [MessageResult(MessageStatus.KEPT, name="identify", undeclared=("plan", "tax_number"))] * 3
    )
    log.flush()
    found = [(*one.refused[:2], one.count) for one in refused.counts(service.store.database, "default")]
    assert found == [(UNDECLARED, "trait plan", 3), (UNDECLARED, "trait tax_number", 3)]


def test_ever_new_names_are_counted_together(service: DecisionService) -> None:
    log = RefusedLog(service.store.database, clock=lambda: NOW)
    names = [MessageResult(MessageStatus.UNMAPPED, name=f"track {chr(0x4E00 + n)}") for n in range(MOST_AT_ONCE + 50)]
    log.note("default", "k1", names)
    log.flush()
    counts = {one.refused.name: one.count for one in refused.counts(service.store.database, "default")}
    assert counts.get(OTHERS, 0) in (0, 50)
    assert len(counts) <= refused.MOST
