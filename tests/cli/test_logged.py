"""The decision log of a service, as jobs that learn from it read it."""

from pathlib import Path

from tactful.cli.wiring.decision_source import open_decisions
from tactful.serving.engine.records.erase import erase_person
from tactful.serving.settings import Settings
from tests.cli.shopfront import CUSTOMERS, opened
from tests.serving.earlier import rewrite


def test_decisions_of_the_kernel_before_are_learnt_from_and_not_made_again(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    for customer, kernel in (("thankful", "3"), ("regular", "2")):
        rewrite(Settings.of(folder).store, f"d-{customer}", kernel)
    source = open_decisions(folder)
    everybody = {f"d-{customer}" for customer in CUSTOMERS}
    log = {logged.decision.id: logged.decision for logged in source.decisions()}
    assert log.keys() == everybody - {"d-regular"}
    assert [decision.id for decision in log.values() if not decision.rewards] == ["d-thankful"]
    assert {request.id for request, _ in source.requests()} == everybody - {"d-regular", "d-thankful"}
    source.folder.close()


def test_what_is_kept_of_somebody_erased_says_nothing_to_a_job(tmp_path: Path) -> None:
    source = open_decisions(opened(tmp_path))
    erase_person(source.folder.store, source.folder.tenant, "thankful", source.now, None)
    kept = {f"d-{customer}" for customer in CUSTOMERS} - {"d-thankful"}
    assert {logged.decision.id for logged in source.decisions()} == kept
    source.folder.close()
