"""YAML as people write it, with the line of every place, for errors that say where."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import yaml
from pydantic import BaseModel

from tactful.decisions.base.values import did_you_mean

DEEPEST, MOST_PLACES = 50, 200_000
"""Beyond these a text is no catalogue but an attack: a few aliases of aliases make billions of entries."""
Place = tuple[str | int, ...]
"""Keys and indices from the top."""
_UNIT = r"(?:[A-Za-z]{2,7}|[€$£¥₹%])"
_AMOUNT = re.compile(rf"(?:{_UNIT}\s*)?(?P<number>[-+]?\d+(?:[.,]\d+)?)(?:\s*{_UNIT})?")


def read(text: str) -> tuple[Any, Mapping[Place, int]]:
    r"""The content of a text, and the line of each place.

    Raises:
        yaml.MarkedYAMLError: It is no YAML, gives a key twice, has a merge key, or is larger than any text that a
            person wrote.

    Example:
        >>> content, lines = read("quiet:\n  from: 21:00")
        >>> content, lines["quiet", "from"]
        ({'quiet': {'from': '21:00'}}, 2)
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        mark = yaml.Mark("", error.position, text.count("\n", 0, error.position), 0, None, 0)
        problem = f"a character that YAML does not allow: #x{error.character:04x}"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark) from error
    if root is None:
        return None, {}
    lines = dict(_bounded(_lines(root)))
    return _Loader("").construct_document(root), lines


def line_of(lines: Mapping[Place, int], place: Place) -> int:
    """The line of a place, or of the nearest thing around it; parts that are not in the file are passed over."""
    found: Place = ()
    for part in place:
        if (*found, part) in lines:
            found = (*found, part)
    return lines.get(found, 1)


def sentence(mistake: Any, content: Any, whole: str, model: type[BaseModel]) -> str:
    """One of pydantic's mistakes in words.

    Args:
        mistake: From `ValidationError.errors`.
        content: The validated content.
        whole: What to call that where the mistake is about all of it.
        model: The type that validated it.
    """
    field = ".".join(str(part) for part in existing(mistake["loc"], content)) or whole
    if mistake["type"] == "extra_forbidden":
        *place, name = mistake["loc"]
        known = keys_at(model, tuple(place))
        return f"{field}: unknown key{did_you_mean(str(name), known) or '; known: ' + ', '.join(sorted(known))}"
    message = mistake["msg"].removeprefix("Value error, ")
    if mistake["type"] == "model_type":
        message = f"wanted a mapping with the keys {', '.join(sorted(keys_at(model, tuple(mistake['loc']))))}"
    got = mistake["input"]
    shown = f"; got {got!r}" if isinstance(got, str | int | float) and repr(got) not in message else ""
    return f"{field}: {message}{shown}{plain_number(got) if mistake['type'] == 'float_parsing' else ''}"


def plain_number(text: Any) -> str:
    """How to write a text as a number, where it is one with a unit or a decimal comma; else an empty string.

    Example:
        >>> plain_number("22 EUR"), plain_number("€ 22,50"), plain_number("features.spend_365d")
        ('; write 22, a number without a unit', '; write 22.50, a number without a unit', '')
        >>> plain_number("5 %")
        '; write 0.05, a share of 1'
    """
    amount = _AMOUNT.fullmatch(str(text).strip())
    if not amount:
        return ""
    number = amount["number"].replace(",", ".")
    if "%" in str(text):
        return f"; write {Decimal(number).scaleb(-2):f}, a share of 1"
    return f"; write {number}, a number without a unit"


def keys_at(model: type[BaseModel], place: Place) -> set[str]:
    """The keys that a model knows at a place; the place may name members of unions, as pydantic's mistakes do.

    Example:
        >>> from tactful.decisions.base.ledger import Scope
        >>> sorted(keys_at(Scope, ()))
        ['channel', 'message', 'programme', 'tag']
    """
    schema = _schema(model)
    found = [schema]
    for part in (*place, None):
        found = [variant for one in found for variant in _variants(one, schema)]
        if part is not None:
            found = [inner for one in found for inner in _inside(one, part)] or found
    return {key for one in found for key in one.get("properties", {})}


