"""Connections to PostgreSQL that wait for an answer only so long."""

import math
from datetime import timedelta
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.rows import TupleRow

from tactful.serving.store.postgres.sql import PATIENCE

_Result = TypeVar("_Result")

NETWORK: dict[str, Any] = {
    "connect_timeout": PATIENCE,
    "tcp_user_timeout": PATIENCE * 1_000,
    "keepalives_idle": PATIENCE,
    "keepalives_interval": PATIENCE // 2,
    "keepalives_count": 2,
}
"""Bounds on the network: a peer that acknowledges nothing is given up by the operating system."""


class BoundedConnection(psycopg.Connection[TupleRow]):
    """A connection whose every wait has an end.

    A server that is stopped, or hangs, acknowledges what it is sent and answers nothing: neither its own time-outs nor
    those of the network end the wait. So the client ends it, and the connection with it.
    """

    _longest: float | None = None

    def bound(self, longest: timedelta | None) -> None:
        """Bound each statement from now on, here and in the server; no bound where None."""
        if longest is not None:
            self.execute(f"SET statement_timeout = {math.ceil(longest.total_seconds() * 1e3)}".encode())
            self._longest = longest.total_seconds()

    def wait(self, gen: PQGen[_Result], interval: float = 0.1, timeout: float | None = None) -> _Result:
        """Wait for the server.

        Raises:
            OperationalError: It did not answer in time; the connection is closed.
        """
        if timeout is not None or self._longest is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self._longest)
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {self._longest:g} seconds") from None
