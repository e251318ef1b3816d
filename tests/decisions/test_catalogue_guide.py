"""The guide to the catalogue: each snippet loads without a finding, and what is shown of Python is what it prints."""

import doctest
import re
from pathlib import Path

import pytest

from tactful.decisions.loading import inspect_catalogue
from tests.decisions.rehearsal import VOCABULARY

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "reference" / "catalogue.md"
FIRST, *SNIPPETS = [
    snippet
    for document in (GUIDE, ROOT / "README.md")
    for snippet in re.findall(r"```yaml\n(.*?)```", document.read_text(encoding="utf-8"), flags=re.DOTALL)
]


def sections(text: str) -> dict[str, str]:
    """The top-level sections of a catalogue's text, by name."""
    parts = re.split(r"^(?=\w+:)", text, flags=re.MULTILINE)
    return {part.split(":", 1)[0]: part.rstrip("\n") + "\n" for part in parts if part.strip()}


def added(snippet: str) -> str:
    """The first catalogue with a snippet added to it: to a section it has, or as a section of its own."""
    whole = sections(FIRST)
    for name, section in sections(snippet).items():
        whole[name] = whole[name] + section.split("\n", 1)[1] if name in whole else section
    return "".join(whole.values())


@pytest.mark.parametrize("text", [FIRST, *map(added, SNIPPETS)])
def test_every_snippet_loads(text: str) -> None:
    catalogue, findings = inspect_catalogue(text, VOCABULARY, "corner_shop.yaml")
    assert [str(finding) for finding in findings] == []
    assert catalogue is not None


def test_there_is_a_snippet_of_everything_that_is_told() -> None:
    told = "".join(SNIPPETS)
    for word in ("event", "absence", "threshold", "always"):
        assert f"kind: {word}," in told or f"kind: {word}\n" in told
    for word in ("after:", "exits:", "loyalty:", "segments:", "contact_policies:", "mandatory:"):
        assert word in told


def test_what_is_shown_is_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = doctest.testfile(str(GUIDE), module_relative=False)
    assert result.attempted >= 15
    assert result.failed == 0
