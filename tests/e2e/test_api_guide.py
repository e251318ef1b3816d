"""The guide to the API shows what the demo's service answers, and leaves no path and no problem out."""

import re
from pathlib import Path

import pytest

from tactful.serving.api.app import ROUTERS
from tests.e2e.api_guide import GUIDE, answered
from tests.e2e.conftest import Demo

ROOT = Path(__file__).parents[2]
TEXT = GUIDE.read_text(encoding="utf-8")


@pytest.mark.timeout(900)
def test_everything_shown_is_what_the_service_answers(demo: Demo, tmp_path: Path) -> None:
    assert answered(TEXT, demo.folder, tmp_path).splitlines() == TEXT.splitlines()


def test_every_path_is_told() -> None:
    paths = {route.path for router in ROUTERS for route in router.routes}
    told = re.sub(r"\{\w+\}", "{}", TEXT)
    assert [path for path in paths if re.sub(r"\{\w+\}", "{}", path) not in told] == []


def test_the_tests_that_are_named_exist() -> None:
    named = set(re.findall(r"`(tests/[a-z_/]+\.py)`", TEXT))
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []
