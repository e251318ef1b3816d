"""Decisions of the retailer that were agreed on: their records, byte for byte, and how they are explained.

`python -m tests.decisions.golden` writes the files anew. It refuses to where `decide` gives another record of the same
kernel: raise `KERNEL` in `decisions/kernel/decide.py` first, so that a replay can name the cause. A case whose inputs
change gets another name.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tactful.decisions.analysis.explain import as_dict, paragraph, table
from tactful.decisions.analysis.remedies import remedies
from tactful.decisions.catalogue.selection import EpsilonGreedy
from tactful.decisions.kernel.decide import Request, RunContext
from tactful.decisions.kernel.decision import Decision
from tests.decisions.retailer import LAPSING, RETAILER, KnownScorer, at, contact, decided, event, having

FOLDER = Path(__file__).parent
BY_EMAIL = {("email", "marketing"): True}

SNAPSHOTS = {
    "winner": having(consents=BY_EMAIL),
    "several-programmes": having(events=(event("purchase", 1, id="p1", amount=80.0),)),
    "full-week": having(contacts=(contact(2), contact(5, "mail"))),
    "night": having(moment=at(hours=-10)),
    "nothing-open": having(features=(1.0, 1.0)),
    "worth-less-than-silence": LAPSING,
    "explored": LAPSING,
}
CIRCUMSTANCES = {
    "worth-less-than-silence": RunContext(prices={"email": 9.0, "mail": 9.0}),
    "explored": RunContext(seed="golden", capacity={"mail": 1}),
}
POLICIES = {"explored": EpsilonGreedy(kind="epsilon", epsilon=0.3)}


def decision(case: str) -> Decision:
    """The decision of a case as it comes out now."""
    return decided(SNAPSHOTS[case], RETAILER, POLICIES.get(case), CIRCUMSTANCES.get(case), case)


def explanations(case: str) -> Mapping[str, str]:
    """How a case is explained now to a person, an analyst and a machine, by file name."""
    found, currency = decision(case), RETAILER.catalogue.currency
    return {
        "paragraph.txt": f"{paragraph(found, currency)}\n",
        "table.json": _json(table(found)),
        "machine.json": _json(as_dict(found, currency)),
        "remedies.txt": "".join(f"{action}: {change}\n" for action, change in _remedies(case)),
    }


def record(case: str) -> Path:
    """Where the bytes of a case's decision are kept."""
    return FOLDER / case / "record.json"


def unexplained(agreed: bytes, now: bytes) -> bool:
    """Whether two records differ though catalogue, models and kernel are the same."""
    return agreed != now and bool(json.loads(agreed)["versions"] == json.loads(now)["versions"])


def _remedies(case: str) -> list[tuple[str, str]]:
    request = Request(case, SNAPSHOTS[case])
    found = remedies(request, RETAILER, KnownScorer(), CIRCUMSTANCES.get(case))
    return [
        (action, f"{remedy.kind} of {remedy.subject}: {remedy.needed} instead of {remedy.current}")
        for action, changes in found.items()
        for remedy in changes
    ]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n"
