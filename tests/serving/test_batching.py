"""The batcher decides for all who asked, in batches, whatever happens to others."""

import asyncio

import pytest

from tactful.serving.engine.batch_worker import LARGEST_BATCH
from tactful.serving.engine.batching import DecisionBatcher
from tactful.serving.engine.drafts import DecisionCommand
from tactful.serving.engine.service import DecisionService
from tactful.serving.errors import NotReadyError, UnknownCustomerError
from tactful.serving.settings import Settings
from tests.serving.shop import NOW

CUSTOMERS = ["regular", "leaver", "thankful", "complainer", "refuser", "celebrant"]


def asked_about(customer: str, decision_id: str) -> DecisionCommand:
    return DecisionCommand(customer, decision_id, NOW)


def test_everybody_gets_their_own_answer(service: DecisionService) -> None:
    commands = [asked_about(CUSTOMERS[number % len(CUSTOMERS)], f"d{number}") for number in range(3 * LARGEST_BATCH)]

    async def asked() -> None:
        batcher = DecisionBatcher()
        answers = await asyncio.gather(*(batcher.submit(service, command) for command in commands))
        assert [(a.decision.id, a.decision.customer) for a in answers] == [
            (command.id, command.customer) for command in commands
        ]
        batcher.close()

    asyncio.run(asked())
    assert len(list(service.store.decision_log(service.tenant))) == len(commands)


def test_whoever_waits_is_answered_before_the_desk_closes(service: DecisionService) -> None:
    async def asked() -> None:
        batcher = DecisionBatcher()
        waiting = [batcher.submit(service, asked_about("regular", f"d{number}")) for number in range(100)]
        batcher.close()
        assert [(await one).decision.id for one in waiting] == [f"d{number}" for number in range(100)]
        with pytest.raises(NotReadyError, match="stopping"):
            await batcher.submit(service, asked_about("regular", "late"))

    asyncio.run(asked())


def test_who_asks_much_keeps_nobody_waiting(service: DecisionService) -> None:
    order: list[str] = []

    async def asked() -> None:
        batcher = DecisionBatcher()
        hot = [batcher.submit(service, asked_about("regular", f"d{number}")) for number in range(100)]
        other = batcher.submit(service, asked_about("leaver", "other"))
        for one in (*hot, other):
            one.add_done_callback(lambda done: order.append(done.result().decision.id))
        await asyncio.gather(*hot, other)
        batcher.close()

    asyncio.run(asked())
    assert order.index("other") <= 2


def test_an_error_goes_to_whom_it_concerns(service: DecisionService) -> None:
    async def asked() -> None:
        batcher = DecisionBatcher()
        stranger = batcher.submit(service, asked_about("nobody", "d1"))
        known = batcher.submit(service, asked_about("regular", "d2"))
        with pytest.raises(UnknownCustomerError):
            await stranger
        assert (await known).decision.id == "d2"
        batcher.close()

    asyncio.run(asked())


def test_who_leaves_takes_no_answer_from_anybody(service: DecisionService) -> None:
    async def asked() -> None:
        batcher = DecisionBatcher()
        gone, stays = (batcher.submit(service, asked_about("regular", name)) for name in ("d1", "d2"))
        gone.cancel()
        assert (await stays).decision.id == "d2"
        batcher.close()

    asyncio.run(asked())


def test_an_error_of_all_goes_to_all_and_the_desk_goes_on(service: DecisionService, shop: Settings) -> None:
    catalogue = shop.catalogue.read_text()
    shop.catalogue.unlink()

    async def asked() -> None:
        batcher = DecisionBatcher()
        for one in [batcher.submit(service, asked_about("regular", f"d{number}")) for number in range(3)]:
            with pytest.raises(NotReadyError):
                await one
        shop.catalogue.write_text(catalogue)
        assert (await batcher.submit(service, asked_about("regular", "d4"))).decision.id == "d4"
        batcher.close()

    asyncio.run(asked())
