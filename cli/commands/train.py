"""`tactful train`: fit models to logs of events and decisions, track and register them, put champions into use."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.arguments import days
from cli.console import console
from cli.wiring.contract_jobs import GRACE, NOTICE, contract_job
from cli.wiring.jobs import Job, done, report
from cli.wiring.training_jobs import CAMPAIGNS, effect_job, lapse_job, pressure_job, response_job, value_job
from features.definitions.standard import STANDARD
from features.errors import TactfulError
from models.bundles.kinds import Model
from models.bundles.registry import MlflowRegistry
from training.data.errors import TrainingError
from training.gate.registry_gate import release
from training.jobs import effects, lapse, renewals, value
from training.jobs import frequency as pressure
from training.jobs import response_imported as response

train_app = typer.Typer(help="Fit models to a log of events and register them.", no_args_is_help=True)


Events = Annotated[
    Path | None,
    typer.Option(
        "--events", help="Folder of events, as `tactful events import` leaves it. [default: the events in the store]"
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the service, whose logged decisions and events to learn from."),
]
Anyway = Annotated[
    str, typer.Option(metavar="REASON", help="Make it the champion whatever the gate says, and remember why.")
]
Campaigns = Annotated[
    Path | None,
    typer.Option("--campaigns", help="Parquet of campaigns [default: campaigns.parquet beside the events]."),
]
Window = Annotated[
    int | None,
    typer.Option(parser=days, metavar="DURATION", help="How long a contact can be answered, without campaigns."),
]
Margin = Annotated[float, typer.Option(help="Share of spend that is margin.")]
Store = Annotated[Path, typer.Option("--store", help="Folder of the MLflow store.")]
NoTrack = Annotated[bool, typer.Option("--no-track", help="Neither track nor register.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")]
Horizon = Annotated[
    int,
    typer.Option(
        parser=days, metavar="DURATION", show_default=False, help="A lapse is no purchase in this time. [default: 28d]"
    ),
]
Lookback = Annotated[
    int,
    typer.Option(
        parser=days,
        metavar="DURATION",
        show_default=False,
        help="Customers count who bought in this time before. [default: 56d]",
    ),
]

Contracts = Annotated[
    Path | None,
    typer.Option("--contracts", help="Parquet of contracts: learn who does not renew, not who does not buy."),
]
AlsoContracts = Annotated[
    Path | None, typer.Option("--contracts", help="Parquet of contracts: also learn who does not renew.")
]
Notice = Annotated[
    int,
    typer.Option(
        parser=days, metavar="DURATION", show_default=False, help="How long before a contract's end. [default: 30d]"
    ),
]
Grace = Annotated[
    int,
    typer.Option(
        parser=days, metavar="DURATION", show_default=False, help="How long after it a renewal counts. [default: 14d]"
    ),
]

STORE = Path("var/mlflow")
OPTIONAL = (response.NAME, value.NAME, pressure.NAME, renewals.NAME, effects.NAME)
"""Scores that a bundle may lack."""


@train_app.command()
def churn(
    events: Events = None,
    data: Data = None,
    horizon: Horizon = 28,
    lookback: Lookback = 56,
    contracts: Contracts = None,
    notice: Notice = NOTICE,
    grace: Grace = GRACE,
    store: Store = STORE,
    no_track: NoTrack = False,
    anyway: Anyway = "",
    as_json: Json = False,
) -> None:
    """Train the lapse model: who bought lately and will not buy in the time to come; or will not renew a contract.

    Like each of these commands, it exits with 1 if the gate refuses the model.
    """
    with history(events, data) as log:
        job = lapse_job(log, horizon, lookback) if contracts is None else contract_job(log, contracts, notice, grace)
        _conclude([done(job, store, no_track=no_track, anyway=anyway)], as_json=as_json)


@train_app.command("response")
def respond(
    events: Events = None,
    data: Data = None,
    campaigns: Campaigns = None,
    window: Window = None,
    store: Store = STORE,
    no_track: NoTrack = False,
    anyway: Anyway = "",
    as_json: Json = False,
) -> None:
    """Train the response model: from logged decisions where there are enough, else from imported campaigns."""
    job = response_job(events, data, campaigns, window)
    _conclude([done(job, store, no_track=no_track, anyway=anyway)], as_json=as_json)


@train_app.command("effect")
def affect(
    data: Data = None,
    events: Events = None,
    store: Store = STORE,
    no_track: NoTrack = False,
    anyway: Anyway = "",
    as_json: Json = False,
) -> None:
    """Train the effect model: what each message changes against silence, from logged decisions alone."""
    if data is None:
        effects.refuse_campaigns(events)
    _conclude([done(effect_job(data), store, no_track=no_track, anyway=anyway)], as_json=as_json)


@train_app.command("value")
def worth(
    events: Events = None,
    data: Data = None,
    window: Annotated[
        int,
        typer.Option(
            parser=days, metavar="DURATION", show_default=False, help="Spend is learnt in this time. [default: 84d]"
        ),
    ] = value.WINDOW,
    margin: Margin = 1.0,
    store: Store = STORE,
    no_track: NoTrack = False,
    anyway: Anyway = "",
    as_json: Json = False,
) -> None:
    """Train the value model: what a customer will be worth over a year."""
    with history(events, data) as log:
        _conclude([done(value_job(log, window, margin), store, no_track=no_track, anyway=anyway)], as_json=as_json)


@train_app.command("pressure")
def press(
    events: Events = None,
    data: Data = None,
    store: Store = STORE,
    no_track: NoTrack = False,
    anyway: Anyway = "",
    as_json: Json = False,
) -> None:
    """Train the model of contact pressure: who leaves after one more contact."""
    _conclude([done(pressure_job(events, data), store, no_track=no_track, anyway=anyway)], as_json=as_json)


@train_app.command("all")
def every(
    events: Events = None,
    data: Data = None,
    horizon: Horizon = 28,
    lookback: Lookback = 56,
    campaigns: Campaigns = None,
    window: Window = None,
    margin: Margin = 1.0,
    contracts: AlsoContracts = None,
    store: Store = STORE,
    bundle: Annotated[Path | None, typer.Option(help="Folder to put the champions into, for the service.")] = None,
    anyway: Anyway = "",
    as_json: Json = False,
) -> None:
    """Train, track and register every model the logs can show; with --bundle, release the champions.

    Exits with 1 if a gate refused a model; the bundle holds the champions that there are.
    """
    with history(events, data) as log:
        told = train_all(log, data, horizon, lookback, campaigns, window, margin, contracts, store, anyway=anyway)
    report(told, as_json=as_json)
    if bundle is not None:
        version = release_all(store, bundle, data)
        console(stderr=True).print(f"Released as bundle {version} in {bundle}.")
    _exit(told)


@contextmanager
def history(events: Path | None, data: Path | None) -> Iterator[Path]:
    """The folder of events to learn from: the one that is named, else what the service's store knows.

    Raises:
        TrainingError: Neither is named.
    """
    if events is not None:
        yield events
        return
    if data is None:
        raise TrainingError("nothing to learn from", got="neither --events nor --data", wanted="one of them")
    from cli.commands.store_load import exported

    with exported(data) as folder:
        yield folder


def _conclude(told: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Prints what is told of jobs, and ends."""
    report(told, as_json=as_json)
    _exit(told)


