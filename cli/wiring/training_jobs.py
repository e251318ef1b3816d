"""The data and settings of each training job, from the command's arguments.

`judged_from`, microseconds since the epoch, is where later decisions begin that are to judge what a job learns: nothing
that was settled after it is learnt from.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tactful.cli.console import console
from tactful.cli.wiring.jobs import Job
from tactful.decisions.catalogue.objective import Fatigue
from tactful.features.definitions.standard import STANDARD
from tactful.features.events.dataset import EventDataset, open_events
from tactful.features.timestamps import AHEAD
from tactful.models.scores.value import PARAMETERS as VALUE_PARAMETERS
from tactful.training.data.attribution import Goal, delivered_contacts, every_decision
from tactful.training.data.errors import TrainingError
from tactful.training.data.labels import Span, days_after, span
from tactful.training.data.splits import snapshots
from tactful.training.fit.candidate import Candidate
from tactful.training.fit.job import Progress
from tactful.training.jobs import effects, lapse, value
from tactful.training.jobs import frequency as pressure
from tactful.training.jobs import response_imported as response
from tactful.training.jobs import response_logged as response_log
from tactful.training.jobs.classifier_candidate import candidate_of

FEW = 0.01
"""The share of a log up to which events in the future are mistakes of a clock."""
CAMPAIGNS = "campaigns.parquet"
"""The file of campaigns beside the events, or in the data folder."""


def log_of(folder: Path, now: datetime | None = None) -> EventDataset:
    """A log of events to learn from, without the few that a wrong clock has dated in the future; says so on stderr.

    A log of which more lies in the future, such as a simulated one, is left as it is.

    Args:
        folder: Where it is.
        now: The present moment; by the clock where None.
    """
    dataset = open_events(folder)
    latest = (now or datetime.now(UTC)) + AHEAD
    if not dataset.last or datetime.fromisoformat(dataset.last) < latest:
        return dataset
    earlier, later = dataset.before(latest)
    if later > FEW * sum(dataset.rows):
        return dataset
    why = f"later than {latest:%Y-%m-%d %H:%M} UTC, ahead of our clock"
    console(stderr=True).print(f"left out: {later:,} of {sum(dataset.rows):,} events, {why}", soft_wrap=True)
    return earlier


def lapse_job(events: Path, horizon: int, lookback: int, judged_from: int | None = None) -> Job:
    """The lapse model from a log of events."""
    dataset = log_of(events)
    settings = {"horizon_days": horizon, "lookback_days": lookback, **lapse.PARAMETERS.as_dict()}

    def train(told: Progress) -> Candidate:
        moments = None if judged_from is None else _snapshots(dataset, horizon, lookback, judged_from)
        return candidate_of(
            lapse.train(dataset, horizon_days=horizon, lookback_days=lookback, moments=moments, progress=told)
        )

    return Job(lapse.NAME, _described(dataset), settings | bound(judged_from), train)


def value_job(events: Path, window: int, margin: float, judged_from: int | None = None) -> Job:
    """The value model from a log of events."""
    dataset = log_of(events)
    settings = value.settings(value.HORIZON, window, margin, VALUE_PARAMETERS) | bound(judged_from)
    return Job(
        value.NAME,
        _described(dataset),
        settings,
        lambda told: value.train(dataset, window_days=window, margin=margin, judged_from=judged_from, progress=told),
    )


def pressure_job(events: Path | None, data: Path | None, judged_from: int | None = None) -> Job:
    """The model of contact pressure from logged decisions, else from a log of events."""
    if data is not None:
        source = _source(data)
        rows = delivered_contacts(source.decisions(), pressure.GOAL, source.now, feature_names=STANDARD.names)
        pressed = pressure.from_log(rows)
        fatigue = source.champion.compiled.catalogue.fatigue
        described = {"digest": rows.digest, "decisions": len(rows), "left_out": dict(rows.left_out)}
    elif events is not None:
        dataset, fatigue = log_of(events), Fatigue()
        pressed, described = pressure.from_events(dataset), _described(dataset)
    else:
        raise TrainingError("nothing to learn from", got="neither --events nor --data", wanted="one of them")
    return Job(
        pressure.NAME,
        described,
        pressure.settings(fatigue) | bound(judged_from),
        lambda told: pressure.train(pressed, fatigue, judged_from=judged_from, progress=told),
    )


def effect_job(data: Path, judged_from: int | None = None) -> Job:
    """The effect model from logged decisions."""
    source = _source(data)
    rows = every_decision(source.decisions(), Goal(), source.now, feature_names=STANDARD.names)
    priors = effects.catalogue_priors(source.champion.compiled.catalogue)
    return Job(
        effects.NAME,
        {"digest": rows.digest, "decisions": len(rows), "left_out": dict(rows.left_out)},
        effects.settings(priors, "linear") | bound(judged_from),
        lambda told: effects.train(rows, priors, judged_from=judged_from, progress=told),
    )


def response_job(
    events: Path | None, data: Path | None, campaigns: Path | None, window: int | None, judged_from: int | None = None
) -> Job:
    """From logged decisions where there are enough, else from imported campaigns."""
    if data is None and events is None:
        raise TrainingError("nothing to learn from", got="neither --events nor --data", wanted="one of them")
    if data is not None:
        try:
            return _logged_response(data, judged_from)
        except TrainingError as error:
            if events is None:
                raise
            console(stderr=True).print(f"from campaigns: {error}", soft_wrap=True)
    dataset = log_of(Path() if events is None else events)
    table = None if window is not None or events is None else _campaigns(campaigns or events.parent / CAMPAIGNS)
    settings = {"window": window, "campaigns": _digest(table), **response.PARAMETERS.as_dict()}
    return Job(
        response.NAME,
        _described(dataset),
        settings | bound(judged_from),
        lambda told: candidate_of(
            response.train(dataset, table, window_days=window, judged_from=judged_from, progress=told)
        ),
    )


def _logged_response(data: Path, judged_from: int | None) -> Job:
    from tactful.cli.wiring.decision_source import offers

    source = _source(data)
    rows = delivered_contacts(source.decisions(), Goal(), source.now, feature_names=STANDARD.names)
    known = offers(source.champion.compiled)
    response_log.require(rows, known, judged_from)
    settings = {"offers": {name: dict(offer) for name, offer in known.items()}, **response.PARAMETERS.as_dict()}
    return Job(
        response.NAME,
        {"digest": rows.digest, "decisions": len(rows), "left_out": dict(rows.left_out)},
        settings | bound(judged_from),
        lambda told: response_log.train(rows, known, judged_from=judged_from, progress=told),
    )


def bound(judged_from: int | None) -> dict[str, int]:
    """Further dependencies of a job, where later decisions are to judge its model."""
    return {} if judged_from is None else {"judged_from": judged_from}


def _snapshots(dataset: EventDataset, horizon: int, lookback: int, judged_from: int) -> list[int]:
    """Moments of the lapse model, the test's at the bound or before it."""
    covered = span(dataset)
    end = min(covered.end, days_after(judged_from, horizon, dataset.zone))
    return snapshots(Span(covered.first, end), dataset.zone, horizon_days=horizon, lookback_days=lookback)


def _source(data: Path) -> Any:
    """The service is loaded only for jobs that read its log."""
    from tactful.cli.wiring.decision_source import open_decisions

    return open_decisions(data)


def _described(dataset: EventDataset) -> dict[str, Any]:
    described = {"digest": dataset.digest, "events": sum(dataset.rows), "first": dataset.first, "last": dataset.last}
    return described if dataset.until is None else described | {"until": dataset.until}


def _campaigns(file: Path) -> pd.DataFrame:
    if not file.is_file():
        raise TrainingError("no campaigns", got=str(file), wanted="a Parquet file of campaigns, or --window")
    return pd.read_parquet(file)


def _digest(table: pd.DataFrame | None) -> str | None:
    return None if table is None else str(pd.util.hash_pandas_object(table).sum())
