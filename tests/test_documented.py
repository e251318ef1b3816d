"""The documents name every command, and every command, option, file and module that they name exists."""

import ast
import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tactful.cli.main import app, load
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES
from tests.cli.helps import invocations
from tests.reference_pages import FOLDER, PAGES, PURPOSES, page
from tests.test_architecture import ROOMS, ROOT

GUIDES = (ROOT / "README.md", *sorted(file for folder in PURPOSES for file in (ROOT / "docs" / folder).glob("*.md")))
DOCUMENTS = (*GUIDES, *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs/decisions").glob("*.md"))
CALL = re.compile(r"\btactful ((?:[a-z][a-z|-]*)(?: +[a-z][a-z|-]*)?)([^\n`]*)")


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def command_of(words: tuple[str, ...]) -> Any:
    command = load(words[0])
    return command.commands[words[1]] if words[1:] else command


def words_of(called: str) -> Iterator[tuple[str, ...]]:
    """The commands that `events import FILE` or `train churn|all` call; nothing where the first word is none."""
    first, *rest = called.split()
    if first not in get_command(app).commands:  # type: ignore[attr-defined]
        return
    inner = getattr(load(first), "commands", {})
    yield from ((first, one) for one in "|".join(rest).split("|") if one) if inner else ((first,),)


def calls(document: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each command that a document calls, with the rest of its line."""
    joined = text_of(document).replace("\\\n", " ")
    for found in CALL.finditer(joined):
        for words in words_of(found[1]):
            yield words, found[2]


def imports(document: Path) -> Iterator[tuple[str, str]]:
    """Each (module, name) of ours that the document's Python imports."""
    for block in re.findall(r"```python\n(.*?)```", text_of(document), re.DOTALL):
        lines = [line.removeprefix(">>> ") for line in block.splitlines()]
        for line in (line for line in lines if re.match(r"(from|import) ", line)):
            for node in ast.walk(ast.parse(line)):
                if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "tactful":
                    yield from ((str(node.module), alias.name) for alias in node.names)


def test_every_command_is_in_the_readme_or_a_guide() -> None:
    written = [guide for guide in GUIDES if guide.name not in PAGES]
    told = {words for guide in written for words, _ in calls(guide)}
    leaves = {words for words in invocations() if words and not hasattr(command_of(words), "commands")}
    assert leaves - told == set()


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_a_guide_calls_commands_and_options_that_there_are(guide: Path) -> None:
    for words, rest in calls(guide):
        known = {option for parameter in command_of(words).params for option in parameter.opts}
        assert set(re.findall(r"(?<=\s)--[a-z-]+", rest.split(" #")[0])) <= known | {"--help"}, (words, rest)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_and_files_lead_somewhere(document: Path) -> None:
    text = text_of(document)
    links = [link.split("#")[0] for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text)]
    assert [link for link in links if not (document.parent / link).exists()] == []
    tests = re.findall(r"`(tests/[\w/.-]*)`", text)
    assert [test for test in tests if not (ROOT / test).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_a_list_begins_after_an_empty_line(document: Path) -> None:
    """The site shows it as a part of the paragraph otherwise."""
    prose = re.sub(r"^ *```.*?^ *```$", "", text_of(document), flags=re.DOTALL | re.MULTILINE)
    faults = []
    for block in re.split(r"\n\s*\n", prose):
        first, *others = block.strip("\n").splitlines() or [""]
        if not re.match(r" *(- |\d+\. )", first):
            faults += [line for line in others if re.match(r" *(- |\d+\. )", line)]
    assert faults == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_what_a_guide_imports_is_there(guide: Path) -> None:
    assert [(module, name) for module, name in imports(guide) if not hasattr(import_module(module), name)] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_made_from_the_code_is_up_to_date(name: str) -> None:
    assert text_of(FOLDER / name) == page(name), "run python -m tests.reference_pages"


def test_the_readme_shows_a_part_of_an_answer_of_the_api() -> None:
    shown, whole = (
        json.loads(re.findall(r"```json\n(.*?)```", text_of(document), re.DOTALL)[0])["choice"]
        for document in (ROOT / "README.md", FOLDER / "api.md")
    )
    assert shown
    assert shown.items() <= whole.items()


def test_the_page_of_events_lists_every_type_and_channel() -> None:
    text = text_of(FOLDER / "events.md")
    types, channels = text[text.index("## Types") :].split("## Channels")
    assert set(re.findall(r"^\| `(\w+)`", types, re.MULTILINE)) == set(EVENT_TYPES)
    assert set(re.findall(r"`(\w+)`", channels)) == set(CHANNELS) - {""}


def test_the_site_has_every_page() -> None:
    site = text_of(ROOT / "zensical.toml")
    pages = {
        str(file.relative_to(ROOT / "docs")) for guide in ("*.md", "*/*.md") for file in (ROOT / "docs").glob(guide)
    }
    assert set(re.findall(r'"([\w/.-]+\.md)"', site)) == {
        one for one in pages if not re.match(r"decisions/(?!README)", one)
    }


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_class_and_function_that_is_public_says_what_it_is(room: str) -> None:
    silent = []
    for file in sorted((ROOT / room).rglob("*.py")):
        module = ast.parse(text_of(file))
        definitions = [node for node in module.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
        public = [node for node in definitions if not node.name.startswith("_")]
        silent += [
            f"{file.name}: {getattr(node, 'name', 'module')}"
            for node in (module, *public)
            if not ast.get_docstring(node)
        ]
    assert silent == []
