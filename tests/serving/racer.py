"""One of the processes of a race: several callers at one desk, who ask again with the same id where they must."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from serving.api.answers import content
from serving.desk import Desk
from serving.errors import ContendedError
from serving.making import Ask
from serving.settings import Settings
from tests.serving.shop import service_of


def race(data: Path, asks: Sequence[Ask], callers: int) -> dict[str, list[bytes]]:
    """Every answer by decision id; an id that is asked for twice has two."""
    service, desk = service_of(Settings.of(data)), Desk()

    def answer(ask: Ask) -> bytes:
        while True:
            try:
                return content(desk.ask(service, ask).result())
            except ContendedError:
                continue

    answers: dict[str, list[bytes]] = {}
    with ThreadPoolExecutor(callers) as pool:
        for ask, told in zip(asks, pool.map(answer, asks), strict=True):
            answers.setdefault(ask.id, []).append(told)
    desk.close()
    service.store.close()
    return answers
