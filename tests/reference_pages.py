"""Writes the pages of the reference that list what the code defines: `python -m tests.reference_pages`."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry

from tactful.features.definitions.standard import STANDARD
from tactful.serving.telemetry.metrics import Metrics
from tests.cli.helps import help_of, invocations

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
IMPORT = re.compile(r"^(?:>>> )?(?:from|import) (tactful\.[\w.]+)", re.MULTILINE)


PURPOSES = ("tutorials", "how-to", "reference", "explanation")
COMMAND_LINE = """\
# The command line

This page shows the help of every command, as `tactful COMMAND --help` prints it.
"""
FEATURES = """\
# Features

A feature is a number or a category that Tactful computes from a customer's history as of a moment. It reads only events
before that moment. A condition reads a feature as `features.NAME`, and a text reads it as
`{{ features.NAME | default: 0 }}`. `tactful features` lists all features, and with `--catalogue FILE` those that a
catalogue adds.

A feature that counts or sums is 0 when there is nothing to count. A feature that is undefined, such as the days since a
purchase of a customer without purchases, is unknown: a condition that reads it does not hold.
"""
METRICS = """\
# Metrics

`GET /metrics` answers in the text format of Prometheus, with the sums over all workers and tenants. The key needs the
scope `admin` of the tenant that `TACTFUL_TENANT` names; with `TACTFUL_METRICS=loopback`, processes of the same machine
need no key. [Running the service](../how-to/deploying.md#monitoring) says what to watch.

| series | type | labels | meaning |
|---|---|---|---|"""
PYTHON = """\
# Python

These are the modules that the guides and the notebooks import, with their classes and functions. The site shows their
docstrings here; in the repository, read them in the code.
"""


def command_line() -> Iterator[str]:
    """Yields the help of every command."""
    yield COMMAND_LINE
    for words in invocations():
        yield f"{'#' * min(3, len(words) + 1) if words else '##'} {' '.join(('tactful', *words))}\n"
        yield f"```text\n{help_of(words).strip()}\n```\n"


def features() -> Iterator[str]:
    """Yields the standard features, by family."""
    yield FEATURES
    for family in dict.fromkeys(feature.family for feature in STANDARD.features):
        yield f"## {family.capitalize()}\n\n| feature | meaning |\n|---|---|"
        yield from (f"| `{f.name}` | {f.description} |" for f in STANDARD.features if f.family == family)
        yield ""


def metrics() -> Iterator[str]:
    """Yields the series of `/metrics`."""
    yield METRICS
    for series in vars(Metrics(CollectorRegistry())).values():
        (described,) = series.describe()
        labels = ", ".join(f"`{label}`" for label in series._labelnames)
        name = f"{described.name}_total" if described.type == "counter" else described.name
        yield f"| `{name}` | {described.type} | {labels} | {described.documentation} |"
    yield ""


def python() -> Iterator[str]:
    """Yields a directive for each module that guides and notebooks import, room by room."""
    yield PYTHON
    guides = (file for purpose in PURPOSES for file in (ROOT / "docs" / purpose).glob("*.md"))
    files = (ROOT / "README.md", *guides, *(ROOT / "notebooks").glob("*.py"))
    modules = sorted({module for file in files for module in IMPORT.findall(file.read_text(encoding="utf-8"))})
    for room in dict.fromkeys(module.split(".")[1] for module in modules):
        yield f"## {room}\n"
        yield from (f"::: {module}\n" for module in modules if module.split(".")[1] == room)


def page(name: str) -> str:
    """Returns the text of a page."""
    return "\n".join(PAGES[name]())


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "command-line.md": command_line,
    "features.md": features,
    "metrics.md": metrics,
    "python.md": python,
}

if __name__ == "__main__":
    for name in PAGES:
        (FOLDER / name).write_text(page(name), encoding="utf-8")
