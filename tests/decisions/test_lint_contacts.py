"""Contact policies that never bind, or silence what they should only hold back."""

import pytest

from tests.decisions.lints import Edits, Lint, assert_told, policy, step

GAP = "min: 24h, per: channel"


def gap(least: str) -> Edits:
    return {GAP: f"min: {least}"}


def soon(scope: str, first: str, within: str) -> str:
    return f"id: soon, kind: only_after, scope: {{programme: {scope}}}, first: {{programme: {first}}}, within: {within}"


NEVER = "id: never, kind: never_with, scope: {channel: email}, other: {programme: birthday}, within: 3d"

IDLE = {
    "cap under a gap": Lint(
        "cap 'weekly' can bind only through contacts made elsewhere: gap 'breath' leaves room for 2 in 7d",
        gap("84h"),
        gap("83h"),
        "id: weekly",
    ),
    "cap that a message ignores": Lint(
        "cap 'weekly' can bind only",
        gap("84h"),
        {**gap("84h"), "value: 5\n": "value: 5\n        ignores_caps: true\n"},
        "id: weekly",
    ),
    "cap under re-entry": Lint(
        "cap 'plea' can never bind: re-entry leaves room for 2 in 30d",
        policy("id: plea, kind: cap, max: 2, window: 30d, scope: {programme: win_back}"),
        policy("id: plea, kind: cap, max: 1, window: 30d, scope: {programme: win_back}"),
        "id: plea",
    ),
    "cap under a cap": Lint(
        "cap 'monthly' can bind only through contacts made elsewhere: cap 'weekly' leaves room for 8 in 28d",
        policy("id: monthly, kind: cap, max: 8, window: 28d"),
        policy("id: monthly, kind: cap, max: 7, window: 28d"),
        "id: monthly",
    ),
    "cap under one of a segment": Lint(
        "cap 'rarely' can bind only",
        policy("id: rarely, kind: cap, max: 2, window: 7d, segment: rich"),
        {**policy("id: rarely, kind: cap, max: 2, window: 7d, segment: rich"), "weekly,": "weekly, segment: at_risk,"},
        "id: rarely",
    ),
    "gap under a gap": Lint(
        "gap 'twice' can bind only through contacts made elsewhere",
        policy("id: twice, kind: gap, min: 1h, scope: {channel: email}"),
        policy("id: twice, kind: gap, min: 25h, scope: {programme: thanks}"),
        "id: twice",
    ),
    "a scope of nothing": Lint(
        "the scope of gap 'nobody' covers no action",
        policy("id: nobody, kind: gap, min: 9d, scope: {channel: mail, programme: birthday}"),
        policy("id: nobody, kind: gap, min: 9d, scope: {channel: email, programme: birthday}"),
        "id: nobody",
    ),
}

SILENCING = {
    "cap of nothing": Lint(
        "cap 'none' of 0 silences 1 action for ever",
        policy("id: none, kind: cap, max: 0, window: 1d, scope: {programme: thanks}"),
        policy("id: none, kind: cap, max: 0, window: 1d, scope: {programme: thanks}, segment: rich"),
        "id: none",
    ),
    "hold-out of everybody": Lint(
        "a hold-out of everybody silences 6 actions for ever",
        {"objective:": "holdout: {share: 1, salt: x}\nobjective:"},
        {"objective:": "holdout: {share: 0.1, salt: x}\nobjective:"},
        "share: 1,",
    ),
    "suppression by its own event": Lint(
        "suppression 'bought' silences 1 action of 'thanks' for ever",
        policy("id: bought, kind: suppression, on: purchase, lasts: 3d"),
        policy("id: bought, kind: suppression, on: purchase, lasts: 71h"),
        "id: bought",
    ),
    "only after, and never after": Lint(
        "only_after 'soon' and the pair rule 'never' silence 1 action for ever",
        policy(soon("thanks", "birthday", "3d"), NEVER),
        policy(soon("thanks", "birthday", "4d"), NEVER),
        "id: soon",
    ),
    "only nearer than the gap": Lint(
        "only_after 'soon' and gap 'breath' silence 1 action for ever",
        {**policy(soon("thanks", "birthday", "12h")), **gap("12h")},
        {**policy(soon("thanks", "birthday", "12h")), **gap("11h")},
        "id: soon",
    ),
    "only after what re-enters too rarely": Lint(
        "only_after 'soon' silences 1 action for ever: 'step' opens 6h after a contact",
        {**policy(soon("step", "thanks", "6h")), **step(), "expiry: 3d}": "expiry: 3d}\n    reentry: 30h"},
        {**policy(soon("step", "thanks", "6h")), **step(), "expiry: 3d}": "expiry: 3d}\n    reentry: 29h"},
        "id: soon",
    ),
    "step held back": Lint(
        "programme 'step' can never be sent: it expires 30h after the contact it follows, and gap 'breath' wants 30h",
        {**step(), **gap("30h")},
        {**step(), **gap("29h")},
        "after:",
    ),
    "step after itself": Lint(
        "'step' waits for a contact of 'step', a contact that never comes: it silences 1 action for ever",
        step(after="step"),
        step(),
        "after:",
    ),
    "step after what is never sent": Lint(
        "'step' waits for a contact of 'thanks', a contact that never comes",
        {**step(), "where: event.amount >= 50.0": "where: event.type == 'refund'"},
        {**step(), "where: event.amount >= 50.0": "where: event.amount >= 60.0"},
        "after:",
    ),
    "each only after the other": Lint(
        "only_after 'soon' waits for a contact of its first scope, a contact that never comes",
        policy(soon("thanks", "birthday", "9d"), soon("birthday", "thanks", "9d").replace("soon", "late")),
        policy(soon("thanks", "birthday", "9d"), soon("birthday", "win_back", "9d").replace("soon", "late")),
        "id: soon",
    ),
}


@pytest.mark.parametrize("lint", IDLE.values(), ids=IDLE.keys())
def test_a_policy_that_does_nothing(lint: Lint) -> None:
    assert_told(lint)


@pytest.mark.parametrize("lint", SILENCING.values(), ids=SILENCING.keys())
def test_a_rule_that_silences_for_ever(lint: Lint) -> None:
    assert_told(lint)
