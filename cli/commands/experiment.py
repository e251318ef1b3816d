"""`tactful experiment`: size experiments, start and stop them, and read them out."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tactful.cli.console import console, print_json, progress, say, table
from tactful.cli.experiment_tables import plain_plan, plain_readout, show_plan, show_readout
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

    from tactful.experiments.design.declaration import Experiment, Plan

Id = Annotated[str, typer.Argument(metavar="ID", help="Id of an experiment.")]
File = Annotated[Path, typer.Option("--file", help="The experiments, in YAML.")]
Published = Annotated[
    str | None,
    typer.Option("--store", metavar="URL", help="Put the experiments in force for the service of this store."),
]
DEFAULT_FILE = Path("experiments.yaml")

experiment_app = typer.Typer(no_args_is_help=True)


@experiment_app.callback()
def _experiment() -> None:
    """Size experiments, start and stop them, and read them out."""


@experiment_app.command("plan")
def size(
    experiment: Id,
    file: File = DEFAULT_FILE,
    data: Data = Path("var/demo"),
    events: EventsFolder = None,
    store: StoreUrl = None,
    catalogue: CatalogueFile = None,
    until: Until = None,
    weeks: Annotated[int, typer.Option(min=1, max=52, help="The most weeks it may run.")] = 12,
    as_json: Json = False,
) -> None:
    """Say how long an experiment must run, by the variance of the log.

    Exits with 1 if it does not find the declared effect within the most weeks it may run.
    """
    from tactful.experiments.readout.power import first_enough, plan

    source = open_source(data, events, store, catalogue)
    declared = _declared(file, source, experiment)[1]
    end = moment_of(until, source.end)
    customers = _population(source, declared, end)
    horizons = plan(declared, source.log.told, customers, end, weeks=range(1, weeks + 1))
    found = first_enough(horizons)
    if as_json:
        print_json({"experiment": declared.id, "enough": found.weeks if found else None, "weeks": plain_plan(horizons)})
    else:
        show_plan(declared, horizons, found)
    raise typer.Exit(0 if found else 1)


@experiment_app.command()
def start(
    experiment: Id,
    file: File = DEFAULT_FILE,
    at: Annotated[str | None, typer.Option(metavar="MOMENT", help="When, ISO 8601; now where it is not given.")] = None,
    data: Data = Path("var/demo"),
    catalogue: CatalogueFile = None,
    store: Published = None,
) -> None:
    """Start an experiment: write the moment into its file.

    With a store, the command also updates its service.
    """
    _write(experiment, file, "start", at, data, catalogue)
    if store is not None:
        _publish(file, data, catalogue, store)


@experiment_app.command()
def stop(
    experiment: Id,
    file: File = DEFAULT_FILE,
    at: Annotated[str | None, typer.Option(metavar="MOMENT", help="When, ISO 8601; now where it is not given.")] = None,
    data: Data = Path("var/demo"),
    catalogue: CatalogueFile = None,
    store: Published = None,
) -> None:
    """Stop an experiment: write the moment into its file.

    With a store, the command also updates its service.
    """
    _write(experiment, file, "stop", at, data, catalogue)
    if store is not None:
        _publish(file, data, catalogue, store)


@experiment_app.command()
def status(
    file: File = DEFAULT_FILE,
    data: Data = Path("var/demo"),
    events: EventsFolder = None,
    store: StoreUrl = None,
    catalogue: CatalogueFile = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """List the experiments, who is in them, and whether they run as declared.

    Exits with 1 if a sample ratio fails, or if arms were not treated as declared.
    """
    source = open_source(data, events, store, catalogue)
    plan = _plan(file, source)
    end = moment_of(until, source.end)
    rows = [_status(source, plan, one, end) for one in plan.experiments]
    if as_json:
        print_json({"until": end.isoformat(), "experiments": rows})
    else:
        headings = ("experiment", "state", "since", "coverage", "customers", "sample ratio", "treatment")
        shown = [
            (
                row["id"],
                row["state"],
                (row["start"] or "–")[:10],
                f"{row['coverage']:.0%}",
                row["customers"],
                row["ratio"],
                row["treatment"],
            )
            for row in rows
        ]
        say(console(), table(headings, shown, numbers=("coverage", "customers")))
        for row in rows:
            for fault in row["faults"]:
                console().print(f"{row['id']}: {fault}", soft_wrap=True, markup=False)
    raise typer.Exit(1 if any("fails" in (row["ratio"], row["treatment"]) for row in rows) else 0)


@experiment_app.command()
def report(
    experiment: Id,
    file: File = DEFAULT_FILE,
    out: Annotated[Path | None, typer.Option(help="Where to write the page; ID.html where it is not given.")] = None,
    by: Annotated[list[str] | None, typer.Option(metavar="SEGMENT", help="Also within and without a segment.")] = None,
    data: Data = Path("var/demo"),
    events: EventsFolder = None,
    store: StoreUrl = None,
    catalogue: CatalogueFile = None,
    until: Until = None,
    exposed: Annotated[
        bool, typer.Option("--exposed", help="Only customers whom arms would have treated otherwise, from then on.")
    ] = False,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Say on every figure that the customers are simulated.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read an experiment out and write a page about it.

    Exits with 1 if nothing may be claimed: a sample ratio fails, the arms were not treated as declared, or too little
    happened.
    """
    from tactful.experiments.readout.readout import readout
    from tactful.experiments.readout.report import report as page_of

    source = open_source(data, events, store, catalogue)
    plan, declared = _declared(file, source, experiment)
    end = moment_of(until, source.end)
    with progress("Reading", console(stderr=True)):
        took_part = _exposed(source, declared) if exposed else _enrolled(source, plan, declared, end)
        enrolled = _with_cuts(source, declared, took_part, by or ())
        currency = source.log.currency
        found = readout(
            declared,
            source.log.told,
            enrolled,
            end,
            cuts=list(by or ()),
            simulated=simulated,
            currency=currency,
            catalogue=source.compiled.catalogue,
            exposures=None if source.exposures is None else source.exposures(declared.id),
        )
    target = out or Path(f"{declared.id}.html")
    target.write_text(page_of(found), encoding="utf-8")
    if as_json:
        print_json({**plain_readout(found), "page": str(target)})
    else:
        show_readout(found, target)
    raise typer.Exit(1 if any(found.verdict(arm) == "untold" for arm in found.arms) else 0)


