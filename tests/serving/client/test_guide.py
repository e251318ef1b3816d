"""The guide on Python: what it shows is what a shop answers, block by block."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from tactful.serving.bootstrap import open_service
from tactful.serving.engine.contacts import report
from tactful.serving.settings import Settings
from tests.serving.house import open_house
from tests.serving.shop import NOW

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "python.md"
BLOCKS = re.findall(r"```python\n(?!>>>)(.*?)```\n\n```text\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def ran(block: str) -> str:
    printed = StringIO()
    with redirect_stdout(printed):
        exec(compile(block, str(GUIDE), "exec"), {"__name__": "guide"})
    return printed.getvalue()


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if "var/shop" in block[0]], ids=lambda block: block[1][:20]
)
def test_a_notebook_prints_what_the_guide_says(shop: Settings, block: tuple[str, str]) -> None:
    service = open_service(shop)
    for customer in ("thankful", "regular"):
        service.decide(customer, f"d-{customer}")
    report(service, "d-thankful", "converted", "order-1", NOW, 42.5)
    service.store.close()
    code, printed = block
    assert ran(code.replace("var/shop", str(shop.data))) == printed


def test_an_application_prints_what_the_guide_says(shop: Settings) -> None:
    with open_house(shop) as house:
        key = house.key()
        for code, printed in BLOCKS:
            if "http://" in code:
                given = code.replace("http://127.0.0.1:8080", house.url).replace(
                    'key="KEY"', f'key="{key}", patience=900'
                )
                assert ran(given) == printed


def test_every_block_is_run() -> None:
    assert len(BLOCKS) == sum(1 for _ in re.finditer(r"```python\n(?!>>>)", GUIDE.read_text(encoding="utf-8"))) == 8
