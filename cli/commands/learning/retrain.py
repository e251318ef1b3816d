"""`tactful retrain`: train, judge and put into use in one go, for a timer to call; or print the timer."""

import shlex
import sys
import tempfile
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tactful.cli.arguments import days
from tactful.cli.console import console, print_json, say
from tactful.cli.options import (
    STORE,
    AlsoContracts,
    Anyway,
    Campaigns,
    Contacts,
    Events,
    Horizon,
    Json,
    Lookback,
    Margin,
    Store,
    Tolerance,
    Unsubscribes,
    Window,
)
from tactful.features.errors import TactfulError

if TYPE_CHECKING:
    from tactful.training.gate.evidence import Reward
    from tactful.training.gate.release import Limits

CRON = """\
# Every night at 3:17, by `crontab -e`; a run that finds equal data and settings trains nothing.
17 3 * * * cd {folder} && {command} >> {folder}/retrain.log 2>&1
"""
SYSTEMD = """\
# ~/.config/systemd/user/tactful-retrain.service
[Unit]
Description=Retrain Tactful's models and put them into use if the release gate lets them through

[Service]
Type=oneshot
WorkingDirectory={folder}
ExecStart={command}
# 1 means that the gate said no: a verdict, not a failure.
SuccessExitStatus=1
Nice=10

# ~/.config/systemd/user/tactful-retrain.timer
[Unit]
Description=Every night

[Timer]
OnCalendar=*-*-* 03:17:00
RandomizedDelaySec=10min
Persistent=true

[Install]
WantedBy=timers.target
"""


class Schedule(StrEnum):
    """The timer that calls the command every night."""

    CRON = "cron"
    SYSTEMD = "systemd"


def retrain(
    events: Events = None,
    data: Annotated[Path, typer.Option("--data", envvar="TACTFUL_DATA", help="Folder of the service.")] = Path(
        "var/demo"
    ),
    horizon: Horizon = 28,
    lookback: Lookback = 56,
    campaigns: Campaigns = None,
    window: Window = None,
    margin: Margin = 1.0,
    contracts: AlsoContracts = None,
    tolerance: Tolerance = 0.01,
    contacts: Contacts = 0.1,
    unsubscribes: Unsubscribes = 0.001,
    judge_by: Annotated[
        int,
        typer.Option(
            "--judge-by",
            parser=days,
            metavar="DURATION",
            show_default=False,
            help="Time of the latest decisions, which judge and are not learnt from. [default: 28d]",
        ),
    ] = 28,
    store: Store = STORE,
    anyway: Anyway = "",
    schedule: Annotated[
        Schedule | None, typer.Option(help="Do nothing but print what calls this command every night.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train every model, and put the bundle into use if it may ship.

    The release gate judges it on the latest decisions, which it did not learn from.
    """
    if schedule is not None:
        typer.echo(unit(schedule, sys.argv[1:]), nl=False)
        return
    from tactful.cli.wiring.jobs import report
    from tactful.cli.wiring.training import history, train_all
    from tactful.serving.settings import Settings
    from tactful.training.gate.evidence import Reward
    from tactful.training.gate.release import Limits

    logged = data if Settings.of(data).catalogue.exists() else None
    bound = None if logged is None else _bound(logged, timedelta(days=judge_by))
    with history(events, data) as log:
        told = train_all(log, logged, horizon, lookback, campaigns, window, margin, contracts, store, bound, anyway)
    limits = Limits(tolerance=tolerance, contacts=contacts, unsubscribes=unsubscribes)
    verdict = _released(store, data, Reward(margin=margin), limits, anyway)
    if as_json:
        print_json({"models": {one["name"]: one for one in told}, "release": verdict})
    else:
        report(told, as_json=False)
        state = "in use" if verdict["promoted"] else f"not put into use ({verdict['answer']})"
        say(console(), f"Bundle {verdict['version'] or 'incomplete'}: {state}.")
        for reason in verdict["reasons"]:
            say(console(), f"  {reason}")
    if not verdict["promoted"]:
        raise typer.Exit(1)


def _bound(data: Path, period: timedelta) -> int | None:
    """After which moment nothing may be settled that is learnt from, microseconds since the epoch."""
    from tactful.cli.wiring.decision_source import open_decisions
    from tactful.features.timestamps import microseconds
    from tactful.training.gate.evidence import judged_from

    source = open_decisions(data)
    moment = judged_from(source.decisions(), source.now, period)
    return None if moment is None else microseconds(moment)


def _released(store: Path, data: Path, reward: "Reward", limits: "Limits", anyway: str) -> dict[str, Any]:
    """The champions as a bundle; a score without a champion gives a reason, not a failure."""
    from tactful.cli.wiring.judging import promoted
    from tactful.cli.wiring.training import release_all
    from tactful.models.base.errors import RegistryError

    with tempfile.TemporaryDirectory() as scratch:
        bundle = Path(scratch) / "bundle"
        try:
            release_all(store, bundle, data)
        except RegistryError as error:
            return {"version": None, "promoted": False, "answer": "no", "reasons": [str(error)], "run": None}
        return promoted(bundle, data, reward, limits, store, anyway)


def unit(schedule: Schedule, arguments: list[str]) -> str:
    """The text of a crontab line or of systemd's units that call the command with the same arguments.

    Args:
        schedule: Which.
        arguments: Those of the present call; `--schedule` is left out.

    Raises:
        TactfulError: A newline in an argument, which no schedule can hold.
    """
    if any("\n" in argument for argument in arguments):
        raise TactfulError("a newline in an argument", got=arguments, wanted="one line")
    kept, skip = [], False
    for argument in arguments:
        if not skip and not argument.startswith("--schedule"):
            kept.append(argument)
        skip = argument == "--schedule"
    program = Path(sys.executable).with_name("tactful")
    command = shlex.join([str(program), *kept])
    if schedule is Schedule.CRON:
        command = command.replace("%", r"\%")
        return CRON.format(folder=shlex.quote(str(Path.cwd())), command=command)
    return SYSTEMD.format(folder=Path.cwd(), command=command.replace("%", "%%"))
