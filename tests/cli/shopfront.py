"""A shop that has decided about each of its customers, and its commands."""

from datetime import datetime
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tactful.cli.main import app
from tests.serving.shop import NOW, furnish, service_of

CUSTOMERS = ("regular", "leaver", "thankful", "complainer", "refuser", "celebrant")


def opened(folder: Path, moment: datetime = NOW) -> Path:
    """A shop's folder, with a decision `d-CUSTOMER` about each customer at a moment in its log."""
    settings = furnish(folder)
    service = service_of(settings, lambda: moment)
    for customer in CUSTOMERS:
        service.decide(customer, f"d-{customer}")
    service.store.close()
    return settings.data


def tactful(*arguments: str) -> Any:
    """What a command does, in this process."""
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "100"})


def words(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.split())