def _plan(file: Path, source: Source) -> "Plan":
    from tactful.experiments.design.loading import load_plan

    return load_plan(file, source.compiled.catalogue)


def _declared(file: Path, source: Source, experiment: str) -> "tuple[Plan, Experiment]":
    plan = _plan(file, source)
    return plan, _of(plan, experiment, file)


def _of(plan: "Plan", experiment: str, file: Path) -> "Experiment":
    try:
        return plan.experiment(experiment)
    except KeyError:
        known = ", ".join(one.id for one in plan.experiments) or "an experiment"
        raise TactfulError("unknown experiment", got=experiment, wanted=known, where=file) from None


def _population(source: Source, experiment: "Experiment", moment: datetime) -> list[str]:
    """The customers who could take part at a moment."""
    from tactful.decisions.kernel.exploration import stratum
    from tactful.experiments.assignment.enrolment import members

    first = source.log.first
    known = [str(customer) for customer in first[first < moment].index]
    if experiment.population is not None:
        within = members(source.snapshots(moment), source.compiled, experiment.population, source.scorer)
        known = [customer for customer in known if customer in within]
    return [customer for customer in known if stratum(source.compiled.catalogue, customer) == "policy"]


def _enrolled(source: Source, plan: "Plan", experiment: "Experiment", until: datetime) -> "pd.DataFrame":
    from tactful.experiments.assignment.enrolment import enrolled, members

    within = None
    if experiment.population is not None and experiment.start is not None:
        within = members(source.snapshots(experiment.start), source.compiled, experiment.population, source.scorer)
    return enrolled(plan, experiment, source.compiled.catalogue, source.log.first, until, within)


