"""The desk answers everybody who asked, in groups, whatever happens to others."""

import asyncio

import pytest

from tactful.serving.engine.batching import LARGEST_GROUP, Desk
from tactful.serving.engine.drafts import Ask
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import NotReadyError, UnknownCustomerError
from tactful.serving.settings import Settings
from tests.serving.shop import NOW

CUSTOMERS = ["regular", "leaver", "thankful", "complainer", "refuser", "celebrant"]


def asked_about(customer: str, decision_id: str) -> Ask:
    return Ask(customer, decision_id, NOW)


def test_everybody_gets_their_own_answer(service: DecisionService) -> None:
    asks = [asked_about(CUSTOMERS[number % len(CUSTOMERS)], f"d{number}") for number in range(3 * LARGEST_GROUP)]

    async def asked() -> None:
        desk = Desk()
        answers = await asyncio.gather(*(desk.ask(service, ask) for ask in asks))
        assert [(a.decision.id, a.decision.customer) for a in answers] == [(ask.id, ask.customer) for ask in asks]
        desk.close()

    asyncio.run(asked())
    assert len(list(service.store.decision_log(service.tenant))) == len(asks)


def test_whoever_waits_is_answered_before_the_desk_closes(service: DecisionService) -> None:
    async def asked() -> None:
        desk = Desk()
        waiting = [desk.ask(service, asked_about("regular", f"d{number}")) for number in range(100)]
        desk.close()
        assert [(await one).decision.id for one in waiting] == [f"d{number}" for number in range(100)]
        with pytest.raises(NotReadyError, match="stopping"):
            await desk.ask(service, asked_about("regular", "late"))

    asyncio.run(asked())


def test_who_asks_much_keeps_nobody_waiting(service: DecisionService) -> None:
    order: list[str] = []

    async def asked() -> None:
        desk = Desk()
        hot = [desk.ask(service, asked_about("regular", f"d{number}")) for number in range(100)]
        other = desk.ask(service, asked_about("leaver", "other"))
        for one in (*hot, other):
            one.add_done_callback(lambda done: order.append(done.result().decision.id))
        await asyncio.gather(*hot, other)
        desk.close()

    asyncio.run(asked())
    assert order.index("other") <= 2


def test_an_error_goes_to_whom_it_concerns(service: DecisionService) -> None:
    async def asked() -> None:
        desk = Desk()
        stranger = desk.ask(service, asked_about("nobody", "d1"))
        known = desk.ask(service, asked_about("regular", "d2"))
        with pytest.raises(UnknownCustomerError):
            await stranger
        assert (await known).decision.id == "d2"
        desk.close()

    asyncio.run(asked())


def test_who_leaves_takes_no_answer_from_anybody(service: DecisionService) -> None:
    async def asked() -> None:
        desk = Desk()
        gone, stays = (desk.ask(service, asked_about("regular", name)) for name in ("d1", "d2"))
        gone.cancel()
        assert (await stays).decision.id == "d2"
        desk.close()

    asyncio.run(asked())


def test_an_error_of_all_goes_to_all_and_the_desk_goes_on(service: DecisionService, shop: Settings) -> None:
    catalogue = shop.catalogue.read_text()
    shop.catalogue.unlink()

    async def asked() -> None:
        desk = Desk()
        for one in [desk.ask(service, asked_about("regular", f"d{number}")) for number in range(3)]:
            with pytest.raises(NotReadyError):
                await one
        shop.catalogue.write_text(catalogue)
        assert (await desk.ask(service, asked_about("regular", "d4"))).decision.id == "d4"
        desk.close()

    asyncio.run(asked())
