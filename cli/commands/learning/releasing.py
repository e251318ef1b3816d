"""`tactful evaluate`, `promote` and `rollback`: a candidate is judged on logged decisions, put into use, taken back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tactful.cli.console import console, print_json, say, table
from tactful.cli.options import STORE, Contacts, Json, Margin, NoTrack, Store, Tolerance, Unsubscribes

if TYPE_CHECKING:
    from tactful.training.gate.release import Release

Data = Annotated[Path, typer.Option("--data", envvar="TACTFUL_DATA", help="Folder of the service.")]
StatedPolicy = Annotated[
    str | None, typer.Option("--policy", metavar="JSON", help='Another policy, such as {"kind": "greedy"}.')
]
Bundle = Annotated[
    Path | None, typer.Option("--bundle", help="Other models: a folder, as `tactful train all` leaves it.")
]
Catalogue = Annotated[Path | None, typer.Option("--catalogue", help="Another catalogue: a YAML file.")]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="MOMENT", help="Judge by the decisions from then on. [default: those made after all the models learnt]"
    ),
]


def evaluate(
    data: Data = Path("var/demo"),
    policy: StatedPolicy = None,
    bundle: Bundle = None,
    catalogue: Catalogue = None,
    since: Since = None,
    margin: Margin = 1.0,
    tolerance: Tolerance = 0.01,
    contacts: Contacts = 0.1,
    unsubscribes: Unsubscribes = 0.001,
    store: Store = STORE,
    no_track: NoTrack = False,
    as_json: Json = False,
) -> None:
    """Judge a candidate on logged decisions.

    A policy, models or a catalogue. Exits with 1 unless it may ship.
    """
    from tactful.cli.wiring.judging import judged, tracked
    from tactful.training.gate.evidence import Reward
    from tactful.training.gate.release import Limits

    reward = Reward(margin=margin)
    limits = Limits(tolerance=tolerance, contacts=contacts, unsubscribes=unsubscribes)
    verdict = judged(data, policy, bundle, catalogue, reward, limits, since)
    run = None if no_track else tracked(verdict, store, data, policy, bundle, catalogue, since)
    _report(verdict, run, as_json=as_json)
    if verdict.answer != "ship":
        raise typer.Exit(1)


def promote(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle, as `tactful train all` leaves it.")],
    data: Data = Path("var/demo"),
    since: Since = None,
    margin: Margin = 1.0,
    tolerance: Tolerance = 0.01,
    contacts: Contacts = 0.1,
    unsubscribes: Unsubscribes = 0.001,
    store: Store = STORE,
    anyway: Annotated[
        str, typer.Option(metavar="REASON", help="Put it into use whatever the gate says, and remember why.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Put a bundle into use if the gate lets it.

    A running service takes it within seconds.
    """
    from tactful.cli.wiring.judging import promoted
    from tactful.training.gate.evidence import Reward
    from tactful.training.gate.release import Limits

    reward = Reward(margin=margin)
    limits = Limits(tolerance=tolerance, contacts=contacts, unsubscribes=unsubscribes)
    told = promoted(bundle, data, reward, limits, store, anyway, since)
    if as_json:
        print_json(told)
    else:
        state = "in use" if told["promoted"] else f"not put into use ({told['answer']})"
        say(console(), f"Bundle {told['version']}: {state}.")
        for reason in told["reasons"]:
            say(console(), f"  {reason}")
    if not told["promoted"]:
        raise typer.Exit(1)


def rollback(
    data: Data = Path("var/demo"),
    model: Annotated[
        str | None, typer.Option(help="Only make the champion before the registry's again, such as lapse.")
    ] = None,
    why: Annotated[str, typer.Option(help="What is remembered.")] = "rolled back",
    store: Store = STORE,
    as_json: Json = False,
) -> None:
    """Go back to the bundle in use before.

    With `--model`, to the champion before of a model in the registry.
    """
    from tactful.cli.wiring.bundles import go_back
    from tactful.cli.wiring.stores import record_release
    from tactful.models.bundles.registry import MlflowRegistry
    from tactful.serving.settings import Settings
    from tactful.training.gate.registry_gate import roll_back

    version = go_back(Settings.of(data).champion, why) if model is None else roll_back(MlflowRegistry(store), model)
    what = "bundle" if model is None else model
    record_release(data, "bundle rolled back", str(version), {"what": what, "why": why})
    if as_json:
        print_json({"what": what, "version": version})
        return
    say(console(), f"{what.capitalize()} {version} is in use again.")


def _report(verdict: "Release", run: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json({**verdict.as_dict(), "run": run})
        return
    figures = verdict.figures
    title = f"{figures['decisions']:,} decisions about {figures['customers']:,} customers: {verdict.answer}"
    say(
        console(),
        table(("check", "answer", "found"), [(c.name, c.answer, c.sentence) for c in verdict.checks], title=title),
    )
    if run is not None:
        say(console(), f"The report is release.html of run {run}.")
