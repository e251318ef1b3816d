"""`tactful kpis`: key figures from the log."""

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tactful.cli.console import console, print_json, say, table
from tactful.cli.wiring.sources import (
    CatalogueFile,
    Data,
    EventsFolder,
    Json,
    Source,
    StoreUrl,
    Until,
    moment_of,
    open_source,
)
from tactful.features.errors import TactfulError

if TYPE_CHECKING:
    import pandas as pd

    from tactful.experiments.readout.kpis import Figure, Incremental

MONTH = timedelta(days=28)


def kpis(
    since: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="From when, ISO 8601; 28 days before the end if not given.")
    ] = None,
    until: Until = None,
    by: Annotated[
        str | None, typer.Option(metavar="CUT", help="Also by `cohort`, or within and without a segment.")
    ] = None,
    every: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Also for each such period, such as 28d.")
    ] = None,
    experiments: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Experiments whose global hold-out tells the incremental value.")
    ] = None,
    data: Data = Path("var/demo"),
    events: EventsFolder = None,
    store: StoreUrl = None,
    catalogue: CatalogueFile = None,
    as_json: Json = False,
) -> None:
    """Count the key figures of a period, each with its interval.

    Figures that cannot be told are left out. Definitions: docs/reference/key-figures.md.
    """
    from tactful.experiments.readout.kpis import by as figures_by
    from tactful.experiments.readout.kpis import key_figures, of_programmes, over_time
    from tactful.experiments.readout.logbook import period

    source = open_source(data, events, store, catalogue)
    end = moment_of(until, source.end)
    begin = moment_of(since, end - MONTH)
    if begin >= end:
        raise TactfulError("a period that ends before it begins", got=begin.isoformat(), wanted=f"before {end}")
    log = source.log.until(end)
    rows = period(log, begin, end)
    found: dict[str, Any] = {
        "figures": key_figures(rows, end - begin),
        "programmes": of_programmes(log, begin, end),
        "groups": figures_by(_cut(source, rows, by, begin), by, end - begin) if by else {},
        "periods": over_time(log, begin, end, _duration(every)) if every else {},
        "incremental": _incremental(source, rows, experiments, begin, end),
    }
    if as_json:
        print_json(_plain(found, begin, end))
    else:
        _show(found, begin, end, source.log.currency)


def _cut(source: Source, rows: "pd.DataFrame", by: str, moment: datetime) -> "pd.DataFrame":
    from tactful.experiments.assignment.enrolment import members

    if by == "cohort":
        return rows
    if by not in source.compiled.catalogue.segments:
        known = ", ".join(["cohort", *source.compiled.catalogue.segments])
        raise TactfulError("unknown cut", got=by, wanted=known)
    within = rows["customer"].isin(members(source.snapshots(moment), source.compiled, by, source.scorer))
    return rows.assign(**{by: within.map({True: by, False: f"not {by}"})})


def _incremental(
    source: Source, rows: "pd.DataFrame", file: Path | None, begin: datetime, end: datetime
) -> "Incremental | str":
    """Against those whom the catalogue and the experiments hold out all the period; or why that cannot be told."""
    from tactful.decisions.kernel.exploration import stratum
    from tactful.experiments.base.errors import ReadoutError
    from tactful.experiments.design.loading import load_plan
    from tactful.experiments.readout.kpis import incremental

    catalogue = source.compiled.catalogue
    holdout = load_plan(file, catalogue).holdout if file else None
    if holdout and holdout.turn(begin) != holdout.turn(end - timedelta(microseconds=1)):
        return "others took their turn to be held out within the period"
    alone = [
        stratum(catalogue, customer) == "holdout" or bool(holdout and holdout.holds(customer, begin))
        for customer in (str(customer) for customer in rows["customer"])
    ]
    try:
        return incremental(rows, alone)
    except ReadoutError as error:
        return str(error)


def _duration(text: str) -> timedelta:
    from tactful.decisions.base.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise TactfulError(str(error)) from None


