"""`tactful init`: settings, a commented catalogue, a mapping and timers for a new service."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from tactful.cli.console import console, say
from tactful.features.errors import TactfulError

TEMPLATES = Path(__file__).parent
FILES = (
    "tactful.env",
    "catalogue.yaml",
    "mapping.yaml",
    "tracking.yaml",
    "timers/crontab",
    "timers/tactful-retrain.service",
    "timers/tactful-retrain.timer",
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def init(
    folder: Annotated[Path, typer.Argument(help="The service's folder; it is made if need be.")],
    name: Annotated[str, typer.Option(help="Name of the catalogue.")] = "shop",
    currency: Annotated[str, typer.Option(help="ISO 4217 code of all amounts.")] = "EUR",
    zone: Annotated[str, typer.Option(help="IANA zone of local hours and days.")] = "Europe/Berlin",
) -> None:
    """Write the files of a new service: settings, catalogue, mapping, timers.

    A file that is there already is an error, and nothing is written then.
    """
    _check(name, currency, zone)
    if present := [file for file in FILES if (folder / file).exists()]:
        raise TactfulError("files that are there already", got=", ".join(present), wanted="a new folder", where=folder)
    program = Path(sys.executable).with_name("tactful")
    values = {"NAME": name, "CURRENCY": currency, "ZONE": zone, "FOLDER": folder.resolve(), "PROGRAM": program}
    for file in FILES:
        written = folder / file
        written.parent.mkdir(parents=True, exist_ok=True)
        text = (TEMPLATES / file).read_text(encoding="utf-8")
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        written.write_text(text, encoding="utf-8")
    (folder / "tactful.env").chmod(0o600)
    say(console(), f"A new service is in {folder}: {', '.join(FILES)}.")
    say(
        console(),
        f"Next: edit catalogue.yaml and mapping.yaml, then `tactful catalogue check {folder}/catalogue.yaml`.",
    )


def _check(name: str, currency: str, zone: str) -> None:
    from tactful.decisions.base.calendars import zone_of
    from tactful.decisions.base.errors import SnapshotError

    if not _NAME.fullmatch(name):
        raise TactfulError("not a name", got=name, wanted="small letters, digits and _, a letter first, at most 50")
    if not _CURRENCY.fullmatch(currency):
        raise TactfulError("not a currency", got=currency, wanted="an ISO 4217 code such as EUR")
    try:
        zone_of(zone)
    except SnapshotError as error:
        raise TactfulError("not a zone", got=zone, wanted="an IANA name such as Europe/Berlin") from error
