"""The service, in a process of its own: started on a free loopback port, asked over HTTP, stopped."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from tactful.cli.demo.data import MOMENT
from tactful.features.errors import TactfulError
from tactful.serving.settings import Settings
from tactful.serving.store.opening import SQLITE

PATIENCE = 60.0
"""Seconds the service may take to be ready, to answer and to stop."""
_URL = re.compile(r"http://\S+:\d+")


def settings_of(folder: Path) -> Settings:
    """The service's settings for a run: all in its folder, whatever the environment says."""
    return Settings.of(
        folder,
        store=f"{SQLITE}{folder / 'tactful.db'}",
        champion=folder / "champion",
        catalogue=folder / "catalogue.yaml",
        now=MOMENT,
        auth="open",
        tenant="default",
        seed="tactful",
    )


@contextmanager
def serving(folder: Path) -> Iterator[httpx.Client]:
    """Runs `tactful serve` on a folder while the block runs.

    Args:
        folder: Of the service's data; its log goes to `serve.log` there.

    Yields:
        A client of it.

    Raises:
        TactfulError: It does not become ready, or fails.
    """
    command = [sys.executable, "-m", "tactful.cli.main", "serve", "--data", str(folder), "--port", "0"]
    log = folder / "serve.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TACTFUL_")}
    with (
        log.open("w", encoding="utf-8") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=environment, text=True) as process,  # noqa: S603 - our own command
    ):
        try:
            with httpx.Client(base_url=_address(process, log), timeout=PATIENCE) as client:
                _await_ready(client, log)
                yield client
        except httpx.HTTPError as error:
            raise TactfulError("the service fails", got=str(error).splitlines()[0], where=log) from error
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _address(process: "subprocess.Popen[str]", log: Path) -> str:
    """The URL that the service prints once it listens."""
    lines = process.stdout or ()
    with ThreadPoolExecutor(1) as reader:
        found = reader.submit(lambda: next((url[0] for line in lines if (url := _URL.search(line))), None))
        try:
            address = found.result(PATIENCE)
        except TimeoutError:
            process.kill()
            address = None
    if address is None:
        raise _not_ready(log)
    return address


def _await_ready(client: httpx.Client, log: Path) -> None:
    patience = time.monotonic() + PATIENCE
    while client.get("/health/ready").is_error:
        if time.monotonic() > patience:
            raise _not_ready(log)
        time.sleep(0.05)


def _not_ready(log: Path) -> TactfulError:
    tail = log.read_text(encoding="utf-8").splitlines()[-1:]
    return TactfulError("the service does not become ready", got=" ".join(tail) or "no word of it", where=log)