def _exposed(source: Source, experiment: "Experiment") -> "pd.DataFrame":
    from tactful.experiments.assignment.enrolment import exposed

    if source.exposures is None:
        raise TactfulError("a folder of events knows no exposures", got=experiment.id, wanted="a service's log")
    return exposed(source.exposures(experiment.id), experiment.id)


def _with_cuts(
    source: Source, experiment: "Experiment", enrolled: "pd.DataFrame", segments: "list[str] | tuple[str, ...]"
) -> "pd.DataFrame":
    """The segments of each customer when the experiment begins, so that its own effects do not change them."""
    from tactful.experiments.assignment.enrolment import members

    if not segments or experiment.start is None:
        return enrolled
    snapshots = source.snapshots(experiment.start)
    for name in segments:
        within = enrolled["customer"].isin(members(snapshots, source.compiled, name, source.scorer))
        enrolled = enrolled.assign(**{name: within.map({True: name, False: f"not {name}"})})
    return enrolled


def _write(experiment: str, file: Path, field: str, at: str | None, data: Path, catalogue: Path | None) -> None:
    from tactful.cli.wiring.sources import read_catalogue
    from tactful.experiments.design.loading import load_plan, parse_plan, with_moment

    compiled, _ = read_catalogue(data, catalogue)
    _of(load_plan(file, compiled.catalogue), experiment, file)
    moment = moment_of(at, datetime.now(UTC).replace(microsecond=0))
    changed = with_moment(file.read_text(encoding="utf-8"), experiment, field, moment)
    parse_plan(changed, compiled.catalogue, str(file))
    file.write_text(changed, encoding="utf-8")
    console().print(f"{experiment}: {field} {moment.isoformat()}, written to {file}", soft_wrap=True)


def _publish(file: Path, data: Path, catalogue: Path | None, store: str) -> None:
    """Puts every experiment of the file in force, as it stands there."""
    from tactful.cli.wiring.sources import read_catalogue
    from tactful.experiments.design.loading import load_plan
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.queries.experiments import publish

    plan = load_plan(file, read_catalogue(data, catalogue)[0].catalogue)
    with open_folder(data, store=store) as folder:
        publish(folder.store.database, folder.tenant, plan, datetime.now(UTC))
    console().print(f"{len(plan.experiments)} experiments in force")


def _status(source: Source, plan: "Plan", experiment: "Experiment", end: datetime) -> dict[str, Any]:
    from tactful.experiments.readout.effects import sample_ratio

    start, stopped = experiment.start, experiment.stop
    begun = start is not None and start < end
    state = "declared" if not begun else "stopped" if stopped and stopped <= end else "running"
    counts = dict.fromkeys((arm.id for arm in experiment.arms), 0)
    faults: tuple[str, ...] = ()
    if begun:
        took_part = _enrolled(source, plan, experiment, end)
        counts |= {str(k): int(v) for k, v in took_part["arm"].value_counts().items()}
        faults = _faults(source, experiment, took_part, min(end, stopped or end))
    customers = sum(counts.values())
    passed = sample_ratio(counts, {arm.id: arm.share for arm in experiment.arms}).passed if customers else None
    words = {True: "as declared", False: "fails", None: "–"}
    return {
        "id": experiment.id,
        "state": state,
        "start": start.isoformat() if start else None,
        "stop": stopped.isoformat() if stopped else None,
        "coverage": experiment.coverage(end) if begun else 0.0,
        "customers": customers,
        "arms": counts,
        "ratio": words[passed],
        "treatment": words[not faults if customers else None],
        "faults": list(faults),
    }


def _faults(source: Source, experiment: "Experiment", took_part: "pd.DataFrame", until: datetime) -> tuple[str, ...]:
    """Why the arms were not treated as declared; empty where they were, or where nobody takes part."""
    from tactful.experiments.readout.adherence import adherence

    if took_part.empty:
        return ()
    exposures = None if source.exposures is None else source.exposures(experiment.id)
    return adherence(experiment, source.log.told, took_part, until, source.compiled.catalogue, exposures).faults
