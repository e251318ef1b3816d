"""`tactful keys`: who may use the service over HTTP."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tactful.cli.arguments import operator
from tactful.cli.console import console, print_json, say, table

if TYPE_CHECKING:
    from tactful.serving.store.queries.keys import ApiKey

keys_app = typer.Typer(no_args_is_help=True)

Data = Annotated[Path, typer.Option(envvar="TACTFUL_DATA", help="Folder with the store, or with its settings.")]
Tenant = Annotated[str | None, typer.Option(help="Whose customers; TACTFUL_TENANT, or default, unless given.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
HERE = Path("var/demo")
_MOMENTS = ("created", "expires", "used", "revoked")


@keys_app.callback()
def _keys() -> None:
    """Say who may use the service over HTTP."""


@keys_app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, such as `checkout`.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What it may do: decide, ingest, track, content, read, merge or admin; may be repeated."),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser", help="For a page or an app: scope track.")] = False,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Requests a second; without it there is no limit.")
    ] = None,
    lasts: Annotated[str | None, typer.Option(help="How long it is taken, such as 90d; for ever unless given.")] = None,
    data: Data = HERE,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it, this once: only its digest is kept."""
    from tactful.serving.errors import SettingsError
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.queries import keys

    scopes = [*(scope or ()), *(["track"] if browser else ())]
    strange = [one for one in scopes if one not in keys.SCOPES]
    if strange or not scopes:
        raise SettingsError("no such scope", got=", ".join(strange) or "none", wanted=", ".join(keys.SCOPES))
    now = datetime.now(UTC)
    expires = None if lasts is None else now + _span(lasts)
    with open_folder(data, tenant=tenant) as folder:
        key, secret = keys.create(folder.store.database, folder.tenant, name, scopes, rate, now, expires, operator())
    _show(key, secret, as_json)


@keys_app.command("rotate")
def rotate(
    key: Annotated[str, typer.Argument(help="Its id, as `tactful keys list` shows it.")],
    overlap: Annotated[str, typer.Option(help="How long the old key is taken yet.")] = "7d",
    data: Data = HERE,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Make a key that takes the place of another and may do the same; show it, this once."""
    from tactful.serving.errors import SettingsError
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.queries import keys

    with open_folder(data, tenant=tenant) as folder:
        made = keys.rotate(folder.store.database, folder.tenant, key, _span(overlap), datetime.now(UTC), operator())
    if made is None:
        raise SettingsError("no such key", got=key, wanted="the id of one that is neither revoked nor expired")
    _show(*made, as_json)


@keys_app.command("list")
def every(data: Data = HERE, tenant: Tenant = None, as_json: Json = False) -> None:
    """List the keys, without their secrets."""
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.queries import keys

    with open_folder(data, tenant=tenant) as folder:
        told = [_told(key) for key in keys.every(folder.store.database, folder.tenant)]
    if as_json:
        print_json({"keys": told})
        return
    rows = [
        (one["id"], one["name"], " ".join(one["scopes"]), one["rate"], *(_day(one[name]) for name in _MOMENTS))
        for one in told
    ]
    say(console(), table(("id", "name", "scopes", "a second", *_MOMENTS), rows, numbers=("a second",)))


@keys_app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(help="Its id, as `tactful keys list` shows it.")],
    data: Data = HERE,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Revoke a key for good; services stop taking it within two seconds."""
    from tactful.serving.errors import SettingsError
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.queries import keys

    with open_folder(data, tenant=tenant) as folder:
        if not keys.revoke(folder.store.database, folder.tenant, key, datetime.now(UTC), operator()):
            raise SettingsError("no such key", got=key, wanted="the id of one that is not revoked yet")
    if as_json:
        print_json({"revoked": key})
    else:
        say(console(), f"{key} is revoked.")


def _told(key: "ApiKey") -> dict[str, Any]:
    moments = {name: getattr(key, name) for name in _MOMENTS}
    return {
        "id": key.id,
        "name": key.name,
        "tenant": key.tenant,
        "scopes": sorted(key.scopes),
        "rate": key.rate,
        **{name: moment and moment.isoformat(timespec="seconds") for name, moment in moments.items()},
    }


def _day(moment: str | None) -> str | None:
    return moment and moment[:10]


def _show(key: "ApiKey", secret: str, as_json: bool) -> None:
    if as_json:
        print_json({**_told(key), "key": secret})
        return
    console().print(secret, soft_wrap=True)
    until = f" until {key.expires:%Y-%m-%d}" if key.expires else ""
    say(console(stderr=True), f"Shown this once. It may {' and '.join(sorted(key.scopes))} for {key.tenant}{until}.")


def _span(text: str) -> timedelta:
    from tactful.decisions.base.durations import parse_duration
    from tactful.serving.errors import SettingsError

    try:
        return parse_duration(text)
    except ValueError as error:
        raise SettingsError(str(error)) from error
