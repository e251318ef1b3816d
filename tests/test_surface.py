"""The public surface: `import tactful` is light, its names are there, described and documented."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import tactful

ROOT = Path(__file__).parent.parent
HEAVY = ("numpy", "pandas", "pydantic", "httpx", "sqlalchemy", "lightgbm", "fastapi", "numba")


def loaded(program: str) -> set[str]:
    """The heavy libraries that a program loads."""
    program += f"; import sys; print([name for name in {HEAVY} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, capture_output=True, text=True)
    return set(eval(told.stdout))


def test_importing_it_loads_no_library() -> None:
    assert loaded("import tactful") == set()


def test_a_client_loads_neither_the_server_nor_what_it_decides_with() -> None:
    assert loaded("from tactful import AsyncClient, Client") == {"httpx", "pydantic"}


def test_its_names_are_all_there_and_listed() -> None:
    assert sorted(tactful.__all__) == sorted(tactful._PLACES)
    assert set(tactful.__all__) <= set(dir(tactful))
    namespace: dict[str, object] = {}
    exec("from tactful import *", namespace)
    assert set(tactful.__all__) <= set(namespace)


@pytest.mark.parametrize("name", tactful.__all__)
def test_a_public_name_is_described_and_in_the_guide(name: str) -> None:
    value = getattr(tactful, name)
    assert inspect.getdoc(value)
    assert f"`{name}" in (ROOT / "docs" / "how-to" / "python.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [tactful.ServiceFolder, tactful.Explanation, tactful.Client])
def test_every_public_method_is_described(kind: type) -> None:
    public = {name: one for name, one in vars(kind).items() if not name.startswith("_")}
    assert [name for name, one in public.items() if not inspect.getdoc(one) and callable(one)] == []


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'tactful' has no attribute 'opne'"):
        _ = tactful.opne
