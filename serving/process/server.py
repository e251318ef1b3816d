"""Runs the service over HTTP: in the foreground, or beside the caller's own work."""

import logging
import math
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from tactful.serving.api.app import create_app
from tactful.serving.engine.in_force.tenants import Tenants
from tactful.serving.engine.service import DecisionService
from tactful.serving.process.protocol import bounded
from tactful.serving.process.sockets import address, listen
from tactful.serving.settings import Settings

MARGIN = 3.0
"""Seconds after the grace for threads and connections to end; what is acknowledged is on the disk by then."""
KEEP_ALIVE = 75
"""Seconds for which a connection may stay idle: more than proxies in front keep theirs."""


_log = logging.getLogger(__name__)


def run(tenants: Tenants, settings: Settings, listening: socket.socket, opened: Callable[[], None]) -> None:
    """Serve until the process gets a signal to stop; requests that began are finished.

    Args:
        tenants: Decide.
        settings: How it is served.
        listening: Where requests come in.
        opened: Called once they are answered.
    """
    _Server(tenants, settings, opened).run([listening])


@contextmanager
def running(
    serves: Tenants | DecisionService, settings: Settings | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """Serve on a thread while the block runs.

    Args:
        serves: Services by tenant, or one service.
        settings: The settings of the API; without them, every caller may do everything for the one service.
        host: Address to listen on.
        port: Port; 0 takes a free one.

    Yields:
        The URL.

    Raises:
        ServingError: The address cannot be had.
    """
    tenants = Tenants.only(serves) if isinstance(serves, DecisionService) else serves
    if settings is None and isinstance(serves, DecisionService):
        settings = Settings(auth="open", tenant=serves.tenant, host=host)
    server = _Server(tenants, settings or Settings(host=host))
    with listen(host, port) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), name="http")
        thread.start()
        server.answers.wait()
        try:
            yield address(listening)
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, tenants: Tenants, settings: Settings, opened: Callable[[], None] = lambda: None) -> None:
        config = uvicorn.Config(
            create_app(tenants, settings),
            loop="uvloop",
            http=bounded(settings.patience),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=math.ceil(settings.grace.total_seconds()),
        )
        super().__init__(config)
        self._grace = settings.grace.total_seconds()
        self.answers = threading.Event()
        self._opened = opened

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop in order; whatever does not let the process end a little after the grace is cut off."""
        ending = threading.Timer(self._grace + MARGIN, _end_now)
        ending.daemon = True
        ending.start()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
            if self.started:
                self._opened()
        finally:
            self.answers.set()


def _end_now() -> None:
    _log.error("process ended by force", extra={"reason": "work did not end within the grace"})
    os._exit(1)
