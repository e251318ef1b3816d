"""The notebooks run, are what their scripts say, and are committed with outputs that name no machine."""

import platform
import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.serving.shop import NOW, furnish, service_of, ticking

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONG = {"02_models", "03_ab_test", "06_capacity"}
"""Notebooks that take most of a minute; `make soak` runs them."""
EVERY = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


def read(notebook: Path) -> NotebookNode:
    return nbformat.read(notebook, as_version=4)


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: NotebookNode) -> Iterator[NotebookNode]:
    return (output for cell in code(notebook) for output in cell.outputs)


def texts(notebook: NotebookNode) -> Iterator[str]:
    for output in outputs(notebook):
        yield output.get("text", "")
        yield from (text for kind, text in output.get("data", {}).items() if kind.startswith("text/"))


def execute(notebook: NotebookNode, folder: Path) -> None:
    NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()


def test_every_script_is_a_notebook() -> None:
    assert NOTEBOOKS
    assert {path.stem for path in NOTEBOOKS} == {path.stem for path in FOLDER.glob("*.py")}


@EVERY
def test_a_notebook_says_what_its_script_says(notebook: Path) -> None:
    paired = [jupytext.read(path) for path in (notebook, notebook.with_suffix(".py"))]
    ours, theirs = ([(cell.cell_type, cell.source) for cell in cells.cells] for cells in paired)
    assert ours == theirs


@EVERY
def test_a_notebook_is_committed_as_it_ran_from_top_to_bottom(notebook: Path) -> None:
    committed = read(notebook)
    assert [cell.execution_count for cell in code(committed)] == list(range(1, len(code(committed)) + 1))
    assert not [
        output for output in outputs(committed) if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert any("image/png" in output.get("data", {}) for output in outputs(committed))


@EVERY
def test_outputs_name_no_machine(notebook: Path) -> None:
    ours = {str(FOLDER.parent), str(Path.home()), tempfile.gettempdir(), platform.node()} - {"", "/"}
    shown = "\n".join(texts(read(notebook)))
    assert not [name for name in ours if name in shown]
    assert not re.search(r"(?<![\w.])/(home|tmp|root|Users|var)/", shown)


@EVERY
def test_a_notebook_starts_with_a_question_and_its_answer(notebook: Path) -> None:
    opening = read(notebook).cells[0].source
    assert "**Question.**" in opening
    assert "**Answer.**" in opening
    assert "simulated" in opening


@EVERY
def test_a_notebook_imports_what_the_guide_on_python_names(notebook: Path) -> None:
    guide = (FOLDER.parent / "docs" / "how-to" / "python.md").read_text(encoding="utf-8")
    documented = tuple(re.findall(r"`(tactful\.[a-z_.]+)`", guide[guide.index("These have public names too") :]))
    imported = re.findall(r"^from (tactful[\w.]*) import", notebook.with_suffix(".py").read_text(), re.MULTILINE)
    assert [module for module in imported if not f"{module}.".startswith(tuple(f"{one}." for one in documented))] == []


@pytest.mark.parametrize(
    "notebook",
    [pytest.param(path, marks=pytest.mark.soak if path.stem in LONG else ()) for path in NOTEBOOKS],
    ids=lambda path: path.stem,
)
def test_a_notebook_runs_from_any_folder(notebook: Path, tmp_path: Path) -> None:
    ran = read(notebook)
    execute(ran, tmp_path)
    assert len(list(outputs(ran))) == len(list(outputs(read(notebook))))


def test_a_notebook_reads_the_folder_of_its_reader(tmp_path: Path) -> None:
    settings = furnish(tmp_path / "shop")
    service = service_of(settings, ticking(NOW - timedelta(days=10), timedelta(days=1)))
    for number in range(12):
        service.decide(("thankful", "regular", "leaver")[number % 3], f"d{number}")
    service.store.close()
    ran = read(FOLDER / "07_your_service.ipynb")
    (parameters,) = [cell for cell in code(ran) if 'FOLDER = ""' in cell.source]
    parameters.source = parameters.source.replace('FOLDER = ""', f"FOLDER = {str(settings.data)!r}")
    execute(ran, tmp_path)
    shown = "\n".join(texts(ran))
    assert "miss_you" in shown
    assert "simulated" not in shown.lower()
    assert any("image/png" in output.get("data", {}) for output in outputs(ran))
