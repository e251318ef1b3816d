"""`tactful explain`, `replay` and `what-if`: look at decisions again, without writing anything."""

import math
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tactful.cli.console import console, print_json, say, table
from tactful.features.errors import TactfulError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from tactful.decisions.analysis.remedies import Remedy
    from tactful.decisions.kernel.decision import Decision
    from tactful.serving.engine.in_force.champion import Champion
    from tactful.serving.engine.records.archive import Archive

Data = Annotated[Path, typer.Option(envvar="TACTFUL_DATA", help="Folder of the service.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="Id of a decision.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def explain(
    decision_id: Id,
    places: Annotated[int, typer.Option(min=0, help="Also fill so many places of a page from the survivors.")] = 0,
    reasons: Annotated[
        int, typer.Option(min=0, help="Also say what moved the customer's scores most, so many features each.")
    ] = 0,
    data: Data = Path("var/demo"),
    as_json: Json = False,
) -> None:
    """Say why a decision came out as it did, and what each loser would have needed."""
    from tactful.cli.reasons import tables
    from tactful.decisions.analysis.explain import as_dict
    from tactful.decisions.analysis.remedies import remedies
    from tactful.decisions.analysis.replay import policy_of
    from tactful.decisions.kernel.decide import RunContext
    from tactful.decisions.kernel.slate import slate
    from tactful.serving.engine.queries.reasons import explained

    archive, champion = open_archive(data)
    scorer = champion.bundle
    recorded = archive.decision(decision_id)
    decision, compiled = recorded.decision, recorded.compiled
    run_context = RunContext(decision.seed, decision.capacity, decision.prices)
    needed = remedies(recorded.request, compiled, scorer, run_context)
    currency = compiled.catalogue.currency
    filled = [
        {"place": number, "action": place.candidate.action.id, "probability": place.probability}
        for number, place in enumerate(slate(decision, policy_of(decision), places) if places else (), start=1)
    ]
    scores = explained(scorer, recorded.request.snapshot.features, reasons) if reasons else []
    if as_json:
        found = {action: [_plain(remedy) for remedy in changes] for action, changes in needed.items()}
        moved = {one.score: {**one.as_dict(), "bundle": scorer.version} for one in scores}
        print_json({**as_dict(decision, currency), "remedies": found, "slate": filled, "reasons": moved})
        return
    _show(decision, currency, needed)
    if places:
        rows = [(place["place"], place["action"], f"{place['probability']:.3f}") for place in filled]
        say(console(), table(("place", "slate", "probability"), rows, numbers=("place", "probability")))
    for made in tables(scores):
        say(console(), made)
    if scores and scorer.version != decision.versions.bundle:
        say(
            console(), f"By bundle {scorer.version}, in use now; the decision was made with {decision.versions.bundle}."
        )


def replay(decision_id: Id, data: Data = Path("var/demo"), as_json: Json = False) -> None:
    """Make a decision again from its recorded inputs and compare, byte for byte.

    Exits with 1 if it comes out otherwise, and names the first difference and its cause.
    """
    archive, _ = open_archive(data)
    found = archive.replay(decision_id)
    if as_json:
        print_json(asdict(found))
    elif found.identical:
        console().print(f"{decision_id}: identical, byte for byte")
    else:
        where = f"{found.place}: recorded {found.recorded!r}, now {found.replayed!r}"
        console().print(f"{decision_id}: differs at {where} (cause: {found.cause})", soft_wrap=True)
    raise typer.Exit(0 if found.identical else 1)


def what_if(
    decision_id: Id,
    at: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="Another moment, ISO 8601; UTC where it names no zone.")
    ] = None,
    feature: Annotated[list[str] | None, typer.Option(metavar="NAME=NUMBER", help="Another feature.")] = None,
    score: Annotated[list[str] | None, typer.Option(metavar="NAME=NUMBER", help="Another score.")] = None,
    value: Annotated[list[str] | None, typer.Option(metavar="MESSAGE=NUMBER", help="Another value.")] = None,
    without: Annotated[list[str] | None, typer.Option(metavar="POLICY", help="Leave a contact policy out.")] = None,
    data: Data = Path("var/demo"),
    as_json: Json = False,
) -> None:
    """Decide again with something different; nothing is written."""
    from tactful.decisions.analysis.explain import as_dict
    from tactful.decisions.analysis.replay import policy_of
    from tactful.decisions.analysis.what_if import Changes
    from tactful.decisions.analysis.what_if import what_if as suppose
    from tactful.decisions.kernel.decide import RunContext
    from tactful.features.timestamps import moment_of

    archive, champion = open_archive(data)
    scorer = champion.bundle
    recorded = archive.decision(decision_id)
    decision = recorded.decision
    changes = Changes(
        moment=moment_of(at) if at else None,
        features=_numbers(feature),
        scores=_numbers(score),
        messages={name: {"value": number} for name, number in _numbers(value).items()},
        policies=dict.fromkeys(without or ()),
    )
    run_context = RunContext(decision.seed, decision.capacity, decision.prices)
    found = suppose(recorded.request, recorded.compiled, policy_of(decision), scorer, changes, run_context)
    currency = recorded.compiled.catalogue.currency
    if as_json:
        print_json({"before": as_dict(decision, currency), "after": as_dict(found, currency)})
        return
    same = found.outcome == decision.outcome
    console().print(
        f"unchanged: {found.outcome}" if same else f"changed: {found.outcome} instead of {decision.outcome}"
    )
    _show(found, currency, {})


