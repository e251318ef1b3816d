"""`tactful train`: fit models to a log of events, track and register them, put champions into use."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from cli.console import console, print_json, progress, table
from decisions.durations import parse_duration
from features.dataset import open_events
from models.registry import MlflowRegistry
from training import lapse, response
from training.errors import TrainingError
from training.job import Progress, TrainingResult
from training.promote import Verdict, promote, release
from training.tracking import track

train_app = typer.Typer(help="Fit models to a log of events and register them.", no_args_is_help=True)


def _days(text: str | int) -> int:
    if isinstance(text, int):
        return text
    duration = parse_duration(text)
    if not duration or duration % timedelta(days=1):
        raise ValueError(f"not whole days: got {text!r}; wanted a duration such as 28d or 4w")
    return duration.days


Events = Annotated[Path, typer.Option("--events", help="Folder of events, as `tactful events import` leaves it.")]
Campaigns = Annotated[
    Path | None,
    typer.Option("--campaigns", help="Parquet of campaigns [default: campaigns.parquet beside the events]."),
]
Window = Annotated[
    int | None,
    typer.Option(parser=_days, metavar="DURATION", help="How long a contact can be answered, without campaigns."),
]
Store = Annotated[Path, typer.Option("--store", help="Folder of the MLflow store.")]
NoTrack = Annotated[bool, typer.Option("--no-track", help="Neither track nor register.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")]
Horizon = Annotated[
    int,
    typer.Option(
        parser=_days, metavar="DURATION", show_default=False, help="A lapse is no purchase in this time. [default: 28d]"
    ),
]
Lookback = Annotated[
    int,
    typer.Option(
        parser=_days,
        metavar="DURATION",
        show_default=False,
        help="Customers count who bought in this time before. [default: 56d]",
    ),
]

_STORE = Path("var/mlflow")


@dataclass(frozen=True)
class Trained:
    """A training result with what became of it."""

    result: TrainingResult
    seconds: float
    run: str | None = None
    verdict: Verdict | None = None


@train_app.command()
def churn(
    events: Events,
    horizon: Horizon = 28,
    lookback: Lookback = 56,
    store: Store = _STORE,
    no_track: NoTrack = False,
    as_json: Json = False,
) -> None:
    """Train the lapse model: who bought lately and will not buy in the time to come."""
    _report([_trained(lapse.NAME, _lapse_job(events, horizon, lookback), store, no_track)], as_json)


@train_app.command("response")
def respond(
    events: Events,
    campaigns: Campaigns = None,
    window: Window = None,
    store: Store = _STORE,
    no_track: NoTrack = False,
    as_json: Json = False,
) -> None:
    """Train the response model: who redeems what was offered, while it can be redeemed."""
    _report([_trained(response.NAME, _response_job(events, campaigns, window), store, no_track)], as_json)


@train_app.command("all")
def every(
    events: Events,
    horizon: Horizon = 28,
    lookback: Lookback = 56,
    campaigns: Campaigns = None,
    window: Window = None,
    store: Store = _STORE,
    bundle: Annotated[Path | None, typer.Option(help="Folder to put the champions into, for the service.")] = None,
    as_json: Json = False,
) -> None:
    """Train, track and register both models; with --bundle, release the champions."""
    jobs = {
        lapse.NAME: _lapse_job(events, horizon, lookback),
        response.NAME: _response_job(events, campaigns, window),
    }
    trained = [_trained(name, job, store, no_track=False) for name, job in jobs.items()]
    _report(trained, as_json)
    if bundle is not None:
        version = release(MlflowRegistry(store), tuple(jobs), bundle, trained[0].result.feature_set)
        console(stderr=True).print(f"Released as bundle {version} in {bundle}.")


def _lapse_job(events: Path, horizon: int, lookback: int) -> Callable[[Progress], TrainingResult]:
    dataset = open_events(events)
    return lambda told: lapse.train(dataset, horizon_days=horizon, lookback_days=lookback, progress=told)


def _response_job(events: Path, campaigns: Path | None, window: int | None) -> Callable[[Progress], TrainingResult]:
    dataset = open_events(events)
    frame = None if window is not None else _read_campaigns(campaigns or events.parent / "campaigns.parquet")
    return lambda told: response.train(dataset, frame, window_days=window, progress=told)


def _read_campaigns(file: Path) -> pd.DataFrame:
    if not file.is_file():
        raise TrainingError("no campaigns", got=str(file), wanted="a Parquet file of campaigns, or --window")
    return pd.read_parquet(file)


def _trained(name: str, job: Callable[[Progress], TrainingResult], store: Path, no_track: bool) -> Trained:
    begun = time.perf_counter()
    with progress(f"training {name}", console(stderr=True)) as advance:
        result = job(lambda _, step, steps: advance(step - 1, steps))
    if no_track:
        return Trained(result, time.perf_counter() - begun)
    with progress(f"tracking {name}", console(stderr=True)):
        run = track(result, store)
        verdict = promote(result, MlflowRegistry(store), run=run)
    return Trained(result, time.perf_counter() - begun, run, verdict)


def _report(trained: Sequence[Trained], as_json: bool) -> None:
    if as_json:
        models = {one.result.name: _as_json(one) for one in trained}
        print_json({"models": models} if len(trained) > 1 else _as_json(trained[0]))
        return
    out = console()
    for one in trained:
        out.print(_table(one.result))
        for line in _lines(one):
            out.print(line)
        out.print()


def _as_json(one: Trained) -> dict[str, Any]:
    dataset = one.result.dataset
    return {
        "name": one.result.name,
        **one.result.metrics,
        "parameters": one.result.parameters,
        "data": {"digest": dataset.digest, "events": sum(dataset.rows), "first": dataset.first, "last": dataset.last},
        "run": one.run,
        "promotion": None if one.verdict is None else asdict(one.verdict),
        "seconds": round(one.seconds, 1),
    }


def _table(result: TrainingResult) -> Any:
    metrics = result.metrics
    scored = {"the model": metrics} | {name.replace("_", " "): values for name, values in metrics["baselines"].items()}
    rows = [
        (name, *(_shown(values[metric]) for metric in ("auc", "log_loss", "ece"))) for name, values in scored.items()
    ]
    title = f"{result.name}: {metrics['n']:,} test rows, {metrics['positives']:,} positive, 95 % intervals"
    return table(("", "AUC", "log-loss", "calibration error"), rows, title=title)


def _shown(estimate: dict[str, float | None]) -> str:
    value, low, high = ("–" if estimate[name] is None else f"{estimate[name]:.3f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _lines(one: Trained) -> list[str]:
    metrics = one.result.metrics
    pool, test = metrics["split"]["pool"], metrics["split"]["test"]
    lines = [
        f"Learnt from {pool['rows']:,} rows, {pool['from']} to {pool['to']}, settled by {pool['settled']}.",
        f"Tested on {test['rows']:,} rows, {test['from']} to {test['to']}.",
        f"{metrics['rounds']} trees, calibration: {metrics['calibration']['kind']}, {one.seconds:.1f} s.",
    ]
    if one.verdict is None:
        return lines
    state = "the champion" if one.verdict.promoted else "not promoted"
    return [*lines, f"Version {one.verdict.version}: {state}.", *(f"  {reason}" for reason in one.verdict.reasons)]