def _plain(found: dict[str, Any], begin: datetime, end: datetime) -> dict[str, Any]:
    def figures(told: Any) -> dict[str, Any]:
        return {name: asdict(figure) for name, figure in told.items()}

    return {
        "since": begin.isoformat(),
        "until": end.isoformat(),
        "figures": figures(found["figures"]),
        "programmes": [
            {"programme": programme, "channel": channel, **figures(told)}
            for (programme, channel), told in found["programmes"].items()
        ],
        "groups": {name: figures(told) for name, told in found["groups"].items()},
        "periods": {start.isoformat(): figures(told) for start, told in found["periods"].items()},
        "incremental": _plain_gain(found["incremental"]),
    }


def _plain_gain(gain: "Incremental | str") -> dict[str, Any]:
    if isinstance(gain, str):
        return {"unknown": gain}
    return {
        "per_customer": {"value": gain.effect.difference, "low": gain.effect.low, "high": gain.effect.high},
        "total": dict(zip(("value", "low", "high"), gain.total, strict=True)),
        "customers": {"held_out": gain.effect.customers[0], "others": gain.customers},
    }


def _show(found: dict[str, Any], begin: datetime, end: datetime, currency: str) -> None:
    from tactful.experiments.readout.kpis import KEY_FIGURES

    screen = console()
    headings = ("figure", "value", "95 % interval", "n")
    title = f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}"
    rows = [(KEY_FIGURES[name].title, *_told(name, figure, currency)) for name, figure in found["figures"].items()]
    say(screen, table(headings, rows, numbers=headings[1:], title=title))
    parts = [
        (f"{programme}, {channel}", *(_range(name, told.get(name)) for name in ("response_rate", "unsubscribe_rate")))
        for (programme, channel), told in found["programmes"].items()
    ]
    if parts:
        rates = ("response rate", "unsubscribe rate")
        say(screen, table(("programme and channel", *rates), parts, numbers=rates))
    _show_groups(found["groups"])
    _show_groups({f"{start:%Y-%m-%d}": told for start, told in found["periods"].items()})
    _show_gain(found["incremental"], currency)


def _show_groups(groups: "dict[str, dict[str, Figure]]") -> None:
    """A row a group, and the figures that most ask for; all of them are in the JSON."""
    if not groups:
        return
    headings = ("group", *(title for title, _ in _SHORT.values()), "n")
    rows = [
        (group, *(_short(told.get(name), digits) for name, (_, digits) in _SHORT.items()), _size(told))
        for group, told in groups.items()
    ]
    say(console(), table(headings, rows, numbers=headings[1:]))


_SHORT = {
    "retention_rate": ("retained, %", 100),
    "repeat_purchase_rate": ("repeated, %", 100),
    "average_order_value": ("order value", 1),
    "revenue_per_customer": ("revenue each", 1),
}
"""Key figures in short: a heading, and what the value is multiplied by."""


def _short(figure: "Figure | None", times: int) -> str:
    if figure is None:
        return "–"
    value, low, high = (times * part for part in (figure.value, figure.low, figure.high))
    digits = 0 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def _size(told: "dict[str, Figure]") -> int | None:
    figure = told.get("revenue_per_customer")
    return figure.n if figure else None


def _show_gain(gain: "Incremental | str", currency: str) -> None:
    if isinstance(gain, str):
        console().print(f"incremental value: {gain}", soft_wrap=True)
        return
    value, low, high = gain.total
    counts = f"{gain.effect.customers[0]:,} held out, {gain.customers:,} not"
    console().print(
        f"incremental value: {value:,.0f} {currency}, between {low:,.0f} and {high:,.0f}; {counts}", soft_wrap=True
    )


def _told(name: str, figure: "Figure", currency: str) -> tuple[str, str, str]:
    shown = [_value(name, part, currency) for part in (figure.value, figure.low, figure.high)]
    return shown[0], f"{shown[1]} to {shown[2]}", f"{figure.n:,}"


def _range(name: str, figure: "Figure | None") -> str:
    if figure is None:
        return "–"
    return f"{_value(name, figure.value, '')} ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def _value(name: str, value: float, currency: str) -> str:
    from tactful.experiments.readout.kpis import KEY_FIGURES

    unit = KEY_FIGURES[name].unit
    return (
        f"{100 * value:.1f} %" if unit == "share" else f"{value:,.2f}" + (f" {currency}" if unit == "currency" else "")
    )
