"""Openings that expire in quiet hours and on quiet days."""

import pytest

from tests.decisions.lints import Edits, Lint, assert_told, policy, step

WEEKENDS = policy(
    "id: free, kind: quiet_days, weekdays: [saturday, sunday], holidays: US, scope: {programme: birthday}"
)
THANKS = "where: event.amount >= 50.0, expiry: 3d"


def thanks(expiry: str) -> Edits:
    return {THANKS: THANKS.replace("3d", expiry)}


def birthday(expiry: str, more: str = "") -> Edits:
    return {"attribute: birthday, expiry: 7d": f"attribute: birthday, expiry: {expiry}{more}"}


def day(end: str) -> Edits:
    """Quiet from the end of the night on."""
    return policy(f'id: day, kind: quiet_hours, start: "08:00", end: "{end}", scope: {{programme: thanks}}')


LINTS = {
    "an event at night": Lint(
        "an opening of 'thanks' can expire in quiet hours: of Monday 2024-01-01 21:00 it lives 11h",
        thanks("11h"),
        thanks("12h"),
        "expiry: 11h",
    ),
    "a date at night": Lint(
        "an opening of 'birthday' can expire in quiet hours: of Monday 2024-01-01 00:00 it lives 8h",
        birthday("8h"),
        birthday("8h", ', at: "00:01"'),
        "expiry: 8h",
    ),
    "a date before a weekend": Lint(
        "an opening of 'birthday' can expire in quiet hours: of Saturday 2024-01-13 00:00 it lives 3d",
        WEEKENDS | birthday("3d"),
        WEEKENDS | birthday("4d"),
        "expiry: 3d",
    ),
    "a channel without quiet hours": Lint(
        "an opening of 'thanks' can expire in quiet hours",
        thanks("6h"),
        thanks("6h") | {"channels: email\n        value: 1\n": "channels: [email, mail]\n        value: 2\n"},
        "expiry: 6h",
    ),
    "a step an hour after its day": Lint(
        "an opening of 'step' can expire in quiet hours",
        step("email", expiry="2h", wait="25h"),
        step("email", expiry="2h", wait="24h"),
        "wait: 25h",
    ),
    "never a moment": Lint(
        "programme 'thanks' can never be sent: all its channels are quiet at any time",
        day("21:00"),
        day("20:59"),
        "- id: thanks",
    ),
}


@pytest.mark.parametrize("lint", LINTS.values(), ids=LINTS.keys())
def test_an_opening_lost_in_quiet(lint: Lint) -> None:
    assert_told(lint)
