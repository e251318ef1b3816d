"""The integrator's guide says what the service does."""

import json
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from pydantic import BaseModel

from serving.api.app import create_app
from serving.api.problem import INTERNAL, INVALID, KINDS, OF_FRAMEWORK, Problem
from serving.api.schemas import DecisionAnswer, Ready
from serving.server import running
from serving.service import DecisionService
from serving.settings import Settings
from serving.store.port import History, Profile
from serving.tenants import Tenants
from tests.serving.shop import NOW

GUIDE = (Path(__file__).parents[2] / "docs/guides/api.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8080"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)


def test_the_answers_shown_have_the_shape_of_answers() -> None:
    models: list[type[BaseModel]] = [DecisionAnswer, Problem, Ready]
    for block, model in zip(blocks("json"), models, strict=True):
        model.model_validate(json.loads(block), extra="forbid")


def test_the_python_shown_runs(service: DecisionService) -> None:
    service.store.load(service.tenant, History("UTC", NOW, [Profile("7")]))
    printed = StringIO()
    with running(service) as url, redirect_stdout(printed):
        for block in blocks("python"):
            exec(compile(block.replace(ADDRESS, url), "api.md", "exec"), {})
    assert printed.getvalue() == "silence: no opening\nTrue\n"


def test_every_path_problem_and_setting_is_told(service: DecisionService) -> None:
    paths = create_app(Tenants.only(service), Settings(auth="open")).openapi()["paths"]
    assert [path for path in paths if path.split("{")[0] not in GUIDE] == []
    assert not set(re.findall(rf"{ADDRESS}(/[a-z0-9/]+)", GUIDE)) - {*paths, "/v1/decisions/demo"}
    kinds = {kind.name for kind in (*KINDS.values(), *OF_FRAMEWORK.values(), INVALID, INTERNAL)}
    assert [name for name in kinds if f"`{name}`" not in GUIDE] == []
    assert [name for name in Settings.model_fields if f"`TACTFUL_{name.upper()}`" not in GUIDE] == []


def test_the_tests_that_are_named_exist() -> None:
    named = set(re.findall(r"`(tests/[a-z_/]+\.py)`", GUIDE))
    assert named
    assert [name for name in named if not (Path(__file__).parents[2] / name).is_file()] == []
