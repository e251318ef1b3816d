"""The service, in a process of its own: started on a free loopback port, asked over HTTP, stopped."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx

from features.errors import TactfulError

PATIENCE = 60.0
"""Seconds the service may take to be ready, to answer and to stop."""
_URL = re.compile(r"http://\S+:\d+")


@contextmanager
def serving(folder: Path) -> Iterator[httpx.Client]:
    """Runs `tactful serve` on a folder while the block runs.

    Args:
        folder: Of the service's data; its log goes to `serve.log` there.

    Yields:
        A client of it.

    Raises:
        TactfulError: It does not become ready.
    """
    command = [sys.executable, "-m", "cli.main", "serve", "--data", str(folder), "--port", "0"]
    log = folder / "serve.log"
    with log.open("w", encoding="utf-8") as stderr, _process(command, stderr) as process:
        try:
            with httpx.Client(base_url=_address(process, log), timeout=PATIENCE) as client:
                _await_ready(client, log)
                yield client
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _process(command: list[str], stderr: IO[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)  # noqa: S603 - our own command


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