@cache
def _schema(model: type[BaseModel]) -> Mapping[str, Any]:
    return model.model_json_schema()


def _variants(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema with its references followed and its unions taken apart."""
    if "$ref" in schema:
        yield from _variants(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
    elif "anyOf" in schema or "oneOf" in schema:
        for member in schema.get("anyOf", schema.get("oneOf", ())):
            yield from _variants(member, whole)
    else:
        yield schema


def _inside(schema: Mapping[str, Any], part: str | int) -> list[Mapping[str, Any]]:
    """The schemas one step down; a part that names a kind selects the schema of that kind."""
    properties = schema.get("properties", {})
    if properties.get("kind", {}).get("const") == part:
        return [schema]
    steps = (schema.get("items"), properties.get(part), schema.get("additionalProperties"))
    return [step for step in steps if isinstance(step, dict)]


def is_consequence(mistake: Any) -> bool:
    """A list that is too short only because its entries are at fault."""
    return bool(mistake["type"] == "too_short" and mistake["input"])


def existing(place: Place, content: Any) -> Place:
    """The place without what pydantic puts between: names of union members, and the index of a lone name."""
    path: list[str | int] = []
    for part in place:
        if _holds(content, part):
            content = content[part]
            path.append(part)
    missing = [part for part in place[-1:] if isinstance(part, str) and path[-1:] != [part] and _names_field(part)]
    return (*path, *missing)


def _names_field(part: str) -> bool:
    """Whether a part that is not in the content names a field it lacks, and no value of a union such as `float`."""
    return part.isidentifier() and part not in ("float", "str")


def _holds(content: Any, part: str | int) -> bool:
    """Whether a part of a place leads into the content: pydantic also names members of unions, which do not."""
    return (part in content) if isinstance(content, dict) else isinstance(content, list) and isinstance(part, int)


class _Loader(yaml.SafeLoader):
    """YAML 1.2's scalars: `21:00` is a text, not 1260, and `on` is not `true`. A key given twice is a mistake."""

    _deep = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._deep += 1
        if self._deep > DEEPEST + 1:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=f"nested more than {DEEPEST} deep", problem_mark=mark)
        node = super().compose_node(parent, index)
        self._deep -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_MERGE = "tag:yaml.org,2002:merge"
_PLAIN = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:float", _MERGE}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _PLAIN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_INTEGER = re.compile(r"^[-+]?(?:0|[1-9][0-9]{0,17})$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INTEGER, list("-+0123456789"))


def _bounded(places: Iterable[tuple[Place, int]]) -> Iterator[tuple[Place, int]]:
    """The places, unless there are too many: then the mistake is in the entry of the top in which they grew."""
    top = 1
    for number, (place, line) in enumerate(places):
        top = line if len(place) == 1 else top
        if number >= MOST_PLACES:
            raise yaml.MarkedYAMLError(
                problem=f"more than {MOST_PLACES} entries, those of aliases counted each time",
                problem_mark=yaml.Mark("", 0, top - 1, 0, None, 0),
            )
        yield place, line


def _lines(node: yaml.Node, place: Place = ()) -> Iterator[tuple[Place, int]]:
    if len(place) > DEEPEST:
        raise yaml.MarkedYAMLError(problem=f"nested more than {DEEPEST} deep", problem_mark=node.start_mark)
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key that is no single word", problem_mark=key.start_mark)
            if key.tag == _MERGE:
                problem = "a merge key (`<<`): write its entries out, since merges of merges have no bound"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            yield from _lines(value, (*place, key.value))
            yield (*place, key.value), key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*place, index))
