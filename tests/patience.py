"""How long tests wait: long enough for a machine that does ten other things, and scaled where it must be short."""

import socket
import threading
import time
from datetime import timedelta

PATIENCE = 900.0
"""Seconds after which a test calls something hung. A test that passes does not wait for it."""


def measured_pause(least: float = 0.3, rounds: int = 20) -> timedelta:
    """A pause that no working peer on this machine exceeds at present.

    It is a hundred times the longest of some exchanges of a byte between two threads, and no shorter than the least:
    a limit that a test must see passed grows with the load on the machine.

    Args:
        least: Seconds of the shortest pause.
        rounds: Exchanges that are measured.
    """
    ours, theirs = socket.socketpair()

    def answer() -> None:
        while piece := theirs.recv(1):
            theirs.sendall(piece)

    peer = threading.Thread(target=answer, daemon=True)
    peer.start()
    longest = 0.0
    for _ in range(rounds):
        begun = time.perf_counter()
        ours.sendall(b"x")
        ours.recv(1)
        longest = max(longest, time.perf_counter() - begun)
    ours.close()
    peer.join()
    theirs.close()
    return timedelta(seconds=max(least, 100 * longest))
