"""One of the processes of a race: several callers at one desk, who ask again with the same id where they must."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tactful.serving.engine.batching import Desk
from tactful.serving.engine.drafts import Ask
from tactful.serving.engine.records.decision_json import content
from tactful.serving.errors import ContendedError
from tactful.serving.settings import Settings
from tests.serving.shop import service_of


def race(data: Path, asks: Sequence[Ask], callers: int) -> dict[str, list[bytes]]:
    """Every answer by decision id; an id that is asked for twice has two."""
    return asyncio.run(_race(data, asks, callers))


async def _race(data: Path, asks: Sequence[Ask], callers: int) -> dict[str, list[bytes]]:
    service, desk = service_of(Settings.of(data)), Desk()
    answers: dict[str, list[bytes]] = {}
    left = iter(asks)

    async def call() -> None:
        for ask in left:
            answers.setdefault(ask.id, []).append(await answer(ask))

    async def answer(ask: Ask) -> bytes:
        while True:
            try:
                return content(await desk.ask(service, ask))
            except ContendedError:
                continue

    await asyncio.gather(*(call() for _ in range(callers)))
    desk.close()
    service.store.close()
    return answers
