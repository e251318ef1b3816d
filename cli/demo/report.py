"""The run on paper: `report.json` for machines, and `report.html`, one page that needs nothing beside itself."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from tactful.cli.console import shown
from tactful.cli.demo.reporter import Step

Headline = tuple[str, str, str]
"""A label, a figure and a note on it."""


def write_json(folder: Path, report: dict[str, Any]) -> Path:
    """Writes the figures, sorted by key."""
    file = folder / "report.json"
    file.write_text(json.dumps(report, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    return file


def write_html(folder: Path, steps: Sequence[Step], headlines: Sequence[Headline], lead: str, footer: str) -> Path:
    """Writes the page.

    Args:
        folder: Of the run.
        steps: The steps, with their plots.
        headlines: The figures at the head of the page.
        lead: The sentence under the title.
        footer: The small print.
    """
    environment = Environment(loader=PackageLoader("tactful.cli"), autoescape=True, trim_blocks=True)
    environment.filters["shown"] = shown
    page = environment.get_template("report.html.j2").render(
        title="Tactful on a grocer's year", lead=lead, figures=headlines, steps=steps, footer=footer
    )
    file = folder / "report.html"
    file.write_text(page, encoding="utf-8")
    return file
