"""Mappings in YAML files: all mistakes at once, each with its line."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tactful.features.errors import MappingError
from tactful.features.importing.mapping import Declared, EventKind, LogMapping, Origin, Place, Reject, Source


def load_mapping(file: Path) -> LogMapping:
    """Reads a mapping.

    Raises:
        MappingError: The file cannot be read, or is no mapping; all mistakes together, with their lines.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError("cannot read the mapping", got=str(error), wanted="a YAML file", where=file) from error
    return parse_mapping(text, str(file))


def parse_mapping(text: str, name: str = "mapping.yaml") -> LogMapping:
    """Reads a mapping from YAML.

    Args:
        text: The YAML.
        name: What to call it in errors.

    Raises:
        MappingError: It is no mapping; all mistakes together, with their lines.

    Example:
        >>> parse_mapping("{zone: UTC, customer: id, events: [{type: view}]}", "log.yaml")
        Traceback (most recent call last):
        tactful.features.errors.MappingError: missing: at log.yaml:1 time
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise MappingError("not YAML", got=error.problem, where=f"{name}:{line}") from error
    except yaml.YAMLError as error:
        raise MappingError("not YAML", got=str(error), where=name) from error
    if not isinstance(node, yaml.MappingNode):
        raise MappingError("not a mapping", wanted=f"the keys {', '.join(LogMapping.model_fields)}", where=name)
    lines = list(_lines(node, ()))
    origin = Origin(name, dict(lines))
    repeated = [place for place, times in Counter(place for place, _ in lines).items() if times > 1]
    mistakes = {place: MappingError("given twice", where=origin.where(place)) for place in repeated}
    try:
        mapping = LogMapping.model_validate(_texts(node)).declared_in(origin)
    except ValidationError as error:
        mistakes |= {detail["loc"]: _mistake(detail, origin) for detail in error.errors()}
    if mistakes:
        raise together([mistakes[place] for place in sorted(mistakes, key=origin.line)])
    return mapping


def together(mistakes: Sequence[MappingError]) -> MappingError:
    """One error for one or several mistakes."""
    if len(mistakes) == 1:
        return mistakes[0]
    return MappingError("\n  ".join([f"{len(mistakes)} mistakes in the mapping", *map(str, mistakes)]))


def _mistake(detail: ErrorDetails, origin: Origin) -> MappingError:
    where = origin.where(detail["loc"])
    match detail["type"]:
        case "missing":
            return MappingError("missing", where=where)
        case "extra_forbidden":
            wanted = ", ".join(_model(detail["loc"]).model_fields)
            return MappingError("unknown key", got=detail["loc"][-1], wanted=wanted, where=where)
        case _:
            return MappingError(detail["msg"].removeprefix("Value error, "), got=detail["input"], where=where)


def _model(place: Place) -> type[Declared]:
    parts: dict[Any, type[Declared]] = {"source": Source, "reject": Reject, "events": EventKind}
    return parts.get(place[0], LogMapping) if len(place) > 1 else LogMapping


def _lines(node: yaml.Node, place: Place) -> Iterator[tuple[Place, int]]:
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lines(value, (*place, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*place, index))


def _texts(node: yaml.Node) -> Any:
    """The node's values, scalars as they are written: YAML's guesses (no, 1e3, 2010-01-01) are not ours."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _texts(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_texts(value) for value in node.value]
    return node.value