def open_archive(data: Path) -> "tuple[Archive, Champion]":
    """The decision log in a service's folder, and the champion it is read with.

    Raises:
        TactfulError: There is no such folder, or what is in it cannot be read.
    """
    from tactful.serving.engine.records.archive import Archive
    from tactful.serving.folder.service_folder import open_folder

    folder = open_folder(data, must_exist=True)
    champion = folder.champion
    return Archive(folder.store, folder.tenant, champion), champion


def _show(decision: "Decision", currency: str, needed: "Mapping[str, Sequence[Remedy]]") -> None:
    from tactful.decisions.analysis.explain import paragraph

    screen = console()
    say(screen, paragraph(decision, currency))
    for made in _tables(decision, currency, needed):
        if made.row_count:
            made.columns[0].no_wrap = True
            say(screen, made)


def _tables(decision: "Decision", currency: str, needed: "Mapping[str, Sequence[Remedy]]") -> "tuple[Table, ...]":
    rows = _ranked(decision)
    ranked = [(row, row["priority"]) for row in rows if row["priority"] is not None]
    possible = [(row["action"], f"{worth:.2f}", f"{row['probability']:.3f}") for row, worth in ranked]
    excluded = [(row["action"], "\n".join(row["reasons"])) for row in rows if row["priority"] is None]
    remedies = [(row["action"], needed.get(row["action"], ())) for row in rows]
    would = [(action, "\n".join(_told(remedy) for remedy in found)) for action, found in remedies if found]
    headings = ("possible", f"worth, {currency}", "probability")
    return (
        table(headings, possible, numbers=headings[1:]),
        _terms(rows, currency),
        table(("excluded", "by"), excluded),
        table(("would win", "with"), would),
    )


def _terms(rows: "Sequence[Mapping[str, Any]]", currency: str) -> "Table":
    """The terms of each value: a column for each term that counts for any."""
    made = [(row["action"], row["terms"]) for row in rows if row["terms"]]
    counting = [name for name in (made[0][1] if made else ()) if any(terms[name] for _, terms in made)]
    amounts = [(action, *(f"{terms[name]:.2f}" for name in counting)) for action, terms in made]
    headings = (f"worth made of, {currency}", *(name.replace("_", " ") for name in counting))
    return table(headings, amounts, numbers=headings[1:])


def _ranked(decision: "Decision") -> list[dict[str, Any]]:
    """A row a candidate and one for silence, best first; those excluded last."""
    from tactful.decisions.analysis.explain import table as rows_of
    from tactful.decisions.kernel.decision import SILENCE

    chance = decision.silence_probability
    silence: dict[str, Any] = {"action": SILENCE, "terms": None, "priority": 0.0, "probability": chance, "reasons": []}
    rows = [*rows_of(decision), silence]
    return sorted(rows, key=lambda row: (row["priority"] is None, -(row["priority"] or 0.0)))


def _told(remedy: "Remedy") -> str:
    match remedy.kind:
        case "time":
            return f"a moment from {remedy.needed:%Y-%m-%d %H:%M} UTC on"
        case "consent":
            return f"consent {remedy.subject}"
        case "policy":
            return f"{remedy.subject} left out"
        case "cap":
            return f"cap {remedy.subject} at {remedy.needed:.0f} instead of {remedy.current:.0f}"
        case "value" | "score":
            return f"a {remedy.kind} above {remedy.needed:.4g} instead of {remedy.current:.4g}"


def _plain(remedy: "Remedy") -> dict[str, Any]:
    needed = remedy.needed
    return {**asdict(remedy), "needed": needed.isoformat() if isinstance(needed, datetime) else needed}


def _numbers(given: list[str] | None) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in given or ():
        name, _, number = text.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            found[name] = math.nan
        if not math.isfinite(found[name]):
            raise TactfulError("not an assignment", got=text, wanted="NAME=NUMBER")
    return found
