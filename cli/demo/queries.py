"""The service asked about households of different states, and its answers told."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pandas as pd

from tactful.cli.demo.data import MOMENT, Grocer
from tactful.cli.demo.households import consents
from tactful.cli.demo.reporter import Step
from tactful.cli.demo.service import serving
from tactful.decisions.base.exclusion import Exclusion
from tactful.features.build import build_dataset

CHANNELS = ("email", "mail")
STATES = {
    "new here": "days_since_first_purchase < 30 and email",
    "close to the next thousand dollars": "900 <= spend_365d % 1000 and purchases_28d >= 4 and email",
    "a coupon user who stays away": "days_since_purchase >= 28 and redemptions_365d > 5 and email",
    "redeemed a coupon some days ago": "0.5 < days_since_redemption < 5 and contacts_28d > 0 and email",
    "mailed three weeks ago, coupons unused": "21 < days_since_contact < 31 and redemptions_90d == 0 and email",
    "mailed twice this month, no consent to e-mail": "contacts_28d >= 2 and redemptions_365d > 0 and not email",
}
"""States that ask for different answers, as conditions on features and consents."""


def ask_about_states(grocer: Grocer, folder: Path, step: Step) -> list[dict[str, Any]]:
    """Starts the service, asks about the first household of each state, and stops it.

    Args:
        grocer: The data.
        folder: Of the run.
        step: The step of the report.

    Returns:
        The answers, as the service gave them.
    """
    households = _table(grocer)
    chosen = {state: found.index[0] for state, where in STATES.items() if len(found := households.query(where))}
    with step.progress("the service starts, answers, stops"), serving(folder) as client:
        url = f"{client.base_url}/v1/decisions"
        answers = [_post(client, household) for household in chosen.values()]
    step.say(
        f"The service ran in a process of its own, knowing only what had happened by {MOMENT:%Y-%m-%d %H:%M} UTC: its "
        "clock is set to that moment because the data end on 2017-12-31. Asked about the household with the lowest "
        "number in each of these states, it recorded each decision, and reserved its contact, before it answered."
    )
    step.say(f"POST {url} {json.dumps(_wanted(next(iter(chosen.values()))))}")
    for (state, household), answer in zip(chosen.items(), answers, strict=True):
        particulars = [("history", _history(households.loc[household])), *_lines(answer)]
        step.card(f"Household {household}, {state}", particulars)
    return answers


def _table(grocer: Grocer) -> pd.DataFrame:
    """Features as of the moment, and consents, by household in the order of their numbers."""
    frame = build_dataset(grocer.dataset, [MOMENT], everyone=True)
    table = frame.to_pandas().droplevel("as_of")
    allowed = {household: consents(household, household in grocer.mailed) for household in table.index}
    for channel in CHANNELS:
        table[channel] = [allowed[household].get((channel, "marketing"), False) for household in table.index]
    return table.sort_index(key=lambda ids: ids.astype(int))


def _post(client: httpx.Client, household: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/v1/decisions", json=_wanted(household)).raise_for_status().json()
    return answer


def _wanted(household: str) -> dict[str, str]:
    return {"customer_id": household, "id": f"demo-{household}"}


def _history(features: "pd.Series[Any]") -> str:
    allowed = [channel for channel in CHANNELS if features[channel]]
    facts = [
        f"last purchase {features['days_since_purchase']:.1f} days ago",
        f"in a year {features['spend_365d']:,.0f} USD",
        f"purchases: {features['purchases_365d']:.0f}",
        f"coupons redeemed: {features['redemptions_365d']:.0f}",
        f"mailings in 28 days: {features['contacts_28d']:.0f}",
        f"consents to: {', '.join(allowed) or 'nothing'}",
    ]
    return "; ".join(facts)


def _lines(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    currency = answer["currency"]
    yield "churn risk", f"{answer['scores']['lapse']:.1%}"
    yield from _choice(answer, currency)
    others = ", ".join(f"{_named(other)} ({other['priority']:.2f} {currency})" for other in answer["runners_up"])
    yield "behind it", f"{others or 'no other action'}; silence is 0.00 {currency}"
    for number, (message, channels) in enumerate(_excluded(answer).items()):
        yield "" if number else "excluded", f"{message[0]} by {' and '.join(channels)}: {message[1]}"
    if answer["closed"]:
        yield "not open", "; ".join(f"{closed['programme']} ({closed['observed']})" for closed in answer["closed"])


def _excluded(answer: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    """The channels of each excluded message, by the message and its reasons."""
    channels: dict[tuple[str, str], list[str]] = {}
    for action in answer["excluded"]:
        reasons = "; ".join(_sentence(reason) for reason in action["reasons"])
        channels.setdefault((f"{action['programme']}/{action['message']}", reasons), []).append(action["channel"])
    return channels


def _choice(answer: dict[str, Any], currency: str) -> Iterator[tuple[str, str]]:
    choice = answer["choice"]
    if choice is None:
        yield "decision", f"SILENCE: {answer['explanation'].split('Excluded:')[0].removeprefix('Silence: ').strip()}"
        return
    worth = f"worth {choice['priority']:.2f} {currency} more than silence; response {choice['response']:.1%}"
    yield "decision", f"{_named(choice)}, {worth}; chosen with probability {choice['probability']:.3f}"
    if choice["subject"]:
        yield "subject", choice["subject"]
    yield "text", choice["body"]


def _named(action: dict[str, Any]) -> str:
    return f"{action['programme']}/{action['message']} by {action['channel']}"


def _sentence(reason: dict[str, Any]) -> str:
    until = datetime.fromisoformat(reason["until"]) if reason["until"] else None
    return Exclusion(reason["gate"], reason["rule"], reason["observed"], reason["limit"], until).sentence
