"""A decision's record read back, so that what is said of a stored decision is what was said when it was made."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tactful.decisions.base.exclusion import Exclusion
from tactful.decisions.catalogue.model import Action
from tactful.decisions.catalogue.triggers import Opening
from tactful.decisions.kernel.arbitration import Factors
from tactful.decisions.kernel.decision import Candidate, Decision, Versions
from tactful.decisions.kernel.rewards import RewardComponent


def parse(record: bytes) -> Decision:
    """The decision of a record.

    A record holds neither the tags of actions nor the events of openings, so the result lacks them. A record of
    kernel 2 is read in the terms of the present one: its price of fatigue is a price of the contact.

    Args:
        record: From `Decision.as_bytes`, whose bytes the result gives again from kernel 3 on.
    """
    fields = json.loads(record)
    candidates = tuple(_candidate(item) for item in fields["candidates"])
    return Decision(
        id=fields["id"],
        customer=fields["customer"],
        moment=datetime.fromisoformat(fields["moment"]),
        versions=Versions(**fields["versions"]),
        policy=fields["policy"],
        stratum=fields.get("stratum", "policy"),
        channels=tuple(fields["channels"]),
        seed=fields["seed"],
        capacity=fields["capacity"],
        prices=fields["prices"],
        scores={name: math.nan if value is None else value for name, value in fields["scores"].items()},
        openings=tuple(_opening(item) for item in fields["openings"]),
        closed=_exclusions(fields["closed"]),
        candidates=candidates,
        choice=next((c for c in candidates if _is(c, fields["choice"], fields["opening"])), None),
        probability=fields["probability"],
        silence_probability=fields["silence_probability"],
        rewards=tuple(_reward(item) for item in fields.get("rewards", ())),
    )


def _is(candidate: Candidate, action: str, opening: str | None) -> bool:
    return candidate.action.id == action and candidate.opening == opening


def _candidate(item: Mapping[str, Any]) -> Candidate:
    return Candidate(
        action=Action(item["programme"], item["message"], item["channel"]),
        opening=item["opening"],
        mandatory=item["mandatory"],
        exclusions=_exclusions(item["exclusions"]),
        factors=_factors(item["factors"]) if item["factors"] else None,
        probability=item["probability"],
    )


def _factors(told: Mapping[str, float]) -> Factors:
    if "fatigue_price" not in told:
        return Factors(**told)
    kept = {name: amount for name, amount in told.items() if name not in {"fatigue_price", "response"}}
    return Factors(**kept, baseline=told["response"] - told["effect"], contact_price=told["fatigue_price"])


def _exclusions(items: Sequence[Mapping[str, Any]]) -> tuple[Exclusion, ...]:
    return tuple(Exclusion(**{**item, "until": _moment(item["until"])}) for item in items)


def _reward(item: Mapping[str, Any]) -> RewardComponent:
    return RewardComponent(**{**item, "matures": _moment(item["matures"])})


def _opening(item: Mapping[str, Any]) -> Opening:
    return Opening(
        item["programme"],
        item["key"],
        datetime.fromisoformat(item["opened"]),
        datetime.fromisoformat(item["expires"]),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
