"""Replay: the same decision again from its recorded inputs, byte for byte, or the first difference and its cause."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from tactful.decisions.base.snapshot import Snapshot
from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.catalogue.selection import AnyPolicy, Policy
from tactful.decisions.kernel.decide import KERNEL, REPLAYABLE, Request, RunContext, Scorer, decide
from tactful.decisions.kernel.decision import Decision

_POLICY: TypeAdapter[Policy] = TypeAdapter(AnyPolicy)
_NO_BOUND = 2.0
"""A total that every floor goes into twice."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The result of a replay.

    Args:
        identical: Whether the bytes are the same.
        place: Where the first difference lies, such as `candidates.3.factors.response`.
        recorded: The recorded value there.
        replayed: The replayed value there.
        cause: `features`, `kernel`, `catalogue` or `bundle`: the first of these whose version differs; `inputs` where
            none does. With other features or another kernel the decision cannot be made again at all.
    """

    identical: bool
    place: str = ""
    recorded: Any = None
    replayed: Any = None
    cause: str = ""


def replay(record: bytes, snapshot: Snapshot, compiled: CompiledCatalogue, scorer: Scorer) -> Replay:
    """Decide again what was decided, from what was recorded, and compare.

    Args:
        record: The decision's bytes.
        snapshot: The customer as recorded with it.
        compiled: The catalogue, ideally of the version recorded.
        scorer: The models, ideally of the version recorded.
    """
    recorded = json.loads(record)
    features, kernel = recorded["versions"].get("features"), recorded["versions"].get("kernel")
    if features != scorer.fingerprint:
        return Replay(False, "versions.features", features, scorer.fingerprint, "features")
    if kernel not in REPLAYABLE:
        return Replay(False, "versions.kernel", kernel, KERNEL, "kernel")
    run_context = RunContext(recorded["seed"], recorded["capacity"], recorded["prices"], kernel=kernel)
    policy = _POLICY.validate_python(recorded["policy"])
    request = Request(recorded["id"], snapshot, tuple(recorded["channels"]))
    decision = decide([request], compiled, policy, scorer, run_context)[0]
    if decision.as_bytes() == record:
        return Replay(identical=True)
    replayed = json.loads(decision.as_bytes())
    place, before, after = _first_difference(recorded, replayed)
    return Replay(False, place, before, after, _cause(recorded["versions"], replayed["versions"]))


def policy_of(decision: Decision) -> Policy:
    """The policy a decision was made with; kernels before 4 knew no bound on the floors of all options together."""
    return _POLICY.validate_python({"floor_total": _NO_BOUND, **decision.policy})


def _cause(recorded: dict[str, str], replayed: dict[str, str]) -> str:
    order = ("catalogue", "bundle")
    return next((name for name in order if recorded.get(name) != replayed.get(name)), "inputs")


def _first_difference(recorded: Any, replayed: Any, place: tuple[str, ...] = ()) -> tuple[str, Any, Any]:
    """Where two JSON values differ first, versions last: they are the cause, not the effect."""
    if isinstance(recorded, dict) and isinstance(replayed, dict):
        keys = sorted(recorded.keys() | replayed.keys(), key=lambda key: (key == "versions", key))
        parts = [(key, recorded.get(key), replayed.get(key)) for key in keys]
    elif isinstance(recorded, list) and isinstance(replayed, list) and len(recorded) == len(replayed):
        parts = [(str(i), a, b) for i, (a, b) in enumerate(zip(recorded, replayed, strict=True))]
    else:
        return ".".join(place), recorded, replayed
    name, before, after = next((part for part in parts if part[1] != part[2]), ("", recorded, replayed))
    return _first_difference(before, after, (*place, name)) if name else (".".join(place), before, after)
