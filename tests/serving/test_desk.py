"""The desk answers everybody who asked, in groups, whatever happens to others."""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from serving.desk import LARGEST_GROUP, Desk
from serving.errors import NotReadyError, UnknownCustomerError
from serving.making import Answer, Ask
from serving.service import DecisionService
from serving.settings import Settings
from tests.serving.shop import NOW

CUSTOMERS = ["regular", "leaver", "thankful", "complainer", "refuser", "celebrant"]


def asked_about(customer: str, decision_id: str) -> Ask:
    return Ask(customer, decision_id, NOW)


def test_everybody_gets_their_own_answer(service: DecisionService) -> None:
    desk = Desk()
    numbers = range(3 * LARGEST_GROUP)

    def ask(number: int) -> tuple[int, "Future[Answer]"]:
        return number, desk.ask(service, asked_about(CUSTOMERS[number % len(CUSTOMERS)], f"d{number}"))

    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(ask, numbers))
    for number, future in asked:
        decision = future.result().decision
        assert (decision.id, decision.customer) == (f"d{number}", CUSTOMERS[number % len(CUSTOMERS)])
    desk.close()
    assert len(list(service.store.decision_log(service.tenant))) == len(numbers)


def test_whoever_waits_is_answered_before_the_desk_closes(service: DecisionService) -> None:
    desk = Desk()
    futures = [desk.ask(service, asked_about("regular", f"d{number}")) for number in range(100)]
    desk.close()
    assert [future.result().decision.id for future in futures] == [f"d{number}" for number in range(100)]
    with pytest.raises(NotReadyError, match="stopping"):
        desk.ask(service, asked_about("regular", "late")).result()


def test_an_error_goes_to_whom_it_concerns(service: DecisionService) -> None:
    desk = Desk()
    stranger, known = desk.ask(service, asked_about("nobody", "d1")), desk.ask(service, asked_about("regular", "d2"))
    with pytest.raises(UnknownCustomerError):
        stranger.result()
    assert known.result().decision.id == "d2"
    desk.close()


def test_an_error_of_all_goes_to_all_and_the_desk_goes_on(service: DecisionService, shop: Settings) -> None:
    catalogue = shop.catalogue.read_text()
    shop.catalogue.unlink()
    desk = Desk()
    for future in [desk.ask(service, asked_about("regular", f"d{number}")) for number in range(3)]:
        with pytest.raises(NotReadyError):
            future.result()
    shop.catalogue.write_text(catalogue)
    assert desk.ask(service, asked_about("regular", "d4")).result().decision.id == "d4"
    desk.close()