def _exit(told: Sequence[Mapping[str, Any]]) -> None:
    """Exits with 1 where a gate refused a model."""
    if any(one["refused"] for one in told):
        raise typer.Exit(1)


def train_all(
    events: Path,
    data: Path | None,
    horizon: int,
    lookback: int,
    campaigns: Path | None,
    window: int | None,
    margin: float,
    contracts: Path | None,
    store: Path,
    judged_from: int | None = None,
    anyway: str = "",
) -> list[dict[str, Any]]:
    """Every model the logs can show, lapse among them; the others are left out with a word.

    Raises:
        TrainingError: The log is too short for lapse, or a file that is named is not there.
    """
    for file in (campaigns, contracts):
        if file is not None and not file.is_file():
            raise TrainingError("no such file", got=str(file), wanted="a Parquet file")
    told = [done(lapse_job(events, horizon, lookback, judged_from), store, anyway=anyway)]
    jobs: list[Callable[[], Job]] = [
        lambda: response_job(events, data, campaigns or _campaigns_of(data), window, judged_from),
        lambda: value_job(events, value.WINDOW, margin, judged_from),
        lambda: pressure_job(events, data, judged_from),
        *([lambda: contract_job(events, contracts, judged_from=judged_from)] if contracts is not None else []),
        *([lambda: effect_job(data, judged_from)] if data is not None else []),
    ]
    for job in jobs:
        try:
            told.append(done(job(), store, anyway=anyway))
        except TactfulError as error:
            console(stderr=True).print(f"left out: {error}", soft_wrap=True)
    return told


def _campaigns_of(data: Path | None) -> Path | None:
    """The campaigns in a service's folder, where there are some."""
    file = None if data is None else data / CAMPAIGNS
    return file if file is not None and file.is_file() else None


def release_all(store: Path, bundle: Path, data: Path | None = None) -> str:
    """The champions of every score as one bundle: lapse, and of the others those there are.

    Where the registry has none, the model that the service in `data` uses stays.
    """
    registry, in_use = MlflowRegistry(store), _in_use(data)
    more = [name for name in OPTIONAL if name in in_use or registry.champion(name) is not None]
    return release(registry, (lapse.NAME, *more), bundle, STANDARD, in_use)


def _in_use(data: Path | None) -> Mapping[str, Model]:
    """The models of a service's bundle; none where there is no service, or it has no bundle yet."""
    from serving.engine.champion import load_bundle
    from serving.settings import Settings

    return {} if data is None else load_bundle(Settings.of(data).champion, STANDARD).models
