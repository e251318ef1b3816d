"""The JSON schema that editors check a catalogue with, line by line as it is written."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tactful import decisions
from tactful.decisions.base.yaml_text import _Loader
from tactful.decisions.catalogue.model import Catalogue
from tests.decisions.retailer import CATALOGUE

SHIPPED = sorted((Path(decisions.__file__).parent / "examples").glob("*.yaml"))
TEXTS = {"retailer": CATALOGUE, **{path.stem: path.read_text(encoding="utf-8") for path in SHIPPED}}
SCHEMA = Catalogue.model_json_schema()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_it_takes_what_loads(text: str) -> None:
    jsonschema_rs.validate(SCHEMA, yaml.load(text, Loader=_Loader))


def properties(schema: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each property of a schema and of the schemas within it, by name."""
    inner: Iterable[object] = ()
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        inner = schema.values()
    elif isinstance(schema, list):
        inner = schema
    for part in inner:
        yield from properties(part)


def test_every_property_has_a_description_in_one_sentence_or_more() -> None:
    found = list(properties(SCHEMA))
    assert len(found) > 100
    assert [name for name, schema in found if not schema.get("description", "").strip()] == []
    assert not any("Args:" in schema["description"] or "\n" in schema["description"] for _, schema in found)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("programmes:", "programs:"),
        ("kind: cap", "kind: cup"),
        ("window: 7d", "window: 7 days"),
        ("channels: [email, mail]", "channels: [email, 5]"),
        ("value: 5", "valu: 5"),
        ("value: 5", "value: 5\n        attribution_window: a week"),
    ],
)
def test_it_refuses_what_does_not(right: str, wrong: str) -> None:
    assert right in CATALOGUE
    content = yaml.load(CATALOGUE.replace(right, wrong, 1), Loader=_Loader)
    assert not jsonschema_rs.is_valid(SCHEMA, content)
