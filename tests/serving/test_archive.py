"""The log read back: every decision can be made again, byte for byte, as long as its inputs are there."""

import sqlite3

import pytest

from tactful.decisions.kernel.decide import KERNEL
from tactful.serving.engine.batch import decide_all
from tactful.serving.engine.records.archive import Archive
from tactful.serving.engine.records.decision_json import content
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import ErasedError, StoreError, UnknownDecisionError
from tactful.serving.settings import Settings
from tests.serving.earlier import rewrite
from tests.serving.shop import CATALOGUE


def archive_of(service: DecisionService) -> Archive:
    return Archive(service.store, service.tenant, service.champions.present())


def test_every_decision_is_made_again(service: DecisionService) -> None:
    run = decide_all(service, "monday")
    archive = archive_of(service)
    assert {recorded.record for recorded in archive.log()} == {d.as_bytes() for d in run.decisions}
    assert all(archive.replay(decision.id).identical for decision in run.decisions)


def test_a_decision_is_made_again_with_its_own_catalogue(service: DecisionService, shop: Settings) -> None:
    service.decide("thankful", "d1")
    shop.catalogue.write_text(CATALOGUE.replace("value: 5", "value: 6"))
    service.decide("leaver", "d2")
    assert archive_of(service).replay("d1").identical
    assert archive_of(service).decision("d1").compiled.catalogue.message("thank_you").value == 5


def test_a_decision_of_kernel_3_is_told_and_not_made_again(service: DecisionService, shop: Settings) -> None:
    service.decide("thankful", "d1")
    earlier = rewrite(shop.store, "d1", kernel="3")
    told = service.decision("d1")
    assert told.decision.as_bytes() == earlier
    assert b'"rewards"' not in content(told)
    assert b"its outcome is known" not in content(told)
    replayed = archive_of(service).replay("d1")
    assert (replayed.cause, replayed.recorded, replayed.replayed) == ("kernel", "3", KERNEL)
    with pytest.raises(StoreError, match=f"made by other rules: got 'kernel 3'; wanted {KERNEL}; at d1"):
        archive_of(service).decision("d1")


def test_a_decision_of_kernel_4_is_made_again_as_it_was(service: DecisionService, shop: Settings) -> None:
    record = service.decide("thankful", "d1").decision.as_bytes()
    earlier = record.replace(f'"kernel":"{KERNEL}"'.encode(), b'"kernel":"4"')
    connection = sqlite3.connect(shop.store.removeprefix("sqlite:///"))
    with connection:
        connection.execute("UPDATE decisions SET record = ?", (earlier,))
    connection.close()
    archive = archive_of(service)
    assert archive.replay("d1").identical
    assert archive.decision("d1").record == earlier != record


def test_what_was_erased_or_never_made_is_an_error(service: DecisionService, shop: Settings) -> None:
    service.decide("thankful", "d1")
    connection = sqlite3.connect(shop.store.removeprefix("sqlite:///"))
    connection.execute("UPDATE decisions SET inputs = NULL")
    connection.commit()
    connection.close()
    archive = archive_of(service)
    assert list(archive.log()) == []
    with pytest.raises(ErasedError, match="got 'd1'"):
        archive.replay("d1")
    with pytest.raises(UnknownDecisionError, match="got 'd2'"):
        archive.decision("d2")
