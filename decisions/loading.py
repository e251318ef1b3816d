"""Reads a catalogue from YAML and reports every mistake at once, with its line."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from decisions.catalogue import Catalogue
from decisions.checks import Remark, check
from decisions.compiled import CompiledCatalogue, Vocabulary
from decisions.errors import CatalogueError, Finding
from decisions.lint import lint

Place = tuple[str | int, ...]


def load_catalogue(path: Path, vocabulary: Vocabulary) -> CompiledCatalogue:
    """Read, validate and compile a catalogue.

    Args:
        path: A YAML file.
        vocabulary: The features, scores and offer figures its expressions may read.

    Raises:
        CatalogueError: With every mistake found, each with file and line.
    """
    return parse_catalogue(path.read_text(encoding="utf-8"), vocabulary, file=str(path))


def parse_catalogue(text: str, vocabulary: Vocabulary, file: str = "catalogue.yaml") -> CompiledCatalogue:
    """As `load_catalogue`, from a text.

    Args:
        text: YAML.
        vocabulary: The features, scores and offer figures its expressions may read.
        file: The name findings give the text.

    Raises:
        CatalogueError: With every mistake found, each with file and line.
    """
    catalogue, findings, _ = _checked(text, vocabulary, file)
    mistakes = _mistakes(findings)
    if mistakes or catalogue is None:
        raise CatalogueError(mistakes)
    return CompiledCatalogue(catalogue, vocabulary)


def inspect_catalogue(text: str, vocabulary: Vocabulary, file: str) -> tuple[Catalogue | None, list[Finding]]:
    """The catalogue, where its values are valid, and every finding, in the order of lines.

    A catalogue without mistakes is linted too: `decisions.lint` says what can never hold, be sent or bind.
    """
    catalogue, findings, lines = _checked(text, vocabulary, file)
    if catalogue is None or _mistakes(findings):
        return catalogue, findings
    return catalogue, _sorted([*findings, *_placed(lint(catalogue, vocabulary), lines, file)])


def _checked(
    text: str, vocabulary: Vocabulary, file: str
) -> tuple[Catalogue | None, list[Finding], Mapping[Place, int]]:
    """The catalogue, where its values are valid, its findings without lints, and the lines of its places."""
    try:
        root = yaml.compose(text, Loader=_Loader)
        content = _Loader("").construct_document(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [Finding(file, line, "error", f"not YAML: {error.problem}")], {}
    if root is None or not isinstance(content, dict):
        return None, [Finding(file, 1, "error", "an empty catalogue", "start with `catalogue: NAME`")], {}
    lines = dict(_lines(root))
    catalogue, findings = _validate(content, lines, file)
    whole, places = (catalogue, lines) if catalogue else _without_mistakes(content, lines)
    if whole is not None:
        remarks = check(whole, vocabulary)
        certain = (remark for remark in remarks if catalogue is not None or not remark.depends_on_others)
        findings += _placed(certain, places, file)
    return catalogue, _sorted(findings), lines


def _placed(remarks: Iterable[Remark], lines: Mapping[Place, int], file: str) -> list[Finding]:
    return [Finding(file, _line(lines, r.place), r.severity, r.message, r.mend) for r in remarks]


def _mistakes(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.line, finding.message))


class _Loader(yaml.SafeLoader):
    """YAML 1.2's scalars: `21:00` is a text, not 1260, and `on` is not `true`. A key given twice is a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_PLAIN = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:float", "tag:yaml.org,2002:merge"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _PLAIN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))


def _validate(content: dict[str, Any], lines: Mapping[Place, int], file: str) -> tuple[Catalogue | None, list[Finding]]:
    try:
        return Catalogue.model_validate(content), []
    except ValidationError as error:
        mistakes = [mistake for mistake in error.errors() if not _consequence(mistake)]
        return None, [
            Finding(file, _line(lines, mistake["loc"]), "error", _sentence(mistake, content)) for mistake in mistakes
        ]


def _consequence(mistake: Any) -> bool:
    """A list that is too short only because its entries are at fault."""
    return bool(mistake["type"] == "too_short" and mistake["input"])


