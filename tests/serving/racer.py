"""One of the processes of a race: several callers at one desk, who ask again with the same id where they must."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tactful.serving.engine.batching import DecisionBatcher
from tactful.serving.engine.drafts import DecisionCommand
from tactful.serving.engine.records.decision_json import content
from tactful.serving.errors import ContendedError
from tactful.serving.settings import Settings
from tests.serving.shop import service_of


def race(data: Path, commands: Sequence[DecisionCommand], callers: int) -> dict[str, list[bytes]]:
    """Every answer by decision id; an id that is asked for twice has two."""
    return asyncio.run(_race(data, commands, callers))


async def _race(data: Path, commands: Sequence[DecisionCommand], callers: int) -> dict[str, list[bytes]]:
    service, batcher = service_of(Settings.of(data)), DecisionBatcher()
    answers: dict[str, list[bytes]] = {}
    left = iter(commands)

    async def call() -> None:
        for command in left:
            answers.setdefault(command.id, []).append(await answer(command))

    async def answer(command: DecisionCommand) -> bytes:
        while True:
            try:
                return content(await batcher.submit(service, command))
            except ContendedError:
                continue

    await asyncio.gather(*(call() for _ in range(callers)))
    batcher.close()
    service.store.close()
    return answers
