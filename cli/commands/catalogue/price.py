"""`tactful catalogue price`: what a contact must cost for the weekly budget of contacts to be kept."""

import shutil
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from tactful.cli.arguments import days
from tactful.cli.console import console, print_json, progress
from tactful.features.errors import TactfulError

if TYPE_CHECKING:
    from tactful.decisions.analysis.contact_price import ContactPrice
    from tactful.serving.engine.service import DecisionService

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
AUTHOR = "tactful catalogue price"
"""Who put a catalogue in force, where that was over HTTP before."""


def price(
    data: Annotated[Path, typer.Option(envvar="TACTFUL_DATA", help="Folder of the service.")] = Path("var/demo"),
    period: Annotated[
        int,
        typer.Option(
            parser=days,
            metavar="DURATION",
            show_default=False,
            help="By the decisions of this time up to now. [default: 28d]",
        ),
    ] = 28,
    write: Annotated[bool, typer.Option("--write", help="Put the price into the catalogue in force.")] = False,
    as_json: Json = False,
) -> None:
    """Say what a contact must cost for the weekly budget of contacts to be kept.

    The budget is `arbitration.weekly_contacts` of the catalogue in force, the price its `arbitration.contact_price`.
    """
    from tactful.serving.folder.service_folder import open_folder

    with open_folder(data) as folder:
        catalogue, file = folder.catalogue, folder.settings.catalogue
        budget = catalogue.arbitration.weekly_contacts
        if budget is None:
            raise TactfulError(
                "a catalogue without a budget of contacts",
                got="no weekly_contacts",
                wanted="such as arbitration: {weekly_contacts: 500}",
                where=file,
            )
        with progress("pricing", console(stderr=True)):
            found = priced(folder.service, budget, timedelta(days=period))
        if write:
            put_price(folder.service, file, found.price)
    if as_json:
        print_json({**asdict(found), "budget": budget, "written": write})
        return
    told = (
        f"At {found.price:.2f} {catalogue.currency} a contact {found.contacts:,.0f} contacts a week are expected; the "
        f"budget is {budget:,}. As it was in the last {period} days there are {found.before:,.0f}, and at any price "
        f"{found.least:,.0f}."
    )
    console().print(told + (" The catalogue in force has this price now." if write else ""), soft_wrap=True)


def priced(service: "DecisionService", budget: float, period: timedelta) -> "ContactPrice":
    """The price that keeps a budget of contacts a week, by a service's decisions of a time up to now.

    Raises:
        AllocationError: Less than a week of them, none could contact anybody, or no price keeps the budget.
    """
    from tactful.decisions.analysis.contact_price import price_within
    from tactful.decisions.base.errors import AllocationError
    from tactful.decisions.kernel.record import parse

    now, kept = service.clock(), service.store.decision_log(service.tenant)
    log = (parse(stored.record) for stored in kept if stored.inputs is not None)
    recent = [decision for decision in log if now - period < decision.moment <= now]
    covered = min(period, now - recent[0].moment) if recent else period
    if recent and covered < WEEK - _DAY:
        got, wanted = f"decisions since {recent[0].moment:%Y-%m-%d %H:%M} UTC", "a week of them"
        raise AllocationError("too short a log to price contacts by", got=got, wanted=wanted)
    return price_within(recent, budget, max(covered, WEEK) / WEEK)


def put_price(service: "DecisionService", file: Path, amount: float) -> None:
    """Puts a price into the catalogue in force: the newest in the store, else the file.

    Raises:
        CatalogueRefusedError: The catalogue has mistakes.
        CatalogueMovedError: Another catalogue was put in force meanwhile.
    """
    governance = service.governance
    present = governance.in_force()
    text = with_price(present.content, amount)
    if present.number:
        governance.put_in_force(text, AUTHOR, [present.digest])
        return
    governance.inspected(text)
    file = file.resolve()
    written = file.with_name(f".{file.name}.new")
    written.write_text(text, encoding="utf-8")
    shutil.copymode(file, written)
    written.replace(file)


def with_price(catalogue: str, amount: float) -> str:
    r"""A catalogue's text with another price of a contact; everything else stays, comments too.

    Args:
        catalogue: YAML with a block `arbitration`.
        amount: The price.

    Example:
        >>> with_price("arbitration: {weekly_contacts: 90}  # ours", 0.2)
        'arbitration: {contact_price: 0.2, weekly_contacts: 90}  # ours'
        >>> print(with_price("arbitration:\n  contact_price: 0.1  # a week's\n  weekly_contacts: 90", 0.2))
        arbitration:
          contact_price: 0.2  # a week's
          weekly_contacts: 90
    """
    written = f"{amount:.2f}".rstrip("0").rstrip(".")
    block = _entry(yaml.compose(catalogue, Loader=yaml.SafeLoader), "arbitration")
    present = _entry(block, "contact_price")
    if present is not None:
        start, end, text = present.start_mark.index, present.end_mark.index, written
    else:
        first = block.value[0][0].start_mark
        gap = ", " if block.flow_style else "\n" + " " * first.column
        start = end = first.index
        text = f"contact_price: {written}{gap}"
    return catalogue[:start] + text + catalogue[end:]


def _entry(block: Any, name: str) -> Any:
    """The value of a key of a block, or None."""
    return next((value for key, value in block.value if key.value == name), None)
