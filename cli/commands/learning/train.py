"""`tactful train`: fit models to logs of events and decisions, track and register them, put champions into use."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from tactful.cli.arguments import days
from tactful.cli.console import console
from tactful.cli.options import (
    STORE,
    AlsoContracts,
    Anyway,
    Campaigns,
    Contracts,
    Data,
    Events,
    Grace,
    Horizon,
    Json,
    Lookback,
    Margin,
    Notice,
    NoTrack,
    Store,
    Window,
)

train_app = typer.Typer(help="Fit models to a log of events and register them.", no_args_is_help=True)


@train_app.command()
def churn(
    events: Events = None,
    data: Data = None,
    horizon: Horizon = 28,
    lookback: Lookback = 56,
    contracts: Contracts = None,
    notice: Notice = 30,
    grace: Grace = 14,
    store: Store = STORE,
    no_track: NoTrack = False,
    anyway: Anyway = "",
    as_json: Json = False,
) -> None:
    """Train the lapse model: who bought lately and will not buy in the time to come; or will not renew a contract.

    Like each of these commands, it exits with 1 if the gate refuses the model.
    """
    from tactful.cli.wiring.contract_jobs import contract_job
    from tactful.cli.wiring.jobs import done
    from tactful.cli.wiring.training import history
    from tactful.cli.wiring.training_jobs import lapse_job

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
    from tactful.cli.wiring.jobs import done
    from tactful.cli.wiring.training_jobs import response_job

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
    from tactful.cli.wiring.jobs import done
    from tactful.cli.wiring.training_jobs import effect_job
    from tactful.training.jobs import effects

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
    ] = 84,
    margin: Margin = 1.0,
    store: Store = STORE,
    no_track: NoTrack = False,
    anyway: Anyway = "",
    as_json: Json = False,
) -> None:
    """Train the value model: what a customer will be worth over a year."""
    from tactful.cli.wiring.jobs import done
    from tactful.cli.wiring.training import history
    from tactful.cli.wiring.training_jobs import value_job

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
    from tactful.cli.wiring.jobs import done
    from tactful.cli.wiring.training_jobs import pressure_job

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

    Exits with 1 if a gate refused a model; the bundle holds the champions that there are. A bundle needs a lapse model:
    without a champion of it, nothing is released, and the exit code is 2.
    """
    from tactful.cli.wiring.jobs import report
    from tactful.cli.wiring.training import history, release_all, train_all

    with history(events, data) as log:
        told = train_all(log, data, horizon, lookback, campaigns, window, margin, contracts, store, anyway=anyway)
    report(told, as_json=as_json)
    if bundle is not None:
        version = release_all(store, bundle, data)
        console(stderr=True).print(f"Released as bundle {version} in {bundle}.")
    _exit(told)


def _conclude(told: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Prints the results of jobs, and ends."""
    from tactful.cli.wiring.jobs import report

    report(told, as_json=as_json)
    _exit(told)


def _exit(told: Sequence[Mapping[str, Any]]) -> None:
    """Exits with 1 where a gate refused a model."""
    if any(one["refused"] for one in told):
        raise typer.Exit(1)