def _sentence(mistake: Any, content: Any) -> str:
    field = ".".join(str(part) for part in _existing(mistake["loc"], content)) or "catalogue"
    message = mistake["msg"].removeprefix("Value error, ")
    got = mistake["input"]
    shown = f"; got {got!r}" if isinstance(got, str | int | float) and repr(got) not in message else ""
    return f"{field}: {message}{shown}"


def _existing(place: Place, content: Any) -> Place:
    """The place without what pydantic puts between: names of union members, and the index of a lone name."""
    path: list[str | int] = []
    for part in place:
        if _holds(content, part):
            content = content[part]
            path.append(part)
    missing = [part for part in place[-1:] if isinstance(part, str) and path[-1:] != [part]]
    return (*path, *missing)


def _holds(content: Any, part: str | int) -> bool:
    """Whether a part of a place leads into the content: pydantic also names members of unions, which do not."""
    return (part in content) if isinstance(content, dict) else isinstance(content, list) and isinstance(part, int)


_GONE = object()
_NEUTRAL: dict[str | int, Any] = {
    "trigger": {"kind": "always", "expiry": "1d"},
    "reentry": "1d",
    "catalogue": "nameless",
    "currency": "XTS",
    "value": 0.0,
    "content": {"subject": "-", "body": "-"},
}


def _without_mistakes(content: Any, lines: Mapping[Place, int]) -> tuple[Catalogue | None, Mapping[Place, int]]:
    """The catalogue with its invalid parts made neutral or left out, so that the others can be checked too.

    Returns:
        The catalogue, and the lines of its places: an entry that is left out moves those behind it.
    """
    for _ in range(200):
        try:
            return Catalogue.model_validate(content), lines
        except ValidationError as error:
            mistake = next((m for m in error.errors() if not _consequence(m)), error.errors()[0])
            path, cure = _cure(_existing(mistake["loc"], content), missing=mistake["type"] == "missing")
            if not path:
                break
            content = _with(content, path, cure)
            if cure is _GONE and isinstance(path[-1], int):
                lines = dict(_moved_up(lines, path))
    return None, lines


def _cure(path: Place, *, missing: bool) -> tuple[Place, Any]:
    """What to put where: a neutral value, or nothing in place of the wrong one or of the entry that lacks one."""
    for depth, part in enumerate(path, start=1):
        if part in _NEUTRAL:
            return path[:depth], _NEUTRAL[part]
    if not missing:
        return path, _GONE
    entries = [depth for depth, part in enumerate(path, start=1) if isinstance(part, int)]
    return (path[: entries[-1]] if entries else ()), _GONE


def _with(content: Any, path: Place, value: Any) -> Any:
    """A copy with a value at a path, or without what stands there."""
    head, rest = path[0], path[1:]
    if rest:
        value = _with(content[head], rest, value)
    if isinstance(content, list):
        return [*content[: int(head)], *([] if value is _GONE else [value]), *content[int(head) + 1 :]]
    kept = {key: old for key, old in content.items() if key != head}
    return kept if value is _GONE else {**kept, head: value}


def _moved_up(lines: Mapping[Place, int], gone: Place) -> Iterator[tuple[Place, int]]:
    """The lines of all places after one list entry is gone."""
    parent, index = gone[:-1], int(gone[-1])
    depth = len(parent)
    for place, line in lines.items():
        if place[:depth] != parent or len(place) == depth or int(place[depth]) < index:
            yield place, line
        elif place[depth] != index:
            yield (*parent, int(place[depth]) - 1, *place[depth + 1 :]), line


def _lines(node: yaml.Node, place: Place = ()) -> Iterator[tuple[Place, int]]:
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lines(value, (*place, key.value))
            yield (*place, key.value), key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*place, index))


def _line(lines: Mapping[Place, int], place: Place) -> int:
    """The line of a place, or of the nearest thing around it; parts that are not in the file are passed over."""
    found: Place = ()
    for part in place:
        if (*found, part) in lines:
            found = (*found, part)
    return lines.get(found, 1)
