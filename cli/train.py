"""`tactful train`: fit models to logs of events and decisions, track and register them, put champions into use."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import console
from cli.contract_jobs import GRACE, NOTICE, contract_job
from cli.jobs import Job, done, report
from cli.training_jobs import effect_job, lapse_job, pressure_job, response_job, value_job
from decisions.durations import parse_duration
from features.errors import TactfulError
from features.standard import STANDARD
from models.kinds import Model
from models.registry import MlflowRegistry
from training import effects, lapse, pressure, renewals, response, value
from training.errors import TrainingError
from training.promote import release

train_app = typer.Typer(help="Fit models to a log of events and register them.", no_args_is_help=True)


def days(text: str | int) -> int:
    """Whole days of a duration such as 28d or 4w."""
    if isinstance(text, int):
        return text
    duration = parse_duration(text)
    if not duration or duration % timedelta(days=1):
        raise ValueError(f"not whole days: got {text!r}; wanted a duration such as 28d or 4w")
    return duration.days


Events = Annotated[Path, typer.Option("--events", help="Folder of events, as `tactful events import` leaves it.")]
MaybeEvents = Annotated[
    Path | None, typer.Option("--events", help="Folder of events, as `tactful events import` leaves it.")
]
Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of the service whose logged decisions to learn from.")
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
    events: Events,
    horizon: Horizon = 28,
    lookback: Lookback = 56,
    contracts: Contracts = None,
    notice: Notice = NOTICE,
    grace: Grace = GRACE,
    store: Store = STORE,
    no_track: NoTrack = False,
    as_json: Json = False,
) -> None:
    """Train the lapse model: who bought lately and will not buy in the time to come; or will not renew a contract."""
    job = lapse_job(events, horizon, lookback) if contracts is None else contract_job(events, contracts, notice, grace)
    report([done(job, store, no_track=no_track)], as_json=as_json)


@train_app.command("response")
def respond(
    events: MaybeEvents = None,
    data: Data = None,
    campaigns: Campaigns = None,
    window: Window = None,
    store: Store = STORE,
    no_track: NoTrack = False,
    as_json: Json = False,
) -> None:
    """Train the response model: from logged decisions where there are enough, else from imported campaigns."""
    job = response_job(events, data, campaigns, window)
    report([done(job, store, no_track=no_track)], as_json=as_json)


@train_app.command("effect")
def affect(
    data: Data = None,
    events: MaybeEvents = None,
    store: Store = STORE,
    no_track: NoTrack = False,
    as_json: Json = False,
) -> None:
    """Train the effect model: what each message changes against silence, from logged decisions alone."""
    if data is None:
        effects.refuse_campaigns(events)
    report([done(effect_job(data), store, no_track=no_track)], as_json=as_json)


@train_app.command("value")
def worth(
    events: Events,
    window: Annotated[
        int,
        typer.Option(
            parser=days, metavar="DURATION", show_default=False, help="Spend is learnt in this time. [default: 84d]"
        ),
    ] = value.WINDOW,
    margin: Margin = 1.0,
    store: Store = STORE,
    no_track: NoTrack = False,
    as_json: Json = False,
) -> None:
    """Train the value model: what a customer will be worth over a year."""
    report([done(value_job(events, window, margin), store, no_track=no_track)], as_json=as_json)


@train_app.command("pressure")
def press(
    events: MaybeEvents = None,
    data: Data = None,
    store: Store = STORE,
    no_track: NoTrack = False,
    as_json: Json = False,
) -> None:
    """Train the model of contact pressure: who leaves after one more contact."""
    report([done(pressure_job(events, data), store, no_track=no_track)], as_json=as_json)


@train_app.command("all")
def every(
    events: Events,
    data: Data = None,
    horizon: Horizon = 28,
    lookback: Lookback = 56,
    campaigns: Campaigns = None,
    window: Window = None,
    margin: Margin = 1.0,
    contracts: AlsoContracts = None,
    store: Store = STORE,
    bundle: Annotated[Path | None, typer.Option(help="Folder to put the champions into, for the service.")] = None,
    as_json: Json = False,
) -> None:
    """Train, track and register every model the logs can show; with --bundle, release the champions."""
    told = train_all(events, data, horizon, lookback, campaigns, window, margin, contracts, store)
    report(told, as_json=as_json)
    if bundle is not None:
        version = release_all(store, bundle, data)
        console(stderr=True).print(f"Released as bundle {version} in {bundle}.")


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
) -> list[dict[str, Any]]:
    """Every model the logs can show, lapse among them; the others are left out with a word.

    Raises:
        TrainingError: The log is too short for lapse, or a file that is named is not there.
    """
    for file in (campaigns, contracts):
        if file is not None and not file.is_file():
            raise TrainingError("no such file", got=str(file), wanted="a Parquet file")
    told = [done(lapse_job(events, horizon, lookback, judged_from), store)]
    jobs: list[Callable[[], Job]] = [
        lambda: response_job(events, data, campaigns, window, judged_from),
        lambda: value_job(events, value.WINDOW, margin, judged_from),
        lambda: pressure_job(events, data, judged_from),
        *([lambda: contract_job(events, contracts, judged_from=judged_from)] if contracts is not None else []),
        *([lambda: effect_job(data, judged_from)] if data is not None else []),
    ]
    for job in jobs:
        try:
            told.append(done(job(), store))
        except TactfulError as error:
            console(stderr=True).print(f"left out: {error}", soft_wrap=True)
    return told


def release_all(store: Path, bundle: Path, data: Path | None = None) -> str:
    """The champions of every score as one bundle: lapse, and of the others those there are.

    Where the registry has none, the model that the service in `data` uses stays.
    """
    registry, in_use = MlflowRegistry(store), _in_use(data)
    more = [name for name in OPTIONAL if name in in_use or registry.champion(name) is not None]
    return release(registry, (lapse.NAME, *more), bundle, STANDARD, in_use)


def _in_use(data: Path | None) -> Mapping[str, Model]:
    """The models of a service's bundle; none where there is no service, or it has no bundle yet."""
    from serving.champion import load_bundle
    from serving.settings import Settings

    return {} if data is None else load_bundle(Settings.of(data).champion, STANDARD).models
