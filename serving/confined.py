"""Work on what strangers wrote, in a process of its own with limits of memory, processor and time.

The process sets its own limits before it imports what does the work. It gets one JSON text and gives one back, so that
nothing it was made to do reaches its parent.
"""

import json
import os
import resource
import subprocess
import sys
import threading
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tactful.serving.errors import ServingError

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
_TURNS = threading.BoundedSemaphore(4)
"""How many such processes one process has at a time: memory is bounded for all of them together."""
_PATIENCE = 10.0
"""Seconds that work waits for its turn."""
_LAST = 300
"""Characters of the end of what the process complained of."""


class ConfinedError(ServingError):
    """The work was not done: it passed a limit, or the process ended."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the work.

    Args:
        memory: Bytes of address space, libraries included.
        processor: Seconds of processor time, the start of the process included.
        wall: Seconds altogether.
    """

    memory: int = 4 * 1024**3
    processor: int = 20
    wall: float = 60.0


def confined(work: str, given: Any, limits: Limits = Limits()) -> Any:
    """Do work in a process of its own.

    Args:
        work: `module:function`; the function takes one JSON value and returns one.
        given: The value for it.
        limits: The limits of the work.

    Raises:
        ConfinedError: It passed a limit, or its process ended otherwise.

    Example:
        >>> confined("json:loads", "[1, 2]")
        [1, 2]
    """
    if not _TURNS.acquire(timeout=_PATIENCE):
        raise ConfinedError("other work of this kind is going on", wanted="to be asked again later", where=work)
    try:
        done = _run(work, given, limits)
    except subprocess.TimeoutExpired:
        raise ConfinedError("work that does not end", wanted=f"at most {limits.wall:g} seconds", where=work) from None
    finally:
        _TURNS.release()
    if done.returncode:
        raise ConfinedError("work that failed", got=_ending(done), wanted=_allowed(limits), where=work)
    return json.loads(done.stdout)


def _run(work: str, given: Any, limits: Limits) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "tactful.serving.confined", work, str(limits.memory), str(limits.processor)]
    return subprocess.run(  # noqa: S603
        command,
        input=json.dumps(given).encode(),
        capture_output=True,
        timeout=limits.wall,
        env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )


def _ending(done: "subprocess.CompletedProcess[bytes]") -> str:
    if done.returncode < 0:
        return f"signal {-done.returncode}"
    told = done.stderr.decode(errors="replace").strip().splitlines()
    return told[-1][-_LAST:] if told else f"status {done.returncode}"


def _allowed(limits: Limits) -> str:
    return f"an answer within {limits.memory >> 20} MiB and {limits.processor} seconds of processor time"


def _main(work: str, memory: str, processor: str) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory),) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (int(processor),) * 2)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module, _, function = work.partition(":")
    answer = getattr(import_module(module), function)(json.load(sys.stdin))
    json.dump(answer, answers)
    answers.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])
