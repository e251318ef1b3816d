"""`tactful catalogue put`, `get`, `history` and `try`: the catalogue in force of a service, in its store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tactful.cli.arguments import operator
from tactful.cli.console import console, print_json, progress, say, table
from tactful.features.errors import TactfulError

if TYPE_CHECKING:
    from tactful.serving.engine.health.rehearsal import Rehearsal
    from tactful.serving.engine.in_force.catalogues import CatalogueStore

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The catalogue, in YAML.")]
Data = Annotated[Path, typer.Option(envvar="TACTFUL_DATA", help="Folder of the service.")]
Tenant = Annotated[str | None, typer.Option(help="Whose catalogue; TACTFUL_TENANT, or default, unless given.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
HERE = Path("var/demo")


def put(
    file: File,
    data: Data = HERE,
    replaces: Annotated[
        str,
        typer.Option(metavar="DIGEST", help="Only in place of the one with this digest. [default: whichever it is]"),
    ] = "*",
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Put a catalogue in force.

    Running services take it within a second; nothing changes if it has a mistake, which exits with 1.
    """
    from tactful.serving.errors import CatalogueRefusedError

    content = file.read_text(encoding="utf-8")
    with _governance(data, tenant) as governance:
        try:
            put, verdict = governance.put_in_force(content, operator(), [replaces])
        except CatalogueRefusedError as error:
            for finding in error.findings:
                console(stderr=True).print(str(finding).replace("catalogue.yaml", str(file), 1), soft_wrap=True)
            raise typer.Exit(1) from None
    if as_json:
        remarks = [str(remark) for remark in verdict.remarks]
        print_json({"number": put.number, "digest": put.digest, "version": verdict.version, "remarks": remarks})
        return
    for remark in verdict.remarks:
        console().print(str(remark).replace("catalogue.yaml", str(file), 1), soft_wrap=True)
    say(console(), f"Catalogue {put.number} ({verdict.name}, digest {put.digest}) is in force.")


def get(
    data: Data = HERE,
    number: Annotated[
        int | None, typer.Option(min=1, help="One that was put in force before. [default: the one in force]")
    ] = None,
    tenant: Tenant = None,
) -> None:
    """Print the catalogue in force, comments and all."""
    from tactful.serving.store.queries.catalogues import every

    with _governance(data, tenant) as governance:
        if number is None:
            content = governance.in_force().content
        else:
            found = {text.number: text.content for text in every(governance.database, governance.tenant)}
            if number not in found:
                wanted = f"one of {', '.join(map(str, sorted(found)))}" if found else "one that was put in force"
                raise TactfulError("no such catalogue", got=number, wanted=wanted)
            content = found[number]
    typer.echo(content, nl=not content.endswith("\n"))


def history(data: Data = HERE, tenant: Tenant = None, as_json: Json = False) -> None:
    """List the catalogues that were put in force: when, and by whom."""
    from tactful.serving.store.queries.catalogues import every

    with _governance(data, tenant) as governance:
        texts = every(governance.database, governance.tenant)
    rows: list[dict[str, Any]] = [
        {
            "number": text.number,
            "digest": text.digest,
            "at": text.created.isoformat(timespec="seconds"),
            "by": text.author,
            "in_force": text is texts[0],
        }
        for text in texts
    ]
    if as_json:
        print_json({"catalogues": rows})
        return
    if not rows:
        say(console(), "None was put in force yet: the file in the service's folder decides.")
        return
    told = [(*(row[name] for name in ("number", "digest", "at", "by")), "in force" * row["in_force"]) for row in rows]
    say(console(), table(("number", "digest", "at", "by", ""), told, numbers=("number",)))


def try_out(
    file: File,
    data: Data = HERE,
    customers: Annotated[int, typer.Option(min=1, help="How many customers, the first by id.")] = 500,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Decide about customers now under a catalogue and under the one in force.

    Nothing is written.
    """
    from tactful.features.definitions.standard import STANDARD
    from tactful.serving.engine.health.rehearsal import rehearse
    from tactful.serving.engine.in_force.champion import champion_of
    from tactful.serving.folder.service_folder import open_folder

    content = file.read_text(encoding="utf-8")
    with open_folder(data, tenant=tenant) as folder, progress("Deciding", console(stderr=True)):
        service = folder.service
        candidate = champion_of(service.champions.bundle(), content, str(file), STANDARD)
        found = rehearse(service, candidate, service.store.customer_ids(service.tenant)[:customers])
    if as_json:
        print_json(_report(found))
        return
    actions = sorted({*found.before, *found.after}, key=lambda action: (-found.after[action], action))
    rows = [(action, found.before[action], found.after[action]) for action in actions]
    headings = ("in force", "tried")
    say(console(), table(("chosen", *headings), rows, numbers=headings))
    say(console(), f"Of {found.customers:,} customers {found.changed:,} would get something else.")
    for reason, count in found.failed.items():
        say(console(), f"{count:,} could not be decided about: {reason}")


def _report(found: "Rehearsal") -> dict[str, Any]:
    return {
        "customers": found.customers,
        "changed": found.changed,
        "failed": dict(found.failed),
        "in_force": dict(found.before),
        "tried": dict(found.after),
    }


@contextmanager
def _governance(data: Path, tenant: str | None) -> "Iterator[CatalogueStore]":
    """The catalogues of a folder's service; no model is loaded."""
    from tactful.features.definitions.standard import STANDARD
    from tactful.serving.engine.in_force.catalogues import CatalogueStore
    from tactful.serving.engine.in_force.pointer import names_of, vocabulary
    from tactful.serving.folder.service_folder import open_folder

    with open_folder(data, tenant=tenant) as folder:
        yield CatalogueStore(
            folder.store.database,
            folder.tenant,
            folder.settings.catalogue,
            lambda: vocabulary(names_of(folder.settings.champion, STANDARD)),
            lambda: folder.now,
        )
