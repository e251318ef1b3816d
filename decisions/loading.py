"""Reads a catalogue from YAML and reports every mistake at once, with its line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tactful.decisions.base.errors import CatalogueError, Finding
from tactful.decisions.base.yaml_text import Place, existing, is_consequence, line_of, read, sentence
from tactful.decisions.catalogue.checks import PlacedFinding, check
from tactful.decisions.catalogue.compiled import CompiledCatalogue, Vocabulary
from tactful.decisions.catalogue.model import Catalogue
from tactful.decisions.lint.lint import lint

MOST_MISTAKES = 100
"""Mistakes that are listed; a file with more is no catalogue, and is not looked at further."""


def load_catalogue(path: Path | str, vocabulary: Vocabulary) -> CompiledCatalogue:
    """Read, validate and compile a catalogue.

    Args:
        path: A YAML file.
        vocabulary: The features, scores and offer figures its expressions may read.

    Raises:
        CatalogueError: With every mistake found, each with file and line.

    Example:
        >>> from tactful.features.definitions.standard import STANDARD
        >>> retail = load_catalogue("decisions/examples/retail.yaml", Vocabulary(STANDARD.names, scores=("lapse",)))
        >>> retail.catalogue.catalogue, len(retail.catalogue.programmes)
        ('retail', 22)
    """
    return parse_catalogue(Path(path).read_text(encoding="utf-8"), vocabulary, file=str(path))


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

    A catalogue without mistakes is linted too: `tactful.decisions.lint.lint` says what can never hold, be sent or bind.
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
        content, lines = read(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [Finding(file, line, "error", f"not YAML: {error.problem}")], {}
    if not isinstance(content, dict):
        return None, [Finding(file, 1, "error", "an empty catalogue", "start with `catalogue: NAME`")], {}
    catalogue, findings = _validate(content, lines, file)
    if len(findings) > MOST_MISTAKES:
        return None, [*_sorted(findings)[:MOST_MISTAKES], _more(findings, file)], lines
    whole, places = (catalogue, lines) if catalogue else _without_mistakes(content, lines)
    if whole is not None:
        remarks = check(whole, vocabulary)
        certain = (remark for remark in remarks if catalogue is not None or not remark.depends_on_others)
        findings += _placed(certain, places, file)
    return catalogue, _sorted(findings), lines


def _more(findings: Sequence[Finding], file: str) -> Finding:
    line = _sorted(findings)[MOST_MISTAKES].line
    return Finding(file, line, "error", f"{len(findings) - MOST_MISTAKES:,} more mistakes from here on")


def _placed(remarks: Iterable[PlacedFinding], lines: Mapping[Place, int], file: str) -> list[Finding]:
    return [Finding(file, line_of(lines, r.place), r.severity, r.message, r.mend) for r in remarks]


def _mistakes(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.line, finding.message))


def _validate(content: dict[str, Any], lines: Mapping[Place, int], file: str) -> tuple[Catalogue | None, list[Finding]]:
    try:
        return Catalogue.model_validate(content), []
    except ValidationError as error:
        mistakes = [mistake for mistake in error.errors() if not is_consequence(mistake)]
        return None, [
            Finding(file, line_of(lines, mistake["loc"]), "error", sentence(mistake, content, "catalogue", Catalogue))
            for mistake in mistakes
        ]


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
            mistake = next((m for m in error.errors() if not is_consequence(m)), error.errors()[0])
            path, cure = _cure(existing(mistake["loc"], content), missing=mistake["type"] == "missing")
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
