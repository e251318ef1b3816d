"""Training of every model that the logs of a shop can show, and the release of the champions as one bundle."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tactful.cli.console import console
from tactful.cli.wiring.contract_jobs import contract_job
from tactful.cli.wiring.jobs import Job, done
from tactful.cli.wiring.training_jobs import CAMPAIGNS, effect_job, lapse_job, pressure_job, response_job, value_job
from tactful.features.definitions.standard import STANDARD
from tactful.features.errors import TactfulError
from tactful.models.base.model import Model
from tactful.models.bundles.registry import MlflowRegistry
from tactful.training.data.errors import TrainingError
from tactful.training.gate.registry_gate import release
from tactful.training.jobs import effects, lapse, renewals, value
from tactful.training.jobs import frequency as pressure
from tactful.training.jobs import response_imported as response

OPTIONAL = (response.NAME, value.NAME, pressure.NAME, renewals.NAME, effects.NAME)
"""Scores that a bundle may lack."""


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
    from tactful.cli.wiring.stores import exported

    with exported(data) as folder:
        yield folder


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
    from tactful.serving.engine.in_force.champion import load_bundle
    from tactful.serving.settings import Settings

    return {} if data is None else load_bundle(Settings.of(data).champion, STANDARD).models
