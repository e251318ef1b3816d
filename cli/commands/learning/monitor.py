"""`tactful monitor`: whether what the models learnt still holds; exit code 1 where it does not."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tactful.cli.arguments import days
from tactful.cli.console import console, print_json, progress, say, table
from tactful.cli.options import Json

if TYPE_CHECKING:
    from tactful.training.monitor import Watch

_SHOWN = 10

Period = Annotated[
    int,
    typer.Option(
        parser=days,
        metavar="DURATION",
        show_default=False,
        help="The time that is compared with before. [default: 28d]",
    ),
]


def monitor(
    data: Annotated[Path, typer.Option("--data", envvar="TACTFUL_DATA", help="Folder of the service.")] = Path(
        "var/demo"
    ),
    events: Annotated[
        Path | None, typer.Option("--events", help="Folder of events, as `tactful events import` leaves it.")
    ] = None,
    period: Period = 28,
    as_json: Json = False,
) -> None:
    """Watch features, scores, responses and calibration for drift.

    Exit code 1 where something alerts.
    """
    with progress("comparing", console(stderr=True)):
        watch = _watch(data, events, timedelta(days=period))
    if as_json:
        print_json(watch.as_dict())
    else:
        _report(watch)
    if watch.alerts:
        raise typer.Exit(1)


def _watch(data: Path, events: Path | None, period: timedelta) -> "Watch":
    """A log of events by its customers; else the decisions of a service."""
    from tactful.training.gate.evidence import Reward
    from tactful.training.monitor import watch_decisions, watch_events

    if events is not None:
        from tactful.cli.wiring.training_jobs import log_of

        return watch_events(log_of(events), period=period)
    from tactful.cli.wiring.decision_source import open_decisions

    source = open_decisions(data)
    return watch_decisions(
        source.decisions(), Reward(), source.now, period=period, learnt=source.champion.bundle.messages
    )


def _report(watch: "Watch") -> None:
    out = console()
    (before, after), (since, until) = watch.rows, watch.times
    say(out, f"{since:%Y-%m-%d} to {until:%Y-%m-%d} ({after:,} rows) against before ({before:,} rows)")
    rows = [
        (
            one.name,
            f"{one.psi:.3f}",
            f"{one.distance:.3f}",
            f"{one.missing_before:.1%}",
            f"{one.missing_after:.1%}",
            f"{one.q:.2g}",
            "alert" if one.alert else "",
        )
        for one in watch.features[:_SHOWN]
    ]
    title = f"features and scores: the {len(rows)} largest shifts of {len(watch.features)}"
    headings: tuple[str, ...] = ("", "stability index", "distance", "missing before", "after", "q")
    if rows:
        say(out, table((*headings, ""), rows, numbers=headings[1:], title=title))
    rates = [
        (
            one.name,
            f"{one.before:.1%}",
            f"{one.after:.1%}",
            f"{one.low:+.1%} to {one.high:+.1%}",
            f"{one.q:.2g}",
            "alert" if one.alert else "",
        )
        for one in watch.rates
    ]
    headings = ("", "before", "after", "change, 95 %", "q")
    say(out, table((*headings, ""), rates, numbers=headings[1:], title="shares"))
    for what, programmes in (("new", watch.new), ("vanished", watch.vanished)):
        if programmes:
            say(out, f"programmes that are {what}: {', '.join(programmes)}")
    if watch.calibration:
        arms = [
            (one.arm, one.rows, f"{one.predicted:.3f}", f"{one.observed:.3f}", "yes" if one.holds else "no")
            for one in watch.calibration
        ]
        headings = ("", "rows", "predicted", "observed")
        title = "responses to the latest contacts"
        say(out, table((*headings, "within 2 errors"), arms, numbers=headings[1:], title=title))
    for alert in watch.alerts or ("Nothing to report.",):
        say(out, alert)
