"""`tactful serve`: the decision service, in the foreground."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tactful.cli.console import console

if TYPE_CHECKING:
    from tactful.serving.settings import Settings


def serve(
    data: Annotated[
        Path, typer.Option(envvar="TACTFUL_DATA", help="Folder with the store, the champion and the catalogue.")
    ] = Path("var/demo"),
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 127.0.0.1 unless TACTFUL_HOST says so.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one. 8080 unless TACTFUL_PORT says so.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that answer; 1 unless TACTFUL_WORKERS says so.")
    ] = None,
) -> None:
    """Answer requests for decisions over HTTP.

    Stops at Ctrl+C, after it has answered what it was asked.
    """
    from tactful.serving.settings import Settings

    settings = Settings.of(data, host=host, port=port, workers=workers)
    _check(settings)
    from tactful.serving.process import workers as processes
    from tactful.serving.process.sockets import address, listen
    from tactful.serving.telemetry import logs

    logs.configure(settings.log_level)
    with listen(settings.host, settings.port) as listening:
        told = f"Answering at {address(listening)} from {data}{''.join(_remarks(settings))}. Ctrl+C stops."
        processes.serve(settings, listening, lambda: console().print(told, soft_wrap=True))
    console().print("Stopped.")


def _remarks(settings: "Settings") -> Iterator[str]:
    """Warnings for the operator who starts the service."""
    if settings.now:
        yield f"; every decision is made as of {settings.now:%Y-%m-%d %H:%M %Z}"
    if settings.auth == "open":
        yield "; every caller may do everything (TACTFUL_AUTH=open)"


def _check(settings: "Settings") -> None:
    """Reports what would keep every worker from answering, before any worker starts."""
    from tactful.serving.errors import NotReadyError
    from tactful.serving.ingestion.rules import load_rules

    if not settings.catalogue.exists() and not _in_force(settings):
        wanted = "a folder that `tactful init` or `make demo` has filled"
        raise NotReadyError("nothing to serve", got=f"no {settings.catalogue}", wanted=wanted)
    load_rules(settings.tracking)


def _in_force(settings: "Settings") -> bool:
    """Whether a catalogue was put in force, so that the file is not needed."""
    from tactful.serving.folder.service_folder import open_folder
    from tactful.serving.store.queries.catalogues import newest

    with open_folder(settings.data) as folder:
        return newest(folder.store.database, folder.tenant) is not None
